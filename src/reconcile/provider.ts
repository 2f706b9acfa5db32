import { type AccountId, bounded, synchronisationBarrier } from '../domain/index.js'
import type { Frames } from '../framing/index.js'
import type { Prefix } from '../inventory/index.js'
import type { Places } from './admission.js'
import { readHello, readQuestion } from './messages.js'
import { partOf } from './parts.js'
import type { HeldSource, Side } from './party.js'
import { decodePrefixes } from './prefixes.js'
import { OLDEST_VIEW_MS, PROVIDER_LIMITS, TIMEOUT_MS } from './protocol.js'
import { BARRIER_REFUSALS, RefusingError } from './refusals.js'
import { type Answer, ProviderMessage, RefusalCode } from './wire/reconcile.js'

export interface ServedSession {
  readonly account: AccountId
  readonly questions: number
}

/**
 * The provider's side of one session (SPEC 4).
 *
 * @throws RefusingError when this side refuses (the requester is told which), SlotmeshError `reconcile/cut` and
 * `reconcile/oversized`, or the signal's reason. The stream is finished in every case.
 */
export async function serveSession(
  side: Side,
  places: Places,
  peer: string,
  frames: Frames,
  options: {
    readonly signal: AbortSignal
    /** Is told whose enclave the peer is, by its record, as soon as that is known. */
    readonly onKnown?: (account: AccountId) => void
  },
): Promise<ServedSession> {
  const bounds = { signals: [options.signal], timeoutMs: TIMEOUT_MS.session, clock: side.clock }
  return bounded(bounds, async (signal) => {
    try {
      const served = await session(side, places, peer, frames, { ...options, signal })
      await frames.close({ signal, lingerMs: TIMEOUT_MS.first })
      return served
    } catch (thrown) {
      await refuse(frames, thrown, signal)
      throw thrown
    }
  })
}

async function session(
  side: Side,
  places: Places,
  peer: string,
  frames: Frames,
  { signal, onKnown }: { readonly signal: AbortSignal; readonly onKnown?: (account: AccountId) => void },
): Promise<ServedSession> {
  const within = limits(side, signal)
  const { genesisHash, account } = await within(TIMEOUT_MS.first, (options) => readHello(frames, options))
  if (genesisHash !== side.chain.genesisHash) throw new RefusingError('UNKNOWN_CHAIN')
  requireSeat(side, account)
  if (!side.isKnown(account, peer) && places.mayLookUp()) {
    // Whatever it comes to: it is looked again who is known.
    await within(TIMEOUT_MS.lookUp, async (options) => side.lookUp?.(account, options)).catch(() => undefined)
  }
  requireAllowed(side, account, peer)
  onKnown?.(account)
  if (side.isShut?.(account)) throw new RefusingError('BUSY')
  const place = places.take(account)
  try {
    return await bounded({ signals: [signal, place.signal] }, (held) =>
      answer(side, places, { account, peer }, frames, held),
    )
  } finally {
    place.leave()
  }
}

async function answer(
  side: Side,
  places: Places,
  { account, peer }: { readonly account: AccountId; readonly peer: string },
  frames: Frames,
  signal: AbortSignal,
): Promise<ServedSession> {
  const within = limits(side, signal)
  const { held, takenIn } = await side.source.held()
  const { count, fingerprint } = held.summary()
  await frames.write(ProviderMessage.encode({ summary: { takenInBlock: takenIn, count, fingerprint } }), { signal })
  for (let questions = 0; ; questions += 1) {
    const question = await within(TIMEOUT_MS.next, (options) => readQuestion(frames, options))
    if (question === undefined) return { account, questions }
    if (questions === PROVIDER_LIMITS.questions || !places.mayWork(account)) throw new RefusingError('BUSY')
    const prefixes = decodePrefixes(question)
    requireAllowed(side, account, peer)
    const parts = await answerTo(prefixes, side.source, { signal, places, account })
    await within(TIMEOUT_MS.next, (options) => frames.write(ProviderMessage.encode({ answer: parts }), options))
  }
}

/** Work of a session that may take so long. */
function limits({ clock }: Side, signal: AbortSignal) {
  return <T>(timeoutMs: number, work: (options: { signal: AbortSignal }) => Promise<T>) =>
    bounded({ signals: [signal], timeoutMs, clock }, (limited) => work({ signal: limited }))
}

/** @throws RefusingError */
function requireAllowed(side: Side, account: AccountId, peer: string): void {
  requireSeat(side, account)
  if (!side.isKnown(account, peer)) throw new RefusingError('UNKNOWN_PEER')
}

/** @throws RefusingError */
function requireSeat({ account: own, chain }: Side, account: AccountId): void {
  if (chain.finalisedAgeMs() > OLDEST_VIEW_MS) throw new RefusingError('NOT_READY')
  const barrier = synchronisationBarrier(chain.registry(), own, account)
  if (barrier !== undefined) throw new RefusingError(BARRIER_REFUSALS[barrier])
}

/** With rests: the processor is not this protocol's alone. */
async function answerTo(
  prefixes: readonly Prefix[],
  source: HeldSource,
  { signal, places, account }: { signal: AbortSignal; places: Places; account: AccountId },
): Promise<Answer> {
  const { held } = await source.held()
  const parts: Answer['parts'] = []
  const spent = (ms: number) => places.worked(account, ms)
  await places.pace.each(prefixes, (prefix) => parts.push(partOf(held, prefix)), { signal, spent })
  return { parts }
}

/** Tells a refusal of this side's; whatever else was thrown stays at home, and the stream is reset. */
async function refuse(frames: Frames, thrown: unknown, signal: AbortSignal): Promise<void> {
  if (!(thrown instanceof RefusingError)) {
    frames.abort(thrown)
    return
  }
  const { refusal } = thrown
  const retryAfterMs = refusal === 'BUSY' || refusal === 'NOT_READY' ? PROVIDER_LIMITS.retryAfterMs : 0
  try {
    await frames.write(ProviderMessage.encode({ refusal: { code: RefusalCode[refusal], retryAfterMs } }), { signal })
    await frames.close({ signal, lingerMs: TIMEOUT_MS.first })
  } catch (gone) {
    // The peer did not stay to hear it.
    frames.abort(gone)
  }
}
