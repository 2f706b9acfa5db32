import { bytes, count, duration, moment, percent } from '../../../web/page/words.js'
import type { CoveragePoint, RecordedRun, RunEvent, RunHeader, RunOutcome } from '../../record/index.js'
import { figure } from '../plot/frame.js'
import { histogram } from '../plot/histogram.js'
import { html, type Markup } from '../plot/markup.js'
import { type Mark, overTime } from '../plot/over-time.js'
import { ranking } from '../plot/ranking.js'

/** Rows of a table that only gives an idea. */
const SOME_ROWS = 60

/** A run that has ended: the only kind that there is a report of. */
export interface EndedRun {
  readonly header: RunHeader
  readonly outcome: RunOutcome
  readonly marks: readonly Mark[]
}

/** @returns undefined for a run that goes on, or was cut short. */
export function endedRun({ header, outcome, events }: RecordedRun): EndedRun | undefined {
  if (outcome === undefined) return undefined
  const isAction = (event: RunEvent): event is Extract<RunEvent, { type: 'action' }> => event.type === 'action'
  return { header, outcome, marks: events.filter(isAction).map(({ at, text }) => ({ at, text })) }
}

export const MODES: Readonly<Record<RunHeader['mode'], string>> = {
  live: 'real nodes in one process',
  processes: 'real nodes, a process each',
  discrete: 'discrete events, computed time',
}

/** How it went and what it came to, first. */
export function overview({ header, outcome }: EndedRun): Markup {
  const { totals, distributions, passed, durationMs, wallMs } = outcome
  const facts: [string, string][] = [
    ['clusters', count(header.clusters)],
    ['enclaves', count(totals.enclaves)],
    ['time of the run', duration(durationMs)],
    ['time of the wall', duration(wallMs)],
    ['shares synced', count(totals.triggers)],
    ['replicated, median', duration(distributions.replication.p50)],
    ['replicated, 99 %', duration(distributions.replication.p99)],
    ['exchanges', count(totals.exchanges)],
    ['of these failed', count(totals.failedExchanges)],
    ['attestations', count(totals.attestations)],
    ['in shares and proofs', bytes(totals.bytes)],
    ['messages', count(totals.messages)],
    ['DHT look-ups', count(totals.dhtLookups)],
    ['served by the busiest', count(totals.busiestServed)],
  ]
  return html`<p class="verdict ${passed ? 'passed' : 'failed'}">${passed ? 'Everything held' : 'Something did not hold'}</p>
<h1>${header.title}</h1><p class="why">${header.why}</p>
<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
<p class="small">Scenario ${header.scenario}, ${MODES[header.mode]}, a block every ${duration(header.blockTimeMs)}. Seed ${header.seed}. Started ${header.startedAt} on ${header.machine.platform} with ${header.machine.processors} processors, Node ${header.machine.node}.</p>`
}

export function checks({ outcome }: EndedRun): Markup {
  return html`<h2>What had to hold</h2><div class="card"><ul class="checks">${outcome.checks.map(
    ({ name, passed, detail }) =>
      html`<li><b class="${passed ? 'passed' : 'failed'}">${passed ? '✓ holds' : '✗ fails'}</b> ${name}<span>${detail}</span></li>`,
  )}</ul></div>`
}

export function plots(run: EndedRun): Markup {
  return html`<h2>Over time</h2><div class="grid">${[coverage(run), lag(run)]}</div>${marksOf(run)}
<h2>How long it took</h2><div class="grid">${latencies(run)}</div>
<h2>Who did the work</h2><div class="grid">${perNode(run)}</div>${leftOut(run)}`
}

function coverage({ header, outcome: { coverage: points, durationMs }, marks }: EndedRun): Markup {
  const share = ({ due, held }: CoveragePoint) => (due === 0 ? 100 : (held / due) * 100)
  const lowest = points.reduce<CoveragePoint | undefined>(
    (low, point) => (low === undefined || share(point) < share(low) ? point : low),
    undefined,
  )
  const last = points.at(-1)
  const sentence =
    lowest === undefined || last === undefined
      ? 'Nothing was sampled.'
      : `At the end ${percent(last.held, last.due)}; lowest at ${moment(lowest.at)} with ${percent(lowest.held, lowest.due)}.`
  return figure({
    title: 'Coverage',
    note: `Shares held, of those that the chain listed for the enclaves that were up. ${sentence}`,
    plot: overTime({
      title: `Coverage over time, ${header.clusters} clusters`,
      sentence,
      lines: [{ name: 'held', points: points.map((point) => ({ at: point.at, value: share(point) })), isArea: true }],
      marks,
      until: durationMs,
      y: { label: 'held of what was due', text: (value) => `${value} %`, top: 100 },
    }),
    table: {
      caption: 'Coverage over time',
      head: ['time', 'due', 'held', 'part'],
      rows: some(points).map((point) => [
        moment(point.at),
        count(point.due),
        count(point.held),
        percent(point.held, point.due),
      ]),
    },
  })
}

function lag({ outcome: { lag: points, durationMs }, marks }: EndedRun): Markup {
  const worst = Math.max(0, ...points.map((point) => point.worst))
  const sentence = `The enclave furthest behind was ${count(worst)} blocks behind the chain.`
  return figure({
    title: 'Lag',
    note: `Blocks that enclaves were behind the chain: half of them no more than the solid line, the worst at the broken one. ${sentence}`,
    plot: overTime({
      title: 'Blocks behind the chain, over time',
      sentence,
      lines: [
        { name: 'median', points: points.map((point) => ({ at: point.at, value: point.median })), isArea: true },
        { name: 'worst', points: points.map((point) => ({ at: point.at, value: point.worst })) },
      ],
      marks,
      until: durationMs,
      y: { label: 'blocks behind', text: count, top: Math.max(4, worst) },
    }),
    table: {
      caption: 'Blocks behind the chain over time',
      head: ['time', 'median', 'worst'],
      rows: some(points).map((point) => [moment(point.at), count(point.median), count(point.worst)]),
    },
  })
}

function marksOf({ marks }: EndedRun): Markup {
  if (marks.length === 0) return html``
  return html`<ol class="marks" aria-label="What was done, by the numbers in the plots">${marks.map(({ at, text }) => html`<li><time>${moment(at)}</time> ${text}</li>`)}</ol>`
}

function latencies({ outcome: { distributions } }: EndedRun): Markup[] {
  const kinds = [
    {
      key: 'replication',
      title: 'Replication',
      note: 'From when a replica saw that a share was synced until it was durable there.',
    },
    { key: 'exchange', title: 'Exchanges', note: 'From the first byte of an exchange that went well to its last.' },
    { key: 'catchUp', title: 'Catching up', note: 'From a seat or a restart until all that there was was held.' },
  ] as const
  return kinds.map(({ key, title, note }) => {
    const distribution = distributions[key]
    if (distribution.count === 0)
      return html`<figure><figcaption><h3>${title}</h3><p>${note} There was none.</p></figcaption></figure>`
    return figure({
      title,
      note,
      plot: histogram({ title: `${title}: how long it took`, distribution }),
      table: {
        caption: `${title}: how many took how long`,
        head: ['', 'value'],
        rows: [
          ...([50, 90, 99] as const).map((part) => [`${part} % within`, duration(distribution[`p${part}`])]),
          ['longest', duration(distribution.max)],
          ...distribution.bins.map((bin) => [`up to ${duration(bin.upTo)}`, count(bin.count)]),
        ],
      },
    })
  })
}

function perNode({ outcome: { nodes } }: EndedRun): Markup[] {
  const all = Object.entries(nodes).map(([name, totals]) => ({ name, ...totals }))
  const kinds = [
    { key: 'served', title: 'Exchanges served', label: 'exchanges', text: count },
    { key: 'bytesServed', title: 'Bytes served', label: 'bytes', text: bytes },
    { key: 'requested', title: 'Exchanges asked for', label: 'exchanges', text: count },
    { key: 'bytesReceived', title: 'Bytes received', label: 'bytes', text: bytes },
  ] as const
  return kinds.map(({ key, title, label, text }) => {
    const values = all
      .map((node) => ({ name: node.name, value: node[key] }))
      .sort((one, other) => other.value - one.value)
    const total = values.reduce((sum, { value }) => sum + value, 0)
    const [first] = values
    const median = values[values.length >> 1]?.value ?? 0
    const sentence =
      first === undefined
        ? 'There were no exchanges.'
        : `${first.name} had most, ${text(first.value)}; half had no more than ${text(median)}, all together ${text(total)}.`
    return figure({
      title,
      note: sentence,
      plot: ranking({ title: `${title}, by enclave`, sentence, values, label, text }),
      table: {
        caption: `${title}, the ${SOME_ROWS} with most`,
        head: ['enclave', label],
        rows: values.slice(0, SOME_ROWS).map(({ name, value }) => [name, text(value)]),
      },
    })
  })
}

function leftOut({ outcome }: EndedRun): Markup {
  const parts = Object.entries(outcome.leftOut).map(([type, number]) => `${count(number)} of ${type}`)
  if (parts.length === 0) return html``
  return html`<p class="small">The run’s file leaves out events that were too many to keep: ${parts.join(', ')}. All of them are counted here.</p>`
}

function some<T>(points: readonly T[]): T[] {
  const step = Math.max(1, Math.ceil(points.length / SOME_ROWS))
  return points.filter((_, index) => index % step === 0 || index === points.length - 1)
}
