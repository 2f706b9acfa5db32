import { ACROSS, frame, pathOf, rounded, UP } from './frame.js'
import { html, type Markup } from './markup.js'
import { linearScale } from './scale.js'

/** As many bars can still be told apart. */
const BARS = 80

/** Each one's share of something, from the one with most to the one with least. */
export function ranking({
  title,
  sentence,
  values,
  label,
  text,
}: {
  readonly title: string
  readonly sentence: string
  readonly values: readonly { readonly name: string; readonly value: number }[]
  readonly label: string
  readonly text: (value: number) => string
}): Markup {
  const sorted = [...values].sort((one, other) => other.value - one.value)
  const x = linearScale({ from: 0, to: Math.max(1, sorted.length) }, ACROSS)
  const y = linearScale({ from: 0, to: Math.max(1, sorted[0]?.value ?? 0) }, UP, { ticks: 4 })
  const bars = sorted.map(({ name, value }, index) => {
    const [left, right] = [x.place(index), x.place(index + 1)]
    const top = y.place(value)
    const gap = Math.min(2, (right - left) * 0.2)
    return html`<rect class="bar" x="${rounded(left + gap / 2)}" y="${rounded(top)}" width="${rounded(right - left - gap)}" height="${rounded(UP.from - top)}"><title>${name}: ${text(value)}</title></rect>`
  })
  const steps = sorted.flatMap(({ value }, index) => [
    { x: x.place(index), y: y.place(value) },
    { x: x.place(index + 1), y: y.place(value) },
  ])
  const area = [{ x: ACROSS.from, y: UP.from }, ...steps, { x: ACROSS.to, y: UP.from }]
  return frame({
    title,
    sentence,
    x: {
      scale: { ...x, ticks: x.ticks.filter(Number.isInteger) },
      label: 'enclaves, from most to least',
      text: String,
    },
    y: { scale: y, label, text },
    content: sorted.length <= BARS ? bars : [html`<path class="bar" d="${pathOf(area)}Z"/>`],
  })
}
