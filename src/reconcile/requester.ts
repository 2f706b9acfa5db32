import { fromHex } from '../crypto/index.js'
import { type BlockHash, type BlockNumber, bounded, type Clock, systemClock } from '../domain/index.js'
import type { Frames } from '../framing/index.js'
import { type HeldShares, NUMBERS } from '../inventory/index.js'
import { Comparing, type Differences } from './comparing.js'
import { encodeQuestion, readAnswer, readSummary } from './messages.js'
import { Pace } from './pacing.js'
import { TIMEOUT_MS } from './protocol.js'
import { RefusedSessionError } from './refusals.js'
import { RequesterMessage } from './wire/reconcile.js'

/** What one session came to. Only a hint: nothing of it is proved. */
export interface Comparison extends Differences {
  /** The final block up to which the provider says that it has gone through the chain. */
  readonly takenIn: BlockNumber
  /** How many shares it says that it holds. */
  readonly count: number
  readonly questions: number
}

export interface ComparisonRequest {
  readonly held: HeldShares
  /** Which part is looked at first, from 0 to below 1; not always the same. */
  readonly turn: number
  readonly signal: AbortSignal
}

/**
 * The requester's side of one session (SPEC 4).
 *
 * @throws RefusedSessionError when the provider refuses, RefusingError MALFORMED when it breaks the protocol, SlotmeshError
 * `reconcile/cut` and `reconcile/oversized`, or the signal's reason. The stream is finished in every case.
 */
export async function compareHeld(
  own: { readonly account: `0x${string}`; readonly genesisHash: BlockHash; readonly clock?: Clock | undefined },
  frames: Frames,
  { held, turn, signal: outer }: ComparisonRequest,
): Promise<Comparison> {
  const { clock } = own
  return bounded({ signals: [outer], timeoutMs: TIMEOUT_MS.session, clock }, async (signal) => {
    const within = <T>(timeoutMs: number, work: (options: { signal: AbortSignal }) => Promise<T>) =>
      bounded({ signals: [signal], timeoutMs, clock }, (limited) => work({ signal: limited }))
    try {
      const hello = { genesisHash: fromHex(own.genesisHash), account: fromHex(own.account) }
      await frames.write(RequesterMessage.encode({ hello }), { signal })
      const { takenIn, count, fingerprint } = await within(TIMEOUT_MS.first, (options) => readSummary(frames, options))
      const comparing = new Comparing(held, turn)
      const pace = new Pace(clock ?? systemClock)
      if (!Buffer.from(fingerprint).equals(held.summary().fingerprint)) {
        for (let asked = comparing.next(); asked !== undefined; asked = comparing.next()) {
          const prefixes = asked
          await frames.write(encodeQuestion(prefixes), { signal })
          const parts = await within(TIMEOUT_MS.next, (options) => readAnswer(frames, prefixes, options)).catch(
            (thrown: unknown) => {
              // Who has answered so far has had enough of it for now: what is known is known, the rest is for a later session.
              if (comparing.questions > 1 && isBusy(thrown)) return undefined
              throw thrown
            },
          )
          if (parts === undefined) break
          await pace.each(parts, ({ prefix, part }) => comparing.take(prefix, part), { signal })
        }
      }
      await frames.close({ signal, lingerMs: TIMEOUT_MS.first })
      return { takenIn, count: Math.min(count, NUMBERS), questions: comparing.questions, ...comparing.result() }
    } catch (thrown) {
      frames.abort(thrown)
      throw thrown
    }
  })
}

function isBusy(thrown: unknown): boolean {
  return thrown instanceof RefusedSessionError && thrown.refusal === 'BUSY'
}
