import { setMaxListeners } from 'node:events'

/** Waits for work that others may share, but no longer than until `signal` aborts; the work itself goes on. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  // Many requests wait under one signal; Node takes more than ten listeners for a leak otherwise.
  setMaxListeners(0, signal)
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
