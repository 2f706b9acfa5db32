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
    await this.#known(keys.map((key) => nameOf(table, key)))
  }

  async get<Key, Value>(table: Table<Key, Value>, key: Key): Promise<Value | undefined> {
    const named = nameOf(table, key)
    const known = this.#records.get(named.id)
    if (known !== undefined) return this.#open(table, key, known)
    const [record] = await this.#known([named])
    return record && this.#open(table, key, record)
  }

  async getMany<Key, Value>(table: Table<Key, Value>, keys: readonly Key[]): Promise<(Value | undefined)[]> {
    const records = await this.#known(keys.map((key) => nameOf(table, key)))
    return keys.map((key, at) => {
      const record = records[at]
      return record && this.#open(table, key, record)
    })
  }

  put<Key, Value>(table: Table<Key, Value>, key: Key, value: Value): void {
    const named = nameOf(table, key)
    const plain = table.encode(value)
    try {
      this.#change(named, this.#sealer.seal(named.name, plain))
    } finally {
      zero(plain)
    }
  }

  delete<Key>(table: Table<Key, unknown>, key: Key): void {
    this.#change(nameOf(table, key), undefined)
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

  #open<Key, Value>(table: Table<Key, Value>, key: Key, { name, sealed }: RecordState): Value | undefined {
    return sealed && this.#database.open(table, key, name, sealed)
  }

  /** Those of these names, read where they are not known yet. */
  async #known(named: readonly Named[]): Promise<RecordState[]> {
    const unread = named.filter(({ id }) => !this.#records.has(id))
    const found = unread.length === 0 ? [] : await this.#database.sealed(unread.map(({ name }) => name))
    for (const [at, { id, name }] of unread.entries()) {
      const sealed = found[at]
      this.#records.set(id, { name, sealed, isChanged: false, before: sealed, isRead: true })
    }
    return named.map(({ id, name }) => this.#records.get(id) ?? notRead(name))
  }

  #change({ id, name }: Named, sealed: Uint8Array | undefined): void {
    const { before, isRead } = this.#records.get(id) ?? notRead(name)
    this.#records.set(id, { name, sealed, isChanged: true, before, isRead })
  }
}

/** A record's name as bytes, and as text for a map. */
interface Named {
  readonly name: Uint8Array
  readonly id: string
}

function nameOf<Key>(table: Table<Key, unknown>, key: Key): Named {
  const name = table.encodeKey(key)
  return { name, id: toHex(name) }
}

function notRead(name: Uint8Array): RecordState {
  return { name, sealed: undefined, isChanged: false, before: undefined, isRead: false }
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
