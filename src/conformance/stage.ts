import { randomBytes } from 'node:crypto'
import { createDevelopmentPki, type DevelopmentPki } from '../attestation/development/index.js'
import type { SgxMeasurement } from '../attestation/index.js'
import { type Chain, type ChainCall, connectChain, type FinalisedCall } from '../chain/index.js'
import { type AccountSigner, accountSigner } from '../crypto/index.js'
import { type DevelopmentChain, developmentSigner, startDevelopmentChain } from '../devchain/index.js'
import {
  type BlockNumber,
  CLUSTER_SIZE,
  type ClusterId,
  type NftId,
  type ShareKey,
  type ShareKind,
  type SlotId,
  silentLogger,
} from '../domain/index.js'

/** The slot of the implementation under test, and so of all that it may exchange with. */
export const SLOT: SlotId = 2

/** The build that every honest enclave of a run is of. */
export const MEASUREMENT: SgxMeasurement = {
  tee: 'sgx',
  mrEnclave: `0x${'5a'.repeat(32)}`,
  mrSigner: `0x${'51'.repeat(32)}`,
  productId: 1,
  securityVersion: 1,
}

/** A machine whose certificate the run's collateral revokes. */
export const REVOKED_MACHINE = 'revoked'

/** Clusters in which all five seats are the suite's, so that it can have NFTs synced there. */
const ORIGINS = 3

/** Clusters with one seat of the suite's each; with those above, enough accounts to reach a provider's bounds. */
const REPLICAS = 9

/** A view of the chain grows old without blocks; they come this often, in ms, as on the real chain. */
const BLOCK_TIME_MS = 5_000

/** Somebody with a seat. */
export interface Seated {
  readonly signer: AccountSigner
  readonly operator: AccountSigner
  readonly cluster: ClusterId
  readonly slot: SlotId
}

/** A cluster of the suite's whose five enclaves confirm what the suite wants synced. */
export interface OriginCluster {
  readonly cluster: ClusterId
  /** By slot. */
  readonly enclaves: readonly Seated[]
}

/** The seats of a run. */
export interface Cast {
  /** The seat of the implementation under test. */
  readonly peer: Seated
  /** 32 bytes. */
  readonly peerSeed: Uint8Array
  readonly origins: readonly OriginCluster[]
  /** With whom the peer may exchange; the origins' among them. */
  readonly members: readonly Seated[]
  /** In the peer's own cluster. */
  readonly neighbour: Seated
  /** In another public cluster, in another slot. */
  readonly otherSlot: Seated
  /** In a cluster that is not public. */
  readonly hidden: Seated
  /** Had the third origin cluster's seat in the peer's slot, until it had vouched for some shares. */
  readonly former: Seated
  /** Has an account and no seat. */
  readonly stranger: AccountSigner
}

/** An NFT that is to be synced, or has been. */
export interface Minted {
  readonly key: ShareKey
  readonly origin: OriginCluster
}

/** The world of a run: a chain of its own with its clusters, and a PKI. */
export class Stage {
  readonly pki: DevelopmentPki
  /** Makes the PKI. */
  readonly pkiSeed: Uint8Array
  readonly chain: DevelopmentChain
  readonly view: Chain
  readonly cast: Cast
  readonly #owner: AccountSigner
  readonly #signal: AbortSignal
  readonly #heartbeat: NodeJS.Timeout
  #lastBlockAt = Date.now()
  #lastSealed: BlockNumber = 0
  #pauses = 0
  readonly #submitting = new Set<Promise<FinalisedCall>>()

  private constructor(
    parts: Pick<Stage, 'pki' | 'pkiSeed' | 'chain' | 'view' | 'cast'>,
    owner: AccountSigner,
    signal: AbortSignal,
  ) {
    this.pki = parts.pki
    this.pkiSeed = parts.pkiSeed
    this.chain = parts.chain
    this.view = parts.view
    this.cast = parts.cast
    this.#owner = owner
    this.#signal = signal
    this.#heartbeat = setInterval(() => {
      if (this.#pauses === 0 && Date.now() - this.#lastBlockAt >= BLOCK_TIME_MS) this.sealBlock()
    }, BLOCK_TIME_MS / 5)
  }

  /** Starts the chain and seats everybody; the former enclave still has its seat then. */
  static async open(signal: AbortSignal): Promise<Stage> {
    const pkiSeed = new Uint8Array(randomBytes(32))
    const owner = newSigner()
    const peerSeed = new Uint8Array(randomBytes(32))
    const cast = newCast(peerSeed)
    const funded = seatedOf(cast).flatMap(({ signer, operator }) => [signer.account, operator.account])
    const chain = await startDevelopmentChain({
      blockTime: 'instant',
      name: `slotmesh conformance ${Buffer.from(randomBytes(4)).toString('hex')}`,
      endowed: [...funded, owner.account],
    })
    try {
      const view = await connectChain({ endpoints: [chain.url], logger: silentLogger })
      const pki = await createDevelopmentPki({ seed: pkiSeed, revokedMachines: [REVOKED_MACHINE] })
      const stage = new Stage({ pki, pkiSeed, chain, view, cast }, owner, signal)
      await stage.#seatAll()
      return stage
    } catch (thrown) {
      await chain.stop()
      throw thrown
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#heartbeat)
    await this.view.close()
    await this.chain.stop()
  }

  get now(): BlockNumber {
    return this.view.finalised().number
  }

  sealBlock(): void {
    this.#lastBlockAt = Date.now()
    this.#lastSealed = Math.max(this.#lastSealed, this.chain.sealBlock().number)
  }

  /** Makes blocks, and waits until the suite itself sees them. */
  async sealBlocks(count: number): Promise<void> {
    const target = this.now + count
    for (let made = 0; made < count; made += 1) this.sealBlock()
    await this.seen(target)
  }

  /** Waits until the suite's own view is at a block. */
  async seen(block: BlockNumber): Promise<void> {
    if (this.now >= block) return
    for await (const { block: at } of this.view.follow(this.now, { signal: this.#signal })) {
      if (at.number >= block) return
    }
  }

  /**
   * No block comes by itself while `work` runs, and the suite sees the last one before it begins, also where that comes of what
   * was submitted before and is not known to be final yet: a peer may act on it first.
   */
  async still<T>(work: () => Promise<T>): Promise<T> {
    this.#pauses += 1
    try {
      await Promise.allSettled(this.#submitting)
      await this.seen(this.#lastSealed)
      return await work()
    } finally {
      this.#pauses -= 1
    }
  }

  /** Mints NFTs and has all enclaves of their cluster confirm them but one. */
  async mint(kind: ShareKind, origin: OriginCluster, count: number): Promise<Minted[]> {
    const method = { secret: 'createSecretNft', capsule: 'createCapsule' }[kind]
    const [royalty, collection, soulbound] = [0, null, false]
    const args = ['ipfs://public', `ipfs://${kind}`, royalty, collection, soulbound]
    const call = { pallet: 'nft', method, args }
    const { events } = await this.#batch(this.#owner, Array<ChainCall>(count).fill(call))
    const minted = idsIn(events, 'nft', 'NFTCreated').map((nftId) => ({ key: { kind, nftId }, origin }))
    const [, ...others] = origin.enclaves
    await Promise.all(others.map(({ signer }) => this.#confirm(signer, minted)))
    return minted
  }

  /** The last confirmations: the shares are synced, in this order. @returns the block, which is final. */
  async sync(minted: readonly Minted[]): Promise<BlockNumber> {
    const signer = minted[0]?.origin.enclaves[0]?.signer
    if (signer === undefined) throw new Error('There is nothing to sync.')
    return (await this.#confirm(signer, minted)).block.number
  }

  async burn(nftId: NftId): Promise<BlockNumber> {
    const call = { pallet: 'nft', method: 'burnNft', args: [nftId] }
    return (await this.submit(this.#owner, call)).block.number
  }

  /** A capsule is to be synced anew: all enclaves of a cluster confirm it again. */
  async syncAnew({ key, origin }: Minted): Promise<BlockNumber> {
    await this.submit(this.#owner, { pallet: 'nft', method: 'notifyEnclaveKeyUpdate', args: [key.nftId] })
    const [first, ...others] = origin.enclaves
    for (const { signer } of others) await this.#confirm(signer, [{ key, origin }])
    if (first === undefined) throw new Error('The cluster is empty.')
    return (await this.#confirm(first.signer, [{ key, origin }])).block.number
  }

  /** Makes a cluster public, or takes that from it. */
  async setClusterType(cluster: ClusterId, type: 'Public' | 'Private'): Promise<BlockNumber> {
    const call = this.view.asCommittee({ pallet: 'tee', method: 'updateCluster', args: [cluster, type] })
    return (await this.submit(COMMITTEE, call)).block.number
  }

  /** The former enclave leaves, and the member that stands for its cluster takes the seat. */
  async succeed(): Promise<void> {
    const { former, origins } = this.cast
    const successor = origins[ORIGINS - 1]?.enclaves[SLOT]
    if (successor === undefined) throw new Error('There is no successor.')
    const removal = { pallet: 'tee', method: 'forceRemoveEnclave', args: [former.operator.account] }
    await this.submit(COMMITTEE, this.view.asCommittee(removal))
    await this.#seat([successor])
  }

  async submit(signer: AccountSigner, call: ChainCall): Promise<FinalisedCall> {
    const submitting = this.#submitted(signer, call)
    this.#submitting.add(submitting)
    try {
      return await submitting
    } finally {
      this.#submitting.delete(submitting)
    }
  }

  async #submitted(signer: AccountSigner, call: ChainCall): Promise<FinalisedCall> {
    this.#lastBlockAt = Date.now()
    const done = await this.view.submit(signer, call, { signal: this.#signal })
    // It is final by another subscription than the view's own, which may be told of it later.
    this.#lastSealed = Math.max(this.#lastSealed, done.block.number)
    return done
  }

  async #seatAll(): Promise<void> {
    const { cast } = this
    const types = [...Array<string>(1 + ORIGINS + REPLICAS).fill('Public'), 'Private']
    await this.#batch(
      COMMITTEE,
      types.map((type) => this.view.asCommittee({ pallet: 'tee', method: 'createCluster', args: [type] })),
    )
    const successor = cast.origins[ORIGINS - 1]?.enclaves[SLOT]
    await this.#seat(seatedOf(cast).filter((each) => each !== successor))
  }

  async #seat(seats: readonly Seated[]): Promise<void> {
    await Promise.all(
      seats.map(({ signer, operator }) => {
        const args = [signer.account, 'https://conformance.invalid']
        return this.submit(operator, { pallet: 'tee', method: 'registerEnclave', args })
      }),
    )
    await this.#batch(
      COMMITTEE,
      seats.map(({ operator, cluster, slot }) => {
        const args = [operator.account, cluster, slot]
        return this.view.asCommittee({ pallet: 'tee', method: 'assignEnclave', args })
      }),
    )
  }

  #confirm(signer: AccountSigner, minted: readonly Minted[]): Promise<FinalisedCall> {
    return this.#batch(
      signer,
      minted.map(({ key: { kind, nftId } }) => {
        const method = { secret: 'addSecretShard', capsule: 'addCapsuleShard' }[kind]
        return { pallet: 'nft', method, args: [nftId] }
      }),
    )
  }

  #batch(signer: AccountSigner, calls: readonly ChainCall[]): Promise<FinalisedCall> {
    return this.submit(signer, { pallet: 'utility', method: 'batchAll', args: [calls] })
  }
}

const COMMITTEE = developmentSigner('Alice')

function newSigner(): AccountSigner {
  return accountSigner(new Uint8Array(randomBytes(32)))
}

/** Cluster 0 is the peer's; then come the origins, the others, and the one that is not public. */
function newCast(peerSeed: Uint8Array): Cast {
  const seated = (cluster: ClusterId, slot: SlotId, signer = newSigner()): Seated => ({
    signer,
    operator: newSigner(),
    cluster,
    slot,
  })
  const origins = range(ORIGINS).map((at) => ({
    cluster: 1 + at,
    enclaves: range(CLUSTER_SIZE).map((slot) => seated(1 + at, slot)),
  }))
  const replicas = range(REPLICAS).map((at) => seated(1 + ORIGINS + at, SLOT))
  const members = [...origins.flatMap(({ enclaves }) => enclaves[SLOT] ?? []), ...replicas]
  const otherSlot = origins[0]?.enclaves[SLOT + 1]
  if (otherSlot === undefined) throw new Error('A cluster has five seats.')
  return {
    peer: seated(0, SLOT, accountSigner(peerSeed)),
    peerSeed,
    origins,
    members,
    neighbour: seated(0, SLOT + 1),
    otherSlot,
    hidden: seated(1 + ORIGINS + REPLICAS, SLOT),
    former: seated(ORIGINS, SLOT),
    stranger: newSigner(),
  }
}

function seatedOf({ peer, origins, members, neighbour, hidden, former }: Cast): Seated[] {
  const ofOrigins = origins.flatMap(({ enclaves }) => enclaves)
  return [...new Set([peer, ...ofOrigins, ...members, neighbour, hidden, former])]
}

function idsIn(events: FinalisedCall['events'], pallet: string, name: string): number[] {
  return events
    .filter((event) => event.pallet === pallet && event.name === name)
    .flatMap(({ data }) => (typeof data[0] === 'number' ? [data[0]] : []))
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index)
}
