import { toHex } from '../../crypto/index.js'
import type { AccountId } from '../../domain/index.js'
import type { SeededRandom } from '../randomness.js'
import type { Recorder, RunEvent } from '../record/index.js'
import type { Scenario } from '../scenario/index.js'
import { ModelChain } from './chain.js'
import { Endpoint } from './chain-view.js'
import { Membership } from './dht.js'
import { HostDirectory } from './host.js'
import { OriginLogs } from './logs.js'
import { EventLoop } from './loop.js'
import { Network } from './network.js'
import { Core, Processor } from './processor.js'
import { Stream } from './random.js'
import { RecordBook } from './records.js'

/** When runs begin, Unix ms: they are alike to the last digit, so not now. */
const BEGINNING = Date.UTC(2026, 0, 1)

/** After this long nodes see a final block; more in some regions than in others. In ms. */
const HEAD_DELAY_MS = { least: 5, most: 40 } as const

/** A region of those that a scenario puts in none. */
const ELSEWHERE = 'elsewhere'

/** What all nodes of a run have in common. */
export class World {
  readonly loop = new EventLoop(BEGINNING)
  readonly network: Network
  readonly chain: ModelChain
  readonly random: SeededRandom
  readonly hosts = new HostDirectory()
  readonly membership = new Membership()
  readonly logs = new OriginLogs()
  readonly records = new RecordBook()
  readonly scenario: Scenario
  readonly #recorder: Recorder
  readonly #endpoints = new Map<string, Endpoint>()
  readonly #names = new Map<AccountId, string>()
  readonly #shared: readonly Core[]
  readonly #slowness: number | undefined
  #nodes = 0

  /**
   * @param machine.processors that all nodes share, as they do in one machine; each has one of its own when undefined.
   * @param machine.slower how many times as long all work takes as the table of costs says.
   */
  constructor(
    scenario: Scenario,
    random: SeededRandom,
    recorder: Recorder,
    { processors = 0, slower }: { readonly processors?: number | undefined; readonly slower?: number | undefined } = {},
  ) {
    this.#slowness = slower
    this.#shared = Array.from({ length: processors }, () => new Core(slower))
    this.scenario = scenario
    this.random = random
    this.#recorder = recorder
    this.network = new Network(this.loop, new Stream(random, 'links'), scenario)
    this.chain = new ModelChain(this.loop, scenario.chain, toHex(random.bytes('genesis', 32)))
  }

  /** Ms since the run began. */
  get elapsed(): number {
    return this.loop.now() - BEGINNING
  }

  record(event: RunEvent extends infer Each ? (Each extends RunEvent ? Omit<Each, 'at'> : never) : never): void {
    // Of a union without one of its fields nothing is known to be what it was, but it is.
    this.#recorder.record({ at: this.elapsed, ...event } as RunEvent)
  }

  regionOf(cluster: number): string {
    for (const [region, { first, last }] of Object.entries(this.scenario.regions)) {
      if (region !== '*' && cluster >= first && cluster <= last) return region
    }
    return ELSEWHERE
  }

  endpoint(region: string): Endpoint {
    const known = this.#endpoints.get(region)
    if (known !== undefined) return known
    const delay = this.random.integer(`head-delay/${region}`, HEAD_DELAY_MS.least, HEAD_DELAY_MS.most)
    const endpoint = new Endpoint(this.chain, this.loop, delay)
    this.#endpoints.set(region, endpoint)
    return endpoint
  }

  endpoints(): IterableIterator<[string, Endpoint]> {
    return this.#endpoints.entries()
  }

  /** For the process of the node with this number. */
  processor(node: number): Processor {
    return new Processor(this.loop, this.#shared[node % this.#shared.length] ?? new Core(this.#slowness))
  }

  /** A number of its own for each node. */
  nextNode(): number {
    this.#nodes += 1
    return this.#nodes
  }

  called(account: AccountId, name: string): void {
    this.#names.set(account, name)
  }

  nameOf(account: AccountId): string {
    return this.#names.get(account) ?? account
  }
}
