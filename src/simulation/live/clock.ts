import { type Clock, systemClock } from '../../domain/index.js'

interface Timer {
  /** In this clock's time. */
  readonly dueAt: number
  readonly callback: () => void
  callOff: () => void
}

/** The time of another clock, the wall's by default, except that it can be held still. */
export class HeldClock implements Clock {
  readonly #base: Clock
  readonly #timers = new Set<Timer>()
  /** How long it was held so far, ms. */
  #behind = 0
  #heldAt: number | undefined

  constructor(base: Clock = systemClock) {
    this.#base = base
  }

  get isHeld(): boolean {
    return this.#heldAt !== undefined
  }

  now(): number {
    return (this.#heldAt ?? this.#base.now()) - this.#behind
  }

  after(ms: number, callback: () => void): () => void {
    const timer: Timer = { dueAt: this.now() + ms, callback, callOff: () => undefined }
    this.#timers.add(timer)
    if (!this.isHeld) this.#start(timer)
    return () => {
      timer.callOff()
      this.#timers.delete(timer)
    }
  }

  hold(): void {
    if (this.isHeld) return
    for (const timer of this.#timers) timer.callOff()
    this.#heldAt = this.#base.now()
  }

  goOn(): void {
    if (this.#heldAt === undefined) return
    this.#behind += this.#base.now() - this.#heldAt
    this.#heldAt = undefined
    for (const timer of this.#timers) this.#start(timer)
  }

  #start(timer: Timer): void {
    timer.callOff = this.#base.after(Math.max(0, timer.dueAt - this.now()), () => {
      this.#timers.delete(timer)
      timer.callback()
    })
  }
}
