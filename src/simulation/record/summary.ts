import type { CoveragePoint, LagPoint, NodeTotals, RunEvent, RunOutcome } from './events.js'
import { LogHistogram } from './histogram.js'
import { samplesOf } from './samples.js'
import { Series } from './series.js'

/** Points of a plot over time; more than a screen has columns shows nothing. */
const POINTS = 1_000

type Summarised = Pick<RunOutcome, 'distributions' | 'coverage' | 'lag' | 'nodes'>
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

/** What a run comes to, kept up to date with each event: none is looked at twice, and none is kept. */
export class Summary {
  readonly #replication = new LogHistogram()
  readonly #catchUp = new LogHistogram()
  readonly #exchange = new LogHistogram()
  readonly #coverage = new Series<CoveragePoint>(POINTS)
  readonly #lag = new Series<LagPoint>(POINTS)
  readonly #nodes = new Map<string, Mutable<NodeTotals>>()

  add(event: RunEvent): void {
    if (event.type === 'stored') this.#replication.add(event.ms)
    else if (event.type === 'caught-up' && event.shares > 0) this.#catchUp.add(event.ms)
    else if (event.type === 'exchange') this.#exchanged(event)
    else if (event.type === 'sample') this.#sampled(event)
  }

  get result(): Summarised {
    return {
      distributions: {
        replication: this.#replication.distribution,
        catchUp: this.#catchUp.distribution,
        exchange: this.#exchange.distribution,
      },
      coverage: this.#coverage.points,
      lag: this.#lag.points,
      nodes: Object.fromEntries(this.#nodes),
    }
  }

  #exchanged({ requester, provider, bytes, ms, code }: Extract<RunEvent, { type: 'exchange' }>): void {
    const asking = this.#node(requester)
    const serving = this.#node(provider)
    asking.requested += 1
    asking.bytesReceived += bytes
    serving.bytesServed += bytes
    if (code !== undefined) {
      asking.failed += 1
      return
    }
    serving.served += 1
    this.#exchange.add(ms)
  }

  #sampled(event: Extract<RunEvent, { type: 'sample' }>): void {
    let held = 0
    const lags: number[] = []
    for (const [, sample] of samplesOf(event)) {
      held += Math.min(sample.held, event.listed)
      lags.push(sample.lag)
    }
    lags.sort((one, other) => one - other)
    const { at } = event
    this.#coverage.push({ at, due: event.listed * lags.length, held })
    this.#lag.push({ at, median: lags[lags.length >> 1] ?? 0, worst: lags.at(-1) ?? 0 })
  }

  #node(name: string): Mutable<NodeTotals> {
    let node = this.#nodes.get(name)
    if (node === undefined) {
      node = { served: 0, requested: 0, failed: 0, bytesServed: 0, bytesReceived: 0 }
      this.#nodes.set(name, node)
    }
    return node
  }
}
