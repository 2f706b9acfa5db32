/** Time as a parameter: the system's own, or that of a simulation, which passes as fast as it is computed. */
export interface Clock {
  /** Unix ms. */
  now(): number
  /**
   * Calls back once, `ms` from now. It does not keep a process alive.
   * @returns calls it off.
   */
  after(ms: number, callback: () => void): () => void
}

/** The longest that a timer of the system can be set for, in ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(ms, LONGEST_TIMER_MS)).unref()
    return () => clearTimeout(timer)
  },
}

/** @throws the signal's reason when it aborts first. */
export function pause(
  ms: number,
  { clock = systemClock, signal }: { clock?: Clock; signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const abort = () => {
      callOff()
      reject(signal.reason)
    }
    const callOff = clock.after(ms, () => {
      signal.removeEventListener('abort', abort)
      resolve()
    })
    signal.addEventListener('abort', abort, { once: true })
  })
}
