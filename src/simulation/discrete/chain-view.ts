import type { AccountSigner } from '../../crypto/index.js'
import type {
  BlockHash,
  BlockNumber,
  BlockRef,
  BlockTriggers,
  NftFacts,
  Registry,
  ShareKey,
} from '../../domain/index.js'
import type { ChainView } from '../../share/index.js'
import type { ConfirmationOutcome, SyncChain } from '../../sync/index.js'
import type { ModelChain } from './chain.js'
import { COSTS } from './costs.js'
import type { EventLoop } from './loop.js'
import type { Processor } from './processor.js'

/** Entries of a page, as nodes ask for them. */
const PAGE = 1_000

/** A question to the chain's endpoint and its answer, in ms. */
const CALL_MS = 2

/** Reading the metadata of a new runtime; ms of the processor. */
const NEW_RUNTIME_MS = 150

interface Follower {
  readonly view: NodeChain
  readonly resolve: (result: IteratorResult<BlockTriggers>) => void
  readonly next: BlockNumber
}

/** The chain's endpoint in one region: when its nodes see a block, and whether it answers. */
export class Endpoint {
  readonly chain: ModelChain
  readonly loop: EventLoop
  #head: BlockNumber = 0
  #seenAt: number
  #followers: Follower[] = []
  #silentUntil = 0

  /** @param delay until a final block is seen here, in ms. */
  constructor(chain: ModelChain, loop: EventLoop, delay: number) {
    this.chain = chain
    this.loop = loop
    this.#head = chain.finalised
    this.#seenAt = loop.now()
    chain.onFinal(() => {
      loop.after(delay, () => this.#catchUp())
    })
  }

  get head(): BlockNumber {
    return this.#head
  }

  get seenAt(): number {
    return this.#seenAt
  }

  /** Says nothing for so long, and then all at once. */
  silence(ms: number): void {
    this.#silentUntil = Math.max(this.#silentUntil, this.loop.now() + ms)
    this.loop.at(this.#silentUntil, () => this.#catchUp())
  }

  /** Resolves when the endpoint has answered a call. */
  async answered(): Promise<void> {
    do {
      const wait = Math.max(CALL_MS, this.#silentUntil - this.loop.now())
      await new Promise<void>((resolve) => this.loop.after(wait, resolve))
    } while (this.loop.now() < this.#silentUntil)
  }

  await(follower: Follower): void {
    this.#followers.push(follower)
  }

  #catchUp(): void {
    if (this.loop.now() < this.#silentUntil || this.chain.finalised <= this.#head) return
    this.#head = this.chain.finalised
    this.#seenAt = this.loop.now()
    const followers = this.#followers
    this.#followers = []
    for (const { view, next, resolve } of followers) view.deliver(next, resolve)
  }
}

/** What one node sees of the chain. */
export class NodeChain implements SyncChain, ChainView {
  readonly genesisHash: BlockHash
  readonly #endpoint: Endpoint
  readonly #processor: Processor

  constructor(endpoint: Endpoint, processor: Processor) {
    this.genesisHash = endpoint.chain.genesisHash
    this.#endpoint = endpoint
    this.#processor = processor
  }

  finalised(): BlockRef {
    return this.#endpoint.chain.block(this.#endpoint.head).block
  }

  finalisedAgeMs(): number {
    return this.#endpoint.loop.now() - this.#endpoint.seenAt
  }

  registry(): Registry {
    return this.#endpoint.chain.block(this.#endpoint.head).registry
  }

  /** Hashes of blocks that were followed are remembered by a node. */
  async blockHash(number: BlockNumber): Promise<BlockHash> {
    return this.#endpoint.chain.block(number).block.hash
  }

  async registryAt({ number }: BlockRef): Promise<Registry> {
    return this.#endpoint.chain.block(number).registry
  }

  follow(after: BlockNumber, { signal }: { signal: AbortSignal }): AsyncIterable<BlockTriggers> {
    return { [Symbol.asyncIterator]: () => new Following(this, this.#endpoint, after + 1, signal) }
  }

  /** Hands over a block that there is; whatever it means to this node costs the same. */
  deliver(number: BlockNumber, resolve: (result: IteratorResult<BlockTriggers>) => void): void {
    if (this.#processor.ended) return
    const block = this.#endpoint.chain.block(number)
    this.#processor.charge(COSTS.block + (block.isUpgrade ? NEW_RUNTIME_MS : 0))
    resolve({ done: false, value: block })
  }

  async *syncedShares(block: BlockRef, { signal }: { signal: AbortSignal }): AsyncGenerator<ShareKey[]> {
    const keys = this.#endpoint.chain.listedAt(block.number).map(({ key }) => key)
    for (let at = 0; at === 0 || at < keys.length; at += PAGE) {
      await this.#called(signal)
      yield keys.slice(at, at + PAGE)
    }
  }

  /** Nobody asks: owners are dealt with by the model itself. */
  async nft(): Promise<NftFacts | undefined> {
    return undefined
  }

  async confirm(
    { account }: AccountSigner,
    key: ShareKey,
    { signal }: { signal: AbortSignal },
  ): Promise<{ readonly outcome: ConfirmationOutcome }> {
    await this.#called(signal)
    const outcome = await this.#endpoint.chain.confirm(account, key)
    await this.#processor.work(0)
    return { outcome }
  }

  async #called(signal: AbortSignal): Promise<void> {
    await this.#endpoint.answered()
    signal.throwIfAborted()
    await this.#processor.work(0)
  }
}

/** A generator written out: each node has one, for each block. */
class Following implements AsyncIterator<BlockTriggers> {
  readonly #view: NodeChain
  readonly #endpoint: Endpoint
  readonly #signal: AbortSignal
  #next: BlockNumber
  #reject: ((reason: unknown) => void) | undefined

  constructor(view: NodeChain, endpoint: Endpoint, next: BlockNumber, signal: AbortSignal) {
    this.#view = view
    this.#endpoint = endpoint
    this.#next = next
    this.#signal = signal
    signal.addEventListener('abort', this.#abort)
  }

  next(): Promise<IteratorResult<BlockTriggers>> {
    return new Promise((resolve, reject) => {
      if (this.#signal.aborted) return reject(this.#signal.reason)
      const next = this.#next
      this.#next += 1
      this.#reject = reject
      if (next <= this.#endpoint.head) this.#view.deliver(next, resolve)
      else this.#endpoint.await({ view: this.#view, next, resolve })
    })
  }

  async return(): Promise<IteratorResult<BlockTriggers>> {
    this.#signal.removeEventListener('abort', this.#abort)
    return { done: true, value: undefined }
  }

  readonly #abort = (): void => this.#reject?.(this.#signal.reason)
}
