import { randomBytes } from 'node:crypto'
import { Level } from 'level'
import { equalBytes, toHex, zero } from '../crypto/index.js'
import { messageOf, SlotmeshError } from '../domain/index.js'
import { forgetRepair, isRepairable, repair, wasRepaired } from './damage.js'
import { holdsStore } from './folder.js'
import { lockedError } from './folder-lock.js'
import { idOfCopies } from './header.js'
import { EMPTY_MANIFEST, type Manifest, ManifestSum } from './manifest.js'
import {
  ALTERED,
  ERASING,
  FIRST_SEAT_PREFIX,
  HEADERS,
  IDENTITY,
  MANIFEST,
  SEAT_TIME,
  SECRETS,
  type Table,
} from './records.js'
import { SEALING_KEY_BYTES, SEAT_TIME_BYTES, Sealer, STORE_ID_BYTES } from './sealing.js'

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

/** What is copied in one write. */
const [RECORDS_PER_COPY, BYTES_PER_COPY] = [4_096, 4_194_304]

/** The folder on disk: a `level` database in which every value is sealed to its key. */
export class SealedDatabase implements Reads {
  readonly #level: LevelDatabase
  readonly #folder: string
  readonly #sealer: Sealer
  #manifest: Manifest = EMPTY_MANIFEST
  #wasAltered = false
  #dropped = 0
  #writing: Promise<unknown> = Promise.resolve()

  private constructor(level: LevelDatabase, folder: string, sealer: Sealer) {
    this.#level = level
    this.#folder = folder
    this.#sealer = sealer
  }

  /**
   * @param options.mayCreate false when there was a store: where it is gone, none is made in its place.
   * @throws RangeError when the sealing key is not 32 bytes.
   * @throws SlotmeshError `store/locked`, `store/unreadable`, `store/wrong-key`, `store/tampered`.
   */
  static async open(folder: string, sealingKey: Uint8Array, { mayCreate = true } = {}): Promise<SealedDatabase> {
    if (sealingKey.length !== SEALING_KEY_BYTES) throw new RangeError(`A sealing key has ${SEALING_KEY_BYTES} bytes.`)
    const database = await SealedDatabase.#openRepaired(folder, sealingKey, mayCreate)
    try {
      if (await wasRepaired(folder)) {
        database.#wasAltered = true
        await database.transact(async (transaction) => transaction.put(ALTERED, undefined, true))
        await forgetRepair(folder)
      }
      return database
    } catch (thrown) {
      await database.close()
      throw thrown
    }
  }

  static async #openRepaired(folder: string, sealingKey: Uint8Array, mayCreate: boolean): Promise<SealedDatabase> {
    try {
      return await SealedDatabase.#open(folder, sealingKey, mayCreate)
    } catch (thrown) {
      if (!(await isRepairable(folder, thrown))) throw thrown
      await repair(folder).catch((cause) => {
        throw unreadableError(folder, messageOf(cause), thrown)
      })
      return SealedDatabase.#open(folder, sealingKey, false)
    }
  }

  static async #open(folder: string, sealingKey: Uint8Array, mayCreate: boolean): Promise<SealedDatabase> {
    const createIfMissing = mayCreate && !(await holdsStore(folder))
    // Sealed values do not compress.
    const options = { keyEncoding: 'view', valueEncoding: 'view', compression: false, createIfMissing }
    const level: LevelDatabase = new Level(folder, options)
    try {
      await level.open()
    } catch (thrown) {
      throw openError(folder, thrown)
    }
    try {
      const sealer = new Sealer(sealingKey, await storeId(level, folder, sealingKey, mayCreate))
      const database = new SealedDatabase(level, folder, sealer)
      sealer.seatTime = (await database.#keptSeatTime()) ?? sealer.seatTime
      database.#manifest = await database.#recount(await database.#keptSequence())
      if (await database.#isErasing()) await database.eraseSeat()
      else await database.#compare()
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

  /** How many writes there were since the folder was made. */
  get sequence(): number {
    return this.#manifest.sequence
  }

  /** Whether the folder was altered while nobody had it open. */
  get wasAltered(): boolean {
    return this.#wasAltered
  }

  /** Of a folder that was altered: the records that could not be read, and are gone now. */
  get dropped(): number {
    return this.#dropped
  }

  /** Deletes every record of the seat; one that is cut short is ended when the folder is opened again. */
  eraseSeat(): Promise<void> {
    return this.#exclusively(async () => {
      await this.#commit((transaction) => transaction.put(ERASING, undefined, true))
      await this.#translated(() => this.#level.clear({ gte: Uint8Array.of(FIRST_SEAT_PREFIX) }))
      this.#manifest = await this.#recount(this.#manifest.sequence)
      const seatTime = new Uint8Array(randomBytes(SEAT_TIME_BYTES))
      await this.#commit((transaction) => {
        transaction.delete(ERASING, undefined)
        transaction.put(SEAT_TIME, undefined, seatTime)
      })
      this.#sealer.seatTime = seatTime
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

  /**
   * Copies every record into another database, sealed anew there; the number of writes goes on from here.
   *
   * @param target new and empty.
   */
  async copyTo(target: SealedDatabase, signal: AbortSignal): Promise<void> {
    target.#manifest = { ...target.#manifest, sequence: this.#manifest.sequence }
    target.#sealer.seatTime = this.#sealer.seatTime
    let batch: Change[] = []
    let bytes = 0
    for await (const [name, sealed] of this.#records()) {
      signal.throwIfAborted()
      const value = this.#sealer.open(name, sealed)
      if (value === undefined) throw tamperedError(this.#folder, Buffer.from(name).toString('hex'))
      batch.push({ name, before: undefined, after: target.#sealer.seal(name, value) })
      zero(value)
      bytes += sealed.length
      if (batch.length >= RECORDS_PER_COPY || bytes >= BYTES_PER_COPY) {
        await target.#write(batch)
        batch = []
        bytes = 0
      }
    }
    if (batch.length > 0) await target.#write(batch)
    if (target.#manifest.count !== this.#manifest.count) {
      throw unreadableError(this.#folder, `${this.#manifest.count} records became ${target.#manifest.count}`)
    }
  }

  /** The error for a record that is missing or wrong although another record vouches for it. */
  tampered<Key>(table: Table<Key, unknown>, key: Key): SlotmeshError {
    return tamperedError(this.#folder, table.describe(key))
  }

  async #commit<Result>(work: (transaction: Transaction) => Promise<Result> | Result): Promise<Result> {
    const transaction = new Transaction(this, this.#sealer)
    const result = await work(transaction)
    const changes = await transaction.changes()
    if (changes.length > 0) await this.#write(changes)
    return result
  }

  /** Changes and the manifest after them, in one batch. */
  async #write(changes: readonly Change[]): Promise<void> {
    const sum = new ManifestSum(this.#manifest)
    for (const { name, before, after } of changes) {
      if (before !== undefined) sum.take(this.#sealer.fingerprint(name, before))
      if (after !== undefined) sum.add(this.#sealer.fingerprint(name, after))
    }
    const manifest = sum.manifest(this.#manifest.sequence + 1)
    const name = MANIFEST.encodeKey(undefined)
    const operations: Operation[] = changes.map(({ name: key, after: value }) =>
      value === undefined ? { type: 'del', key } : { type: 'put', key, value },
    )
    operations.push({ type: 'put', key: name, value: this.#sealer.seal(name, MANIFEST.encode(manifest)) })
    await this.#translated(() => this.#level.batch(operations, { sync: true }))
    this.#manifest = manifest
  }

  /** Compares the folder with its manifest, and mends what the host has altered as far as that goes. */
  async #compare(): Promise<void> {
    const kept = await this.#keptManifest()
    const found = this.#manifest
    const isNew = kept === undefined && found.count === 0
    if (isNew || (kept !== undefined && kept.count === found.count && equalBytes(kept.sum, found.sum))) return
    const wrong: Change[] = []
    for await (const [name, sealed] of this.#records()) {
      const value = this.#sealer.open(name, sealed)
      if (value === undefined) wrong.push({ name, before: sealed, after: undefined })
      else zero(value)
    }
    // Nobody else has them: without them this would be another enclave.
    const lost = wrong.find(({ name }) => isSecretName(name))
    if (lost !== undefined) throw tamperedError(this.#folder, SECRETS.describe(SECRETS.decodeKey(lost.name)))
    this.#wasAltered = true
    this.#dropped = wrong.length
    const flag = ALTERED.encodeKey(undefined)
    const [before] = await this.sealed([flag])
    await this.#write([
      ...wrong.filter(({ name }) => !equalBytes(name, flag)),
      { name: flag, before, after: this.#sealer.seal(flag, ALTERED.encode(true)) },
    ])
    // Without it nobody can say whose the rest is.
    if ((await this.get(IDENTITY, undefined)) === undefined) await this.eraseSeat()
  }

  /** What all records but the headers and the manifest come to. */
  async #recount(sequence: number): Promise<Manifest> {
    const sum = new ManifestSum()
    for await (const [name, sealed] of this.#records()) sum.add(this.#sealer.fingerprint(name, sealed))
    return sum.manifest(sequence)
  }

  async *#records(): AsyncGenerator<[name: Uint8Array, sealed: Uint8Array]> {
    const iterator = this.#level.iterator({ gt: Uint8Array.of(HEADERS.prefix, 0xff) })
    try {
      for (;;) {
        const step = await this.#translated(() => iterator.nextv(ENTRIES_PER_STEP))
        if (step.length === 0) return
        for (const [name, sealed] of step) if (name[0] !== MANIFEST.prefix) yield [name, sealed]
      }
    } finally {
      await iterator.close()
    }
  }

  /** Undefined when there is none that this enclave sealed. */
  async #keptManifest(): Promise<Manifest | undefined> {
    const name = MANIFEST.encodeKey(undefined)
    const [sealed] = await this.sealed([name])
    const value = sealed && this.#sealer.open(name, sealed)
    return value && MANIFEST.decode(value)
  }

  async #keptSequence(): Promise<number> {
    return (await this.#keptManifest())?.sequence ?? 0
  }

  /** Without it nothing of the seat opens, which shows by the manifest. */
  async #keptSeatTime(): Promise<Uint8Array | undefined> {
    const name = SEAT_TIME.encodeKey(undefined)
    const [sealed] = await this.sealed([name])
    return sealed && this.#sealer.open(name, sealed)
  }

  /** A mark that does not open is none, and shows by the manifest. */
  async #isErasing(): Promise<boolean> {
    const name = ERASING.encodeKey(undefined)
    const [sealed] = await this.sealed([name])
    return sealed !== undefined && this.#sealer.open(name, sealed) !== undefined
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
  readonly #records = new Map<string, RecordState>()

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
    this.#change(name, this.#sealer.seal(name, plain))
    zero(plain)
  }

  delete<Key>(table: Table<Key, unknown>, key: Key): void {
    this.#change(table.encodeKey(key), undefined)
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
interface Change {
  readonly name: Uint8Array
  readonly before: Uint8Array | undefined
  readonly after: Uint8Array | undefined
}

type Operation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

function isSecretName(name: Uint8Array): boolean {
  return (['account-seed', 'peer-key-seed'] as const).some((secret) => equalBytes(SECRETS.encodeKey(secret), name))
}

function rangeOf(table: { readonly prefix: number }): { gte: Uint8Array; lt: Uint8Array } {
  return { gte: Uint8Array.of(table.prefix), lt: Uint8Array.of(table.prefix + 1) }
}

/**
 * The random id under which this folder's records are sealed; made when the folder is new. The header that holds it
 * is the one record sealed without it.
 */
async function storeId(
  level: LevelDatabase,
  folder: string,
  sealingKey: Uint8Array,
  mayCreate: boolean,
): Promise<Uint8Array> {
  const sealer = new Sealer(sealingKey, new Uint8Array(STORE_ID_BYTES))
  const copies = ([0, 1] as const).map((copy) => HEADERS.encodeKey(copy))
  const sealed: (Uint8Array | undefined)[] = await level.getMany(copies)
  const ids = copies.map((key, at) => sealed[at] && sealer.open(key, sealed[at]))
  if (ids.some((opened) => opened !== undefined)) {
    const id = await idOfCopies(level, sealingKey, sealer, ids)
    if (id === undefined) throw tamperedError(folder, HEADERS.describe(0))
    return id
  }
  if (sealed.some((copy) => copy !== undefined)) {
    throw new SlotmeshError(
      'store/wrong-key',
      `The store in ${folder} was sealed under another key (another machine, enclave measurement or passphrase): start it where it was made, or choose an empty folder.`,
    )
  }
  const [anyKey] = await level.keys({ limit: 1 }).all()
  if (anyKey !== undefined || !mayCreate) throw unreadableError(folder, 'its header is missing')
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
  if (codeOf(cause) === 'LEVEL_LOCKED') return lockedError(folder, cause)
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
