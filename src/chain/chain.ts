import type { AccountSigner } from '../crypto/index.js'
import {
  type AccountId,
  abortable,
  type BlockHash,
  type BlockNumber,
  type BlockRef,
  type BlockTriggers,
  type Logger,
  type NftFacts,
  type NftId,
  type Registry,
  type ShareKey,
  SlotmeshError,
  type Trigger,
} from '../domain/index.js'
import { Blocks } from './blocks/blocks.js'
import { follow } from './blocks/follow.js'
import { HeadFollower } from './blocks/head.js'
import { type SeatChange, seatChanges } from './blocks/identity.js'
import { type Crawl, Progress } from './blocks/progress.js'
import { triggersIn } from './blocks/single.js'
import { Connection, type ConnectionHealth } from './connection/connection.js'
import { Guard } from './connection/guard.js'
import { Rpc } from './connection/rpc.js'
import type { RpcSocket } from './connection/socket.js'
import { isBroken, RequestRefused, type UnreadableBlock } from './errors.js'
import { persist } from './persist.js'
import { requirePallets } from './runtime/requirements.js'
import type { ChainCall } from './runtime/runtime.js'
import type { Persist } from './state/entries.js'
import { readMetricsServers } from './state/metrics-servers.js'
import { readNft, readSyncedShares } from './state/nfts.js'
import { readTime } from './state/time.js'
import { type ConfirmationAnswer, Confirmations } from './transactions/confirmations.js'
import { type FinalisedCall, Transactions } from './transactions/transactions.js'

/** Bytes that a call in the committee's name may have; the pallet only wants an upper bound. */
const LONGEST_PROPOSAL = 16_384

export interface ConnectOptions {
  /** `ws://` or `wss://` URLs of nodes of the chain; the first that works is used, and left when it fails. */
  readonly endpoints: readonly string[]
  readonly logger: Logger
  /** How long to wait for a connection to each endpoint, now and whenever it is lost, ms; 10,000 by default. */
  readonly connectTimeoutMs?: number
  /** Refuses every other chain. */
  readonly expectedGenesis?: BlockHash
  /** An endpoint without a new finalised block for this long is doubted, ms; 30,000 by default: five blocks. */
  readonly quietAfterMs?: number
  /** How often the endpoint in use is compared with another one, ms; 60,000 by default. */
  readonly compareEveryMs?: number
}

/** A chain's connection at a glance; small plain data. */
export interface ChainHealth extends ConnectionHealth {
  /** With when it was first seen, Unix ms, and how long ago that is, ms, whatever happens to the clock. */
  readonly finalised: BlockRef & { readonly at: number; readonly ageMs: number }
  /** Version of the runtime that made that block. */
  readonly specVersion: number
  /** What nothing is taken in after, until it can be read. */
  readonly unreadable: { readonly block: BlockNumber; readonly item: string; readonly message: string } | undefined
}

interface Abortable {
  readonly signal: AbortSignal
}

/**
 * What a node reads from the chain, all of it finalised, and what it writes to it. Reads wait for a lost connection
 * for a while, then throw SlotmeshError `chain/unreachable`; after `close` everything throws `chain/closed`.
 */
export class Chain {
  readonly genesisHash: BlockHash
  readonly #connection: Connection
  readonly #rpc: Rpc
  readonly #blocks: Blocks
  readonly #head: HeadFollower
  readonly #transactions: Transactions
  readonly #confirmations: Confirmations
  readonly #logger: Logger
  readonly #followers = new Set<Progress>()

  private constructor(
    connection: Connection,
    rpc: Rpc,
    blocks: Blocks,
    head: HeadFollower,
    found: { genesisHash: BlockHash; logger: Logger },
  ) {
    this.genesisHash = found.genesisHash
    this.#connection = connection
    this.#rpc = rpc
    this.#blocks = blocks
    this.#head = head
    this.#logger = found.logger
    this.#transactions = new Transactions({
      connection,
      rpc,
      blocks,
      head,
      genesisHash: this.genesisHash,
      logger: found.logger,
    })
    this.#confirmations = new Confirmations({
      transactions: this.#transactions,
      rpc,
      blocks,
      head,
      logger: found.logger,
    })
  }

  /**
   * @throws SlotmeshError `chain/unreachable`, `chain/bad-endpoint`, `chain/wrong-genesis`, `chain/unsupported` when
   * its metadata lacks what is needed, `chain/unreadable-block`.
   */
  static async connect({
    endpoints,
    logger,
    connectTimeoutMs: timeoutMs = 10_000,
    expectedGenesis,
    quietAfterMs = 30_000,
    compareEveryMs = 60_000,
  }: ConnectOptions): Promise<Chain> {
    let head: HeadFollower | undefined
    const guard = new Guard({
      expectedGenesis,
      logger,
      timeoutMs,
      quietAfterMs,
      compareEveryMs,
      known: () => head?.block,
      announce: (number) => head?.announce(number),
    })
    let blocks: Blocks | undefined
    let endpoint: string | undefined
    const prepare = async (socket: RpcSocket, signal: AbortSignal) => {
      await guard.admit(socket, signal)
      if (endpoint !== socket.endpoint) blocks?.forgetAll()
      endpoint = socket.endpoint
      // At once when it is left for what it told, so that the next one is not asked about that.
      socket.closed.addEventListener('abort', () => {
        if (!isBroken(socket.closed.reason)) blocks?.forgetAll()
      })
    }
    const connection = await Connection.open({ endpoints, logger, timeoutMs, prepare })
    try {
      const rpc = new Rpc(connection)
      blocks = new Blocks(rpc, connection.closing)
      const block = await rpc.finalisedHead(connection.closing)
      const runtime = await blocks.runtimes.at(block.number)
      requirePallets(runtime, connection.endpoint)
      head = await HeadFollower.start(block, blocks, logger, connection.closing)
      // What was announced meanwhile was not heard.
      head.announce((await rpc.finalisedHead(connection.closing)).number)
      guard.watch(connection)
      return new Chain(connection, rpc, blocks, head, { genesisHash: await blocks.hash(0), logger })
    } catch (thrown) {
      connection.close()
      throw thrown
    }
  }

  /**
   * Whether the chain is one to try things on, by its own word (Substrate's ChainType); one that does not say is not.
   *
   * @throws SlotmeshError `chain/unreachable`
   */
  async isForDevelopment({ signal }: Abortable): Promise<boolean> {
    try {
      return ['Development', 'Local'].includes(await this.#rpc.chainType(signal))
    } catch (thrown) {
      if (thrown instanceof RequestRefused) return false
      throw thrown
    }
  }

  /** Which layout the TEE pallet has, told from the metadata; a runtime upgrade can change it. */
  get generation(): 1 | 2 {
    return this.#blocks.runtimes.generation
  }

  /** The latest finalised block. */
  finalised(): BlockRef {
    return this.#head.block
  }

  /** As of `finalised()`. */
  registry(): Registry {
    return this.#head.registry
  }

  /** @throws SlotmeshError `chain/block-unknown` when the block is not final yet. */
  async blockHash(number: BlockNumber, { signal }: Abortable): Promise<BlockHash> {
    const { block } = this.#head
    if (number > block.number) {
      throw new SlotmeshError('chain/block-unknown', `Block ${number} is not final yet; the latest is ${block.number}.`)
    }
    return abortable(this.#blocks.hash(number), signal)
  }

  async registryAt(block: BlockRef, { signal }: Abortable): Promise<Registry> {
    if (block.hash === this.#head.block.hash) return this.#head.registry
    return abortable(this.#blocks.registry(block), signal)
  }

  /**
   * Every finalised block after `after`, exactly once and in order: those there are, then each as it becomes final.
   * `registry()` is never behind the block that is given. While the chain is out of reach it waits.
   * @throws SlotmeshError `chain/unreadable-block`: the block cannot be passed until it can be read.
   */
  async *follow(after: BlockNumber, { signal }: Abortable): AsyncGenerator<BlockTriggers> {
    const logger = this.#logger
    const progress = new Progress(logger)
    this.#followers.add(progress)
    // It may be pruned, or wrong.
    const tryAnother = ({ code, block, item }: UnreadableBlock) =>
      this.#connection.tryAnother(code, `block ${block} cannot be read from it at ${item}`)
    try {
      yield* follow(after, { blocks: this.#blocks, head: this.#head, progress, logger, tryAnother }, signal)
    } finally {
      this.#followers.delete(progress)
    }
  }

  /**
   * What one block meant that is final; undefined where the endpoint has thrown it away. Nothing else depends on it, so no
   * other endpoint is tried for it.
   */
  async triggersIn(number: BlockNumber, { signal }: Abortable): Promise<readonly Trigger[] | undefined> {
    if (number < 1 || number > this.finalised().number) return undefined
    return triggersIn(number, this.#blocks, signal)
  }

  /**
   * How an enclave account stands at `after`, by default the latest finalised block, then each change to that, exactly
   * once and in the order of blocks. Waits and throws as `follow` does.
   */
  identity(
    account: AccountId,
    { signal, after = this.finalised() }: Abortable & { readonly after?: BlockRef },
  ): AsyncGenerator<SeatChange> {
    const registryAt = (block: BlockRef) => persist(() => this.registryAt(block, { signal }), this.#logger, signal)
    return seatChanges(account, after, this.follow(after.number, { signal }), registryAt)
  }

  /** How the one who follows from furthest behind catches up; undefined when nobody is far behind. */
  crawl(): Crawl | undefined {
    const crawls = [...this.#followers].flatMap(({ crawl }) => (crawl === undefined ? [] : [crawl]))
    return crawls.sort((one, other) => one.at - other.at)[0]
  }

  /**
   * Every share that is synced at a finalised block, a page at a time. While the chain is out of reach it waits, and
   * goes on where it was.
   */
  async *syncedShares(block: BlockRef, { signal }: Abortable): AsyncGenerator<ShareKey[]> {
    const patiently: Persist = (work) => persist(work, this.#logger, signal)
    const runtime = await patiently(() => abortable(this.#blocks.runtimes.readable(block.number), signal))
    yield* readSyncedShares(this.#rpc, runtime, block, signal, patiently)
  }

  /** The NFT at the latest finalised block; undefined when there is none. */
  async nft(nftId: NftId, { signal }: Abortable): Promise<NftFacts | undefined> {
    const { block } = this.#head
    const runtime = await abortable(this.#blocks.runtimes.readable(block.number), signal)
    return readNft(this.#rpc, runtime, nftId, block, signal)
  }

  /** The accounts that may ask which shares are held, as of the latest finalised block. */
  async metricsServers({ signal }: Abortable): Promise<readonly AccountId[]> {
    const { block } = this.#head
    const runtime = await abortable(this.#blocks.runtimes.readable(block.number), signal)
    return readMetricsServers(this.#rpc, runtime, block, signal)
  }

  /** What the chain calls itself. */
  name({ signal }: Abortable): Promise<string> {
    return this.#rpc.chainName(signal)
  }

  /** When the latest finalised block was made, by its author's clock, Unix ms; undefined where the chain does not say. */
  async time({ signal }: Abortable): Promise<number | undefined> {
    const { block } = this.#head
    const runtime = await abortable(this.#blocks.runtimes.readable(block.number), signal)
    return readTime(this.#rpc, runtime, block, signal)
  }

  /**
   * Tells the chain that this enclave holds a share; resolves when that is final, or can never be. Many that are asked
   * for at once go in one transaction where the chain can do that. The round must have begun by {@link Chain.finalised}.
   * @throws as `Confirmations.confirm`.
   */
  confirm(signer: AccountSigner, key: ShareKey, { signal }: Abortable): Promise<ConfirmationAnswer> {
    return this.#confirmations.confirm(signer, key, signal)
  }

  /**
   * Has any call carried out, for operators, owners and the committee; resolves when it is final.
   * @throws CallFailedError when it, or a call within it, failed; otherwise as `Transactions.send`.
   */
  submit(signer: AccountSigner, call: ChainCall, { signal }: Abortable): Promise<FinalisedCall> {
    return this.#transactions.send(signer, call, signal)
  }

  /** The call in the name of the technical committee, where one member is enough to decide. */
  asCommittee(call: ChainCall): ChainCall {
    return { pallet: 'technicalCommittee', method: 'propose', args: [1, call, LONGEST_PROPOSAL] }
  }

  /** How long ago `finalised()` was first seen, ms, whatever happens to the clock. */
  finalisedAgeMs(): number {
    return this.#head.seen.ageMs
  }

  /** How the connection is, and how far the chain is read. */
  health(): ChainHealth {
    const { block, seen, runtime, unreadable } = this.#head
    return {
      ...this.#connection.health,
      finalised: { ...block, ...seen },
      specVersion: runtime.specVersion,
      unreadable: unreadable && { block: unreadable.block, item: unreadable.item, message: unreadable.message },
    }
  }

  async close(): Promise<void> {
    this.#connection.close()
  }
}
