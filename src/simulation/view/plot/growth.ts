import { count } from '../../../web/page/words.js'
import type { PowerLaw } from './fit.js'
import { ACROSS, frame, pathOf, rounded, UP } from './frame.js'
import { html, type Markup } from './markup.js'
import { logScale } from './scale.js'

/** How something grows with the number of clusters, or of something else, both on logarithmic scales, with the power law that fits it. */
export function growth({
  title,
  label,
  points,
  law,
  text,
  of = 'clusters',
}: {
  readonly title: string
  readonly label: string
  /** All above zero. */
  readonly points: readonly { readonly x: number; readonly y: number; readonly name: string }[]
  readonly law: PowerLaw | undefined
  readonly text: (value: number) => string
  /** What there is more and more of. */
  readonly of?: string
}): Markup {
  const x = logScale(padded(points.map((point) => point.x)), ACROSS)
  const y = logScale(padded(points.map((point) => point.y)), UP)
  const ends = [Math.min(...points.map((point) => point.x)), Math.max(...points.map((point) => point.x))]
  const line =
    law === undefined
      ? []
      : [
          html`<path class="fit" d="${pathOf(ends.map((end) => ({ x: x.place(end), y: y.place(law.factor * end ** law.exponent) })))}"/>`,
        ]
  const dots = points.map(
    (point) =>
      html`<circle class="dot" cx="${rounded(x.place(point.x))}" cy="${rounded(y.place(point.y))}" r="4.5"><title>${point.name}: ${text(point.y)}</title></circle>`,
  )
  const told = points.map((point) => `${text(point.y)} at ${count(point.x)}`).join(', ')
  return frame({
    title,
    sentence: `${told}.${law === undefined ? '' : ` It grows as the number of ${of} to the power of ${law.exponent.toFixed(2)}.`}`,
    x: { scale: x, label: `${of} (logarithmic)`, text: count },
    y: { scale: y, label, text },
    content: [...line, ...dots],
  })
}

/** Some room at both ends, and at least a factor of four in all so that noise does not look like growth. */
function padded(values: readonly number[]): { from: number; to: number } {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const room = Math.max(1.25, Math.sqrt(4 / (most / least)))
  return { from: least / room, to: most * room }
}
