import { duration } from '../../../web/page/words.js'
import type { Distribution } from '../../record/index.js'
import { ACROSS, frame, rounded, UP } from './frame.js'
import { html, type Markup } from './markup.js'
import { linearScale, logScale } from './scale.js'

/** Bins of a logarithmic scale, with the median and the 99th percentile marked. */
export function histogram({
  title,
  distribution,
}: {
  readonly title: string
  readonly distribution: Distribution
}): Markup {
  const { bins, p50, p99, max, count } = distribution
  const factor = 10 ** 0.1
  const x = logScale({ from: (bins[0]?.upTo ?? 1) / factor, to: bins.at(-1)?.upTo ?? 10 }, ACROSS)
  const y = linearScale({ from: 0, to: Math.max(1, ...bins.map((bin) => bin.count)) }, UP, { ticks: 4 })
  const bars = bins.map((bin) => {
    const [left, right] = [x.place(bin.upTo / factor), x.place(bin.upTo)]
    const top = y.place(bin.count)
    return html`<rect class="bar" x="${rounded(left + 0.75)}" y="${rounded(top)}" width="${rounded(Math.max(0.5, right - left - 1.5))}" height="${rounded(UP.from - top)}"><title>up to ${duration(bin.upTo)}: ${bin.count}</title></rect>`
  })
  const marks = [
    { name: 'median', at: p50 },
    { name: '99 %', at: p99 },
  ].map(({ name, at }) => {
    const place = rounded(Math.min(ACROSS.to, x.place(Math.max(at, bins[0]?.upTo ?? 1))))
    return html`<g class="percentile"><line x1="${place}" x2="${place}" y1="${UP.to}" y2="${UP.from}"/><text x="${place}" y="${UP.to - 4}" text-anchor="middle">${name}</text></g>`
  })
  return frame({
    title,
    sentence: `${count} in all; half within ${duration(p50)}, 99 % within ${duration(p99)}, the longest ${duration(max)}.`,
    x: { scale: x, label: 'time it took (logarithmic)', text: duration },
    y: { scale: { ...y, ticks: y.ticks.filter(Number.isInteger) }, label: 'how many', text: String },
    content: [...bars, ...(p50 === p99 ? marks.slice(1) : marks)],
  })
}
