import { setImmediate } from 'node:timers/promises'

export interface Measuring {
  /** For how long, once it is warm. */
  readonly seconds: number
  readonly signal: AbortSignal
}

/** Of the time, before that: the engine compiles what runs often. */
export const WARM_UP = 0.25

/** Work that never waits lets the signal through this often, ms. */
const REST_EVERY_MS = 20

/**
 * How often something can be done in a second; it is done once at least.
 * @param work is given how often it was done before.
 */
export async function perSecond(work: (turn: number) => unknown, { seconds, signal }: Measuring): Promise<number> {
  let turn = 0
  const during = async (ms: number): Promise<number> => {
    const begun = performance.now()
    const before = turn
    for (let rested = begun; ; ) {
      await work(turn)
      turn += 1
      const now = performance.now()
      if (now - begun >= ms) return ((turn - before) * 1_000) / (now - begun)
      if (now - rested < REST_EVERY_MS) continue
      await setImmediate(undefined, { signal })
      rested = performance.now()
    }
  }
  await during(seconds * 1_000 * WARM_UP)
  return during(seconds * 1_000)
}

/** How many shares are made to be measured with: no more than are worth it in the time. */
export function portionOf(
  most: { readonly shares: number; readonly bytes: number },
  bytes: number,
  { seconds }: Pick<Measuring, 'seconds'>,
): number {
  return Math.ceil(Math.min(most.shares, most.bytes / bytes) * Math.min(1, seconds))
}

/** A sum of times in which something was done, and others in which it was prepared. */
export class Stopwatch {
  #ms = 0

  get seconds(): number {
    return this.#ms / 1_000
  }

  async time<T>(work: () => Promise<T>): Promise<T> {
    const begun = performance.now()
    try {
      return await work()
    } finally {
      this.#ms += performance.now() - begun
    }
  }
}
