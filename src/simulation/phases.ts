import type { SimulationProgress } from './progress.js'
import type { Recorder, RunEvent } from './record/index.js'
import type { Scenario } from './scenario/index.js'

/** Tells how far a run is: first the opening, then a phase for each action of the timeline, then the audit. */
export class PhaseTeller implements Recorder {
  readonly #progress: SimulationProgress
  readonly #of: number
  #phase = 0
  #startedAt = Date.now()

  constructor({ timeline }: Scenario, progress: SimulationProgress) {
    this.#progress = progress
    this.#of = timeline.length + 2
  }

  /** What is done by hand makes more phases than there are in the timeline; they keep the last number. */
  begin(title: string): void {
    if (this.#phase > 0) this.end(true)
    this.#phase = Math.min(this.#phase + 1, this.#of)
    this.#startedAt = Date.now()
    this.#progress({ type: 'phase-started', phase: this.#phase, of: this.#of, title })
  }

  end(passed: boolean): void {
    this.#progress({ type: 'phase-ended', phase: this.#phase, passed, durationMs: Date.now() - this.#startedAt })
  }

  record(event: RunEvent): void {
    if (event.type === 'action') this.begin(event.text)
    else if (event.type === 'note') this.#progress({ type: 'noted', text: event.text })
  }
}
