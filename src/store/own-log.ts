import { equalBytes } from '../crypto/index.js'
import { SlotmeshError } from '../domain/index.js'
import {
  CompactRange,
  decompose,
  type LogHead,
  type LogId,
  leafHash,
  type ProvenanceLeaf,
} from '../provenance/index.js'
import type { SealedDatabase } from './database.js'
import { HEADS, NEWEST, NODES } from './records.js'
import type { Transaction } from './transaction.js'
import type { Identity } from './types.js'

/** Signs the next head of this enclave's own log: the provenance room's `signHead` with its signer and chain. */
export type HeadSigner = (head: Omit<LogHead, 'signature' | 'account'>) => LogHead

/** This enclave's own provenance log, open at its end. */
export class OwnLog {
  readonly id: LogId
  readonly #identity: Identity
  readonly #transaction: Transaction
  readonly #range: CompactRange

  private constructor(identity: Identity, transaction: Transaction, range: CompactRange) {
    this.id = logOf(identity)
    this.#identity = identity
    this.#transaction = transaction
    this.#range = range
  }

  /**
   * @param size as recorded with the store's progress.
   * @throws SlotmeshError `store/tampered` when the log held is not of that size, or does not give its head's root:
   * appending to it would fork it.
   */
  static async read(
    database: SealedDatabase,
    transaction: Transaction,
    identity: Identity,
    size: number,
  ): Promise<OwnLog> {
    const log = logOf(identity)
    if (((await transaction.get(NEWEST, log)) ?? 0) !== size) throw database.tampered(NEWEST, log)
    const range = new CompactRange()
    const positions = decompose(0, size)
    const hashes = await transaction.getMany(
      NODES,
      positions.map((at) => ({ log, at })),
    )
    for (const [at, position] of positions.entries()) {
      const hash = hashes[at]
      if (hash === undefined) throw database.tampered(NODES, { log, at: position })
      range.append(position.level, hash)
    }
    if (size > 0) {
      const head = await transaction.get(HEADS, { log, size })
      if (head === undefined || !equalBytes(head.root, range.root())) throw database.tampered(HEADS, { log, size })
    }
    return new OwnLog(identity, transaction, range)
  }

  /** Number of leaves. */
  get size(): number {
    return this.#range.end
  }

  /** @returns the leaf's index. */
  append(leaf: ProvenanceLeaf): number {
    const index = this.size
    for (const { level, index: at, hash } of this.#range.append(0, leafHash(leaf))) {
      this.#transaction.put(NODES, { log: this.id, at: { level, index: at } }, hash)
    }
    return index
  }

  /**
   * Has the log signed as it is now.
   *
   * @throws SlotmeshError `store/other-account` when another account signs than the one whose log this is.
   */
  sign(signHead: HeadSigner): void {
    const { incarnation, seat } = this.#identity
    const head = signHead({ incarnation, ...seat, size: this.size, root: this.#range.root() })
    if (head.account !== this.id.account) {
      throw new SlotmeshError(
        'store/other-account',
        `The store belongs to the enclave account ${this.id.account} and ${head.account} was to sign its log; use the folder's own account.`,
      )
    }
    this.#transaction.put(HEADS, { log: this.id, size: this.size }, head)
    this.#transaction.put(NEWEST, this.id, this.size)
  }
}

/** The log that this enclave writes itself. */
export function logOf(identity: Identity): LogId {
  return { account: identity.account, incarnation: identity.incarnation }
}
