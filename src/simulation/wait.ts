import { setTimeout as delay } from 'node:timers/promises'
import { abortable, bounded, type Clock, SlotmeshError } from '../domain/index.js'

export interface WaitOptions {
  /** What is being waited for, as it ends "Waited 30 s for ..."; asked only when the time is up. */
  readonly what: () => string
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** By which the timeout goes; the system's by default. */
  readonly clock?: Clock
}

/** Between two looks at a condition that only polling can see, in ms: a look at every enclave costs something, too. */
const POLL_INTERVAL_MS = 200

/**
 * Looks again and again until there is something to see.
 * @returns what `look` found.
 * @throws SlotmeshError `simulation/timeout` that says what did not happen; the signal's reason when it aborts.
 */
export async function waitUntil<T>(look: () => Promise<T | undefined>, options: WaitOptions): Promise<T> {
  return withDeadline(async (signal) => {
    for (;;) {
      const found = await look()
      if (found !== undefined) return found
      await delay(POLL_INTERVAL_MS, undefined, { signal })
    }
  }, options)
}

/** Runs `work` with a deadline; the error at its end says what was being waited for. */
export async function withDeadline<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { what, timeoutMs, signal, clock }: WaitOptions,
): Promise<T> {
  try {
    return await bounded({ signals: [signal], timeoutMs, clock }, (either) => abortable(work(either), either))
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof DOMException) || error.name !== 'TimeoutError') throw error
    const seconds = Math.round(timeoutMs / 1000)
    throw new SlotmeshError('simulation/timeout', `Waited ${seconds} s for ${what()}.`, { cause: error })
  }
}
