import { bounded, type Clock, systemClock } from '../domain/index.js'
import type { Frames } from '../framing/index.js'
import { PHASE_TIMEOUT_MS } from './protocol.js'
import { RefusalError, RefusedError } from './refusals.js'
import { RefusalCode, type Refusal as RefusalMessage } from './wire/share.js'

/** What bounds an exchange in time: the caller's patience, and whose clock the phases go by. */
export interface Bounds {
  readonly signal: AbortSignal
  readonly clock?: Clock | undefined
}

/** Gives work the time that one phase may take, within the whole exchange's signal (SPEC 8). */
export function phase<T>(
  name: keyof typeof PHASE_TIMEOUT_MS,
  { signal, clock }: Bounds,
  work: (options: { signal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const bounds = { signals: [signal], timeoutMs: PHASE_TIMEOUT_MS[name], clock }
  return bounded(bounds, (limited) => work({ signal: limited }))
}

/** Ends this side after all that was to be said; the peer may take as long as for one batch to end its own. */
export async function finish(frames: Frames, bounds: Bounds): Promise<void> {
  await phase('batch', bounds, (options) => frames.close({ ...options, lingerMs: PHASE_TIMEOUT_MS.batch }))
}

/**
 * Ends the stream after a failure: a refusal of this side's is told to the peer first; whatever else was thrown stays
 * at home and the stream is reset.
 */
export async function finishRefused(
  frames: Frames,
  thrown: unknown,
  encode: (refusal: RefusalMessage) => Uint8Array,
  clock: Clock = systemClock,
): Promise<void> {
  if (!(thrown instanceof RefusalError || thrown instanceof RefusedError)) {
    frames.abort(thrown)
    return
  }
  try {
    await bounded({ signals: [], timeoutMs: PHASE_TIMEOUT_MS.hello, clock }, async (signal) => {
      if (thrown instanceof RefusalError) {
        const { refusal, message, retryAfterMs } = thrown
        await frames.write(encode({ code: RefusalCode[refusal], sentence: message, retryAfterMs }), { signal })
      }
      await finish(frames, { signal, clock })
    })
  } catch (gone) {
    // The peer did not stay to hear it.
    frames.abort(gone)
  }
}
