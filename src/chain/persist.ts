import { type Logger, messageOf } from '../domain/index.js'
import { isUnreachable } from './errors.js'

/**
 * Does work anew for as long as the chain is out of reach. Requests wait for a connection by themselves, so this does
 * not spin.
 * @throws the signal's reason, or whatever else the work throws.
 */
export async function persist<T>(work: () => Promise<T>, logger: Logger, signal: AbortSignal): Promise<T> {
  for (;;) {
    signal.throwIfAborted()
    try {
      return await work()
    } catch (thrown) {
      if (!isUnreachable(thrown)) throw thrown
      logger.warn('waiting for the chain to answer', { reason: messageOf(thrown) })
    }
  }
}
