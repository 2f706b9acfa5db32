import type { AccountSigner } from '../../crypto/index.js'
import {
  type AccountId,
  abortable,
  type BlockRef,
  type Logger,
  type ShareKey,
  SlotmeshError,
} from '../../domain/index.js'
import type { Blocks } from '../blocks/blocks.js'
import type { HeadFollower } from '../blocks/head.js'
import type { Rpc } from '../connection/rpc.js'
import { CallFailedError, RequestRefused } from '../errors.js'
import { persist } from '../persist.js'
import type { ChainCall } from '../runtime/runtime.js'
import { readStandings } from '../state/confirmed.js'
import { BATCH_METHODS, type BatchMethod, type ItemResult, resultsOf } from './batch.js'
import { readNonce } from './nonce.js'
import type { Transactions } from './transactions.js'

/** Confirmations in one transaction: a small part of what a block has room for. */
const BATCH = 50

/** Transactions of one account on their way at once; meanwhile what else is to be confirmed is gathered. */
const ON_THEIR_WAY = 4

/** So many blocks after it was signed, no block takes a transaction any more. */
const LONGEST_LIFE = 64

/** Confirmations of one account that wait. */
const LONGEST_QUEUE = 10_000

/** How the chain answered a confirmation. */
export type ConfirmationOutcome = 'confirmed' | (typeof OUTCOMES)[keyof typeof OUTCOMES] | 'no-funds'

export interface ConfirmationAnswer {
  readonly outcome: ConfirmationOutcome
  /** The final block that says so; there is none when the transaction was not taken. */
  readonly block?: BlockRef
}

/** The pallet's reasons against a confirmation, by the names of its errors. */
const OUTCOMES = {
  EnclaveAlreadyAddedShard: 'already-confirmed',
  NFTAlreadySynced: 'already-synced',
  ShareNotFromValidCluster: 'wrong-cluster',
  NFTNotFound: 'unknown-nft',
  NFTIsNotSecret: 'wrong-kind',
  NFTIsNotCapsule: 'wrong-kind',
  NotARegisteredEnclave: 'not-registered',
} as const

const METHODS = { secret: 'add_secret_shard', capsule: 'add_capsule_shard' } as const

interface Parts {
  readonly transactions: Transactions
  readonly rpc: Rpc
  readonly blocks: Blocks
  readonly head: HeadFollower
  readonly logger: Logger
}

/** Sends confirmations: those that are asked for while a transaction of the same account is prepared go together. */
export class Confirmations {
  readonly #parts: Parts
  readonly #lanes = new Map<AccountId, Lane>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * Resolves when the confirmation is final, or can never be. What was handed in when the signal aborts may still be
   * included.
   * @param key of a share whose round had begun by the final block that is known here.
   * @throws SlotmeshError `chain/too-many-confirmations`; as `Transactions.send` when neither the chain nor the pallet
   * gave one of the expected answers.
   */
  async confirm(signer: AccountSigner, key: ShareKey, signal: AbortSignal): Promise<ConfirmationAnswer> {
    signal.throwIfAborted()
    const lane = this.#lanes.get(signer.account) ?? new Lane(signer)
    this.#lanes.set(signer.account, lane)
    if (lane.waiting.length >= LONGEST_QUEUE) {
      throw new SlotmeshError(
        'chain/too-many-confirmations',
        `${LONGEST_QUEUE} confirmations wait already; try again when some are done.`,
      )
    }
    const item = new Item(key, signal)
    lane.waiting.push(item)
    if (!lane.isAtWork) void this.#work(lane)
    return abortable(item.answer, signal)
  }

  /** Until nothing waits any more. */
  async #work(lane: Lane): Promise<void> {
    lane.isAtWork = true
    // What is asked for in the same breath goes together.
    await Promise.resolve()
    while (lane.waiting.length > 0) {
      if (lane.onTheirWay.size >= ON_THEIR_WAY) {
        await Promise.race(lane.onTheirWay)
        continue
      }
      const items = lane.waiting.splice(0, lane.batch).filter(({ signal }) => !signal.aborted)
      if (items.length > 0) await this.#begin(lane, items)
    }
    lane.isAtWork = false
  }

  /** Resolves when the next transaction can be prepared. */
  #begin(lane: Lane, items: readonly Item[]): Promise<void> {
    return new Promise((handedIn) => {
      const work = this.#see(lane, items, handedIn).finally(() => {
        lane.onTheirWay.delete(work)
        handedIn()
      })
      lane.onTheirWay.add(work)
    })
  }

  /** Gives every item its answer. */
  async #see(lane: Lane, items: readonly Item[], handedIn: () => void): Promise<void> {
    const abandoned = new AbortController()
    const leave = () => {
      const [first] = items
      if (items.every(({ signal }) => signal.aborted)) abandoned.abort(first?.signal.reason)
    }
    for (const { signal } of items) signal.addEventListener('abort', leave)
    try {
      await this.#awaitFormerLife(lane, abandoned.signal)
      const open = await this.#leaveOutSettled(lane.signer, items, abandoned.signal)
      await this.#send(lane, open, handedIn, abandoned.signal)
    } catch (thrown) {
      const hasNoFunds = thrown instanceof SlotmeshError && thrown.code === 'chain/no-funds'
      for (const item of items) {
        if (hasNoFunds) item.settle({ outcome: 'no-funds' })
        else item.fail(thrown)
      }
    } finally {
      for (const { signal } of items) signal.removeEventListener('abort', leave)
    }
  }

  /**
   * What was handed in before a crash may be in the pool, or in a block that is not final yet: who does not wait for that
   * sends it a second time, and pays for it.
   */
  async #awaitFormerLife(lane: Lane, signal: AbortSignal): Promise<void> {
    const { rpc, blocks, head, logger } = this.#parts
    const { account } = lane.signer
    for (let waited = 0; waited < LONGEST_LIFE && !lane.hasNoFormerLife; waited += 1) {
      const { block } = head
      const [next, final] = await persist(
        async () => {
          const runtime = await abortable(blocks.runtimes.at(block.number), signal)
          return Promise.all([rpc.nextNonce(account, signal), readNonce(rpc, runtime, { account, block }, signal)])
        },
        logger,
        signal,
      )
      if (next <= final) break
      await head.reached(block.number + 1, signal)
    }
    lane.hasNoFormerLife = true
  }

  /**
   * A confirmation that nobody here heard of again, before a crash perhaps, is not paid for twice; nor is one whose round has
   * ended meanwhile, perhaps by that very confirmation: the chain then tells no more who has confirmed.
   */
  async #leaveOutSettled(signer: AccountSigner, items: readonly Item[], signal: AbortSignal): Promise<Item[]> {
    const { rpc, blocks, head, logger } = this.#parts
    const operator = head.registry.seatOf(signer.account)?.operator
    if (operator === undefined) return [...items]
    const { block } = head
    const keys = items.map(({ key }) => key)
    const standings = await persist(
      async () => {
        const runtime = await abortable(blocks.runtimes.at(block.number), signal)
        return readStandings(rpc, runtime, { keys, operator, block }, signal)
      },
      logger,
      signal,
    )
    return items.filter((item, index) => {
      const standing = standings[index]
      if (standing === 'confirmed') item.settle({ outcome: 'already-confirmed', block })
      if (standing === 'synced') item.settle({ outcome: 'already-synced', block })
      return standing === 'open'
    })
  }

  /** @throws when not even a single one of those without an answer was taken. */
  async #send(lane: Lane, all: readonly Item[], handedIn: () => void, signal: AbortSignal): Promise<void> {
    if (all.length === 0) return
    // It may have become less since these were taken from the queue.
    const items = all.slice(0, lane.batch)
    const { blocks, transactions, logger } = this.#parts
    const runtime = await persist(() => abortable(blocks.runtimes.newest(), signal), logger, signal)
    const method = BATCH_METHODS.find((name) => runtime.callArguments('utility', name) !== undefined)
    if (items.length > 1 && method === undefined) {
      lane.batch = 1
      await this.#send(lane, all, handedIn, signal)
      return
    }
    const how = items.length > 1 ? method : undefined
    let rest: readonly Item[]
    try {
      const included = await transactions.include(lane.signer, callFor(items, how), signal, handedIn)
      const { block } = included
      const results = resultsOf(included.runtime, included.events, {
        method: how,
        count: items.length,
        block: block.number,
      })
      for (const [index, item] of items.entries()) settle(item, results[index], block)
      // What comes after the first failure in a plain batch was not tried.
      rest = all.slice(results.length)
    } catch (thrown) {
      if (items.length === 1 || !isOfBatch(thrown)) throw thrown
      logger.warn('a batch of confirmations was refused, and is sent in halves', { items: items.length })
      const half = Math.ceil(items.length / 2)
      // Where there was no room for it once, there is none the next time.
      if (thrown instanceof CallFailedError || exhaustsBlock(thrown)) lane.batch = Math.min(lane.batch, half)
      await this.#send(lane, items.slice(0, half), handedIn, signal)
      rest = all.slice(half)
    }
    await this.#send(lane, rest, handedIn, signal)
  }
}

/** What is to be confirmed by one account. */
class Lane {
  readonly signer: AccountSigner
  readonly waiting: Item[] = []
  readonly onTheirWay = new Set<Promise<void>>()
  /** Confirmations in one transaction at most. */
  batch = BATCH
  isAtWork = false
  /** Whatever was handed in for the account before this process was is final, or gone. */
  hasNoFormerLife = false

  constructor(signer: AccountSigner) {
    this.signer = signer
  }
}

/** A confirmation that somebody waits for. */
class Item {
  readonly key: ShareKey
  readonly signal: AbortSignal
  readonly answer: Promise<ConfirmationAnswer>
  isSettled = false
  #resolve: (answer: ConfirmationAnswer) => void = () => undefined
  #reject: (reason: unknown) => void = () => undefined

  constructor(key: ShareKey, signal: AbortSignal) {
    this.key = key
    this.signal = signal
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  settle(answer: ConfirmationAnswer): void {
    this.isSettled = true
    this.#resolve(answer)
  }

  fail(reason: unknown): void {
    this.isSettled = true
    this.#reject(reason)
  }
}

function callFor(items: readonly Item[], method: BatchMethod | undefined): ChainCall {
  const calls = items.map(({ key }): ChainCall => ({ pallet: 'nft', method: METHODS[key.kind], args: [key.nftId] }))
  const [only] = calls
  if (method !== undefined || only === undefined) {
    return { pallet: 'utility', method: method ?? BATCH_METHODS[0], args: [calls] }
  }
  return only
}

function settle(item: Item, result: ItemResult | undefined, block: BlockRef): void {
  if (result === undefined) return
  if (result.failure === undefined) item.settle({ outcome: 'confirmed', block })
  else if (isExpected(result.failure)) item.settle({ outcome: OUTCOMES[result.failure], block })
  else item.fail(new CallFailedError(`nft.${METHODS[item.key.kind]}`, result.failure))
}

/** Too large for any block, by the pool's check of its size and weight (`InvalidTransaction` in `sp-runtime`). */
function exhaustsBlock(thrown: unknown): boolean {
  return thrown instanceof RequestRefused && /exhaust/i.test(thrown.detail)
}

/** Whether a smaller batch may fare better: for its size, its price or because it is a batch. */
function isOfBatch(thrown: unknown): boolean {
  if (thrown instanceof CallFailedError || thrown instanceof RequestRefused) return true
  return thrown instanceof SlotmeshError && thrown.code === 'chain/no-funds'
}

function isExpected(reason: string): reason is keyof typeof OUTCOMES {
  return Object.hasOwn(OUTCOMES, reason)
}
