import type { RunEvent } from '../../record/events.js'
import { samplesOf } from '../../record/samples.js'
import { Series } from '../../record/series.js'

export interface TrackPoint {
  readonly at: number
  /** Of one; 1 when nothing was due. */
  readonly coverage: number
  readonly worstLag: number
}

export interface TrackMark {
  readonly at: number
  readonly text: string
}

/** What of a run is drawn along its time. */
export class Track {
  readonly #points = new Series<TrackPoint>(1_000)
  readonly #triggers = new Series<number>(2_000)
  readonly marks: TrackMark[] = []
  #triggerCount = 0

  get points(): readonly TrackPoint[] {
    return this.#points.points
  }

  /** When shares were synced; of many, an even choice. */
  get triggers(): readonly number[] {
    return this.#triggers.points
  }

  get triggerCount(): number {
    return this.#triggerCount
  }

  add(events: readonly RunEvent[]): void {
    for (const event of events) {
      if (event.type === 'action') this.marks.push({ at: event.at, text: event.text })
      else if (event.type === 'sample') this.#sample(event)
      else if (event.type === 'trigger') {
        this.#triggers.push(event.at)
        this.#triggerCount += 1
      }
    }
  }

  #sample(event: Extract<RunEvent, { type: 'sample' }>): void {
    let [count, held, worstLag] = [0, 0, 0]
    for (const [, sample] of samplesOf(event)) {
      count += 1
      held += Math.min(sample.held, event.listed)
      worstLag = Math.max(worstLag, sample.lag)
    }
    const due = count * event.listed
    this.#points.push({ at: event.at, coverage: due === 0 ? 1 : held / due, worstLag })
  }
}
