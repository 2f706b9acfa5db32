import { createHash } from 'node:crypto'
import { toHex, utf8 } from '../../crypto/index.js'
import {
  type AccountId,
  type BlockNumber,
  type BlockRef,
  type BlockTriggers,
  type Cluster,
  type ClusterId,
  type ClusterType,
  type EnclaveSeat,
  type Hex,
  type NftId,
  Registry,
  type RegistryChange,
  type ShareKey,
  type ShareKind,
  type SlotId,
  shareKeyText,
  type Trigger,
} from '../../domain/index.js'
import type { ConfirmationOutcome } from '../../sync/index.js'
import type { EventLoop } from './loop.js'

interface Block extends BlockTriggers {
  readonly registry: Registry
  /** Whether the runtime was replaced. */
  readonly isUpgrade: boolean
}

/** A share that is or was synced. */
export interface ListedShare {
  readonly key: ShareKey
  readonly version: BlockNumber
  readonly cluster: ClusterId
  removedAt: BlockNumber
}

/** A block that is being made. */
export interface BlockInMaking {
  readonly number: BlockNumber
  readonly triggers: Trigger[]
  readonly registryChanges: RegistryChange[]
  isUpgrade: boolean
}

interface Transaction {
  readonly apply: (block: BlockInMaking) => void
  readonly final: (block: BlockNumber) => void
}

interface Round {
  cluster: ClusterId | undefined
  readonly confirmed: Set<SlotId>
}

/** Shares of an NFT, one each. */
const SHARES = 5

/**
 * The chain, as far as enclaves and owners see it: blocks at their time, final some blocks later, with the clusters, the
 * NFTs and their rounds of confirmations.
 */
export class ModelChain {
  readonly genesisHash: Hex
  readonly #loop: EventLoop
  readonly #blockTime: number
  readonly #finalityLag: number
  readonly #blocks: Block[] = []
  readonly #waiting: Transaction[] = []
  readonly #inBlocks: { readonly block: BlockNumber; readonly final: (block: BlockNumber) => void }[] = []
  readonly #clusters = new Map<ClusterId, { type: ClusterType; seats: EnclaveSeat[] }>()
  readonly #rounds = new Map<string, Round>()
  readonly #listed: ListedShare[] = []
  readonly #onFinal: ((block: BlockTriggers) => void)[] = []
  #isRegistryStale = true
  #nfts = 0
  #finalised = 0

  constructor(loop: EventLoop, { blockTime, finalityLag }: { blockTime: number; finalityLag: number }, seed: Hex) {
    this.#loop = loop
    this.#blockTime = blockTime
    this.#finalityLag = finalityLag
    this.genesisHash = toHex(hashOf(`genesis/${seed}`))
  }

  start(): void {
    this.#append({ number: 0, triggers: [], registryChanges: [], isUpgrade: false })
    const produce = () => {
      this.#produce()
      this.#loop.after(this.#blockTime, produce)
    }
    this.#loop.after(this.#blockTime, produce)
  }

  /** Told of each block as it becomes final. */
  onFinal(hear: (block: BlockTriggers) => void): void {
    this.#onFinal.push(hear)
  }

  get finalised(): BlockNumber {
    return this.#finalised
  }

  block(number: BlockNumber): Block {
    const block = this.#blocks[number]
    if (block === undefined) throw new RangeError(`There is no block ${number}.`)
    return block
  }

  /** All that is or was synced, in the order in which it was. */
  get listed(): readonly ListedShare[] {
    return this.#listed
  }

  /** What is synced at a block. */
  listedAt(block: BlockNumber): ListedShare[] {
    return this.#listed.filter(({ version, removedAt }) => version <= block && removedAt > block)
  }

  /** Goes into the next block. @returns its number, once it is final. */
  submit(apply: (block: BlockInMaking) => void): Promise<BlockNumber> {
    return new Promise((final) => this.#waiting.push({ apply, final }))
  }

  /** Creates a cluster with these seats. */
  async addCluster(id: ClusterId, type: ClusterType, seats: readonly EnclaveSeat[]): Promise<BlockNumber> {
    return this.submit(({ registryChanges }) => {
      this.#clusters.set(id, { type, seats: [...seats] })
      registryChanges.push({ type: 'cluster-added', cluster: id })
      for (const { operator } of seats) registryChanges.push({ type: 'enclave-assigned', operator, cluster: id })
      this.#isRegistryStale = true
    })
  }

  setAccess(id: ClusterId, type: ClusterType): Promise<BlockNumber> {
    return this.submit(({ registryChanges }) => {
      const cluster = this.#clusters.get(id)
      if (cluster === undefined) return
      cluster.type = type
      registryChanges.push({ type: 'cluster-updated', cluster: id })
      this.#isRegistryStale = true
    })
  }

  /** Changes the seats of a cluster. */
  reseat(id: ClusterId, change: (seat: EnclaveSeat) => EnclaveSeat | undefined): Promise<BlockNumber> {
    return this.submit(({ registryChanges }) => {
      const cluster = this.#clusters.get(id)
      if (cluster === undefined) return
      for (const seat of cluster.seats) {
        const next = change(seat)
        const { operator } = seat
        if (next === undefined) registryChanges.push({ type: 'enclave-removed', operator })
        else if (next !== seat) registryChanges.push({ type: 'enclave-assigned', operator, cluster: id })
      }
      cluster.seats = cluster.seats.map(change).filter((seat) => seat !== undefined)
      this.#isRegistryStale = true
    })
  }

  upgrade(): Promise<BlockNumber> {
    return this.submit((block) => {
      block.isUpgrade = true
      this.#isRegistryStale = true
    })
  }

  /** @returns the id of a new NFT with a secret of this kind, once it is final. */
  async mint(kind: ShareKind): Promise<NftId> {
    const nftId = this.#nfts
    this.#nfts += 1
    await this.#beginRound({ kind, nftId })
    return nftId
  }

  /** Makes a capsule of an NFT, too. */
  async convert(nftId: NftId): Promise<void> {
    await this.#beginRound({ kind: 'capsule', nftId })
  }

  async burn(nftIds: readonly NftId[]): Promise<void> {
    await this.submit(({ number, triggers }) => {
      for (const listed of this.#listed) {
        const { key } = listed
        if (!nftIds.includes(key.nftId) || listed.removedAt <= number) continue
        listed.removedAt = number
        triggers.push({ type: 'removed', ...key })
      }
    })
  }

  /** An enclave says that it holds its share. Resolves when that is final. */
  async confirm(account: AccountId, key: ShareKey): Promise<ConfirmationOutcome> {
    let outcome: ConfirmationOutcome = 'confirmed'
    await this.submit((block) => {
      outcome = this.#confirm(account, key, block)
    })
    return outcome
  }

  isSynced(key: ShareKey): boolean {
    return this.#listed.some(({ key: { kind, nftId } }) => kind === key.kind && nftId === key.nftId)
  }

  async #beginRound(key: ShareKey): Promise<void> {
    await this.submit(() => {
      this.#rounds.set(shareKeyText(key), { cluster: undefined, confirmed: new Set() })
    })
  }

  #confirm(account: AccountId, key: ShareKey, { number, triggers }: BlockInMaking): ConfirmationOutcome {
    const round = this.#rounds.get(shareKeyText(key))
    if (round === undefined) return this.isSynced(key) ? 'already-synced' : 'unknown-nft'
    const seat = this.#seatOf(account)
    if (seat === undefined) return 'not-registered'
    round.cluster ??= seat.cluster
    if (round.cluster !== seat.cluster) return 'wrong-cluster'
    if (round.confirmed.has(seat.slot)) return 'already-confirmed'
    round.confirmed.add(seat.slot)
    if (round.confirmed.size === SHARES) {
      this.#rounds.delete(shareKeyText(key))
      this.#listed.push({ key, version: number, cluster: seat.cluster, removedAt: Number.POSITIVE_INFINITY })
      triggers.push({ type: 'synced', ...key, cluster: seat.cluster })
    }
    return 'confirmed'
  }

  #seatOf(account: AccountId): EnclaveSeat | undefined {
    const registry = this.#isRegistryStale ? this.#registry() : this.block(this.#blocks.length - 1).registry
    return registry.seatOf(account)
  }

  #registry(): Registry {
    const clusters: Cluster[] = [...this.#clusters].map(([id, { type, seats }]) => ({ id, type, seats }))
    return new Registry(clusters)
  }

  #produce(): void {
    const block: BlockInMaking = { number: this.#blocks.length, triggers: [], registryChanges: [], isUpgrade: false }
    for (const { apply, final } of this.#waiting.splice(0)) {
      apply(block)
      this.#inBlocks.push({ block: block.number, final })
    }
    this.#append(block)
    const last = block.number - this.#finalityLag
    if (last <= this.#finalised) return
    this.#finalised = last
    for (const hear of this.#onFinal) hear(this.block(last))
    while (this.#inBlocks[0] !== undefined && this.#inBlocks[0].block <= last) this.#inBlocks.shift()?.final(last)
  }

  #append({ number, triggers, registryChanges, isUpgrade }: BlockInMaking): void {
    const before = this.#blocks.at(-1)?.registry
    const registry = before === undefined || this.#isRegistryStale ? this.#registry() : before
    this.#isRegistryStale = false
    const ref: BlockRef = { number, hash: toHex(hashOf(`${this.genesisHash}/${number}`)) }
    this.#blocks.push({ block: ref, triggers, registryChanges, registry, isUpgrade })
  }
}

function hashOf(text: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(utf8(text)).digest())
}
