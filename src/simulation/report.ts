import { alignedLines, type ClusterId, columnWidths, type Hex, type SlotId } from '../domain/index.js'
import type { NodeStatus } from '../node/index.js'
import type { Check } from './check.js'

export type { Check } from './check.js'

/** One enclave at the end of a run. */
export interface EnclaveRow {
  readonly cluster: ClusterId
  readonly slot: SlotId
  /** Undefined when it is down. Its exchanges and refusals count from its last start. */
  readonly status: Pick<NodeStatus, 'shares' | 'syncedBlock' | 'exchanges' | 'refusals'> | undefined
  /** What sets it apart, for example `killed, resumed`. */
  readonly note: string
}

/** Durations of one kind, in ms. */
export interface Timing {
  readonly name: string
  readonly samples: readonly number[]
}

/** What a simulation has come to. */
export interface SimulationReport {
  readonly passed: boolean
  /** By which it can be asked for again. */
  readonly scenario: string
  readonly title: string
  readonly mode: 'live' | 'processes' | 'discrete'
  readonly seed: Hex
  readonly generation: 1 | 2
  /** How many the chain called synced; an NFT that is both counts twice. */
  readonly nfts: { readonly secrets: number; readonly capsules: number }
  /** How often what was done to the mesh; by actions of the scenario or by hand. */
  readonly deeds: Readonly<Record<string, number>>
  readonly enclaves: readonly EnclaveRow[]
  readonly timings: readonly Timing[]
  readonly checks: readonly Check[]
  readonly wallTimeMs: number
  /** Where the run was written down, and the page about it; undefined when it was not. */
  readonly run: { readonly file: string; readonly report: string } | undefined
  /** Where the stores are, when they were kept. */
  readonly folder: string | undefined
}

/** The nearest-rank percentile: the smallest sample that at least `percent` of all samples do not exceed. */
export function percentile(samples: readonly number[], percent: number): number | undefined {
  const sorted = [...samples].sort((one, other) => one - other)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]
}

/** The report as text of at most 100 columns; the last line is `PASS` or `FAIL`. */
export function formatReport(report: SimulationReport): string {
  return [
    ...(report.enclaves.length > 0 ? [formatEnclaves(report.enclaves)] : []),
    ...(report.timings.length > 0 ? [formatTimings(report.timings)] : []),
    formatChecks(report.checks),
    formatSummary(report),
    report.passed ? 'PASS' : 'FAIL',
  ].join('\n\n')
}

function formatEnclaves(enclaves: readonly EnclaveRow[]): string {
  const columns = ['cluster', 'slot', 'secret', 'capsule', 'synced', 'asked', 'served', 'failed', 'sent', 'got', 'note']
  const rows = enclaves.map(({ cluster, slot, status, note }) => [
    text(cluster),
    text(slot),
    text(status?.shares.secret),
    text(status?.shares.capsule),
    text(status?.syncedBlock),
    text(status?.exchanges.requested),
    text(status?.exchanges.served),
    text(status?.exchanges.failed),
    text(status && total(status.refusals.sent)),
    text(status && total(status.refusals.received)),
    note,
  ])
  const widths = columnWidths([columns, ...rows])
  const width = (...covered: number[]): number =>
    covered.reduce((sum, column) => sum + (widths[column] ?? 0), GAP.length * (covered.length - 1))
  const groups = [
    ''.padEnd(width(0, 1)),
    'shares'.padStart(width(2, 3)),
    'block'.padStart(width(4)),
    'exchanges'.padStart(width(5, 6, 7)),
    'refusals'.padStart(width(8, 9)),
  ]
  return `${groups.join(GAP)}\n${formatTable(columns, rows, { leftAligned: [10] })}`
}

function formatTimings(timings: readonly Timing[]): string {
  const rows = timings.map(({ name, samples }) => [
    name,
    milliseconds(percentile(samples, 50)),
    milliseconds(percentile(samples, 99)),
    text(samples.length),
  ])
  return formatTable(['time', 'p50', 'p99', 'n'], rows, { leftAligned: [0] })
}

function formatChecks(checks: readonly Check[]): string {
  return checks
    .flatMap(({ name, passed, detail }) => [`${passed ? 'ok  ' : 'FAIL'} ${name}`, ...wrap(detail, 95, '     ')])
    .join('\n')
}

function formatSummary({ title, mode, nfts, deeds, generation, wallTimeMs, ...rest }: SimulationReport): string {
  const { seed, folder, run } = rest
  const done = Object.entries(deeds).map(([type, count]) => `${count} × ${type}`)
  const lines = [
    `${title}, in ${mode} mode: ${nfts.secrets} secrets and ${nfts.capsules} capsules`,
    `on a chain of generation ${generation}, in ${(wallTimeMs / 1000).toFixed(1)} s`,
    ...(done.length > 0 ? wrap(`with ${done.join(', ')}`, 95, '') : []),
    `seed ${seed}`,
  ]
  if (folder !== undefined) lines.push(`stores kept in ${folder}`)
  if (run !== undefined) lines.push(`run written to ${run.file}`, `and as a page to ${run.report}`)
  return lines.join('\n')
}

/** Between two columns. */
const GAP = '  '

/** Numbers to the right, text to the left, no blanks at line ends. */
function formatTable(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  { leftAligned }: { leftAligned: readonly number[] },
): string {
  const rule = columnWidths([heading, ...rows]).map((width) => '-'.repeat(width))
  const right = [...heading.keys()].filter((column) => !leftAligned.includes(column))
  return alignedLines([heading, rule, ...rows], { right }).join('\n')
}

function text(value: number | undefined): string {
  return value === undefined ? '-' : String(value)
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

function milliseconds(value: number | undefined): string {
  if (value === undefined) return '-'
  return value < 10_000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`
}

/** Breaks a sentence at blanks so that no line is longer than `width`, indent included, unless one word is. */
function wrap(sentence: string, width: number, indent: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of sentence.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return line === '' ? lines : [...lines, indent + line]
}
