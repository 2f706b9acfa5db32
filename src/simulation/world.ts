import { join } from 'node:path'
import {
  createDevelopmentPki,
  type DevelopmentPki,
  type SimulatedPccs,
  startSimulatedPccs,
} from '../attestation/development/index.js'
import { type AccountSigner, accountSigner } from '../crypto/index.js'
import { type DevelopmentChain, developmentSigner, startDevelopmentChain } from '../devchain/index.js'
import type { AccountId, BlockNumber, ClusterId, ShareKey, SlotId } from '../domain/index.js'
import { CLUSTER_SIZE } from '../domain/index.js'
import { Actors } from './actors.js'
import type { Holding } from './audit.js'
import { OFFICIAL_BUILD } from './enclave.js'
import type { SimulationOptions } from './options.js'
import { SeededRandom } from './randomness.js'
import type { Check, Timing } from './report.js'
import { SimulatedEnclave } from './simulated-enclave.js'
import { type WaitOptions, waitUntil, withDeadline } from './wait.js'

/** Owners act at the same time, each on one NFT after the other, so that blocks hold several events. */
const OWNERS = 20

/** Running exchanges end and the store closes in well under a second; a busy machine may need longer. */
const STOP_TIMEOUT_MS = 20_000

/** A cluster of the simulation; its enclaves by slot. */
export interface SimulatedCluster {
  readonly id: ClusterId
  readonly enclaves: readonly SimulatedEnclave[]
}

/** A secret that an owner split and handed over. */
export interface OwnedSecret {
  readonly key: ShareKey
  readonly owner: AccountSigner
  readonly origin: ClusterId
  readonly secret: Uint8Array
}

/** Everything that the phases share: who exists, what was minted, and what was found out so far. */
export class World {
  readonly options: SimulationOptions
  readonly folder: string
  readonly random: SeededRandom
  readonly pki: DevelopmentPki
  readonly clusters: SimulatedCluster[] = []
  readonly impostors: SimulatedEnclave[] = []
  readonly strangers: Holding<ShareKey>[] = []
  readonly secrets: OwnedSecret[] = []
  readonly checks: Check[] = []
  readonly timings: Timing[] = []
  readonly owners: readonly AccountSigner[]
  #chain: DevelopmentChain | undefined
  #pccs: SimulatedPccs | undefined
  #actors: Actors | undefined

  private constructor(options: SimulationOptions, folder: string, random: SeededRandom, pki: DevelopmentPki) {
    this.options = options
    this.folder = folder
    this.random = random
    this.pki = pki
    this.owners = range(OWNERS).map((owner) => this.signer(`owner/${owner}`))
  }

  static async create(options: SimulationOptions, folder: string): Promise<World> {
    const random = new SeededRandom(options.seed)
    return new World(options, folder, random, await createDevelopmentPki({ seed: pkiSeed(random) }))
  }

  /** @throws Error before the chain has started: a defect of the story. */
  get actors(): Actors {
    if (this.#actors === undefined) throw new Error('The chain has not started.')
    return this.#actors
  }

  /**
   * Starts the chain, on which operators and owners have funds from the beginning, and the service that enclaves fetch
   * collateral from.
   */
  async openChain(): Promise<void> {
    const { blockTimeMs, generation, signal, clusters } = this.options
    // The late cluster, and the impostor's.
    const operators = range(clusters + 2).flatMap((cluster) =>
      range(CLUSTER_SIZE).map((slot) => this.#operator(cluster, slot)),
    )
    const endowed = [...operators, ...this.owners].map(({ account }) => account)
    this.#chain = await startDevelopmentChain({ blockTime: blockTimeMs, generation, endowed })
    this.#pccs = await startSimulatedPccs({ sgx: this.pki.collateral, tdx: this.pki.tdxCollateral })
    const committee = developmentSigner('Alice')
    this.#actors = await Actors.connect({ endpoint: this.#chain.url, committee, signal })
  }

  #operator(cluster: ClusterId, slot: SlotId): AccountSigner {
    return this.signer(`operator/${cluster}/${slot}`)
  }

  signer(name: string): AccountSigner {
    return accountSigner(this.random.bytes(`account/${name}`, 32))
  }

  /** All enclaves of the build that everyone trusts. */
  get officials(): SimulatedEnclave[] {
    return this.clusters.flatMap(({ enclaves }) => enclaves)
  }

  /** @throws Error when there is none: a defect of the story. */
  enclave(cluster: ClusterId, slot: SlotId): SimulatedEnclave {
    const found = this.officials.find((enclave) => enclave.cluster === cluster && enclave.slot === slot)
    if (found === undefined) throw new Error(`There is no enclave in slot ${slot} of cluster ${cluster}.`)
    return found
  }

  nameOf(account: AccountId): string {
    return [...this.officials, ...this.impostors].find((enclave) => enclave.account === account)?.name ?? account
  }

  /** Prepares an enclave for a seat; it is launched later. */
  cast(cluster: ClusterId, slot: SlotId, { ownProcess = false, measurement = OFFICIAL_BUILD } = {}): SimulatedEnclave {
    const name = `c${cluster}-s${slot}`
    const spec = {
      name,
      folder: join(this.folder, name),
      chainEndpoint: this.actors.endpoint,
      bootstrap: [],
      pccsUrl: this.#pccs?.url ?? '',
      pkiSeed: pkiSeed(this.random),
      measurement,
    }
    return new SimulatedEnclave({ cluster, slot, operator: this.#operator(cluster, slot), spec, ownProcess }, this.pki)
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

  /** The newest block that every enclave has seen. */
  async blockSeenByAll(): Promise<BlockNumber> {
    return Math.min(...(await this.#finalisedBlocks()))
  }

  async #finalisedBlocks(): Promise<BlockNumber[]> {
    const statuses = await Promise.all(this.officials.map((enclave) => enclave.status()))
    return statuses.map(({ finalisedBlock }) => finalisedBlock)
  }

  count(what: string, done: number, of: number): void {
    this.options.progress({ type: 'counted', what, done, of })
  }

  note(text: string): void {
    this.options.progress({ type: 'noted', text })
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

  /** Thirty seconds of computing on a busy machine, and thirty blocks. */
  #wait(what: () => string): WaitOptions {
    return { what, timeoutMs: 30_000 + 30 * this.options.blockTimeMs, signal: this.options.signal }
  }

  /**
   * Ends every enclave that is still up, then the chain.
   * @throws SlotmeshError `simulation/timeout` when an enclave does not end.
   */
  async close(): Promise<void> {
    const { signal } = new AbortController()
    const endings = [...this.officials, ...this.impostors].map((enclave) =>
      withDeadline(() => enclave.stop(), { what: () => `${enclave.name} to stop`, timeoutMs: STOP_TIMEOUT_MS, signal }),
    )
    // All of them get their chance before one that fails is reported.
    await Promise.allSettled(endings)
    await this.#actors?.close()
    await this.#pccs?.stop()
    await this.#chain?.stop()
    await Promise.all(endings)
  }
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index)
}

function pkiSeed(random: SeededRandom): Uint8Array {
  return random.bytes('development-pki', 32)
}
