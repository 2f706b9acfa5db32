import { type Clock, systemClock } from '../domain/index.js'

/** One loop waits, others raise; a raise while nobody waits is not lost. */
export class Signal {
  readonly #clock: Clock
  #raised = false
  #wake: (() => void) | undefined

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  raise(): void {
    this.#raised = true
    this.#wake?.()
  }

  /** Returns when raised, after `timeoutMs`, or when the signal aborts; does not throw. */
  async wait({ signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number }): Promise<void> {
    if (!this.#raised && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const callOff = Number.isFinite(timeoutMs) ? this.#clock.after(timeoutMs, () => wake()) : undefined
        const wake = () => {
          callOff?.()
          signal.removeEventListener('abort', wake)
          this.#wake = undefined
          resolve()
        }
        this.#wake = wake
        signal.addEventListener('abort', wake)
      })
    }
    this.#raised = false
  }
}
