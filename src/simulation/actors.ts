import { type Chain, type ChainCall, connectChain, type FinalisedCall } from '../chain/index.js'
import { type AccountSigner, toSs58 } from '../crypto/index.js'
import {
  type AccountId,
  type BlockNumber,
  type BlockTriggers,
  type Cluster,
  type ClusterId,
  type NftId,
  type ShareKey,
  type ShareKind,
  type SlotId,
  silentLogger,
} from '../domain/index.js'

/** 1 CAPS in its smallest unit; the token has 18 decimals. */
const CAPS = 10n ** 18n

/** What an enclave account gets for the fees of its confirmations. */
const ENCLAVE_FUNDS = 100n * CAPS

/** An enclave for which a seat is wanted. */
export interface Candidate {
  readonly operator: AccountSigner
  readonly account: AccountId
  readonly cluster: ClusterId
  readonly slot: SlotId
  readonly apiUri: string
}

/** An NFT that waits for shares. */
export interface Minted {
  readonly nftId: NftId
  readonly block: BlockNumber
}

/** What {@link Actors} act on. */
export interface ActorsOptions {
  /** WebSocket URL of the chain. */
  readonly endpoint: string
  /** A member of a technical committee in which one member is enough; it also pays what enclaves need. */
  readonly committee: AccountSigner
  /** Ends every wait when it aborts. */
  readonly signal?: AbortSignal
}

/**
 * Everybody who acts on a chain besides enclaves: the committee, operators and owners; for simulations, examples and
 * tests. Every method resolves when what it did is final.
 */
export class Actors {
  readonly endpoint: string
  readonly #chain: Chain
  readonly #committee: AccountSigner
  readonly #signal: AbortSignal
  #lastDone: BlockNumber = 0

  private constructor(options: ActorsOptions, chain: Chain) {
    this.endpoint = options.endpoint
    this.#committee = options.committee
    this.#signal = options.signal ?? new AbortController().signal
    this.#chain = chain
  }

  /** @throws SlotmeshError `chain/unreachable`, `chain/unsupported`. */
  static async connect(options: ActorsOptions): Promise<Actors> {
    return new Actors(options, await connectChain({ endpoints: [options.endpoint], logger: silentLogger }))
  }

  /** Ends the connection to the chain. */
  async close(): Promise<void> {
    await this.#chain.close()
  }

  /** The latest final block that it knows of: not before the last thing that was done, of which the chain may tell first. */
  get finalised(): BlockNumber {
    return Math.max(this.#lastDone, this.#chain.finalised().number)
  }

  /** The clusters as of a final block that is not before the last thing that was done. */
  async clusters(): Promise<readonly Cluster[]> {
    await this.#untilFinal(this.#lastDone)
    return this.#chain.registry().clusters()
  }

  /** Whether the chain is one to try things on, by its own word. @throws SlotmeshError `chain/unreachable` */
  isForDevelopment(): Promise<boolean> {
    return this.#chain.isForDevelopment({ signal: this.#signal })
  }

  /** Every final block after `after`, until the signal of the options aborts. */
  follow(after: BlockNumber): AsyncIterable<BlockTriggers> {
    return this.#chain.follow(after, { signal: this.#signal })
  }

  /** The committee's member gives each of these what an enclave needs for its fees. */
  async fund(accounts: readonly AccountId[]): Promise<BlockNumber> {
    const done = await this.#submit(this.#committee, batchOf(accounts.map(fundsFor)))
    return done.block.number
  }

  /** The committee creates a cluster; where clusters have no type, every one is public. */
  async createCluster(access: Access = 'public'): Promise<ClusterId> {
    const args = this.#chain.generation === 1 ? [] : [CLUSTER_TYPES[access]]
    const done = await this.#submit(this.#committee, this.#chain.asCommittee({ ...TEE, method: 'createCluster', args }))
    return idIn(done, 'tee', 'ClusterAdded')
  }

  /**
   * Operators register enclaves, the committee assigns them. Where slots are positions, a cluster's candidates must
   * come in the order of their slots.
   */
  async seat(candidates: readonly Candidate[]): Promise<void> {
    await Promise.all(
      candidates.map(({ operator, account, apiUri }) =>
        this.#submit(operator, { ...TEE, method: 'registerEnclave', args: [account, apiUri] }),
      ),
    )
    const calls = candidates.flatMap(({ account, operator, cluster, slot }) => {
      const args = [operator.account, cluster, ...(this.#chain.generation === 1 ? [] : [slot])]
      return [fundsFor(account), this.#chain.asCommittee({ ...TEE, method: 'assignEnclave', args })]
    })
    await this.#submit(this.#committee, batchOf(calls))
  }

  /** The committee gives a cluster another type. */
  async setAccess(cluster: ClusterId, access: Access): Promise<BlockNumber> {
    const args = [cluster, CLUSTER_TYPES[access]]
    return this.#govern({ ...TEE, method: 'updateCluster', args })
  }

  /** An operator asks for an enclave's seat to be given up, and the committee does it. */
  async unseat({ operator }: Pick<Candidate, 'operator'>): Promise<BlockNumber> {
    await this.#submit(operator, { ...TEE, method: 'unregisterEnclave', args: [] })
    return this.#govern({ ...TEE, method: 'removeEnclave', args: [operator.account] })
  }

  /** The owner of an NFT burns it. */
  async burn(owner: AccountSigner, nftId: NftId): Promise<BlockNumber> {
    const done = await this.#submit(owner, { ...NFT, method: 'burnNft', args: [nftId] })
    return done.block.number
  }

  /** An owner mints a secret NFT or a capsule. */
  async mint(owner: AccountSigner, kind: ShareKind): Promise<Minted> {
    const method = { secret: 'createSecretNft', capsule: 'createCapsule' }[kind]
    const [royalty, collection, soulbound] = [0, null, false]
    const args = ['ipfs://public', `ipfs://${kind}`, royalty, collection, soulbound]
    const done = await this.#submit(owner, { ...NFT, method, args })
    return { nftId: idIn(done, 'nft', 'NFTCreated'), block: done.block.number }
  }

  /** The owner of an NFT makes a capsule of it. */
  async convertToCapsule(owner: AccountSigner, nftId: NftId): Promise<BlockNumber> {
    const done = await this.#submit(owner, { ...NFT, method: 'convertToCapsule', args: [nftId, 'ipfs://capsule'] })
    return done.block.number
  }

  /** The owner of an NFT delegates it. */
  async delegate(owner: AccountSigner, nftId: NftId, delegatee: AccountId): Promise<BlockNumber> {
    const args = [nftId, toSs58(delegatee)]
    return (await this.#submit(owner, { ...NFT, method: 'delegateNft', args })).block.number
  }

  /** The owner of an NFT offers it, and somebody rents it. */
  async rentOut(owner: AccountSigner, nftId: NftId, rentee: AccountSigner): Promise<BlockNumber> {
    await this.#submit(owner, { ...RENT, method: 'createContract', args: [nftId] })
    return (await this.#submit(rentee, { ...RENT, method: 'rent', args: [nftId] })).block.number
  }

  /** The owner of an NFT, or who rents it, ends the rental. */
  async endRental(by: AccountSigner, nftId: NftId): Promise<BlockNumber> {
    return (await this.#submit(by, { ...RENT, method: 'revokeContract', args: [nftId] })).block.number
  }

  /** The owner of a capsule asks for a new round. */
  async updateKey(owner: AccountSigner, nftId: NftId): Promise<BlockNumber> {
    return (await this.#submit(owner, { ...NFT, method: 'notifyEnclaveKeyUpdate', args: [nftId] })).block.number
  }

  /** The committee admits a metrics server. */
  async admitMetricsServer(account: AccountId): Promise<BlockNumber> {
    const server = { metricsServerAddress: account, supportedClusterType: CLUSTER_TYPES.public }
    return this.#govern({ ...TEE, method: 'registerMetricsServer', args: [server] })
  }

  /** Every share that is synced at the newest final block, which is `atLeast` this one. */
  async listedShares(atLeast: BlockNumber): Promise<ShareKey[]> {
    await this.#untilFinal(atLeast)
    const signal = this.#signal
    const listed: ShareKey[] = []
    for await (const page of this.#chain.syncedShares(this.#chain.finalised(), { signal })) listed.push(...page)
    return listed
  }

  async #untilFinal(number: BlockNumber): Promise<void> {
    if (this.#chain.finalised().number >= number) return
    for await (const { block } of this.#chain.follow(number - 1, { signal: this.#signal })) {
      if (block.number >= number) return
    }
  }

  async #govern(call: ChainCall): Promise<BlockNumber> {
    const done = await this.#submit(this.#committee, this.#chain.asCommittee(call))
    return done.block.number
  }

  async #submit(signer: AccountSigner, call: ChainCall): Promise<FinalisedCall> {
    const done = await this.#chain.submit(signer, call, { signal: this.#signal })
    this.#lastDone = Math.max(this.#lastDone, done.block.number)
    return done
  }
}

/** Whether the enclaves of a cluster exchange shares with those of others. */
export type Access = 'public' | 'private'

const CLUSTER_TYPES = { public: 'Public', private: 'Private' } as const satisfies Record<Access, string>
const TEE = { pallet: 'tee' } as const
const NFT = { pallet: 'nft' } as const
const RENT = { pallet: 'rent' } as const

function fundsFor(account: AccountId): ChainCall {
  return { pallet: 'balances', method: 'transferKeepAlive', args: [toSs58(account), ENCLAVE_FUNDS] }
}

function batchOf(calls: readonly ChainCall[]): ChainCall {
  return { pallet: 'utility', method: 'batchAll', args: [calls] }
}

/** The id that comes first in an event's data. */
function idIn({ events }: FinalisedCall, pallet: string, name: string): number {
  const data = events.find((event) => event.pallet === pallet && event.name === name)?.data
  const id: unknown = Array.isArray(data) ? data[0] : undefined
  if (typeof id !== 'number') throw new Error(`The chain did not say ${pallet}.${name}.`)
  return id
}
