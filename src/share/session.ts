import { bounded } from '../domain/index.js'
import type { Frames } from './frames.js'
import { PHASE_TIMEOUT_MS } from './protocol.js'
import { RefusalError, RefusedError } from './refusals.js'
import { RefusalCode, type Refusal as RefusalMessage } from './wire/share.js'

/** Gives work the time that one phase may take, within the whole exchange's signal (SPEC 8). */
export function phase<T>(
  name: keyof typeof PHASE_TIMEOUT_MS,
  signal: AbortSignal,
  work: (options: { signal: AbortSignal }) => Promise<T>,
): Promise<T> {
  return bounded({ signals: [signal], timeoutMs: PHASE_TIMEOUT_MS[name] }, (limited) => work({ signal: limited }))
}

/** Ends this side after all that was to be said; the peer may take as long as for one batch to end its own. */
export async function finish(frames: Frames, signal: AbortSignal): Promise<void> {
  await phase('batch', signal, (options) => frames.close({ ...options, lingerMs: PHASE_TIMEOUT_MS.batch }))
}

/**
 * Ends the stream after a failure: a refusal of this side's is told to the peer first; whatever else was thrown stays
 * at home and the stream is reset.
 */
export async function finishRefused(
  frames: Frames,
  thrown: unknown,
  encode: (refusal: RefusalMessage) => Uint8Array,
): Promise<void> {
  if (!(thrown instanceof RefusalError || thrown instanceof RefusedError)) {
    frames.abort(thrown)
    return
  }
  const signal = AbortSignal.timeout(PHASE_TIMEOUT_MS.hello)
  try {
    if (thrown instanceof RefusalError) {
      const { refusal, message, retryAfterMs } = thrown
      await frames.write(encode({ code: RefusalCode[refusal], sentence: message, retryAfterMs }), { signal })
    }
    await finish(frames, signal)
  } catch (gone) {
    // The peer did not stay to hear it.
    frames.abort(gone)
  }
}
