import type {
  CalculateMetric,
  Counter as MeshCounter,
  CounterGroup as MeshCounterGroup,
  Histogram as MeshHistogram,
  HistogramGroup as MeshHistogramGroup,
  Metric as MeshMetric,
  MetricGroup as MeshMetricGroup,
  MessageStream,
  Metrics,
  MultiaddrConnection,
  StopTimer,
  Stream,
} from '@libp2p/interface'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { BoundedLabel } from './labels.js'

type Values = Partial<Record<string, number | true | unknown>>

interface Options {
  readonly help?: string
  readonly label?: string
  readonly buckets?: number[]
  readonly calculate?: CalculateMetric<number> | CalculateMetric<Record<string, number>>
}

/** One name in the registry, with whatever libp2p gives under it. */
interface Family {
  update(value: number | Values): void
  increment(value?: number | Values): void
  decrement(value?: number | Values): void
  observe(value: number | Values): void
  reset(): void
  timer(key?: string): StopTimer
}

/**
 * What libp2p counts, in a registry of one node's own.
 *
 * `@libp2p/prometheus-metrics` is not used: it keeps the metrics of all nodes of a process in one table, so that those of the
 * second are counted with the first, and it clears the registry that the embedding program may have.
 */
export class Libp2pMetrics implements Metrics {
  readonly #registry: Registry
  readonly #families = new Map<string, Family>()
  /** What is computed when it is asked for: the same name may come from each listener. */
  readonly #calculated = new Map<string, NonNullable<Options['calculate']>[]>()
  readonly #bytes: Counter<'protocol' | 'direction'>
  readonly #protocols = new BoundedLabel()

  constructor(registry: Registry) {
    this.#registry = registry
    this.#bytes = new Counter({
      name: 'libp2p_data_transfer_bytes_total',
      help: 'Bytes sent and received, by protocol; connection is all of them, with the overhead of encryption.',
      labelNames: ['protocol', 'direction'],
      registers: [registry],
    })
  }

  trackMultiaddrConnection(connection: MultiaddrConnection): void {
    this.#track(connection, 'connection')
  }

  trackProtocolStream(stream: Stream): void {
    this.#track(stream, this.#protocols.of(stream.protocol))
  }

  registerMetric(name: string, options: Options & { calculate: CalculateMetric }): void
  registerMetric(name: string, options?: Options): MeshMetric
  registerMetric(name: string, options: Options = {}): MeshMetric {
    return this.#gauge(name, options)
  }

  registerMetricGroup(name: string, options: Options & { calculate: CalculateMetric<Record<string, number>> }): void
  registerMetricGroup(name: string, options?: Options): MeshMetricGroup
  registerMetricGroup(name: string, options: Options = {}): MeshMetricGroup {
    return this.#gauge(name, { label: 'kind', ...options })
  }

  registerCounter(name: string, options: Options & { calculate: CalculateMetric }): void
  registerCounter(name: string, options?: Options): MeshCounter
  registerCounter(name: string, options: Options = {}): MeshCounter {
    return options.calculate === undefined ? this.#counter(name, options) : this.#gauge(name, options)
  }

  registerCounterGroup(name: string, options: Options & { calculate: CalculateMetric<Record<string, number>> }): void
  registerCounterGroup(name: string, options?: Options): MeshCounterGroup
  registerCounterGroup(name: string, options: Options = {}): MeshCounterGroup {
    const grouped = { label: 'kind', ...options }
    return options.calculate === undefined ? this.#counter(name, grouped) : this.#gauge(name, grouped)
  }

  registerHistogram(name: string, options: Options & { calculate: CalculateMetric }): void
  registerHistogram(name: string, options?: Options): MeshHistogram
  registerHistogram(name: string, options: Options = {}): MeshHistogram {
    return this.#histogram(name, options)
  }

  registerHistogramGroup(name: string, options: Options & { calculate: CalculateMetric<Record<string, number>> }): void
  registerHistogramGroup(name: string, options?: Options): MeshHistogramGroup
  registerHistogramGroup(name: string, options: Options = {}): MeshHistogramGroup {
    return this.#histogram(name, { label: 'kind', ...options })
  }

  /** As histograms, which can be summed over nodes. */
  registerSummary(name: string, options: Options & { calculate: CalculateMetric }): void
  registerSummary(name: string, options?: Options): MeshHistogram
  registerSummary(name: string, options: Options = {}): MeshHistogram {
    return this.#histogram(name, options)
  }

  registerSummaryGroup(name: string, options: Options & { calculate: CalculateMetric<Record<string, number>> }): void
  registerSummaryGroup(name: string, options?: Options): MeshHistogramGroup
  registerSummaryGroup(name: string, options: Options = {}): MeshHistogramGroup {
    return this.#histogram(name, { label: 'kind', ...options })
  }

  createTrace(): undefined {
    return undefined
  }

  traceFunction<F>(_name: string, traced: F): F {
    return traced
  }

  /** What is sent is seen on the way, and no listener added: with one a stream would begin to give out what has come. */
  #track(stream: MessageStream, protocol: string): void {
    const count = (direction: string, bytes: number) => {
      if (bytes > 0) this.#bytes.inc({ protocol, direction }, bytes)
    }
    const dispatch = stream.dispatchEvent.bind(stream)
    stream.dispatchEvent = (event) => {
      count('received', bytesOf(event))
      return dispatch(event)
    }
    const send = stream.send.bind(stream)
    stream.send = (data) => {
      count('sent', data.byteLength)
      return send(data)
    }
  }

  #gauge(given: string, options: Options): Family {
    return this.#family(given, options, (name, label) => {
      const calculated = this.#calculated
      const gauge = new Gauge({
        name,
        help: helpOf(name, options),
        labelNames: label === undefined ? [] : [label],
        registers: [this.#registry],
        async collect() {
          const calculations = calculated.get(name) ?? []
          if (calculations.length === 0) return
          if (label !== undefined) this.reset()
          for (const calculate of calculations) set(await calculate())
        },
      })
      const bounded = new BoundedLabel()
      const child = (key: string) => gauge.labels(label === undefined ? {} : { [label]: bounded.of(key) })
      const set = (value: number | Values) => each(value, (key, amount) => child(key).set(amount))
      return {
        update: set,
        increment: (value: number | Values = 1) => each(value, (key, amount) => child(key).inc(amount)),
        decrement: (value: number | Values = 1) => each(value, (key, amount) => child(key).dec(amount)),
        observe: set,
        reset: () => gauge.reset(),
        timer: (key = '') => timer((seconds) => child(key).set(seconds)),
      }
    })
  }

  #counter(given: string, options: Options): Family {
    return this.#family(given, options, (name, label) => {
      const labelNames = label === undefined ? [] : [label]
      const counter = new Counter({ name, help: helpOf(name, options), labelNames, registers: [this.#registry] })
      const bounded = new BoundedLabel()
      const child = (key: string) => counter.labels(label === undefined ? {} : { [label]: bounded.of(key) })
      const add = (value: number | Values = 1) => each(value, (key, amount) => child(key).inc(amount))
      return {
        update: add,
        increment: add,
        decrement: () => undefined,
        observe: add,
        reset: () => counter.reset(),
        timer: (key = '') => timer((seconds) => child(key).inc(seconds)),
      }
    })
  }

  #histogram(given: string, options: Options): Family {
    return this.#family(given, options, (name, label) => {
      const { buckets } = options
      const histogram = new Histogram({
        name,
        help: helpOf(name, options),
        labelNames: label === undefined ? [] : [label],
        registers: [this.#registry],
        ...(buckets && { buckets }),
      })
      const bounded = new BoundedLabel()
      const child = (key: string) => histogram.labels(label === undefined ? {} : { [label]: bounded.of(key) })
      const observe = (value: number | Values = 0) => each(value, (key, amount) => child(key).observe(amount))
      return {
        update: observe,
        increment: observe,
        decrement: () => undefined,
        observe,
        reset: () => histogram.reset(),
        timer: (key = '') => timer((seconds) => child(key).observe(seconds)),
      }
    })
  }

  #family(given: string, { label, calculate }: Options, make: (name: string, label?: string) => Family): Family {
    const name = plain(given)
    if (calculate !== undefined) this.#calculated.set(name, [...(this.#calculated.get(name) ?? []), calculate])
    const family = this.#families.get(name) ?? make(name, label === undefined ? undefined : plain(label))
    this.#families.set(name, family)
    return family
  }
}

function each(value: number | Values, take: (key: string, amount: number) => void): void {
  const values = typeof value === 'number' ? { '': value } : value
  for (const [key, amount] of Object.entries(values)) take(key, typeof amount === 'number' ? amount : 1)
}

function timer(take: (seconds: number) => void): StopTimer {
  const begun = performance.now()
  return () => take((performance.now() - begun) / 1_000)
}

function bytesOf(event: Event): number {
  if (event.type !== 'message' || !('data' in event)) return 0
  const { data } = event
  return typeof data === 'object' && data !== null && 'byteLength' in data ? Number(data.byteLength) : 0
}

/** A name as Prometheus takes it. */
function plain(name: string): string {
  return name.replace(/\W+/g, '_')
}

function helpOf(name: string, { help }: Options): string {
  return help ?? `${name}, as libp2p counts it.`
}
