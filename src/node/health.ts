import { setInterval } from 'node:timers/promises'
import type { CollateralHealth } from '../attestation/index.js'
import type { ChainHealth } from '../chain/index.js'
import type { ForkEvidence } from '../provenance/index.js'
import { OLDEST_VIEW_MS } from '../share/index.js'
import type { StoreIntegrity } from '../store/index.js'
import type { Comparison, OwedConfirmations } from '../sync/index.js'
import type { NodeProblem } from './types.js'

/** Between two looks at what is wrong, ms. */
const LOOK_EVERY_MS = 5_000

/** Without a connection for this long, ms, it is no longer a matter of an endpoint being changed. */
const DISCONNECTED_MS = 10_000

/** A confirmation that is owed for longer, ms, does not only wait for the next block. */
const OWED_FOR_LONG_MS = 600_000

/** Tells when what is wrong has become something else; looked at every few seconds until the signal aborts. */
export async function watchProblems(
  problems: () => readonly NodeProblem[],
  changed: (problems: readonly NodeProblem[]) => void,
  { signal, everyMs = LOOK_EVERY_MS }: { signal: AbortSignal; everyMs?: number },
): Promise<void> {
  let known = ''
  for await (const _ of setInterval(everyMs, undefined, { signal, ref: false })) {
    const now = problems()
    // By their codes: sentences count seconds.
    const codes = now.map(({ code }) => code).join()
    if (codes === known) continue
    known = codes
    changed(now)
  }
}

/** Collateral that cannot be refreshed is a problem when it ends within this, ms. */
const COLLATERAL_ENDS_SOON_MS = 7 * 86_400_000

export interface Symptoms {
  readonly chain: ChainHealth
  readonly owed: OwedConfirmations
  /** Unix ms. */
  readonly now: number
  /** Why synchronisation stopped, unless it goes on again. */
  readonly stoppedBy?: string | undefined
  /** Of the provenance logs of others, or of this enclave itself. */
  readonly forks?: readonly ForkEvidence[]
  readonly collateral?: readonly CollateralHealth[]
  readonly integrity?: StoreIntegrity
  readonly comparison?: Comparison | undefined
  /** How many are open. */
  readonly wants?: number
}

/** What keeps a node from doing all of its work, the gravest first; nothing when it is well. */
export function problemsOf(symptoms: Symptoms): NodeProblem[] {
  const { chain, owed, now, stoppedBy, forks = [], collateral = [], integrity, comparison, wants = 0 } = symptoms
  const { state, since, endpoint, endpoints, finalised, unreadable } = chain
  const problems: NodeProblem[] = []
  if (unreadable !== undefined) problems.push({ code: 'chain/unreadable-block', sentence: unreadable.message })
  if (stoppedBy !== undefined && stoppedBy !== unreadable?.message) {
    problems.push({
      code: 'sync/stopped',
      sentence: `Synchronisation has stopped, and is begun again every few seconds: ${stoppedBy}`,
    })
  }
  if (finalised.ageMs > OLDEST_VIEW_MS) {
    const seconds = Math.round(finalised.ageMs / 1000)
    problems.push({
      code: 'chain/stale-view',
      sentence: `No new final block for ${seconds} s: no share is asked for or given out until there is one; look at the chain and its RPC nodes.`,
    })
  }
  if (state === 'connecting' && now - since > DISCONNECTED_MS) {
    problems.push({
      code: 'chain/unreachable',
      sentence: `There is no connection to the chain since ${new Date(since).toISOString()}; the last endpoint was ${endpoint}.`,
    })
  }
  if (owed.count > 0 && owed.lastOutcome === 'no-funds') {
    problems.push({
      code: 'chain/no-funds',
      sentence: `The enclave account cannot pay the fee to confirm ${owed.count} shares; send it some funds.`,
    })
  }
  if (owed.count > 0 && owed.lastOutcome !== 'no-funds' && now - (owed.oldestSince ?? now) > OWED_FOR_LONG_MS) {
    problems.push({
      code: 'chain/not-confirmed',
      sentence: `${owed.count} shares wait to be confirmed since ${new Date(owed.oldestSince ?? now).toISOString()}; the last attempt ended with ${owed.lastOutcome ?? 'no answer yet'}.`,
    })
  }
  // The one in use has been looked at anew.
  const inUse = state === 'connected' ? endpoint : undefined
  const forked = endpoints.filter(({ url, lastFailure }) => lastFailure?.code === 'chain/forked' && url !== inUse)
  for (const { lastFailure } of forked) {
    problems.push({ code: 'chain/forked', sentence: lastFailure?.message ?? '' })
  }
  if (integrity?.state === 'altered') {
    problems.push({
      code: 'store/altered',
      sentence: `The folder was not as this node had left it: it was altered from outside, set back in part, or damaged; ${integrity.dropped} records could not be read, and what is missing is fetched again. Find out who can write to it.`,
    })
  }
  if (integrity !== undefined && integrity.doubtful > 0) {
    problems.push({
      code: 'store/doubtful-shares',
      sentence: `${integrity.doubtful} shares that owners have handed over may be older ones that were brought back into the folder: they are neither confirmed nor given out; have their owners hand them over again.`,
    })
  }
  if (comparison !== undefined && comparison.missing > 0 && wants > 0) {
    problems.push({
      code: 'store/incomplete',
      sentence: `At block ${comparison.block} the chain listed ${comparison.missing} shares that were missing here, of ${comparison.listed}; they are being fetched again. Find out whether the folder was set back.`,
    })
  }
  for (const { request, validUntil, lastFailure } of collateral) {
    if (lastFailure === undefined || validUntil.getTime() - now > COLLATERAL_ENDS_SOON_MS) continue
    problems.push({
      code: 'attestation/collateral-ending',
      sentence: `The collateral for ${request.tee.toUpperCase()} platforms ${request.fmspc} cannot be refreshed (${lastFailure.reason}) and is of no use after ${validUntil.toISOString()}: no share is exchanged with them then; look at the PCCS.`,
    })
  }
  for (const { branches } of forks) {
    const { account, cluster, slot } = branches[0].head
    problems.push({
      code: 'provenance/forked',
      sentence: `The enclave ${account} in cluster ${cluster}, slot ${slot}, has signed two histories of its shares: its folder was set back, or it is not genuine; show the evidence to its operator and to the committee.`,
    })
  }
  return problems
}
