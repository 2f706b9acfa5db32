import { setMaxListeners } from 'node:events'
import { type Clock, systemClock } from './clock.js'

/**
 * Gives work a signal that aborts with the first of `signals`, or after `timeoutMs`, and forgets them all when the work
 * is done.
 *
 * It stands in for `AbortSignal.any` with `AbortSignal.timeout`: of these the garbage collector may take the timeout
 * away before its time, so that a silent peer is waited for without end (https://github.com/nodejs/node/issues/57736),
 * and each leaves an entry with its long-lived sources for good.
 *
 * @throws what `work` throws; it has to heed its signal, whose reason is a `TimeoutError` after `timeoutMs`.
 */
export async function bounded<T>(
  {
    signals,
    timeoutMs,
    clock = systemClock,
  }: { readonly signals: readonly AbortSignal[]; readonly timeoutMs?: number; readonly clock?: Clock | undefined },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const end = new AbortController()
  // Much can wait under one signal; Node takes more than ten listeners for a leak otherwise.
  setMaxListeners(0, end.signal, ...signals)
  const ends = signals.map((signal) => ({ signal, abort: () => end.abort(signal.reason) }))
  const expire = () => end.abort(new DOMException(`It was not done within ${timeoutMs} ms.`, 'TimeoutError'))
  const callOff = timeoutMs === undefined ? undefined : clock.after(timeoutMs, expire)
  try {
    for (const { signal, abort } of ends) {
      if (signal.aborted) abort()
      else signal.addEventListener('abort', abort)
    }
    return await work(end.signal)
  } finally {
    callOff?.()
    for (const { signal, abort } of ends) signal.removeEventListener('abort', abort)
  }
}
