import type { RunEvent } from '../../record/events.js'
import { Moment } from './moment.js'

/** Events between two copies of everything, from which an earlier moment is found again. */
const INTERVAL = 5_000
/** So many copies at most: beyond them the interval grows. */
const COPIES = 64

/**
 * A run that can be looked at at any moment. What comes is added at its end; `seek` goes to a moment, forwards by the
 * events in between, backwards from the copy before it.
 */
export class History {
  readonly events: RunEvent[] = []
  #moment = new Moment()
  /** How many events the moment has seen. */
  #cursor = 0
  #interval = INTERVAL
  #copies: { readonly cursor: number; readonly moment: Moment }[] = []
  #end = 0

  get moment(): Moment {
    return this.#moment
  }

  /** ms of the run's time, of the latest event. */
  get end(): number {
    return this.#end
  }

  /** How many events lie before the moment. */
  get cursor(): number {
    return this.#cursor
  }

  add(events: readonly RunEvent[]): void {
    for (const event of events) {
      this.events.push(event)
      this.#end = Math.max(this.#end, event.at)
    }
  }

  /**
   * @param at ms of the run's time
   * @param seen is called with every event that was passed on the way forwards.
   */
  seek(at: number, seen?: (event: RunEvent) => void): void {
    const previous = this.events[this.#cursor - 1]
    if (previous !== undefined && previous.at > at) this.#goBack(at)
    for (;;) {
      const event = this.events[this.#cursor]
      if (event === undefined || event.at > at) return
      this.#moment.apply(event)
      this.#cursor += 1
      if (this.#cursor % this.#interval === 0) this.#keepCopy()
      seen?.(event)
    }
  }

  #goBack(at: number): void {
    const copy = this.#copies.findLast(({ cursor }) => (this.events[cursor - 1]?.at ?? 0) <= at)
    this.#moment = new Moment(copy?.moment)
    this.#cursor = copy?.cursor ?? 0
  }

  #keepCopy(): void {
    if ((this.#copies.at(-1)?.cursor ?? 0) >= this.#cursor) return
    if (this.#copies.length === COPIES) {
      this.#copies = this.#copies.filter((_, index) => index % 2 === 1)
      this.#interval *= 2
    }
    this.#copies.push({ cursor: this.#cursor, moment: new Moment(this.#moment) })
  }
}
