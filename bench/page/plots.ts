import { type Area, areaOf, frame, rounded } from '../../src/simulation/view/plot/frame.js'
import { html, type Markup } from '../../src/simulation/view/plot/markup.js'
import { linearScale, logScale, type Scale } from '../../src/simulation/view/plot/scale.js'
import type { ContestResult } from '../harness/contest.js'
import type { Spread } from '../harness/statistics.js'
import { amountText, ratioText, spreadText } from '../harness/text.js'

/** From here on figures are too far apart to be seen beside each other on a linear scale. */
const FAR_APART = 12

const ROW = 30
const MARGINS = 50
/** So wide that their letters come out alike. */
const [CONTEST, TARGETS] = [
  { width: 480, left: 92 },
  { width: 980, left: 280 },
]

/** A row for each side: a dot for each run, a line at the median. */
export function contestPlot({ name, unit, contestant, others }: ContestResult): Markup {
  const sides = [contestant, ...others]
  const area = areaOf({ ...CONTEST, height: sides.length * ROW + MARGINS })
  const scale = amountScale(
    sides.flatMap(({ figures }) => figures),
    area,
  )
  const told = sides.map((side) => `${side.name} ${spreadText(side.spread, amountText)}`).join('; ')
  const y = rows(
    sides.map((side) => side.name),
    area,
  )
  return frame({
    title: name,
    sentence: `${told}.`,
    x: { scale: scale.scale, label: `${unit}${scale.isLogarithmic ? ' (logarithmic)' : ''}`, text: amountLabel },
    y: { ...y, label: '' },
    content: sides.flatMap(({ figures, spread }, row) => {
      const kind = row === 0 ? 'ours' : 'theirs'
      return marks(kind, figures, spread, { x: scale.scale, at: y.scale.place(row), text: amountText })
    }),
    area,
  })
}

export interface TargetRow {
  readonly name: string
  /** How often the target is reached, from 1 on it is met. */
  readonly times: Spread
  readonly isMet: boolean
}

/** How far each target is reached, on a logarithmic scale with a line where it is met. */
export function targetsPlot(targets: readonly TargetRow[]): Markup {
  const area = areaOf({ ...TARGETS, height: targets.length * ROW + MARGINS })
  const all = [1, ...targets.flatMap(({ times }) => [times.minimum, times.maximum])]
  const x = logScale({ from: Math.min(...all) / 1.25, to: Math.max(...all) * 1.25 }, area.across)
  const y = rows(
    targets.map(({ name }) => name),
    area,
  )
  const line = rounded(x.place(1))
  const met = targets.filter(({ isMet }) => isMet).length
  return frame({
    title: 'Targets',
    sentence: `${met} of ${targets.length} are met.`,
    x: { scale: x, label: 'times what is asked for (logarithmic); right of the line it is met', text: ratioLabel },
    y: { ...y, label: '' },
    content: [
      html`<line class="asked" x1="${line}" x2="${line}" y1="${area.up.to}" y2="${area.up.from}"/>`,
      ...targets.map(({ name, times, isMet }, row) => {
        const at = rounded(y.scale.place(row))
        const [from, to] = [rounded(x.place(times.minimum)), rounded(x.place(times.maximum))]
        const kind = isMet ? 'met' : 'missed'
        return html`<g class="${kind}"><title>${name}: ${spreadText(times, ratioText)} times what is asked for</title><line class="range" x1="${from}" x2="${to}" y1="${at}" y2="${at}"/>${
          isMet ? circle(x.place(times.median), at) : cross(x.place(times.median), at)
        }</g>`
      }),
    ],
    area,
  })
}

/** Round where it is met and a cross where not: colours alone do not say it to everybody. */
function circle(x: number, y: number): Markup {
  return html`<circle cx="${rounded(x)}" cy="${y}" r="5"/>`
}

function cross(x: number, y: number): Markup {
  const [left, right, up, down] = [x - 4.5, x + 4.5, y - 4.5, y + 4.5].map(rounded)
  return html`<path class="cross" d="M${left ?? 0},${up ?? 0}L${right ?? 0},${down ?? 0}M${left ?? 0},${down ?? 0}L${right ?? 0},${up ?? 0}"/>`
}

function marks(
  kind: 'ours' | 'theirs',
  figures: readonly number[],
  spread: Spread,
  { x, at, text }: { readonly x: Scale; readonly at: number; readonly text: (value: number) => string },
): Markup[] {
  const median = rounded(x.place(spread.median))
  return [
    ...figures.map(
      (figure, run) =>
        html`<circle class="run ${kind}" cx="${rounded(x.place(figure))}" cy="${rounded(at)}" r="4"><title>run ${run + 1}: ${text(figure)}</title></circle>`,
    ),
    html`<line class="median ${kind}" x1="${median}" x2="${median}" y1="${rounded(at - 9)}" y2="${rounded(at + 9)}"/>`,
  ]
}

/** From zero on, unless the figures are too far apart. */
function amountScale(figures: readonly number[], { across }: Area): { scale: Scale; isLogarithmic: boolean } {
  const [least, most] = [Math.min(...figures), Math.max(...figures)]
  const isLogarithmic = least > 0 && most / least > FAR_APART
  const scale = isLogarithmic
    ? logScale({ from: least / 1.25, to: most * 1.25 }, across)
    : linearScale({ from: 0, to: most * 1.05 || 1 }, across)
  return { scale, isLogarithmic }
}

/** One under the other, the first at the top. */
function rows(names: readonly string[], { up }: Area): { scale: Scale; text: (row: number) => string } {
  const height = (up.from - up.to) / Math.max(1, names.length)
  const scale = { place: (row: number) => up.to + (row + 0.5) * height, ticks: [...names.keys()] }
  return { scale, text: (row) => names[row] ?? '' }
}

function amountLabel(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 })
}

function ratioLabel(value: number): string {
  return `${amountLabel(value)} ×`
}
