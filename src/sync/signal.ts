/** The longest that a timer can be set for, in ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** One loop waits, others raise; a raise while nobody waits is not lost. */
export class Signal {
  #raised = false
  #wake: (() => void) | undefined

  raise(): void {
    this.#raised = true
    this.#wake?.()
  }

  /** Returns when raised, after `timeoutMs`, or when the signal aborts; does not throw. */
  async wait({ signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number }): Promise<void> {
    if (!this.#raised && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = Number.isFinite(timeoutMs)
          ? setTimeout(() => wake(), Math.min(timeoutMs, LONGEST_TIMER_MS))
          : undefined
        const wake = () => {
          clearTimeout(timer)
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
