import type { AccountSigner } from '../../crypto/index.js'
import {
  type AccountId,
  abortable,
  type BlockHash,
  type BlockRef,
  bounded,
  type Logger,
  SlotmeshError,
} from '../../domain/index.js'
import type { Blocks } from '../blocks/blocks.js'
import { decode } from '../blocks/events.js'
import type { HeadFollower } from '../blocks/head.js'
import type { Connection } from '../connection/connection.js'
import type { Rpc } from '../connection/rpc.js'
import { SocketLost } from '../connection/socket.js'
import { CallFailedError, malformed, RequestRefused } from '../errors.js'
import { persist } from '../persist.js'
import type { Plain } from '../runtime/plain.js'
import type { ChainCall, ChainEvent, Runtime, SignedTransaction } from '../runtime/runtime.js'
import { dispatchErrorIn } from './batch.js'
import { readNonce } from './nonce.js'
import { type Fate, submitAndWatch, type Watch } from './watch.js'

/** A call is signed anew when no block can hold its transaction any more, this often at most. */
const ATTEMPTS = 5

/** A pool may refuse a call for what may pass, this often at most; a block must come between all but the first two. */
const REFUSALS = 10

/** A pool that has told of no end for so many blocks may have lost the transaction without a word. */
const PATIENCE = 16

/** The news that a transaction is final may come before that of the blocks up to it, this many at most. */
const AHEAD_OF_HEAD = 4

/** A call that was carried out, final. */
export interface FinalisedCall {
  readonly block: BlockRef
  /** Of the call's extrinsic; names of pallets in camelCase, `data` in the order of the event's fields. */
  readonly events: readonly { readonly pallet: string; readonly name: string; readonly data: readonly Plain[] }[]
}

/** A transaction in a final block, whatever became of it there. */
export interface IncludedCall {
  readonly block: BlockRef
  /** Made the block. */
  readonly runtime: Runtime
  /** Of the call's extrinsic. */
  readonly events: readonly ChainEvent[]
}

/** A transaction that was handed in, with its watch unless the socket broke meanwhile. */
interface Submitted {
  readonly transaction: SignedTransaction
  readonly account: AccountId
  readonly nonce: number
  /** Of the runtime that it was signed for, and that alone can carry it out. */
  readonly specVersion: number
  readonly watch: Watch | undefined
}

interface Parts {
  readonly connection: Connection
  readonly rpc: Rpc
  readonly blocks: Blocks
  readonly head: HeadFollower
  readonly genesisHash: BlockHash
  readonly logger: Logger
}

/** Signs calls, hands them in and waits until they are final; any number at once, also of one account. */
export class Transactions {
  readonly #parts: Parts
  readonly #accounts = new Map<AccountId, Account>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * A call is carried out once: it is signed anew only when no block can hold its last transaction any more. While
   * the chain is out of reach it waits.
   * @throws CallFailedError; SlotmeshError `chain/no-funds`, `chain/not-included`, `chain/unknown-call`,
   * `chain/bad-argument`; RequestRefused; or the signal's reason.
   */
  async send(signer: AccountSigner, call: ChainCall, signal: AbortSignal): Promise<FinalisedCall> {
    const { block, runtime, events } = await this.include(signer, call, signal)
    const failure = failureOf(runtime, events)
    if (failure !== undefined) throw new CallFailedError(nameOf(call), failure)
    return {
      block,
      events: events.map(({ pallet, name, data }) => ({ pallet, name, data: Object.values(data) })),
    }
  }

  /**
   * As `send`, but leaves it to the caller to see from the events whether the call failed.
   * @param handedIn is called when the transaction is on its way, perhaps again
   */
  async include(
    signer: AccountSigner,
    call: ChainCall,
    signal: AbortSignal,
    handedIn: () => void = () => undefined,
  ): Promise<IncludedCall> {
    const { head } = this.#parts
    const account = this.#account(signer.account)
    for (let attempt = 1, refusals = 0; attempt <= ATTEMPTS; ) {
      const turn = account.inTurn(() => this.#persist(() => this.#submit(account, signer, call, signal), signal))
      const submitted = await abortable(turn, signal)
      if (submitted === 'refused' || submitted === 'refused-for-now') {
        refusals++
        if (refusals === REFUSALS) break
        // What it was signed with may be out of date by mistake once; after that only another block can help.
        if (refusals > 1 || submitted === 'refused-for-now') await head.reached(head.block.number + 1, signal)
        continue
      }
      handedIn()
      const block = await this.#settle(submitted, signal)
      if (block !== undefined) {
        // Whoever looks at the chain next must find what was done.
        await head.reached(block.number, signal)
        return this.#persist(() => this.#included(submitted.transaction, block, signal), signal)
      }
      account.nextNonce = undefined
      attempt++
    }
    throw new SlotmeshError('chain/not-included', `No block took ${nameOf(call)}; try again later.`)
  }

  #account(id: AccountId): Account {
    const account = this.#accounts.get(id) ?? new Account()
    this.#accounts.set(id, account)
    return account
  }

  /** @returns how the pool refused it when another attempt may fare better, at once or after another block. */
  async #submit(
    account: Account,
    signer: AccountSigner,
    call: ChainCall,
    signal: AbortSignal,
  ): Promise<Submitted | 'refused' | 'refused-for-now'> {
    const { blocks, rpc, head, genesisHash, connection } = this.#parts
    const runtime = await abortable(blocks.runtimes.newest(), signal)
    const nonce = account.nextNonce ?? (await rpc.nextNonce(signer.account, signal))
    const socket = await connection.socket(signal)
    const transaction = runtime.sign(signer, call, { nonce, birth: head.block, genesisHash })
    account.nextNonce = nonce + 1
    const { specVersion } = runtime.version
    const submitted = { transaction, account: signer.account, nonce, specVersion, watch: undefined }
    try {
      return { ...submitted, watch: await submitAndWatch(socket, transaction.bytes, signal) }
    } catch (thrown) {
      // Whether it arrived is found out later, from the blocks.
      if (thrown instanceof SocketLost) return submitted
      if (thrown instanceof RequestRefused && thrown.rpcCode === ALREADY_IMPORTED) return submitted
      account.nextNonce = undefined
      if (!(thrown instanceof RequestRefused)) throw thrown
      const refusal = meaningOf(thrown)
      if (refusal === 'no-funds') throw noFunds(call, thrown)
      if (refusal === 'final') throw thrown
      return refusal === 'later' ? 'refused-for-now' : 'refused'
    }
  }

  /** @returns the block it became final in, or undefined when no block can hold it any more. */
  async #settle(submitted: Submitted, signal: AbortSignal): Promise<BlockRef | undefined> {
    const { head } = this.#parts
    const { transaction, watch, specVersion, nonce } = submitted
    let fate: Fate = watch === undefined ? 'unknown' : await this.#fateOf(watch, transaction, signal)
    for (let searched = transaction.birth.number; ; ) {
      if (fate !== 'unknown') {
        const hash = fate
        const named = await this.#persist(() => this.#named(hash, transaction, signal), signal)
        if (named !== undefined) return named
        // No such final block, or it does not hold the transaction: then the blocks themselves tell.
      }
      const { block, runtime } = head
      const until = Math.min(block.number, transaction.lastBlock)
      while (searched < until) {
        const number = searched + 1
        const found = await this.#persist(() => this.#find(transaction, number, signal), signal)
        if (found !== undefined) return found
        searched = number
      }
      if (searched >= transaction.lastBlock || runtime.specVersion > specVersion) return undefined
      // Another transaction of the account has its place.
      if ((await this.#persist(() => this.#nonceAt(submitted.account, block, signal), signal)) > nonce) return undefined
      fate = await this.#persist(() => this.#handInAgain(transaction, signal), signal)
    }
  }

  /** The block that a watch named, if it is final by everybody's word and holds the transaction. */
  async #named(hash: BlockHash, transaction: SignedTransaction, signal: AbortSignal): Promise<BlockRef | undefined> {
    const { head, blocks } = this.#parts
    const last = Math.min(head.block.number + AHEAD_OF_HEAD, transaction.lastBlock)
    for (let number = transaction.birth.number + 1; number <= last; number++) {
      await head.reached(number, signal)
      if ((await abortable(blocks.hash(number), signal)) === hash) return this.#find(transaction, number, signal)
    }
    return undefined
  }

  async #fateOf(watch: Watch, { lastBlock }: SignedTransaction, signal: AbortSignal): Promise<Fate> {
    const { head } = this.#parts
    const until = Math.min(head.block.number + PATIENCE, lastBlock + 1)
    const settled = new AbortController()
    const silence = bounded({ signals: [signal, settled.signal] }, async (limited): Promise<Fate> => {
      await head.reached(until, limited)
      return 'unknown'
    })
    try {
      return await Promise.race([watch.fate, silence])
    } finally {
      settled.abort()
      watch.end()
    }
  }

  /** The same bytes, in case the pool lost them; that cannot carry the call out twice. */
  async #handInAgain(transaction: SignedTransaction, signal: AbortSignal): Promise<Fate> {
    const { connection, head } = this.#parts
    const next = head.block.number + 1
    try {
      const watch = await submitAndWatch(await connection.socket(signal), transaction.bytes, signal)
      const fate = await this.#fateOf(watch, transaction, signal)
      if (fate !== 'unknown') return fate
    } catch (thrown) {
      if (thrown instanceof SocketLost) return 'unknown'
      if (!(thrown instanceof RequestRefused)) throw thrown
    }
    // In the pool already, in a block that is not final yet, or of no use any more: the blocks to come will tell.
    await head.reached(next, signal)
    return 'unknown'
  }

  async #nonceAt(account: AccountId, block: BlockRef, signal: AbortSignal): Promise<number> {
    const { rpc, blocks } = this.#parts
    return readNonce(rpc, await abortable(blocks.runtimes.at(block.number), signal), { account, block }, signal)
  }

  async #find(transaction: SignedTransaction, number: number, signal: AbortSignal): Promise<BlockRef | undefined> {
    const { blocks, rpc } = this.#parts
    const hash = await abortable(blocks.hash(number), signal)
    const extrinsics = await rpc.extrinsics(hash, signal)
    return extrinsics.includes(transaction.bytes) ? { number, hash } : undefined
  }

  async #included({ bytes }: SignedTransaction, block: BlockRef, signal: AbortSignal): Promise<IncludedCall> {
    const { rpc, blocks } = this.#parts
    const runtime = await abortable(blocks.runtimes.at(block.number), signal)
    const extrinsics = await rpc.extrinsics(block.hash, signal)
    const records = await rpc.storage(runtime.eventsKey, block.hash, signal)
    const position = extrinsics.indexOf(bytes)
    const all = records === undefined ? [] : decode(runtime, block.number, records)
    const events = all.filter(({ phase }) => phase === position)
    // Silence is no success: every extrinsic ends in one of these.
    if (!events.some(({ pallet, name }) => pallet === 'system' && ENDS.has(name))) {
      throw malformed('state_getStorage', 'it does not tell how a transaction that is in the block ended')
    }
    return { block, runtime, events }
  }

  /** Waits while the chain is out of reach. */
  #persist<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return persist(work, this.#parts.logger, signal)
  }
}

/** Its transactions are handed in one after the other, so that their nonces are in order. */
class Account {
  /** Undefined when only the chain can tell. */
  nextNonce: number | undefined
  #last: Promise<unknown> = Promise.resolve()

  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }
}

/**
 * Substrate's codes for what a node does not take (`sc-rpc-api`, `author/error.rs`). 1010 says why in its data: a
 * sentence (`InvalidTransaction` in `sp-runtime`), or in older versions the reason's name.
 */
function meaningOf({ rpcCode, detail }: RequestRefused): 'no-funds' | 'sign-anew' | 'later' | 'final' {
  if (rpcCode !== 1010) return REFUSED[rpcCode] ?? 'final'
  if (/inability to pay|^"?payment/i.test(detail)) return 'no-funds'
  // Also for an upgrade of the runtime between signing and handing in.
  if (/outdated|stale|bad ?(signature|proof)|ancient ?birth|valid in the future|^"?future/i.test(detail)) {
    return 'sign-anew'
  }
  return 'final'
}

/** The pool has these very bytes, so nothing is to be signed anew. */
const ALREADY_IMPORTED = 1013

const REFUSED: Readonly<Record<number, 'sign-anew' | 'later'>> = {
  // The runtime could not make sense of it: upgraded since it was signed, perhaps.
  1002: 'sign-anew',
  // Its validity cannot be told.
  1011: 'later',
  // Banned for a while; signed after another block, it is another transaction.
  1012: 'later',
  // The nonce is taken by another that is in the pool.
  1014: 'sign-anew',
  // No room.
  1016: 'later',
  // The block that the pool checked it at is gone.
  1020: 'later',
  // Its nonce is ahead of those that the pool knows.
  1021: 'later',
}

const ENDS: ReadonlySet<string> = new Set(['ExtrinsicSuccess', 'ExtrinsicFailed'])

const FAILED_ITEMS: ReadonlySet<string> = new Set(['ItemFailed', 'BatchInterrupted'])

/**
 * Why a call failed. Calls that carry out others, such as batches and committees, succeed even when these fail, and
 * tell in an event.
 */
function failureOf(runtime: Runtime, events: readonly ChainEvent[]): string | undefined {
  for (const event of events) {
    const { pallet, name, data } = event
    const hasFailed = pallet === 'system' ? name === 'ExtrinsicFailed' : pallet === 'utility' && FAILED_ITEMS.has(name)
    if (hasFailed) return runtime.errorName(dispatchErrorIn(event))
    const result = data.result ?? null
    if (result !== null && typeof result === 'object' && 'Err' in result) return runtime.errorName(result.Err ?? null)
  }
  return undefined
}

function nameOf({ pallet, method }: ChainCall): string {
  return `${pallet}.${method}`
}

function noFunds(call: ChainCall, cause: unknown): SlotmeshError {
  return new SlotmeshError('chain/no-funds', `The account cannot pay for ${nameOf(call)}; send it some funds.`, {
    cause,
  })
}
