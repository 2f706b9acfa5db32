import type { DevelopmentChain, Endpoint } from '../../devchain/index.js'
import { developmentSigner, movedMetadata, startDevelopmentChain } from '../../devchain/index.js'
import type { AccountId } from '../../domain/index.js'
import { messageOf, SlotmeshError } from '../../domain/index.js'
import { Actors } from '../actors.js'
import type { Scenario } from '../scenario/index.js'
import type { HeldClock } from './clock.js'

/** By how much pallets and events move at each runtime upgrade. */
const MOVED_BY = 20
/** How many upgrades there can be before an index of one byte has gone round; those after begin anew. */
const UPGRADES = 8

interface LiveChainInit {
  readonly chain: Scenario['chain']
  readonly endowed: readonly AccountId[]
  readonly regions: readonly string[]
  readonly clock: HeldClock
  readonly signal: AbortSignal
}

/** The development chain of a run: an endpoint for each region, and blocks that can be held back. */
export class LiveChain {
  readonly actors: Actors
  readonly generation: 1 | 2
  readonly #chain: DevelopmentChain
  readonly #endpoints: ReadonlyMap<string, Endpoint>
  readonly #clock: HeldClock
  readonly #blockTimeMs: number
  #callOff: () => void = () => undefined
  #upgrades = 0
  #failure: SlotmeshError | undefined

  private constructor(
    init: LiveChainInit,
    chain: DevelopmentChain,
    endpoints: ReadonlyMap<string, Endpoint>,
    actors: Actors,
  ) {
    this.#clock = init.clock
    this.generation = init.chain.generation
    this.#blockTimeMs = init.chain.blockTime
    this.#chain = chain
    this.#endpoints = endpoints
    this.actors = actors
  }

  static async start(init: LiveChainInit): Promise<LiveChain> {
    const { generation, finalityLag } = init.chain
    const chain = await startDevelopmentChain({ blockTime: 'manual', generation, finalityLag, endowed: init.endowed })
    try {
      const endpoints = new Map<string, Endpoint>()
      for (const region of init.regions) endpoints.set(region, await chain.openEndpoint())
      const committee = developmentSigner('Alice')
      const actors = await Actors.connect({ endpoint: chain.url, committee, signal: init.signal })
      const live = new LiveChain(init, chain, endpoints, actors)
      live.#sealNext()
      return live
    } catch (thrown) {
      await chain.stop()
      throw thrown
    }
  }

  /** Where enclaves of a region reach it. */
  endpointOf(region: string): string {
    return this.#endpoints.get(region)?.url ?? this.#chain.url
  }

  /** For everybody in these regions the chain goes silent, with its connections open, or speaks again. */
  silence(regions: readonly string[], isPaused: boolean): void {
    for (const region of regions) {
      const endpoint = this.#endpoints.get(region)
      if (endpoint !== undefined) endpoint.faults.isPaused = isPaused
    }
  }

  /** The next block carries a runtime in which pallets and events have other indices. */
  upgrade(): void {
    this.#upgrades += 1
    this.#chain.upgrade({ metadata: movedMetadata(this.generation, MOVED_BY * (this.#upgrades % UPGRADES)) })
  }

  /** Makes a block, also while the clock is held. */
  seal(): void {
    this.#chain.sealBlock()
  }

  /** @throws SlotmeshError `simulation/chain` when the chain could not make a block. */
  requireAlive(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  async close(): Promise<void> {
    this.#callOff()
    await this.actors.close()
    await this.#chain.stop()
  }

  #sealNext(): void {
    this.#callOff = this.#clock.after(this.#blockTimeMs, () => {
      this.#sealNext()
      try {
        this.seal()
      } catch (thrown) {
        this.#callOff()
        const sentence = `The chain can make no more blocks: ${messageOf(thrown)}`
        this.#failure = new SlotmeshError('simulation/chain', sentence, { cause: thrown })
      }
    })
  }
}
