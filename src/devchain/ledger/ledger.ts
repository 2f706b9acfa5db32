import { compactToU8a, u8aConcat } from '@polkadot/util'
import { blake2AsHex } from '@polkadot/util-crypto'
import { fromHex, toHex, utf8 } from '../../crypto/index.js'
import type { AccountId, BlockHash, BlockNumber, Hex, Logger } from '../../domain/index.js'
import { endow, withdraw } from '../runtime/balances.js'
import type { RuntimeCodec } from '../runtime/codec.js'
import { dispatch } from '../runtime/dispatch.js'
import { Execution } from '../runtime/execution.js'
import type { DispatchFailure } from '../runtime/failure.js'
import { TransactionPool, type TransactionStatus, type Watcher } from './pool.js'
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

/** The versions that signatures are bound to. */
export const SPEC_VERSION = 1
export const TRANSACTION_VERSION = 1

/** The parts of a header as `chain_getHeader` prints them. */
interface Header {
  readonly parentHash: BlockHash
  readonly number: Hex
  readonly stateRoot: Hex
  readonly extrinsicsRoot: Hex
  readonly digest: { readonly logs: readonly Hex[] }
}

export interface Block {
  readonly number: BlockNumber
  readonly hash: BlockHash
  readonly header: Header
  readonly extrinsics: readonly Hex[]
}

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
}

type BlockListener = (block: Block, changes: Changes) => void

/**
 * The chain itself: blocks, the state at each of them, and the transactions that wait. It has no forks: a block is
 * final once `finalityLag` others follow it.
 */
export class Ledger {
  readonly codec: RuntimeCodec
  readonly state = new State()
  readonly pool = new TransactionPool()
  /** Called for each new block. */
  readonly blockListeners = new Set<BlockListener>()
  /** Called for each block that became final, in order. */
  readonly finalityListeners = new Set<(block: Block) => void>()
  readonly #options: LedgerOptions
  readonly #rules: SigningRules
  readonly #blocks: Block[] = []
  readonly #numbers = new Map<BlockHash, BlockNumber>()
  /** Who waits for the finality of a block. */
  readonly #watchers = new Map<BlockNumber, Watcher[]>()
  #finalized: Block

  constructor(options: LedgerOptions) {
    this.#options = options
    this.codec = options.codec
    const genesis = this.#makeGenesis()
    this.#finalized = genesis
    const blockHashCount = this.codec.constant('System', 'BlockHashCount').number()
    this.#rules = {
      genesisHash: genesis.hash,
      specVersion: SPEC_VERSION,
      transactionVersion: TRANSACTION_VERSION,
      blockHash: (number) => (number < this.best.number - blockHashCount ? undefined : this.block(number)?.hash),
    }
  }

  get genesisHash(): BlockHash {
    return this.#rules.genesisHash
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
    return new Execution(this.codec, { get: (key) => this.state.get(key, at.number) }, at.number + 1)
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
    return transaction.hash
  }

  /** Carries a transaction out on the best block's state and forgets what it did. */
  dryRun(bytes: Uint8Array, at: Block): DispatchFailure | undefined {
    const transaction = this.#verify(bytes)
    const view = this.view(at)
    if (transaction.nonce > accountNonce(view, transaction.account)) throw new InvalidTransaction('Future')
    return this.#apply(view, transaction)
  }

  /** Makes a block of what is ready. */
  seal(): Block {
    const parent = this.best
    const number = parent.number + 1
    const execution = this.view(parent)
    this.#initialise(execution, parent)
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

    const block = this.#append(number, parent, extrinsics, execution.changes)
    for (const listener of this.blockListeners) listener(block, execution.changes)
    this.#settle(block, included)
    this.#finalize()
    return block
  }

  #makeGenesis(): Block {
    const { codec, name, endowed, endowment, committee } = this.#options
    const execution = new Execution(codec, { get: () => undefined }, 0)
    for (const account of new Set(endowed)) endow(execution, account, endowment)
    execution.put('TechnicalCommittee', 'Members', [], committee)
    // In the place of the runtime's code, which decides what the chain is: its metadata and its name.
    execution.write(toHex(utf8(':code')), u8aConcat(codec.metadata, utf8(name)))
    return this.#append(0, undefined, [], execution.changes)
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
    else execution.emit('System', 'ExtrinsicFailed', { dispatchInfo, dispatchError: failure })
  }

  #takeRecords(execution: Execution, phase: unknown): Uint8Array[] {
    return execution.takeEvents().map((event) => this.codec.encodeEventRecord(phase, event))
  }

  #append(number: BlockNumber, parent: Block | undefined, extrinsics: readonly Hex[], changes: Changes): Block {
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
      digest: { logs: [] },
    }
    const block = { number, hash: this.codec.headerHash(header), header, extrinsics }
    this.state.append(number, changes)
    this.#blocks.push(block)
    this.#numbers.set(block.hash, number)
    return block
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
      for (const listener of this.finalityListeners) listener(block)
      const status: TransactionStatus = { finalized: block.hash }
      for (const watcher of this.#watchers.get(block.number) ?? []) watcher(status)
      this.#watchers.delete(block.number)
    }
  }
}
