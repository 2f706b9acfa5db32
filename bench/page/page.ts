import { figure, plainTable } from '../../src/simulation/view/plot/frame.js'
import { html, type Markup } from '../../src/simulation/view/plot/markup.js'
import { document } from '../../src/simulation/view/report/document.js'
import type { ContestResult } from '../harness/contest.js'
import { type Judged, judged, type Results } from '../harness/results.js'
import { TARGETS, type Target } from '../harness/targets.js'
import { amountText, boundText, machineText, measuredText, ROLES, ratioText, spreadText } from '../harness/text.js'
import { contestPlot, type TargetRow, targetsPlot } from './plots.js'

/** One page about one bench, that needs nothing else: no network, no scripts. */
export function benchPage(results: Results): string {
  const { at, machine, seconds, contests } = results
  const verdicts = judged(results)
  const met = verdicts.filter(({ verdict }) => verdict.isMet).length
  const took = Object.entries(seconds).map(([name, spent]) => `${name} ${spent.toFixed(0)} s`)
  const top = html`<h1>What was measured</h1><p class="why">${met} of ${verdicts.length} targets met. Each figure is the median of its runs, with the least and the most; what is compared has run in turn, so that what else the machine did met all of it. Trust ratios, not amounts: they carry over to other machines.</p>
<p class="small">${machineText(machine)}, ${at}</p><p class="small">Took: ${took.join(', ')}</p>`
  return document({
    title: 'slotmesh: what was measured',
    content: [top, ...(verdicts.length > 0 ? [targets(verdicts)] : []), html`<h2>Figures</h2>`, grid(contests)],
    style: STYLE,
  })
}

const STYLE = `
.run { fill-opacity: 0.55; } .run.ours { fill: var(--one); } .run.theirs { fill: var(--soft); }
.median { stroke-width: 2.5; } .median.ours { stroke: var(--one); } .median.theirs { stroke: var(--soft); }
.asked { stroke: var(--ink); stroke-dasharray: 4 3; }
.met { fill: var(--good); stroke: var(--good); } .missed { fill: none; stroke: var(--bad); }
.range { stroke-width: 2; } .cross { stroke-width: 2.5; }
.card td:nth-child(2) { white-space: normal; }
dl.sides { margin: 10px 0 0; font-size: 14px; } dl.sides dt { font-weight: 600; } dl.sides dd { margin: 0 0 8px; color: var(--soft); }
`

function targets(verdicts: readonly Judged[]): Markup {
  const table = {
    caption: 'Targets',
    head: ['what', 'against', 'asked for', 'measured', ''],
    rows: verdicts.map((each) => {
      const { what, against = '–' }: Target = TARGETS[each.verdict.id]
      const { verdict } = each
      return [what, against, boundText(verdict.id), measuredText(each), verdict.isMet ? 'met' : 'NOT met']
    }),
  }
  return html`<h2>Targets</h2><div class="card">${targetsPlot(verdicts.map(targetRow))}</div><div class="card scroll" tabindex="0" role="region" aria-label="Targets">${plainTable(table)}</div>`
}

/** What reaches nothing of its target, or takes nothing at all, is drawn here: no logarithmic scale has a place for it. */
const FARTHEST = 1_000

/** Times what is asked for, so that more is always better. */
function targetRow({ contest, other, verdict, measured }: Judged): TargetRow {
  const { bound, value }: Target = TARGETS[verdict.id]
  const times = (amount: number) => {
    const exactly = bound === 'at least' ? amount / value : value / amount
    return Math.min(Math.max(exactly, 1 / FARTHEST), FARTHEST)
  }
  const [one, another] = [times(measured.minimum), times(measured.maximum)]
  return {
    name: other === undefined ? contest.name : `${contest.name} / ${other.name}`,
    times: { minimum: Math.min(one, another), median: times(measured.median), maximum: Math.max(one, another) },
    isMet: verdict.isMet,
  }
}

function grid(contests: readonly ContestResult[]): Markup {
  return html`<div class="grid">${contests.map(contestFigure)}</div>`
}

function contestFigure(contest: ContestResult): Markup {
  const { name, unit, better, contestant, others } = contest
  const sides = [contestant, ...others]
  const table = {
    caption: `${name}, ${unit}`,
    head: ['', 'median', 'least', 'most', 'ratio', ...contestant.figures.map((_, run) => `run ${run + 1}`)],
    rows: sides.map((side, row) => {
      const { minimum, median, maximum } = side.spread
      const ratio = others[row - 1]?.ratio
      const ratioCell = ratio === undefined ? '–' : spreadText(ratio, ratioText)
      return [side.name, ...[median, minimum, maximum].map(amountText), ratioCell, ...side.figures.map(amountText)]
    }),
  }
  const plot = html`${contestPlot(contest)}<dl class="sides">${sides.map((side, row) => {
    const role = others[row - 1]?.role
    return html`<dt>${side.name}${role === undefined ? '' : `, ${ROLES[role]}`}</dt><dd>${side.setUp}</dd>`
  })}</dl>`
  return figure({ title: name, note: `${unit}; ${better} is better`, plot, table })
}
