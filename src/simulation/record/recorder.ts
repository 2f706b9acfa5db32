import { SlotmeshError } from '../../domain/index.js'
import type { Check } from '../check.js'
import type { RunEvent, RunHeader, RunOutcome, RunTotals } from './events.js'
import { RunFile } from './file.js'
import { compacted } from './samples.js'
import { Summary } from './summary.js'

/** Where a run writes down what happens. */
export interface Recorder {
  /** Takes what has happened, in order. */
  record(event: RunEvent): void
}

/** A run as viewers see it, whether it goes on or was read from its file. */
export interface RecordedRun {
  readonly header: RunHeader
  /** What was kept, in order; grows while the run goes on. */
  readonly events: readonly RunEvent[]
  /** Undefined while it goes on, and when it was cut short. */
  readonly outcome: RunOutcome | undefined
}

/** Hears what happens in a run that goes on. */
export interface RunListener {
  /** Also what is too much to be kept, while it happens. */
  event(event: RunEvent): void
  /** Called once, when the run has ended. */
  ended?(outcome: RunOutcome): void
}

/** A run that is being written down, and can be followed meanwhile. */
export interface RunRecorder extends Recorder, RecordedRun {
  /**
   * Tells what was kept so far, then what happens, until the returned function is called.
   * @param options.replay false for those who have read `events` up to now.
   */
  subscribe(listener: RunListener, options?: { readonly replay: boolean }): () => void
  /**
   * Ends the run and its file.
   * @throws SlotmeshError `simulation/run-file` when the file could not be written to its end.
   */
  finish(result: RunResult): RunOutcome
  /** Ends the file where it stands, for a run that was cut short; after `finish` it does nothing. */
  close(): void
}

/** What a run is judged by at its end. */
export interface RunResult {
  readonly checks: readonly Check[]
  /** Of the run's own time, and of the wall. */
  readonly durationMs: number
  readonly wallMs: number
  readonly totals: RunTotals
}

/** Of `stored` and `exchange`, and of all others together. Actions are always kept. */
const KEPT = 200_000
/** Samples that stand for themselves, one for each enclave; about 30 bytes each in the file. */
const KEPT_SAMPLES = 2_000_000

/**
 * Keeps what viewers need, and writes it down line by line.
 * @param file of the run, `….run.jsonl`; replaced when it is there. Nothing is written without one.
 * @throws SlotmeshError `simulation/run-file` when the file cannot be opened.
 */
export function createRecorder(header: RunHeader, { file }: { readonly file?: string } = {}): RunRecorder {
  return new KeepingRecorder(header, file)
}

class KeepingRecorder implements RunRecorder {
  readonly header: RunHeader
  readonly events: RunEvent[] = []
  outcome: RunOutcome | undefined
  readonly #file: RunFile | undefined
  readonly #summary = new Summary()
  readonly #listeners = new Set<RunListener>()
  readonly #leftOut: Record<string, number> = {}
  readonly #kept = { bulk: 0, others: 0, samples: 0 }

  constructor(header: RunHeader, file: string | undefined) {
    this.header = header
    this.#file = file === undefined ? undefined : new RunFile(file)
    this.#file?.write(header)
  }

  record(event: RunEvent): void {
    if (this.outcome !== undefined) return
    this.#summary.add(event)
    const kept = event.type === 'sample' ? compacted(event) : event
    if (this.#hasRoomFor(kept)) {
      this.events.push(kept)
      this.#file?.write(kept)
    } else {
      this.#leftOut[kept.type] = (this.#leftOut[kept.type] ?? 0) + 1
    }
    for (const listener of this.#listeners) listener.event(kept)
  }

  subscribe(listener: RunListener, { replay } = { replay: true }): () => void {
    if (replay) {
      for (const event of this.events) listener.event(event)
      if (this.outcome !== undefined) listener.ended?.(this.outcome)
    }
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  finish({ checks, durationMs, wallMs, totals }: RunResult): RunOutcome {
    if (this.outcome !== undefined) throw new SlotmeshError('simulation/run-ended', 'This run has ended already.')
    const outcome: RunOutcome = {
      type: 'outcome',
      passed: checks.every(({ passed }) => passed),
      checks,
      durationMs,
      wallMs,
      totals,
      ...this.#summary.result,
      leftOut: this.#leftOut,
    }
    this.outcome = outcome
    for (const listener of this.#listeners) listener.ended?.(outcome)
    this.#file?.write(outcome)
    this.#file?.close()
    return outcome
  }

  close(): void {
    if (this.outcome === undefined) this.#file?.close()
  }

  #hasRoomFor(event: RunEvent): boolean {
    const kept = this.#kept
    if (event.type === 'action') return true
    if (event.type === 'stored' || event.type === 'exchange') {
      kept.bulk += 1
      return kept.bulk <= KEPT
    }
    if (event.type === 'sample') {
      const count = Object.keys(event.enclaves).length
      if (kept.samples + count > KEPT_SAMPLES) return false
      kept.samples += count
    }
    kept.others += 1
    return kept.others <= KEPT
  }
}
