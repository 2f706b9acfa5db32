import { compactToU8a, u8aConcat } from '@polkadot/util'
import { blake2AsHex } from '@polkadot/util-crypto'
import { fromHex, toHex, utf8 } from '../../crypto/index.js'
import {
  type AccountId,
  type BlockHash,
  type BlockNumber,
  type Hex,
  type Logger,
  messageOf,
  SlotmeshError,
} from '../../domain/index.js'
import { endow, withdraw } from '../runtime/balances.js'
import { RuntimeCodec } from '../runtime/codec.js'
import { dispatch } from '../runtime/dispatch.js'
import { Execution } from '../runtime/execution.js'
import type { DispatchFailure } from '../runtime/failure.js'
import { migrate } from '../runtime/migration.js'
import type { Block, Header, StoredBlock } from './block.js'
import type { BlockStore } from './block-store.js'
import { TransactionPool, type TransactionStatus, type Watcher } from './pool.js'
import { Runtimes } from './runtimes.js'
import { type Changes, State } from './state.js'
import {
  accountNonce,
  checkAffordable,
  InvalidTransaction,
  type SigningRules,
  type Transaction,
  verifyTransaction,
} from './transaction.js'

/** A block's size in bytes of extrinsics, and their number, at most. */
const BLOCK_BYTES = 5 * 1024 * 1024
const BLOCK_EXTRINSICS = 2000

/** Where Substrate keeps the runtime's code. */
const CODE: Hex = toHex(utf8(':code'))

/** A header's digest item by which Substrate marks a block that carries a runtime upgrade (`DigestItem`, variant 8). */
const RUNTIME_UPDATED: Hex = '0x08'

/** Blocks that may wait to be written to the disk. */
const UNWRITTEN_BLOCKS = 1000

export interface LedgerOptions {
  readonly codec: RuntimeCodec
  readonly logger: Logger
  /** Part of the genesis state: two chains with different names have different genesis hashes. */
  readonly name: string
  /** Who has `endowment` at genesis. */
  readonly endowed: readonly AccountId[]
  readonly endowment: bigint
  readonly committee: readonly AccountId[]
  /** What every transaction costs. */
  readonly fee: bigint
  /** How many blocks finality lags behind. */
  readonly finalityLag: number
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Where blocks are kept; without it, in memory only. */
  readonly store?: Pick<BlockStore, 'append' | 'blocks'> | undefined
}

type BlockListener = (block: Block, changes: Changes) => void

/**
 * The chain itself: blocks, the state at each of them, and the transactions that wait. It has no forks: a block is
 * final once `finalityLag` others follow it.
 */
export class Ledger {
  readonly runtimes: Runtimes
  readonly state = new State()
  readonly pool = new TransactionPool()
  /** Called for each new block once it is kept, after what it made final. */
  readonly blockListeners = new Set<BlockListener>()
  /** Called when a transaction was taken into the pool. */
  readonly poolListeners = new Set<() => void>()
  readonly #options: LedgerOptions
  /** What the next block does to the state first of all, when it is the first of a new runtime. */
  #migration: Changes = new Map()
  /** The newest block that is kept; later ones are not shown to anybody. */
  #kept: BlockNumber = 0
  /** Why no more blocks can be made. */
  #broken: unknown
  #writing: Promise<unknown> = Promise.resolve()
  readonly #genesis: StoredBlock
  readonly #blocks: Block[] = []
  readonly #numbers = new Map<BlockHash, BlockNumber>()
  /** Who waits for the finality of a block. */
  readonly #watchers = new Map<BlockNumber, Watcher[]>()
  #finalized: Block

  private constructor(options: LedgerOptions) {
    this.#options = options
    this.runtimes = new Runtimes(options.codec)
    this.#genesis = this.#makeGenesis()
    this.#finalized = this.#genesis
    this.#adopt(this.#genesis, this.#genesis.changes)
  }

  /**
   * Begins a chain, or goes on with the one that is stored.
   * @throws SlotmeshError `devchain/other-chain`, `devchain/folder-damaged` or `devchain/storage-failed`.
   */
  static async open(options: LedgerOptions): Promise<Ledger> {
    const ledger = new Ledger(options)
    if (options.store !== undefined) await ledger.#restore(options.store)
    return ledger
  }

  /** Encodes and decodes for the next block. */
  get codec(): RuntimeCodec {
    return this.runtimes.latest.codec
  }

  get genesisHash(): BlockHash {
    return this.#genesis.hash
  }

  /** The newest block that is kept. */
  get kept(): BlockNumber {
    return this.#kept
  }

  /** What every transaction costs. */
  get fee(): bigint {
    return this.#options.fee
  }

  get best(): Block {
    return this.#blocks.at(-1) ?? this.#finalized
  }

  get finalized(): Block {
    return this.#finalized
  }

  block(number: BlockNumber): Block | undefined {
    return this.#blocks[number]
  }

  blockOf(hash: BlockHash): Block | undefined {
    const number = this.#numbers.get(hash)
    return number === undefined ? undefined : this.#blocks[number]
  }

  /** Storage as of a block, with the names of the metadata; what is written to it is lost. */
  view(at: Block): Execution {
    const migration: Changes = at === this.best ? this.#migration : new Map()
    const get = (key: Hex) => (migration.has(key) ? migration.get(key) : this.state.get(key, at.number))
    return new Execution(this.runtimes.after(at.number).codec, { get }, at.number + 1)
  }

  /**
   * Lets a block, the next one unless told otherwise, carry a runtime upgrade: those after it are made with other
   * metadata.
   * @throws SlotmeshError `devchain/upgrade-too-late`
   */
  upgrade(codec: RuntimeCodec, at: BlockNumber = this.best.number + 1): void {
    this.runtimes.plan(codec, at, this.best.number)
  }

  /** The next nonce of an account, those of its waiting transactions used. */
  nextNonce(account: AccountId): number {
    return this.pool.nextNonce(account, accountNonce(this.view(this.best), account))
  }

  /**
   * Takes a transaction into the pool; `watcher` hears how it fares until it is final or refused.
   * @throws InvalidTransaction or PoolError; any other error when the bytes are no extrinsic.
   */
  submit(bytes: Uint8Array, watcher?: Watcher): Hex {
    const transaction = this.#verify(bytes)
    const view = this.view(this.best)
    checkAffordable(view, transaction, this.#options.fee)
    this.pool.add(transaction, watcher, accountNonce(view, transaction.account))
    for (const listener of this.poolListeners) listener()
    return transaction.hash
  }

  /** Carries a transaction out on the best block's state and forgets what it did. */
  dryRun(bytes: Uint8Array, at: Block): DispatchFailure | undefined {
    const transaction = this.#verify(bytes)
    const view = this.view(at)
    if (transaction.nonce > accountNonce(view, transaction.account)) throw new InvalidTransaction('Future')
    return this.#apply(view, transaction)
  }

  /**
   * Makes a block of what is ready.
   * @throws SlotmeshError `devchain/storage-failed`, or `devchain/cannot-migrate` when it carries an upgrade.
   */
  seal(): Block {
    this.#ensureKeeping()
    const parent = this.best
    const number = parent.number + 1
    const execution = this.view(parent)
    for (const [key, value] of this.#migration) execution.write(key, value)
    const upgrade = this.runtimes.planned(number)
    this.#initialise(execution, parent)
    if (upgrade !== undefined) {
      execution.write(CODE, this.#codeOf(upgrade))
      execution.emit('System', 'CodeUpdated')
    }
    const records: Uint8Array[] = this.#takeRecords(execution, 'Initialization')
    const extrinsics: Hex[] = []
    const included: Transaction[] = []

    const inherent = this.#timestamp(execution)
    const refused = dispatch(execution, inherent.call, { kind: 'none' }, this.#options.logger)
    this.#report(execution, refused, 'Mandatory')
    extrinsics.push(inherent.bytes)
    records.push(...this.#takeRecords(execution, { ApplyExtrinsic: 0 }))

    let size = 0
    for (const transaction of this.pool.ready()) {
      size += transaction.bytes.length / 2
      if (size > BLOCK_BYTES || extrinsics.length >= BLOCK_EXTRINSICS) break
      if (!this.#includable(execution, transaction)) continue
      this.#report(execution, this.#apply(execution, transaction), 'Normal')
      records.push(...this.#takeRecords(execution, { ApplyExtrinsic: extrinsics.length }))
      extrinsics.push(transaction.bytes)
      included.push(transaction)
    }
    execution.write(this.codec.storageKey('System', 'Events'), u8aConcat(compactToU8a(records.length), ...records))
    execution.put('System', 'EventCount', [], records.length)

    const block = this.#makeBlock(
      number,
      parent,
      extrinsics,
      execution.changes,
      upgrade === undefined ? [] : [RUNTIME_UPDATED],
    )
    this.#adopt(block, execution.changes, upgrade)
    this.#settle(block, included)
    // Their signatures are bound to the version of the runtime, which is another one now.
    if (upgrade !== undefined) for (const transaction of this.pool.all()) this.pool.drop(transaction)
    this.#finalize()
    this.#keep(block, execution.changes)
    return block
  }

  /** Waits until every block is on the disk. */
  async flush(): Promise<void> {
    await this.#writing
  }

  /** Blocks are shown only once they are kept, so that a chain that is started again never takes one back. */
  #keep(block: Block, changes: Changes): void {
    const { store, logger } = this.#options
    const announce = () => {
      this.#kept = block.number
      for (const listener of this.blockListeners) listener(block, changes)
    }
    if (store === undefined) {
      announce()
      return
    }
    // One after the other: what is on the disk must have no gap, whenever the process ends.
    this.#writing = this.#writing.then(async () => {
      if (this.#broken !== undefined) return
      try {
        await store.append({ ...block, changes })
      } catch (thrown) {
        this.#broken = thrown
        logger.error('A block could not be written', { block: block.number, reason: messageOf(thrown) })
        return
      }
      announce()
    })
  }

  #ensureKeeping(): void {
    if (this.#broken === undefined && this.best.number - this.#kept < UNWRITTEN_BLOCKS) return
    if (this.#broken instanceof SlotmeshError) throw this.#broken
    throw new SlotmeshError(
      'devchain/storage-failed',
      `Blocks cannot be written to the chain's folder as fast as they are made, or at all: check the disk.`,
      { cause: this.#broken },
    )
  }

  async #restore(store: Pick<BlockStore, 'append' | 'blocks'>): Promise<void> {
    let isEmpty = true
    for await (const { changes, ...block } of store.blocks()) {
      isEmpty = false
      if (block.number === 0) this.#ensureSameGenesis(block.hash)
      else {
        const code = changes.get(CODE)
        this.#adopt(block, changes, code === undefined ? undefined : new RuntimeCodec(this.#metadataOf(code)))
      }
    }
    if (isEmpty) await store.append(this.#genesis)
    this.#kept = this.best.number
    this.#finalized = this.block(this.#kept - this.#options.finalityLag) ?? this.#finalized
  }

  #ensureSameGenesis(stored: BlockHash): void {
    if (stored === this.genesisHash) return
    throw new SlotmeshError(
      'devchain/other-chain',
      `The folder holds another chain, with the genesis ${stored}: start it with the name, generation and metadata that it was begun with, or choose another folder.`,
    )
  }

  #makeGenesis(): StoredBlock {
    const { codec, endowed, endowment, committee } = this.#options
    const execution = new Execution(codec, { get: () => undefined }, 0)
    for (const account of new Set(endowed)) endow(execution, account, endowment)
    execution.put('TechnicalCommittee', 'Members', [], committee)
    execution.write(CODE, this.#codeOf(codec))
    return { ...this.#makeBlock(0, undefined, [], execution.changes, []), changes: execution.changes }
  }

  /** In the place of the runtime's code, which decides what the chain is: its metadata and its name. */
  #codeOf({ metadata }: RuntimeCodec): Uint8Array {
    return u8aConcat(metadata, utf8(this.#options.name))
  }

  #metadataOf(code: Uint8Array): Uint8Array {
    return code.subarray(0, code.length - utf8(this.#options.name).length)
  }

  get #rules(): SigningRules {
    const oldest = this.best.number - this.codec.constant('System', 'BlockHashCount').number()
    return {
      ...this.runtimes.latest.version,
      genesisHash: this.genesisHash,
      blockHash: (number) => (number < oldest ? undefined : this.block(number)?.hash),
    }
  }

  #verify(bytes: Uint8Array): Transaction {
    return verifyTransaction(this.codec.decodeExtrinsic(bytes), this.best.number + 1, this.#rules)
  }

  #initialise(execution: Execution, parent: Block): void {
    const expired = execution.block - 1 - this.codec.constant('System', 'BlockHashCount').number()
    if (expired >= 0) execution.remove('System', 'BlockHash', expired)
    execution.put('System', 'BlockHash', [parent.number], parent.hash)
    execution.put('System', 'ParentHash', [], parent.hash)
    execution.put('System', 'Number', [], execution.block)
  }

  #timestamp(execution: Execution) {
    const previous = execution.value('Timestamp', 'Now').bigint()
    const clock = BigInt(this.#options.now())
    const call = this.codec.encodeCall('Timestamp', 'set', { now: clock > previous ? clock : previous + 1n })
    return this.codec.inherent(call)
  }

  /** Whether a transaction that was valid when it came still is; drops it if not. */
  #includable(execution: Execution, transaction: Transaction): boolean {
    try {
      checkAffordable(execution, transaction, this.#options.fee)
      // A lower nonce of the same account was dropped just before: this one waits.
      return transaction.nonce === accountNonce(execution, transaction.account)
    } catch (thrown) {
      if (!(thrown instanceof InvalidTransaction)) throw thrown
      this.pool.drop(transaction)
      return false
    }
  }

  /** Fee and nonce are kept when the call itself fails. */
  #apply(execution: Execution, transaction: Transaction): DispatchFailure | undefined {
    const { account, tip, call } = transaction
    checkAffordable(execution, transaction, this.#options.fee)
    withdraw(execution, account, this.#options.fee + tip)
    const info = execution.value('System', 'Account', account)
    execution.put('System', 'Account', [account], info.with({ nonce: transaction.nonce + 1 }))
    return dispatch(execution, call, { kind: 'signed', account }, this.#options.logger)
  }

  #report(execution: Execution, failure: DispatchFailure | undefined, dispatchClass: 'Mandatory' | 'Normal'): void {
    const dispatchInfo = { class: dispatchClass }
    if (failure === undefined) execution.emit('System', 'ExtrinsicSuccess', { dispatchInfo })
    else execution.emit('System', 'ExtrinsicFailed', { dispatchError: failure, dispatchInfo })
  }

  #takeRecords(execution: Execution, phase: unknown): Uint8Array[] {
    return execution.takeEvents().map((event) => this.codec.encodeEventRecord(phase, event))
  }

  #makeBlock(
    number: BlockNumber,
    parent: Block | undefined,
    extrinsics: readonly Hex[],
    changes: Changes,
    logs: readonly Hex[],
  ): Block {
    // Both roots are plain hashes, not tries: of all changes since genesis, and of the extrinsics in their order.
    const changed = [...changes].sort(([one], [other]) => (one < other ? -1 : 1))
    const stateRoot = blake2AsHex(
      u8aConcat(
        fromHex(parent?.header.stateRoot ?? '0x'),
        ...changed.flatMap(([key, value]) => [fromHex(key), Uint8Array.of(value === undefined ? 0 : 1), value ?? []]),
      ),
    )
    const header: Header = {
      parentHash: parent?.hash ?? toHex(new Uint8Array(32)),
      number: `0x${number.toString(16)}`,
      stateRoot,
      extrinsicsRoot: blake2AsHex(u8aConcat(...extrinsics.map(fromHex))),
      digest: { logs },
    }
    return { number, hash: this.codec.headerHash(header), header, extrinsics }
  }

  #adopt(block: Block, changes: Changes, upgrade?: RuntimeCodec): void {
    const { number, hash } = block
    this.state.append(number, changes)
    this.#blocks.push(block)
    this.#numbers.set(hash, number)
    this.#migration = new Map()
    if (upgrade === undefined) return
    const { codec: old } = this
    this.runtimes.enact(upgrade, number)
    try {
      this.#migration = migrate(old, upgrade, {
        keys: (prefix) => this.state.keys(prefix, number, Number.POSITIVE_INFINITY),
        get: (key) => this.state.get(key, number),
      })
    } catch (thrown) {
      this.#broken = thrown
      throw thrown
    }
  }

  #settle(block: Block, included: readonly Transaction[]): void {
    const watchers: Watcher[] = []
    const view = this.view(block)
    for (const transaction of included) {
      const watcher = this.pool.include(transaction, block.hash)
      if (watcher !== undefined) watchers.push(watcher)
    }
    for (const { account } of included) this.pool.promote(account, accountNonce(view, account))
    this.pool.expire(block.number + 1)
    if (watchers.length > 0) this.#watchers.set(block.number, watchers)
  }

  #finalize(): void {
    while (this.#finalized.number < this.best.number - this.#options.finalityLag) {
      const block = this.#blocks[this.#finalized.number + 1]
      if (block === undefined) return
      this.#finalized = block
      const status: TransactionStatus = { finalized: block.hash }
      for (const watcher of this.#watchers.get(block.number) ?? []) watcher(status)
      this.#watchers.delete(block.number)
    }
  }
}
