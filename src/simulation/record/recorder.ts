import type { RunEvent } from './events.js'

/** Where a run writes down what happens. */
export interface Recorder {
  record(event: RunEvent): void
}
