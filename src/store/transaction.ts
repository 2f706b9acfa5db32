import { toHex, zero } from '../crypto/index.js'
import type { SlotmeshError } from '../domain/index.js'
import type { Table } from './records.js'
import type { Sealer } from './sealing.js'

/** Where records are read: the database as it stands, a snapshot of it, or a transaction's own view. */
export interface Reads {
  get<Key, Value>(table: Table<Key, Value>, key: Key): Promise<Value | undefined>
  /** As `get`, for many keys in one go; the answer keeps their order. */
  getMany<Key, Value>(table: Table<Key, Value>, keys: readonly Key[]): Promise<(Value | undefined)[]>
}

/** What a transaction asks of the database that it is of. */
interface Below {
  sealed(names: Uint8Array[]): Promise<(Uint8Array | undefined)[]>
  open<Key, Value>(table: Table<Key, Value>, key: Key, name: Uint8Array, sealed: Uint8Array): Value
  tampered<Key>(table: Table<Key, unknown>, key: Key): SlotmeshError
}

/** What one writer wants to change: reads see its own puts and deletes. Values are held sealed until written. */
export class Transaction implements Reads {
  readonly #database: Below
  readonly #sealer: Sealer
  /** Every record read or changed so far, by its name in hex. */
  readonly #records = new Map<string, RecordState>()

  constructor(database: Below, sealer: Sealer) {
    this.#database = database
    this.#sealer = sealer
  }

  /** Reads records in one go that will be asked for one by one. */
  async preload<Key>(table: Table<Key, unknown>, keys: readonly Key[]): Promise<void> {
    const names = keys.map((key) => table.encodeKey(key)).filter((name) => !this.#records.has(toHex(name)))
    if (names.length === 0) return
    const found = await this.#database.sealed(names)
    for (const [at, name] of names.entries()) {
      this.#records.set(toHex(name), { name, sealed: found[at], isChanged: false, before: found[at], isRead: true })
    }
  }

  async get<Key, Value>(table: Table<Key, Value>, key: Key): Promise<Value | undefined> {
    const [value] = await this.getMany(table, [key])
    return value
  }

  async getMany<Key, Value>(table: Table<Key, Value>, keys: readonly Key[]): Promise<(Value | undefined)[]> {
    await this.preload(table, keys)
    return keys.map((key) => {
      const record = this.#records.get(toHex(table.encodeKey(key)))
      return record?.sealed && this.#database.open(table, key, record.name, record.sealed)
    })
  }

  put<Key, Value>(table: Table<Key, Value>, key: Key, value: Value): void {
    const name = table.encodeKey(key)
    const plain = table.encode(value)
    try {
      this.#change(name, this.#sealer.seal(name, plain))
    } finally {
      zero(plain)
    }
  }

  delete<Key>(table: Table<Key, unknown>, key: Key): void {
    this.#change(table.encodeKey(key), undefined)
  }

  /** The error for a record that is missing although another record vouches for it. */
  tampered<Key>(table: Table<Key, unknown>, key: Key): SlotmeshError {
    return this.#database.tampered(table, key)
  }

  /** Everything that is to be written, with what stands there before. */
  async changes(): Promise<Change[]> {
    const changed = [...this.#records.values()].filter(({ isChanged }) => isChanged)
    const unread = changed.filter(({ isRead }) => !isRead)
    if (unread.length > 0) {
      const found = await this.#database.sealed(unread.map(({ name }) => name))
      for (const [at, record] of unread.entries()) record.before = found[at]
    }
    return changed.map(({ name, before, sealed }) => ({ name, before, after: sealed }))
  }

  #change(name: Uint8Array, sealed: Uint8Array | undefined): void {
    const id = toHex(name)
    const known = this.#records.get(id)
    const { before, isRead } = known ?? { before: undefined, isRead: false }
    this.#records.set(id, { name, sealed, isChanged: true, before, isRead })
  }
}

interface RecordState {
  readonly name: Uint8Array
  /** As this transaction leaves it. */
  readonly sealed: Uint8Array | undefined
  readonly isChanged: boolean
  /** As it stands in the database, once that was read. */
  before: Uint8Array | undefined
  readonly isRead: boolean
}

/** What a write does to one record; undefined is none. */
export interface Change {
  readonly name: Uint8Array
  readonly before: Uint8Array | undefined
  readonly after: Uint8Array | undefined
}
