import { type Clock, RateLimit } from '../domain/index.js'
import { PACE } from './protocol.js'

/**
 * The part of the processor that comparing may take, however many compare: a little work, then some times as long for
 * whatever else this process does. Those who have work for it take turns.
 */
export class Pace {
  readonly #clock: Clock
  readonly #tick: () => number
  /** In ms of work. */
  readonly #sprint: RateLimit
  /** Resolves when the next one may begin. */
  #free: Promise<void> = Promise.resolve()
  #sinceRest = 0

  /** @param tick ms, of a clock that does not jump. */
  constructor(clock: Clock, tick: () => number = () => performance.now()) {
    this.#clock = clock
    this.#tick = tick
    this.#sprint = new RateLimit({ ...PACE.sprint, now: () => clock.now(), remembered: 1 })
  }

  /**
   * Does the work for each item, in order.
   *
   * @param options.spent is told how long each piece of it took, ms.
   * @throws what the work throws, or the signal's reason.
   */
  async each<Item>(
    items: readonly Item[],
    work: (item: Item) => void,
    { signal, spent }: { readonly signal: AbortSignal; readonly spent?: (ms: number) => void },
  ): Promise<void> {
    let next = 0
    const piece = () => {
      const begun = this.#tick()
      let ms = 0
      for (const item of items.slice(next)) {
        work(item)
        next += 1
        ms = this.#tick() - begun
        if (ms >= PACE.workMs) break
      }
      spent?.(ms)
      return ms
    }
    while (next < items.length) await this.#inTurn(piece, signal)
  }

  async #inTurn(piece: () => number, signal: AbortSignal): Promise<void> {
    // No longer than the rests of the few that may be before it.
    const done = this.#free.then(() => {
      signal.throwIfAborted()
      this.#sinceRest += piece()
    })
    const rest = () => this.#rest()
    this.#free = done.then(rest, rest)
    await done
  }

  async #rest(): Promise<void> {
    if (this.#sinceRest < PACE.workMs) return
    const times = this.#sprint.take('') ? 1 : PACE.restTimes
    this.#sprint.spend('', this.#sinceRest)
    const ms = Math.min(PACE.longestRestMs, this.#sinceRest * times)
    this.#sinceRest = 0
    await new Promise<void>((resolve) => this.#clock.after(ms, resolve))
  }
}
