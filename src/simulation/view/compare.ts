import { bytes, count, duration, percent } from '../../web/page/words.js'
import type { RecordedRun, RunHeader, RunOutcome } from '../record/index.js'
import { unfinished } from './report/report.js'

/** How far two runs may be apart and still agree: a part of the larger value, and an amount that is always allowed. */
export interface Tolerance {
  readonly part: number
  readonly amount: number
}

/** What two runs may differ in and still agree; all has a default. */
export interface CompareOptions {
  /** Of totals, a part of the larger one. */
  readonly totalsWithin?: number | undefined
  /** Of percentiles, a part of the larger one. */
  readonly latenciesWithin?: number | undefined
}

/** One thing that two runs are compared by, in the words that are shown. */
export interface ComparedRow {
  readonly name: string
  readonly one: string
  readonly other: string
  /** The second to the first; undefined where there is none. */
  readonly ratio: number | undefined
  /** In words; undefined for what is told but not judged. */
  readonly allowed: string | undefined
  readonly agrees: boolean
}

/** What the comparison of two runs has come to. */
export interface Comparison {
  readonly headers: readonly [RunHeader, RunHeader]
  /** What is not the same although it would be, were it the same scenario. */
  readonly remarks: readonly string[]
  readonly rows: readonly ComparedRow[]
  readonly agrees: boolean
}

/**
 * A quarter, since each run's peers are chosen at random; a few exchanges more or less are no difference at all. Times
 * are those of a machine in one mode and of a model in another: half, or a blink.
 */
const DEFAULTS = { totalsWithin: 0.25, latenciesWithin: 0.5 } as const
const FEW = 12
/** ms */
const BLINK = 100
/** So many there must be of a kind before a median says something, and before the slowest tenth does. */
const FOR_MEDIAN = 12
const FOR_TENTH = 50

/**
 * Compares two runs of one scenario: made to show that the modes agree, and to see what a change did.
 * @throws SlotmeshError `simulation/run-unfinished`
 */
export function compareRuns(one: RecordedRun, other: RecordedRun, options: CompareOptions = {}): Comparison {
  const { totalsWithin = DEFAULTS.totalsWithin, latenciesWithin = DEFAULTS.latenciesWithin } = options
  const outcomes = [outcomeOf(one), outcomeOf(other)] as const
  const totals = { part: totalsWithin, amount: FEW }
  const latencies = { part: latenciesWithin, amount: BLINK }
  const rows = [
    ...checkRows(...outcomes),
    coverageRow(...outcomes),
    ...totalRows(outcomes, totals),
    ...latencyRows(outcomes, { totals, latencies }),
  ]
  return {
    headers: [one.header, other.header],
    remarks: remarksOn(one.header, other.header),
    rows,
    agrees: rows.every(({ agrees }) => agrees),
  }
}

function outcomeOf(run: RecordedRun): RunOutcome {
  if (run.outcome === undefined) throw unfinished(run)
  return run.outcome
}

function remarksOn(one: RunHeader, other: RunHeader): string[] {
  const names = {
    scenario: 'scenarios',
    clusters: 'numbers of clusters',
    blockTimeMs: 'block times',
    seed: 'seeds',
  } as const
  return (Object.keys(names) as (keyof typeof names)[])
    .filter((key) => one[key] !== other[key])
    .map((key) => `They are of different ${names[key]}: ${one[key]} and ${other[key]}.`)
}

/** What held in one must hold in the other. What only one of them was asked says nothing of the other, unless it fails. */
function checkRows(one: RunOutcome, other: RunOutcome): ComparedRow[] {
  const names = new Set([...one.checks, ...other.checks].map(({ name }) => name))
  const word = ({ checks }: RunOutcome, name: string) => {
    const check = checks.find((each) => each.name === name)
    return check === undefined ? 'not asked' : check.passed ? 'holds' : 'fails'
  }
  return [...names].map((name) => {
    const words = [word(one, name), word(other, name)] as const
    const common = { name, one: words[0], other: words[1], ratio: undefined }
    if (words.includes('not asked') && words.includes('holds')) return { ...common, allowed: undefined, agrees: true }
    return { ...common, allowed: 'the same', agrees: words[0] === words[1] }
  })
}

function coverageRow(one: RunOutcome, other: RunOutcome): ComparedRow {
  const [last, otherLast] = [one.coverage.at(-1), other.coverage.at(-1)]
  const texts = [last, otherLast].map((point) => percent(point?.held ?? 0, point?.due ?? 0))
  const [text = '', otherText = ''] = texts
  return {
    name: 'Coverage at the end',
    one: text,
    other: otherText,
    ratio: undefined,
    allowed: 'the same',
    agrees: text === otherText,
  }
}

type TotalName = keyof RunOutcome['totals']

/** What a scenario decides must be the same to the last one. */
const EXACT: readonly [TotalName, string][] = [
  ['enclaves', 'Enclaves'],
  ['triggers', 'Shares synced'],
]
const JUDGED: readonly [TotalName, string, (value: number) => string][] = [
  ['exchanges', 'Exchanges', count],
  ['attestations', 'Attestations', count],
  ['bytes', 'Bytes', bytes],
]
/** These hang on what each mode counts, and on luck. */
const TOLD: readonly [TotalName, string][] = [
  ['failedExchanges', 'Failed exchanges'],
  ['messages', 'Messages'],
  ['dhtLookups', 'DHT look-ups'],
  ['dhtMessages', 'DHT messages'],
  ['busiestServed', 'Served by the busiest'],
]

function totalRows([one, other]: readonly [RunOutcome, RunOutcome], tolerance: Tolerance): ComparedRow[] {
  const pair = (name: TotalName) => [one.totals[name], other.totals[name]] as const
  // A few exchanges more are as many bytes more as exchanges have in the mean.
  const mean = one.totals.bytes / Math.max(1, one.totals.exchanges)
  return [
    ...EXACT.map(([key, name]) => row(name, pair(key), count, { part: 0, amount: 0 })),
    ...JUDGED.map(([key, name, text]) =>
      row(name, pair(key), text, key === 'bytes' ? { ...tolerance, amount: Math.round(FEW * mean) } : tolerance),
    ),
    ...TOLD.map(([key, name]) => row(name, pair(key), count)),
  ]
}

function latencyRows(
  [one, other]: readonly [RunOutcome, RunOutcome],
  { totals, latencies }: { readonly totals: Tolerance; readonly latencies: Tolerance },
): ComparedRow[] {
  const kinds = { replication: 'Replication', catchUp: 'Catching up', exchange: 'Exchange' } as const
  return (Object.keys(kinds) as (keyof typeof kinds)[]).flatMap((kind) => {
    const [first, second] = [one.distributions[kind], other.distributions[kind]]
    if (first.count === 0 && second.count === 0) return []
    const pair = (part: 'p50' | 'p90' | 'p99' | 'max') => [first[part], second[part]] as const
    const name = kinds[kind]
    const least = Math.min(first.count, second.count)
    return [
      row(`${name}, how many`, [first.count, second.count], count, totals),
      row(`${name}, median`, pair('p50'), duration, least < FOR_MEDIAN ? undefined : latencies),
      row(`${name}, 90 %`, pair('p90'), duration, least < FOR_TENTH ? undefined : latencies),
      row(`${name}, 99 %`, pair('p99'), duration),
      row(`${name}, longest`, pair('max'), duration),
    ]
  })
}

function row(
  name: string,
  [one, other]: readonly [number, number],
  text: (value: number) => string,
  tolerance?: Tolerance,
): ComparedRow {
  const ratio = one > 0 ? other / one : undefined
  const common = { name, one: text(one), other: text(other), ratio }
  if (tolerance === undefined) return { ...common, allowed: undefined, agrees: true }
  const { part, amount } = tolerance
  const agrees = Math.abs(one - other) <= Math.max(amount, part * Math.max(one, other))
  const allowed = part === 0 ? 'the same' : `within ${Math.round(part * 100)} % or ${text(amount)}`
  return { ...common, allowed, agrees }
}
