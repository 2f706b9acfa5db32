import { messageOf, SlotmeshError, shareKeyText } from '../domain/index.js'
import { Bench, CaseBench } from './bench.js'
import type { ConformanceCase } from './case.js'
import { CATALOGUE } from './catalogue.js'
import type { StartedPeer } from './command.js'
import { type CaseResult, runCase } from './runner.js'
import { Service } from './service.js'
import { type Coverage, coverageOf } from './specification.js'
import { type Target, targetOf } from './target.js'
import { UNSEEN } from './unseen.js'

/** What is judged, by what, and how long it is waited for. */
export interface ConformanceOptions {
  /** Is given all that the implementation under test needs; what it returns stops that again. */
  readonly start: (target: Target, options: { signal: AbortSignal }) => Promise<StartedPeer>
  /** Where the peer is; by default it is looked for in the mesh. */
  readonly peer?: string | undefined
  /** Ids of cases, or beginnings of ids; all by default. */
  readonly only?: readonly string[] | undefined
  readonly skip?: readonly string[] | undefined
  /** Whether cases that take longer than ten seconds are run, too. */
  readonly slow?: boolean
  /** Ms for each case; 20,000 by default. Slow cases have what they need on top. */
  readonly timeoutMs?: number | undefined
  /** Ms until the peer must have joined the mesh, and again until it must hold what was synced before; 60,000. */
  readonly joinTimeoutMs?: number | undefined
  readonly signal?: AbortSignal
  /** Called with each case as soon as it is judged. */
  readonly onResult?: (result: CaseResult) => void
  /** Called with what the suite does now, in a sentence. */
  readonly onProgress?: (sentence: string) => void
}

/** What the judgement has come to. */
export interface ConformanceReport {
  readonly results: readonly CaseResult[]
  readonly coverage: Coverage
  /** Neither failed nor without a verdict; warnings are no failures. */
  readonly passed: boolean
}

/** The cases of the catalogue that the options choose, in order. */
export function chosenCases({
  only,
  skip = [],
  slow = false,
}: Pick<ConformanceOptions, 'only' | 'skip' | 'slow'> = {}): ConformanceCase[] {
  const fits = (beginnings: readonly string[], { id }: ConformanceCase) =>
    beginnings.some((beginning) => id === beginning || id.startsWith(beginning))
  return CATALOGUE.filter((each) => {
    if (fits(skip, each)) return false
    // Who names a slow case in full wants it.
    if (each.slow && !slow && !only?.includes(each.id)) return false
    return only === undefined || fits(only, each)
  })
}

/** Which requirements of the specifications have cases. */
export function catalogueCoverage(): Coverage {
  return coverageOf(CATALOGUE, UNSEEN)
}

/**
 * Judges an implementation of `/ternoa/share/1` as a black box.
 * @throws SlotmeshError `conformance/no-cases`, `conformance/no-peer`, and what cannot be started.
 */
export async function runConformance(options: ConformanceOptions): Promise<ConformanceReport> {
  const { timeoutMs = 20_000, joinTimeoutMs = 60_000, signal = new AbortController().signal } = options
  const cases = chosenCases(options)
  if (cases.length === 0) {
    throw new SlotmeshError('conformance/no-cases', 'No case is chosen; --list shows all of them.')
  }
  const progress = options.onProgress ?? (() => undefined)
  progress('Preparing the chain and the mesh.')
  const bench = await Bench.open(signal)
  const closing: (() => Promise<void>)[] = [() => bench.close()]
  try {
    const service = await Service.start(bench.stage, bench.verifier)
    closing.unshift(() => service.stop())
    const bootstrap = bench.members.all.flatMap(({ mesh }) => mesh.multiaddrs())
    const peer = await options.start(targetOf(bench.stage, service.urls, bootstrap), { signal })
    closing.unshift(() => peer.stop())
    progress('Waiting for the peer.')
    await bench.members.find(options.peer, joinTimeoutMs).catch((thrown: unknown) => {
      signal.throwIfAborted()
      throw new SlotmeshError('conformance/no-peer', messageOf(thrown), { cause: thrown })
    })
    if (cases.some(({ needsShares }) => needsShares)) {
      progress('Waiting for the peer to fetch what was synced before it came.')
      await awaitBaseline(bench, joinTimeoutMs, signal)
    }
    progress(`Judging it by ${cases.length} cases.`)
    const results: CaseResult[] = []
    for (const each of cases) {
      const result = await runCase(bench, each, { timeoutMs, signal })
      results.push(result)
      options.onResult?.(result)
    }
    const passed = results.every(({ verdict }) => verdict === 'passed' || verdict === 'warned')
    return { results, coverage: catalogueCoverage(), passed }
  } finally {
    for (const close of closing) await close()
  }
}

async function awaitBaseline(bench: Bench, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const keys = bench.baseline.map(({ key }) => key)
  const awaiting: ConformanceCase['run'] = (own) => own.untilHeld(...keys)
  const limit = AbortSignal.timeout(timeoutMs)
  const either = AbortSignal.any([signal, limit])
  const own = new CaseBench(bench, either)
  try {
    await awaiting(own)
  } catch (thrown) {
    signal.throwIfAborted()
    const names = `${keys.length} shares, ${keys.slice(0, 3).map(shareKeyText).join(', ')} …`
    const why = limit.aborted ? `not within ${timeoutMs} ms` : messageOf(thrown)
    bench.baselineFailed(`the peer has not fetched, and given again, what was synced before it came (${names}): ${why}`)
  } finally {
    own.end()
  }
}
