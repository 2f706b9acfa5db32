import { join } from 'node:path'
import {
  createDevelopmentPki,
  type DevelopmentPki,
  type SimulatedPccs,
  startSimulatedPccs,
} from '../../attestation/development/index.js'
import { type AccountSigner, accountSigner } from '../../crypto/index.js'
import {
  type AccountId,
  type BlockNumber,
  CLUSTER_SIZE,
  type ClusterId,
  type ShareKey,
  type SlotId,
  SlotmeshError,
} from '../../domain/index.js'
import type { NodeEvent } from '../../node/index.js'
import type { Access, Actors } from '../actors.js'
import type { Attempt, Holding } from '../audit.js'
import { type EnclaveName, nameOf, type Scenario } from '../scenario/index.js'
import type { StageInit } from '../stage.js'
import { type WaitOptions, waitUntil, withDeadline } from '../wait.js'
import { HeldClock } from './clock.js'
import { OFFICIAL_BUILD } from './enclave.js'
import { LiveChain } from './live-chain.js'
import { Network } from './network.js'
import { SimulatedEnclave } from './simulated-enclave.js'

/** Owners act at the same time, each on one NFT after the other, so that blocks hold several events. */
const OWNERS = 20

/** Clusters that may come by hand, besides those of the timeline. */
const SPARE_CLUSTERS = 8

/** Running exchanges end and the store closes in well under a second; a busy machine may need longer. */
const STOP_TIMEOUT_MS = 20_000

/** A cluster of official enclaves. */
export interface SimulatedCluster {
  readonly id: ClusterId
  readonly enclaves: readonly SimulatedEnclave[]
  access: Access
  /** Since which block it has been private; 0 from the beginning. */
  privateSince: BlockNumber | undefined
}

/** A secret that an owner split and handed over. */
export interface OwnedSecret {
  readonly key: ShareKey
  readonly owner: AccountSigner
  readonly origin: ClusterId
  readonly secret: Uint8Array
}

/** What outsiders met, and what they got in spite of that. */
export interface Outsiders {
  readonly impostors: SimulatedEnclave[]
  readonly refusedImpostors: Attempt[]
  readonly refusedStrangers: Attempt[]
  readonly strangers: Holding<ShareKey>[]
}

export type WorldInit = StageInit & { readonly ownProcesses: 'all' | 'killed' }

/** Everything that the parts of a live stage share: who exists, and what was minted. */
export class World {
  readonly init: WorldInit
  readonly clock = new HeldClock()
  readonly network: Network
  readonly pki: DevelopmentPki
  readonly clusters: SimulatedCluster[] = []
  readonly outsiders: Outsiders = { impostors: [], refusedImpostors: [], refusedStrangers: [], strangers: [] }
  /** Those that were burned since are no longer in it. */
  readonly secrets: OwnedSecret[] = []
  readonly owners: readonly AccountSigner[]
  /** Hears of every event of every enclave. */
  onEvent: (enclave: string, event: NodeEvent) => void = () => undefined
  #chain: LiveChain | undefined
  #pccs: SimulatedPccs | undefined

  private constructor(init: WorldInit, pki: DevelopmentPki) {
    this.init = init
    this.pki = pki
    this.network = new Network(init.scenario)
    this.owners = range(OWNERS).map((owner) => this.signer(`owner/${owner}`))
  }

  static async create(init: WorldInit): Promise<World> {
    return new World(init, await createDevelopmentPki({ seed: init.random.bytes(PKI_SEED, 32) }))
  }

  get scenario(): Scenario {
    return this.init.scenario
  }

  /** @throws Error before the chain has started: a defect of the stage. */
  get chain(): LiveChain {
    if (this.#chain === undefined) throw new Error('The chain has not started.')
    return this.#chain
  }

  get actors(): Actors {
    return this.chain.actors
  }

  /**
   * Starts the chain, on which operators and owners have funds from the beginning, and the service that enclaves fetch
   * collateral from.
   */
  async openChain(): Promise<void> {
    const { chain, clusters, timeline } = this.scenario
    const later = timeline.filter(({ do: action }) => ['add-cluster', 'impostor'].includes(action.type)).length
    const operators = range(clusters + later + SPARE_CLUSTERS).flatMap((cluster) =>
      range(CLUSTER_SIZE).map((slot) => this.#operator(cluster, slot)),
    )
    const endowed = [...operators, ...this.owners].map(({ account }) => account)
    const { clock, network } = this
    const { signal } = this.init
    this.#chain = await LiveChain.start({ chain, endowed, regions: network.regions, clock, signal })
    this.#pccs = await startSimulatedPccs({ sgx: this.pki.collateral, tdx: this.pki.tdxCollateral })
  }

  #operator(cluster: ClusterId, slot: SlotId): AccountSigner {
    return this.signer(`operator/${cluster}/${slot}`)
  }

  signer(name: string): AccountSigner {
    return accountSigner(this.init.random.bytes(`account/${name}`, 32))
  }

  /** All enclaves of the build that everyone trusts. */
  get officials(): SimulatedEnclave[] {
    return this.clusters.flatMap(({ enclaves }) => enclaves)
  }

  get everyone(): SimulatedEnclave[] {
    return [...this.officials, ...this.outsiders.impostors]
  }

  /** Those of whom the registry and the scenario expect that they hold what the chain lists. */
  get replicas(): SimulatedEnclave[] {
    return this.clusters
      .filter(({ access }) => access === 'public')
      .flatMap(({ enclaves }) => enclaves.filter(({ isUp, isSeated }) => isUp && isSeated))
  }

  /** @throws SlotmeshError `simulation/unknown-enclave` */
  enclave(name: EnclaveName): SimulatedEnclave {
    const found = this.find(nameOf(name))
    if (found !== undefined) return found
    throw new SlotmeshError('simulation/unknown-enclave', `There is no enclave ${nameOf(name)} in this run.`)
  }

  find(name: string): SimulatedEnclave | undefined {
    return this.everyone.find((enclave) => enclave.name === name)
  }

  /** @throws SlotmeshError `simulation/unknown-cluster` */
  cluster(id: ClusterId): SimulatedCluster {
    const found = this.clusters.find((cluster) => cluster.id === id)
    if (found !== undefined) return found
    throw new SlotmeshError('simulation/unknown-cluster', `There is no cluster ${id} of official enclaves in this run.`)
  }

  /** Whether owners can hand all five shares over there. */
  takesShares({ access, enclaves }: SimulatedCluster): boolean {
    return access === 'public' && enclaves.every(({ isUp, isSeated }) => isUp && isSeated)
  }

  nameOf(account: AccountId): string {
    return this.everyone.find((enclave) => enclave.peerId !== undefined && enclave.account === account)?.name ?? account
  }

  /** Prepares an enclave for a seat; it is launched later. */
  cast(home: EnclaveName, measurement = OFFICIAL_BUILD): SimulatedEnclave {
    const name = nameOf(home)
    const { random, folder } = this.init
    const isOfficial = measurement === OFFICIAL_BUILD
    const spec = {
      name,
      folder: join(folder, name),
      chainEndpoint: this.chain.endpointOf(this.network.regionOf(home.cluster)),
      bootstrap: [],
      pccsUrl: this.#pccs?.url ?? '',
      pkiSeed: random.bytes(PKI_SEED, 32),
      measurement,
      chance: random.integer(`network/${name}`, 1, 2 ** 31),
    }
    const operator = this.#operator(home.cluster, home.slot)
    const onEvent = (event: NodeEvent) => this.onEvent(name, event)
    const ownProcess = this.init.ownProcesses === 'all' || this.#isToBeKilled(home)
    return new SimulatedEnclave({ home, operator, spec, isOfficial, ownProcess, onEvent }, this.pki)
  }

  #isToBeKilled(home: EnclaveName): boolean {
    return this.scenario.timeline.some(({ do: action }) => {
      if (action.type === 'kill') return nameOf(action.enclave) === nameOf(home)
      return action.type === 'kill-region' && this.network.isIn(home.cluster, action.region)
    })
  }

  /** Where newcomers enter the mesh: one enclave of each cluster that is up. */
  async entryPoints(): Promise<string[]> {
    const first = this.clusters.flatMap(({ enclaves }) => enclaves.find(({ isUp }) => isUp) ?? [])
    const statuses = await Promise.all(first.map((enclave) => enclave.status()))
    return statuses.flatMap(({ multiaddrs }) => multiaddrs)
  }

  /** What the chain lists now, at a block that no enclave is ahead of. */
  async listedShares(): Promise<ShareKey[]> {
    return this.actors.listedShares(Math.max(...(await this.#finalisedBlocks())))
  }

  /** The newest block that every enclave that is up has seen. */
  async blockSeenByAll(): Promise<BlockNumber> {
    return Math.min(...(await this.#finalisedBlocks()))
  }

  async #finalisedBlocks(): Promise<BlockNumber[]> {
    const up = this.officials.filter(({ isUp }) => isUp)
    const statuses = await Promise.all(up.map((enclave) => enclave.status()))
    return statuses.map(({ finalisedBlock }) => finalisedBlock)
  }

  count(what: string, done: number, of: number): void {
    this.init.progress({ type: 'counted', what, done, of })
  }

  note(text: string): void {
    this.init.progress({ type: 'noted', text })
  }

  waitUntil<T>(look: () => Promise<T | undefined>, what: () => string): Promise<T> {
    return waitUntil(look, this.#wait(what))
  }

  /**
   * Waits until an enclave has seen a block, as owners do before they refer to it.
   * @returns the finalised block that the enclave is at by then.
   */
  blockSeenBy(enclave: SimulatedEnclave, block: BlockNumber): Promise<BlockNumber> {
    return this.waitUntil(
      async () => {
        const { finalisedBlock } = await enclave.status()
        return finalisedBlock >= block ? finalisedBlock : undefined
      },
      () => `${enclave.name} to see block ${block}`,
    )
  }

  withDeadline<T>(work: (signal: AbortSignal) => Promise<T>, what: () => string): Promise<T> {
    return withDeadline(work, this.#wait(what))
  }

  #wait(what: () => string): WaitOptions {
    return { what, timeoutMs: this.scenario.patience, signal: this.init.signal, clock: this.clock }
  }

  /**
   * Ends every enclave that is still up, then the chain.
   * @throws SlotmeshError `simulation/timeout` when an enclave does not end.
   */
  async close(): Promise<void> {
    this.clock.goOn()
    const { signal } = new AbortController()
    const endings = this.everyone.map((enclave) =>
      withDeadline(() => enclave.stop(), { what: () => `${enclave.name} to stop`, timeoutMs: STOP_TIMEOUT_MS, signal }),
    )
    // All of them get their chance before one that fails is reported.
    await Promise.allSettled(endings)
    await this.#pccs?.stop()
    await this.#chain?.close()
    await Promise.all(endings)
  }
}

const PKI_SEED = 'development-pki'

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index)
}
