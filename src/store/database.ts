import { randomBytes } from 'node:crypto'
import { Level } from 'level'
import { toHex, zero } from '../crypto/index.js'
import { messageOf, SlotmeshError } from '../domain/index.js'
import { ERASING, FIRST_SEAT_PREFIX, HEADERS, type Table } from './records.js'
import { SEALING_KEY_BYTES, Sealer, STORE_ID_BYTES } from './sealing.js'

type LevelDatabase = Level<Uint8Array, Uint8Array>
type Snapshot = ReturnType<LevelDatabase['snapshot']>

/** Where records are read: the database as it stands, a snapshot of it, or a transaction's own view. */
export interface Reads {
  get<Key, Value>(table: Table<Key, Value>, key: Key): Promise<Value | undefined>
  /** As `get`, for many keys in one go; the answer keeps their order. */
  getMany<Key, Value>(table: Table<Key, Value>, keys: readonly Key[]): Promise<(Value | undefined)[]>
}

/** Entries that an iterator takes from the database at once. */
const ENTRIES_PER_STEP = 256

/** The folder on disk: a `level` database in which every value is sealed to its key. */
export class SealedDatabase implements Reads {
  readonly #level: LevelDatabase
  readonly #folder: string
  readonly #sealer: Sealer
  #writing: Promise<unknown> = Promise.resolve()

  private constructor(level: LevelDatabase, folder: string, sealer: Sealer) {
    this.#level = level
    this.#folder = folder
    this.#sealer = sealer
  }

  /**
   * @throws RangeError when the sealing key is not 32 bytes.
   * @throws SlotmeshError `store/locked`, `store/unreadable`, `store/wrong-key`, `store/tampered`.
   */
  static async open(folder: string, sealingKey: Uint8Array): Promise<SealedDatabase> {
    if (sealingKey.length !== SEALING_KEY_BYTES) throw new RangeError(`A sealing key has ${SEALING_KEY_BYTES} bytes.`)
    // Sealed values do not compress.
    const options = { keyEncoding: 'view', valueEncoding: 'view', compression: false }
    const level: LevelDatabase = new Level(folder, options)
    try {
      await level.open()
    } catch (thrown) {
      throw openError(folder, thrown)
    }
    try {
      const sealer = new Sealer(sealingKey, await storeId(level, folder, sealingKey))
      const database = new SealedDatabase(level, folder, sealer)
      if (await database.get(ERASING, undefined)) await database.eraseSeat()
      return database
    } catch (thrown) {
      await level.close()
      throw translate(folder, thrown)
    }
  }

  async get<Key, Value>(table: Table<Key, Value>, key: Key, snapshot?: Snapshot): Promise<Value | undefined> {
    const [value] = await this.getMany(table, [key], snapshot)
    return value
  }

  async getMany<Key, Value>(
    table: Table<Key, Value>,
    keys: readonly Key[],
    snapshot?: Snapshot,
  ): Promise<(Value | undefined)[]> {
    const names = keys.map((key) => table.encodeKey(key))
    const found = await this.sealed(names, snapshot)
    return keys.map((key, at) => {
      const [name, sealed] = [names[at], found[at]]
      return name && sealed && this.open(table, key, name, sealed)
    })
  }

  /** Runs `work` on one unchanging state of the database. */
  async snapshot<Result>(work: (reads: Reads) => Promise<Result>): Promise<Result> {
    const snapshot = await this.#translated(async () => this.#level.snapshot())
    try {
      return await work({
        get: (table, key) => this.get(table, key, snapshot),
        getMany: (table, keys) => this.getMany(table, keys, snapshot),
      })
    } finally {
      await snapshot.close()
    }
  }

  /**
   * Runs `work` with no other transaction at the same time, then writes all that it put and deleted in one batch,
   * synced to disk. When `work` throws nothing is written.
   */
  transact<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.#exclusively(() => this.#commit(work))
  }

  /** Every record of a table in key order, opened one by one, as the table stood when the iteration began. */
  async *entries<Key, Value>(table: Table<Key, Value>): AsyncGenerator<[Key, Value]> {
    const iterator = this.#level.iterator(rangeOf(table))
    try {
      for (;;) {
        const step = await this.#translated(() => iterator.nextv(ENTRIES_PER_STEP))
        if (step.length === 0) return
        for (const [bytes, sealed] of step) {
          const key = table.decodeKey(bytes)
          yield [key, this.open(table, key, bytes, sealed)]
        }
      }
    } finally {
      await iterator.close()
    }
  }

  /** Every key of a table in order, from `from` on if given; the records behind them are not opened. */
  async *keys<Key>(table: Table<Key, unknown>, from?: Key): AsyncGenerator<Key> {
    const range = rangeOf(table)
    const iterator = this.#level.keys(from === undefined ? range : { ...range, gte: table.encodeKey(from) })
    try {
      for (;;) {
        const step = await this.#translated(() => iterator.nextv(ENTRIES_PER_STEP))
        if (step.length === 0) return
        for (const bytes of step) yield table.decodeKey(bytes)
      }
    } finally {
      await iterator.close()
    }
  }

  /** Deletes every record of the seat; one that is cut short is ended when the folder is opened again. */
  eraseSeat(): Promise<void> {
    return this.#exclusively(async () => {
      await this.#commit((transaction) => transaction.put(ERASING, undefined, true))
      await this.#translated(() => this.#level.clear({ gte: Uint8Array.of(FIRST_SEAT_PREFIX) }))
      await this.#commit((transaction) => transaction.delete(ERASING, undefined))
    })
  }

  /** Waits for the transaction at work, then gives the folder free. Safe to call twice. */
  close(): Promise<void> {
    return this.#exclusively(() => this.#level.close())
  }

  /** The sealed values of records by their encoded keys. */
  sealed(names: Uint8Array[], snapshot?: Snapshot): Promise<(Uint8Array | undefined)[]> {
    return this.#translated(() => this.#level.getMany(names, { snapshot }))
  }

  /**
   * Opens a record's sealed value; `name` is its encoded key.
   *
   * @throws SlotmeshError `store/tampered`.
   */
  open<Key, Value>(table: Table<Key, Value>, key: Key, name: Uint8Array, sealed: Uint8Array): Value {
    const value = this.#sealer.open(name, sealed)
    if (value === undefined) throw tamperedError(this.#folder, table.describe(key))
    return table.decode(value)
  }

  /** The error for a record that is missing or wrong although another record vouches for it. */
  tampered<Key>(table: Table<Key, unknown>, key: Key): SlotmeshError {
    return tamperedError(this.#folder, table.describe(key))
  }

  async #commit<Result>(work: (transaction: Transaction) => Promise<Result> | Result): Promise<Result> {
    const transaction = new Transaction(this, this.#sealer)
    const result = await work(transaction)
    const operations = transaction.operations()
    if (operations.length > 0) await this.#translated(() => this.#level.batch(operations, { sync: true }))
    return result
  }

  #exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#writing.then(work)
    // Only the order matters to the next in line; the caller has the failure.
    this.#writing = result.catch(() => undefined)
    return result
  }

  async #translated<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (thrown) {
      throw translate(this.#folder, thrown)
    }
  }
}

/** What one writer wants to change: reads see its own puts and deletes. Values are held sealed until written. */
export class Transaction implements Reads {
  readonly #database: SealedDatabase
  readonly #sealer: Sealer
  /** Every record read or changed so far, by its name in hex. */
  readonly #records = new Map<string, { name: Uint8Array; sealed: Uint8Array | undefined; isChanged: boolean }>()

  constructor(database: SealedDatabase, sealer: Sealer) {
    this.#database = database
    this.#sealer = sealer
  }

  /** Reads records in one go that will be asked for one by one. */
  async preload<Key>(table: Table<Key, unknown>, keys: readonly Key[]): Promise<void> {
    const names = keys.map((key) => table.encodeKey(key)).filter((name) => !this.#records.has(toHex(name)))
    if (names.length === 0) return
    const found = await this.#database.sealed(names)
    for (const [at, name] of names.entries()) {
      this.#records.set(toHex(name), { name, sealed: found[at], isChanged: false })
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
    this.#records.set(toHex(name), { name, sealed: this.#sealer.seal(name, plain), isChanged: true })
    zero(plain)
  }

  delete<Key>(table: Table<Key, unknown>, key: Key): void {
    const name = table.encodeKey(key)
    this.#records.set(toHex(name), { name, sealed: undefined, isChanged: true })
  }

  operations(): ({ type: 'put'; key: Uint8Array; value: Uint8Array } | { type: 'del'; key: Uint8Array })[] {
    return [...this.#records.values()]
      .filter(({ isChanged }) => isChanged)
      .map(({ name, sealed }) =>
        sealed === undefined ? { type: 'del', key: name } : { type: 'put', key: name, value: sealed },
      )
  }
}

function rangeOf(table: { readonly prefix: number }): { gte: Uint8Array; lt: Uint8Array } {
  return { gte: Uint8Array.of(table.prefix), lt: Uint8Array.of(table.prefix + 1) }
}

/**
 * The random id under which this folder's records are sealed; made when the folder is new. The header that holds it
 * is the one record sealed without it.
 */
async function storeId(level: LevelDatabase, folder: string, sealingKey: Uint8Array): Promise<Uint8Array> {
  const sealer = new Sealer(sealingKey, new Uint8Array(STORE_ID_BYTES))
  const copies = ([0, 1] as const).map((copy) => HEADERS.encodeKey(copy))
  const sealed: (Uint8Array | undefined)[] = await level.getMany(copies)
  const ids = copies.map((key, at) => sealed[at] && sealer.open(key, sealed[at]))
  const id = ids.find((opened) => opened !== undefined)
  if (id !== undefined) {
    for (const copy of [0, 1] as const) {
      if (ids[copy] === undefined) throw tamperedError(folder, HEADERS.describe(copy))
    }
    return id
  }
  if (sealed.some((copy) => copy !== undefined)) {
    throw new SlotmeshError(
      'store/wrong-key',
      `The store in ${folder} was sealed under another key (another machine, enclave measurement or passphrase): start it where it was made, or choose an empty folder.`,
    )
  }
  const [anyKey] = await level.keys({ limit: 1 }).all()
  if (anyKey !== undefined) throw unreadableError(folder, 'its header is missing')
  const made = new Uint8Array(randomBytes(STORE_ID_BYTES))
  const operations = copies.map((key) => ({ type: 'put' as const, key, value: sealer.seal(key, made) }))
  await level.batch(operations, { sync: true })
  return made
}

function tamperedError(folder: string, record: string): SlotmeshError {
  return new SlotmeshError(
    'store/tampered',
    `The record ${record} of the store in ${folder} is not what this node sealed there: the folder was altered from outside or is damaged; restore it, or begin with an empty folder.`,
  )
}

function unreadableError(folder: string, what: string, cause?: unknown): SlotmeshError {
  return new SlotmeshError(
    'store/unreadable',
    `The store in ${folder} cannot be read (${what}): check the disk and the folder's permissions, restore the folder from a copy, or begin with an empty one.`,
    { cause },
  )
}

function openError(folder: string, thrown: unknown): SlotmeshError {
  const cause = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown
  if (codeOf(cause) === 'LEVEL_LOCKED') {
    return new SlotmeshError(
      'store/locked',
      `The folder ${folder} is in use by another node: stop that node, or choose another folder.`,
      { cause },
    )
  }
  return unreadableError(folder, messageOf(cause), cause)
}

/** What a person can act on, in place of the database's own errors; anything else passes unchanged. */
function translate(folder: string, thrown: unknown): unknown {
  const code = codeOf(thrown)
  if (thrown instanceof SlotmeshError || !code?.startsWith('LEVEL_')) return thrown
  if (code === 'LEVEL_DATABASE_NOT_OPEN' || code === 'LEVEL_ITERATOR_NOT_OPEN') {
    return new SlotmeshError('store/closed', `The store in ${folder} is closed; open it again to use it.`, {
      cause: thrown,
    })
  }
  return unreadableError(folder, messageOf(thrown), thrown)
}

function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : undefined
}
