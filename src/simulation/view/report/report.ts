import { SlotmeshError } from '../../../domain/index.js'
import { count, duration, percent } from '../../../web/page/words.js'
import type { RecordedRun } from '../../record/index.js'
import { plainTable } from '../plot/frame.js'
import { html, type Markup } from '../plot/markup.js'
import { document } from './document.js'
import { checks, type EndedRun, endedRun, MODES, overview, plots } from './run.js'
import { costs } from './scale.js'

/**
 * One page about one run, or about several and how their costs grow with the number of clusters.
 * @param runs at least one
 * @returns HTML that needs nothing else.
 * @throws SlotmeshError `simulation/run-unfinished` when one of them has no outcome.
 */
export function formatHtmlReport(runs: readonly RecordedRun[]): string {
  const ended = runs.map((run) => {
    const whole = endedRun(run)
    if (whole === undefined) throw unfinished(run)
    return whole
  })
  const [first, ...others] = ended
  if (first === undefined) throw new SlotmeshError('simulation/bad-option', 'A report is of at least one run.')
  if (others.length > 0) return ofSeveral(ended)
  return document({ title: first.header.title, content: [overview(first), checks(first), plots(first)] })
}

function ofSeveral(runs: readonly EndedRun[]): string {
  const sorted = [...runs].sort((one, other) => one.header.clusters - other.header.clusters)
  const titles = [...new Set(sorted.map(({ header }) => header.title))]
  const failed = sorted.filter(({ outcome }) => !outcome.passed).length
  const verdict = failed === 0 ? 'Everything held in all of them' : `Something did not hold in ${failed} of them`
  const top = html`<p class="verdict ${failed === 0 ? 'passed' : 'failed'}">${verdict}</p><h1>${titles.join(' / ')}</h1>
<p class="why">${sorted.length} runs, side by side.</p><h2>The runs</h2><div class="card scroll">${plainTable({
    caption: 'The runs',
    head: [
      'clusters',
      'mode',
      'held',
      'shares',
      'replicated, 50 %',
      '99 %',
      'exchanges',
      'coverage at the end',
      'wall',
    ],
    rows: sorted.map(({ header, outcome }) => {
      const last = outcome.coverage.at(-1)
      return [
        count(header.clusters),
        header.mode,
        outcome.passed ? 'all' : 'not all',
        count(outcome.totals.triggers),
        duration(outcome.distributions.replication.p50),
        duration(outcome.distributions.replication.p99),
        count(outcome.totals.exchanges),
        percent(last?.held ?? 0, last?.due ?? 0),
        duration(outcome.wallMs),
      ]
    }),
  })}</div>`
  return document({
    title: titles.join(' / '),
    content: [top, costs(sorted), html`<h2>Each run</h2>`, ...sorted.map(folded)],
  })
}

function folded(run: EndedRun): Markup {
  const { header } = run
  return html`<details class="run"><summary>${header.title}, ${count(header.clusters)} clusters, ${MODES[header.mode]}</summary>${[overview(run), checks(run), plots(run)]}</details>`
}

export function unfinished({ header }: RecordedRun): SlotmeshError {
  const sentence = `The run of ${header.scenario} that started ${header.startedAt} was cut short and has no outcome. Use "slotmesh simulate show" to look at it.`
  return new SlotmeshError('simulation/run-unfinished', sentence)
}
