import { setInterval } from 'node:timers/promises'
import type { CollateralHealth } from '../attestation/index.js'
import type { ChainHealth } from '../chain/index.js'
import type { ForkEvidence } from '../provenance/index.js'
import { OLDEST_VIEW_MS } from '../share/index.js'
import type { StoreIntegrity } from '../store/index.js'
import { type Comparison, type OwedConfirmations, wordsOf } from '../sync/index.js'
import type { OffenderStatus } from './offenders.js'
import type { QuoteFailure } from './quotes.js'
import type { NodeProblem, ReconciliationHealth } from './types.js'

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

/** Collateral is refreshed long before it ends: that it ends within this, ms, is a problem, or within a part of a short life. */
const [COLLATERAL_ENDS_SOON_MS, LIFE_LEFT] = [7 * 86_400_000, 1 / 4]

export interface Symptoms {
  readonly chain: ChainHealth
  readonly owed: OwedConfirmations
  /** Unix ms. */
  readonly now: number
  /** The last block taken in; below 0 while no seat is held. */
  readonly takenIn?: number
  /** Why synchronisation stopped, unless it goes on again. */
  readonly stoppedBy?: string | undefined
  /** Of the provenance logs of others, or of this enclave itself. */
  readonly forks?: readonly ForkEvidence[]
  readonly collateral?: readonly CollateralHealth[]
  /** Why it is not known what collateral was seen in former times. */
  readonly floorsFailure?: string | undefined
  /** Why this machine made no quote the last time. */
  readonly quoteFailure?: QuoteFailure | undefined
  /** Why the node stops: its disk has refused a write. */
  readonly storeFailure?: string | undefined
  readonly offenders?: OffenderStatus
  readonly integrity?: StoreIntegrity
  readonly comparison?: Comparison | undefined
  /** The last comparison with a slot peer. */
  readonly reconciled?: ReconciliationHealth['last']
  /** How many are open. */
  readonly wants?: number
}

/** What keeps a node from doing all of its work, the gravest first; nothing when it is well. */
export function problemsOf(symptoms: Symptoms): NodeProblem[] {
  const { chain, owed, now, stoppedBy, forks = [], collateral = [], integrity, comparison, wants = 0 } = symptoms
  const { floorsFailure, quoteFailure, storeFailure, offenders, reconciled, takenIn = -1 } = symptoms
  const { state, since, endpoint, endpoints, finalised, unreadable } = chain
  const problems: NodeProblem[] = []
  if (storeFailure !== undefined) problems.push({ code: 'store/failed', sentence: storeFailure })
  if (unreadable !== undefined) problems.push({ code: 'chain/unreadable-block', sentence: unreadable.message })
  if (stoppedBy !== undefined && stoppedBy !== unreadable?.message && stoppedBy !== storeFailure) {
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
  if (finalised.number < takenIn) {
    problems.push({
      code: 'chain/behind',
      sentence: `The endpoint ${endpoint} is at block ${finalised.number} of the chain, and ${takenIn} was taken in before: no owner is answered and nothing is confirmed until it has caught up; give another one.`,
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
  if (integrity?.replaced !== undefined) {
    problems.push({
      code: 'store/replaced',
      sentence: `The folder ${integrity.replaced} holds what a re-sealing has replaced, and may be the only good copy, since the new folder was found altered or does not show that it has all of it: compare them, and move that one elsewhere.`,
    })
  }
  if (integrity?.damaged !== undefined) {
    problems.push({
      code: 'store/damaged-files',
      sentence: `${integrity.damaged} holds the files of the folder as they were when it was found damaged or altered, since some of it may not have been read: look at the disk, and move them elsewhere, or remove them when nothing is missing.`,
    })
  }
  if (comparison !== undefined && comparison.missing > 0 && wants > 0) {
    problems.push({
      code: 'store/incomplete',
      sentence: `At block ${comparison.block} the chain listed ${comparison.missing} shares that were missing here, of ${comparison.listed}; they are being fetched again. Find out whether the folder was set back, or an endpoint of the chain leaves events out.`,
    })
  }
  if (reconciled !== undefined) problems.push(...reconciliationProblems(reconciled, wants))
  if (quoteFailure !== undefined) {
    problems.push({
      code: 'attestation/no-quotes',
      sentence: `This machine made no quote at ${quoteFailure.at.toISOString()} (${quoteFailure.reason}): no share is exchanged without one.`,
    })
  }
  if (floorsFailure !== undefined) {
    problems.push({
      code: 'attestation/floors-unknown',
      sentence: `What collateral was seen before is known of this run alone (${floorsFailure}): an older one could be brought back; look at the disk of the folder.`,
    })
  }
  for (const health of collateral) problems.push(...collateralProblems(health, now))
  const [worst] = offenders?.worst ?? []
  if (offenders !== undefined && offenders.shut > 0 && worst !== undefined) {
    const did = Object.entries(worst.offences).map(([kind, times]) => `${kind} ${times}`)
    problems.push({
      code: 'mesh/offenders',
      sentence: `Nothing is done for ${offenders.shut} peers for a while, since they have broken the protocol too often; the worst is ${worst.who} (${did.join(', ')}). Where that is an enclave's account, tell its operator and the committee.`,
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

function reconciliationProblems(
  { peer, missing, outdated, ofPeer, causes, at }: NonNullable<ReconciliationHealth['last']>,
  wants: number,
): NodeProblem[] {
  const problems: NodeProblem[] = []
  const when = `A comparison with the enclave ${peer} at ${new Date(at).toISOString()} has shown`
  if (missing + outdated > 0 && wants > 0) {
    problems.push({
      code: 'sync/gaps',
      sentence: `${when} ${missing} shares that were missing here and ${outdated} that were older than the chain says; they are being fetched. Likely: ${wordsOf(causes)}.`,
    })
  }
  if (ofPeer.disputed > 0) {
    problems.push({
      code: 'sync/disputed',
      sentence: `${when} ${ofPeer.disputed} shares that it holds in newer versions than the chain tells of here: compare what the endpoints of both say of those blocks.`,
    })
  }
  return problems
}

function collateralProblems(health: CollateralHealth, now: number): NodeProblem[] {
  const { request, lastFailure } = health
  if (!lastFailure?.isOlder) return collateralEnds(health, now)
  const platforms = `${request.tee.toUpperCase()} platforms ${request.fmspc}`
  const older: NodeProblem = {
    code: 'attestation/collateral-older',
    sentence: `The collateral for ${platforms} that is to be had is older than what was seen: ${lastFailure.reason}. Nothing older is taken again, and what was seen is used until it ends; have the PCCS refresh what it has cached, or serve the newer round (Intel's tcbEvaluationDataNumber or update=early), or wait until the standard round has reached it.`,
  }
  return [older, ...collateralEnds(health, now)]
}

function collateralEnds({ request, held, lastFailure }: CollateralHealth, now: number): NodeProblem[] {
  const platforms = `${request.tee.toUpperCase()} platforms ${request.fmspc}`
  const problem = (what: string, sentence: string) => [{ code: `attestation/collateral-${what}`, sentence }]
  const reason = lastFailure === undefined ? 'the service has nothing newer' : lastFailure.reason
  if (held === undefined) {
    return problem(
      'missing',
      `There is no collateral for ${platforms} (${reason}): no share is exchanged with them; look at the PCCS.`,
    )
  }
  const { usableUntil, collateralIssuedAt, tcbEvaluationDataNumber } = held
  const [end, issued] = [usableUntil.getTime(), collateralIssuedAt.getTime()]
  if (end <= issued) {
    return problem(
      'ending',
      `The collateral for ${platforms} is of round ${tcbEvaluationDataNumber}, and the policy asks for a later one (${reason}): no share is exchanged with them; look at the PCCS.`,
    )
  }
  if (end - now > Math.min(COLLATERAL_ENDS_SOON_MS, (end - issued) * LIFE_LEFT)) return []
  const [when, then] = end > now ? ['after', ' then'] : ['since', '']
  return problem(
    'ending',
    `The collateral for ${platforms} is not refreshed (${reason}) and is of no use ${when} ${usableUntil.toISOString()}: no share is exchanged with them${then}; look at the PCCS.`,
  )
}
