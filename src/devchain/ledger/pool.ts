import type { AccountId, BlockNumber, Hex } from '../../domain/index.js'
import type { Transaction } from './transaction.js'

/** Transactions that wait at most; Substrate's default for ready ones. */
const POOL_LIMIT = 8192

/** How a transaction fares, in the words that watchers get (`author_extrinsicUpdate`). */
export type TransactionStatus =
  | 'future'
  | 'ready'
  | 'invalid'
  | { readonly inBlock: Hex }
  | { readonly finalized: Hex }
  | { readonly usurped: Hex }

export type Watcher = (status: TransactionStatus) => void

/** A refusal by the pool itself, under Substrate's code for it. */
export class PoolError extends Error {
  readonly code: number
  readonly data: string

  constructor(code: number, message: string, data: string) {
    super(message)
    this.code = code
    this.data = data
  }
}

interface Waiting {
  readonly transaction: Transaction
  readonly watcher: Watcher | undefined
  ready: boolean
}

/** Transactions that wait for a block: ready when every lower nonce of their account is used or ready, else future. */
export class TransactionPool {
  /** In order of arrival. */
  readonly #waiting = new Map<Hex, Waiting>()
  readonly #byAccount = new Map<AccountId, Map<number, Hex>>()

  /** @throws PoolError when it is known, has less to offer than one of the same nonce, or there is no room. */
  add(transaction: Transaction, watcher: Watcher | undefined, accountNonce: number): void {
    const { hash, account, nonce, tip } = transaction
    if (this.#waiting.has(hash)) throw new PoolError(1013, 'Transaction Already Imported', JSON.stringify(hash))
    const sameNonce = this.#waiting.get(this.#byAccount.get(account)?.get(nonce) ?? '0x')
    if (sameNonce !== undefined) {
      const old = sameNonce.transaction.tip
      if (tip <= old) {
        throw new PoolError(
          1014,
          `Priority is too low: (${old} vs ${tip})`,
          'The transaction has too low priority to replace another transaction already in the pool.',
        )
      }
      this.#remove(sameNonce.transaction, { usurped: hash })
    } else if (this.#waiting.size >= POOL_LIMIT) {
      throw new PoolError(1016, 'Immediately Dropped', "The transaction couldn't enter the pool because of the limit")
    }
    const waiting = { transaction, watcher, ready: false }
    this.#waiting.set(hash, waiting)
    const nonces = this.#byAccount.get(account) ?? new Map<number, Hex>()
    this.#byAccount.set(account, nonces.set(nonce, hash))
    this.promote(account, accountNonce)
    if (!waiting.ready) watcher?.('future')
  }

  /** Marks what became ready by the account's nonce on chain. */
  promote(account: AccountId, accountNonce: number): void {
    for (let nonce = accountNonce; ; nonce++) {
      const waiting = this.#at(account, nonce)
      if (waiting === undefined) return
      if (waiting.ready) continue
      waiting.ready = true
      waiting.watcher?.('ready')
    }
  }

  /** The nonce that comes after the account's ready transactions. */
  nextNonce(account: AccountId, accountNonce: number): number {
    let nonce = accountNonce
    while (this.#at(account, nonce) !== undefined) nonce++
    return nonce
  }

  /** Ready transactions in the order in which a block takes them: by arrival, but nonces of an account in order. */
  *ready(): Generator<Transaction> {
    const taken = new Set<Hex>()
    for (const { transaction, ready } of [...this.#waiting.values()]) {
      if (!ready) continue
      const { account, nonce } = transaction
      let first = nonce
      const isNext = (candidate: number) => {
        const hash = this.#byAccount.get(account)?.get(candidate)
        return hash !== undefined && !taken.has(hash)
      }
      while (isNext(first - 1)) first--
      for (let next = first; next <= nonce; next++) {
        const waiting = this.#at(account, next)
        if (waiting === undefined || taken.has(waiting.transaction.hash)) continue
        taken.add(waiting.transaction.hash)
        yield waiting.transaction
      }
    }
  }

  hasReady(): boolean {
    return this.ready().next().done !== true
  }

  /** In order of arrival. */
  all(): Transaction[] {
    return [...this.#waiting.values()].map(({ transaction }) => transaction)
  }

  /** Takes out what went into a block and hands back its watcher. */
  include({ hash }: Transaction, block: Hex): Watcher | undefined {
    const waiting = this.#waiting.get(hash)
    if (waiting === undefined) return undefined
    this.#remove(waiting.transaction, { inBlock: block })
    return waiting.watcher
  }

  drop(transaction: Transaction): void {
    this.#remove(transaction, 'invalid')
  }

  /** Drops what no later block may include. */
  expire(next: BlockNumber): void {
    for (const transaction of this.all()) {
      if (transaction.death <= next) this.drop(transaction)
    }
  }

  #at(account: AccountId, nonce: number): Waiting | undefined {
    const hash = this.#byAccount.get(account)?.get(nonce)
    return hash === undefined ? undefined : this.#waiting.get(hash)
  }

  #remove({ hash, account, nonce }: Transaction, status: TransactionStatus): void {
    const waiting = this.#waiting.get(hash)
    this.#waiting.delete(hash)
    const nonces = this.#byAccount.get(account)
    nonces?.delete(nonce)
    if (nonces?.size === 0) this.#byAccount.delete(account)
    waiting?.watcher?.(status)
  }
}
