import type { Recorder, RunEvent } from './record/index.js'
import type { Timing } from './report.js'

/** How long things took, and how much there was of them, for the report. */
export class Timings implements Recorder {
  readonly #samples = {
    'replication: trigger seen -> share durable': [] as number[],
    'catching up: seat seen, or restarted -> all held': [] as number[],
    'exchange: peer looked for -> all received': [] as number[],
  }

  /** What the chain called synced. */
  readonly nfts = { secrets: 0, capsules: 0 }

  /** Those of which something was measured. */
  get all(): Timing[] {
    return Object.entries(this.#samples).flatMap(([name, samples]) => (samples.length > 0 ? [{ name, samples }] : []))
  }

  record(event: RunEvent): void {
    const samples = this.#samples
    if (event.type === 'trigger') this.nfts[event.kind === 'secret' ? 'secrets' : 'capsules'] += 1
    if (event.type === 'stored') samples['replication: trigger seen -> share durable'].push(event.ms)
    if (event.type === 'caught-up') samples['catching up: seat seen, or restarted -> all held'].push(event.ms)
    if (event.type === 'exchange' && event.code === undefined) {
      samples['exchange: peer looked for -> all received'].push(event.ms)
    }
  }
}
