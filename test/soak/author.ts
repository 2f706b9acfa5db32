import type { Account, ChainUser, TestEnclave, Transaction } from '../integration/devchain/chain-user.js'
import type { Random } from '../support/random.js'
import { Submitter } from '../support/submitter.js'

type Kind = 'secret' | 'capsule'

/** A share that its cluster still has to confirm. */
interface Unconfirmed {
  readonly kind: Kind
  readonly nftId: number
  readonly cluster: number
  readonly waiting: TestEnclave[]
}

interface ConfirmingCluster {
  readonly cluster: number
  readonly enclaves: readonly TestEnclave[]
}

const CALLS = { secret: 'nft.addSecretShard', capsule: 'nft.addCapsuleShard' } as const

/** Fills blocks with what a node must notice, and with what must not confuse it. */
export class Author {
  readonly #user: ChainUser
  readonly #submitter: Submitter
  readonly #random: Random
  readonly #clusters: readonly ConfirmingCluster[]
  readonly #unconfirmed: Unconfirmed[] = []
  /** Shares that all have confirmed, if only in transactions that still wait. */
  readonly #complete: { kind: Kind; nftId: number }[] = []
  readonly #origins = new Map<string, number[]>()
  #isPublic = true
  #nextId: number

  private constructor(user: ChainUser, random: Random, clusters: readonly ConfirmingCluster[], nextId: number) {
    this.#user = user
    this.#random = random
    this.#clusters = clusters
    this.#submitter = new Submitter(user.api)
    this.#nextId = nextId
  }

  static async start(user: ChainUser, random: Random): Promise<Author> {
    const clusters = [await user.makeCluster('north'), await user.makeCluster('south')]
    return new Author(user, random, clusters, Number(await user.read('nft.nextNFTId')))
  }

  /** The clusters that a share was synced by, one time after the other; the chain's events do not name them. */
  originsOf(kind: string, nftId: number): readonly number[] {
    return this.#origins.get(`${kind} ${nftId}`) ?? []
  }

  /** Hands in what the next block is to hold. */
  async fill(): Promise<void> {
    const random = this.#random
    if (random.chance(0.15)) await this.#mint()
    if (random.chance(0.3)) await this.#confirm()
    if (random.chance(0.03)) await this.#endShare()
    if (random.chance(0.02)) await this.#changeRegistry()
    if (random.chance(0.1)) await this.#hand(this.#user.tx('system.remark', 'nothing of note'), this.#user.bob)
  }

  async #mint(): Promise<void> {
    const calls: Transaction[] = []
    for (let count = 1 + this.#random.below(3); count > 0; count -= 1) {
      const kind = this.#random.pick<Kind>(['secret', 'capsule'])
      const method = kind === 'secret' ? 'nft.createSecretNft' : 'nft.createCapsule'
      calls.push(this.#user.tx(method, 'data', 'secret data', 0, null, false))
      this.#await(kind, this.#nextId)
      this.#nextId += 1
    }
    await this.#hand(this.#user.tx('utility.batchAll', calls), this.#user.alice)
  }

  #await(kind: Kind, nftId: number): void {
    const { cluster, enclaves } = this.#random.pick(this.#clusters)
    this.#unconfirmed.push({ kind, nftId, cluster, waiting: [...enclaves] })
  }

  /** One enclave after the other, or all at once; several shares in one extrinsic, which then holds several events. */
  async #confirm(): Promise<void> {
    const first = this.#unconfirmed[0]
    if (first === undefined) return
    const alike = this.#unconfirmed.filter(
      ({ cluster, waiting }) => cluster === first.cluster && waiting.length === first.waiting.length,
    )
    const together = alike.slice(0, 1 + this.#random.below(4))
    for (let count = 1 + this.#random.below(5); count > 0 && first.waiting.length > 0; count -= 1) {
      const enclave = first.waiting[0]
      if (enclave === undefined) return
      const calls = together.map(({ kind, nftId }) => this.#user.tx(CALLS[kind], nftId))
      for (const { waiting } of together) waiting.shift()
      const [only, ...others] = calls
      if (only === undefined) return
      await this.#hand(others.length === 0 ? only : this.#nested(calls), enclave.account)
    }
    for (const done of together.filter(({ waiting }) => waiting.length === 0)) {
      this.#unconfirmed.splice(this.#unconfirmed.indexOf(done), 1)
      this.#complete.push(done)
      const { kind, nftId, cluster } = done
      this.#origins.set(`${kind} ${nftId}`, [...this.originsOf(kind, nftId), cluster])
    }
  }

  #nested(calls: Transaction[]): Transaction {
    if (this.#random.chance(0.5)) return this.#user.tx('utility.batch', calls)
    const [inner, ...rest] = calls
    return this.#user.tx('utility.batch', [this.#user.tx('utility.batchAll', [inner]), ...rest])
  }

  /** Burns an NFT, reverts a capsule, or has a capsule synced anew. */
  async #endShare(): Promise<void> {
    // Never one whose sync is still in the pool: what the chain will say of it must be known here.
    const index = this.#random.below(Math.max(0, this.#complete.length - 5))
    const [share] = this.#complete.splice(index, 1)
    if (share === undefined) return
    const { kind, nftId } = share
    if (kind === 'secret' || this.#random.chance(0.3)) {
      await this.#hand(this.#user.tx('nft.burnNft', nftId), this.#user.alice)
    } else if (this.#random.chance(0.5)) {
      await this.#hand(this.#user.tx('nft.revertCapsule', nftId), this.#user.alice)
    } else {
      await this.#hand(this.#user.tx('nft.notifyEnclaveKeyUpdate', nftId), this.#user.alice)
      this.#await(kind, nftId)
    }
  }

  async #changeRegistry(): Promise<void> {
    this.#isPublic = !this.#isPublic
    const update = this.#user.tx('tee.updateCluster', 1, this.#isPublic ? 'Public' : 'Private')
    await this.#hand(this.#user.governed(update), this.#user.alice)
  }

  #hand(transaction: Transaction, signer: Account): Promise<void> {
    return this.#submitter.hand(transaction, signer)
  }
}
