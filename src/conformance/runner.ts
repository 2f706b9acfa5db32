import { bounded, messageOf } from '../domain/index.js'
import { type Bench, CaseBench } from './bench.js'
import type { ConformanceCase } from './case.js'
import { Deviation, NotJudged, PeerBusy } from './deviation.js'
import { pause } from './pause.js'

/**
 * passed; warned: only what SHOULD be is otherwise; failed: what MUST be is otherwise; not-judged: it could not be found
 * out, which is no pass either.
 */
export type Verdict = 'passed' | 'warned' | 'failed' | 'not-judged'

/** What one case has come to. */
export interface CaseResult {
  readonly case: ConformanceCase
  readonly verdict: Verdict
  /** What the peer did, unless it passed. */
  readonly reason: string | undefined
  readonly durationMs: number
}

/** What slow cases have on top: the longest waits for a view to grow old. */
const SLOW_MS = 200_000

/** A peer that is busy is given so many more chances. */
const BUSY_RETRIES = 4

/** Runs one case. @throws the signal's reason only. */
export async function runCase(
  bench: Bench,
  conformanceCase: ConformanceCase,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<CaseResult> {
  const began = performance.now()
  const limits = { timeoutMs: timeoutMs + (conformanceCase.slow ? SLOW_MS : 0), signal }
  const result = (verdict: Verdict, reason?: string): CaseResult => ({
    case: conformanceCase,
    verdict,
    reason,
    durationMs: Math.round(performance.now() - began),
  })
  for (let tries = 0; ; tries += 1) {
    try {
      const warnings = await attempt(bench, conformanceCase, limits)
      return warnings.length === 0 ? result('passed') : result('warned', warnings.join('; '))
    } catch (thrown) {
      signal.throwIfAborted()
      if (thrown instanceof PeerBusy && tries < BUSY_RETRIES) {
        await pause(Math.max(500, thrown.retryAfterMs), signal)
        continue
      }
      const isNoVerdict = thrown instanceof NotJudged || thrown instanceof PeerBusy
      if (isNoVerdict) return result('not-judged', thrown.message)
      const verdict = conformanceCase.level === 'must' ? 'failed' : 'warned'
      if (thrown instanceof Deviation) return result(verdict, thrown.message)
      if (thrown instanceof Error && thrown.name === 'TimeoutError') {
        return result(verdict, `it had not done that after ${limits.timeoutMs} ms`)
      }
      return result('not-judged', messageOf(thrown))
    }
  }
}

async function attempt(
  bench: Bench,
  { run, needsShares }: ConformanceCase,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<readonly string[]> {
  if (needsShares) bench.requireBaseline()
  return bounded({ signals: [signal], timeoutMs }, async (limited) => {
    const own = new CaseBench(bench, limited)
    try {
      await run(own)
      return own.warnings
    } finally {
      own.end()
    }
  })
}
