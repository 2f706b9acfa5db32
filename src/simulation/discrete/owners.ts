import { type NftId, type ShareKey, SlotmeshError } from '../../domain/index.js'
import type { MintOrder } from '../stage.js'
import type { DiscreteEnclave } from './enclave.js'
import { Stream } from './random.js'
import type { World } from './world.js'

/** An owner who hears nothing of an enclave for so long asks again; in ms. */
const PATIENCE_MS = 30_000

/** How the chain answers when the share is confirmed, or needs to be no more. */
const DONE: ReadonlySet<string> = new Set(['confirmed', 'already-confirmed', 'already-synced'])

/** A cluster as owners see it. */
export interface OwnersCluster {
  readonly id: number
  /** Who sits in its slots now, in the order of slots. */
  readonly seated: () => readonly DiscreteEnclave[]
}

/** Owners: they mint NFTs, hand a share to each of five enclaves, and ask again until all five have it. */
export class Owners {
  readonly #world: World
  readonly #random: Stream
  #handedOver: ShareKey[] = []

  constructor(world: World) {
    this.#world = world
    this.#random = new Stream(world.random, 'owners')
  }

  /** What all five enclaves took; not what was burned since. */
  get handedOver(): readonly ShareKey[] {
    return this.#handedOver
  }

  burned(nftIds: readonly NftId[]): void {
    this.#handedOver = this.#handedOver.filter(({ nftId }) => !nftIds.includes(nftId))
  }

  /** Resolves when all five confirmations are final. @throws SlotmeshError `simulation/no-cluster`. */
  async mint(order: MintOrder, cluster: OwnersCluster): Promise<NftId> {
    const nftId = await this.#world.chain.mint(order.kind)
    await this.#handOver({ kind: order.kind, nftId }, order.bytes, cluster)
    return nftId
  }

  /** Makes a capsule of an NFT, too, and hands its shares to this cluster. */
  async convert(nftId: NftId, bytes: number, cluster: OwnersCluster): Promise<void> {
    await this.#world.chain.convert(nftId)
    await this.#handOver({ kind: 'capsule', nftId }, bytes, cluster)
  }

  async #handOver(key: ShareKey, bytes: number, cluster: OwnersCluster): Promise<void> {
    const payloads = Array.from({ length: 5 }, () => this.#random.bytes(bytes))
    await Promise.all(payloads.map((payload, slot) => this.#giveTo(cluster, slot, key, payload)))
    this.#handedOver.push(key)
  }

  async #giveTo(cluster: OwnersCluster, slot: number, key: ShareKey, payload: Uint8Array): Promise<void> {
    const { chain, scenario } = this.#world
    for (;;) {
      const seated = cluster.seated()
      if (seated.length < 5) {
        throw new SlotmeshError('simulation/no-cluster', `Cluster ${cluster.id} has lost an enclave for good.`)
      }
      const enclave = seated[slot]
      const outcome = enclave?.isUp ? await this.#inTime(enclave.take(key, payload)) : undefined
      if (outcome !== undefined && DONE.has(outcome)) return
      if (chain.isSynced(key)) return
      await this.#pause(scenario.chain.blockTime)
    }
  }

  /** An enclave that ends meanwhile never answers. */
  #inTime(work: Promise<string | undefined>): Promise<string | undefined> {
    return new Promise((resolve) => {
      const callOff = this.#world.loop.after(PATIENCE_MS, () => resolve(undefined))
      work
        .catch(() => undefined)
        .then((outcome) => {
          callOff()
          resolve(outcome)
        })
    })
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.loop.after(ms, resolve))
  }
}
