import { randomBytes } from 'node:crypto'
import { Level } from 'level'
import { equalBytes, zero } from '../crypto/index.js'
import { messageOf, SlotmeshError } from '../domain/index.js'
import { asideOf } from './aside.js'
import { copyFiles } from './backup.js'
import { forgetCreation, isBare } from './creation.js'
import { finishRepair, forgetRepair, isDamaged, isRepairable, mendingOf, repair } from './damage.js'
import { holdsStore, isErrno, placeOf } from './folder.js'
import { claim, lockedError, reasonOf, requireFree } from './folder-lock.js'
import { Freshness, type Reading } from './freshness.js'
import { HEADER_NAMES, headerSealer, idOfCopies, mendHeader } from './header.js'
import { LEVELDB_OPTIONS } from './leveldb-options.js'
import { LARGEST_NAME_BYTES, LARGEST_VALUE_BYTES, LARGEST_WRITE_BYTES } from './limits.js'
import { EMPTY_MANIFEST, type Manifest, ManifestSum, PARTS, type Part, type PartSum } from './manifest.js'
import { decodePage, OpenPages } from './page.js'
import { RecentRecords } from './recent-records.js'
import {
  ALTERED,
  describeName,
  ERASING,
  FORMER_HEADERS,
  HEADER,
  HEADER_COPY,
  IDENTITY,
  IDENTITY_COPY,
  isPaged,
  MANIFEST,
  PAYLOADS,
  type PagedTable,
  type Pages,
  partOf,
  type RecordTable,
  SEAT_RECORDS,
  SEAT_TIME,
  SEAT_TIME_COPY,
  SECRETS,
  SECRETS_COPY,
  type Table,
  VOUCHED_FOR,
  WATERMARK,
} from './records.js'
import { SEALING_KEY_BYTES, SEAT_TIME_BYTES, Sealer, STORE_ID_BYTES } from './sealing.js'
import { type Change, type Reads, Transaction } from './transaction.js'
import type { SecretName } from './types.js'
import { Watermark } from './watermark.js'

type LevelDatabase = Level<Uint8Array, Uint8Array>

/** A snapshot of the database, and what it may show. */
interface View {
  readonly snapshot: ReturnType<LevelDatabase['snapshot']>
  readonly reading: Reading
  readonly pages: OpenPages
}

/** Entries that an iterator takes from the database at once. */
const ENTRIES_PER_STEP = 256

/** What is copied in one write. */
const [RECORDS_PER_COPY, BYTES_PER_COPY] = [4_096, 4_194_304]

/**
 * The folder on disk: a `level` database in which every value is sealed to its key. The database and its files are the
 * host's: nothing that it shows is believed before `open` has opened it and `Freshness` knows it for the newest.
 */
export class SealedDatabase implements Reads {
  /** Where the folder that a re-sealing has replaced still stands. */
  replaced: string | undefined
  /** Where the files of a damaged database stand that this one was made from. */
  damaged: string | undefined
  readonly #level: LevelDatabase
  readonly #folder: string
  readonly #sealer: Sealer
  readonly #freshness: Freshness
  readonly #recent = new RecentRecords()
  readonly #watermark: Watermark
  #manifest: Manifest = EMPTY_MANIFEST
  #dropped = 0
  #isClosed = false
  #release: () => void = () => undefined
  readonly #failed = new AbortController()
  #writing: Promise<unknown> = Promise.resolve()

  private constructor(level: LevelDatabase, folder: string, sealer: Sealer, watermark: Watermark) {
    this.#level = level
    this.#folder = folder
    this.#sealer = sealer
    this.#watermark = watermark
    this.#freshness = new Freshness((name) => sealer.nameHash(name))
  }

  /**
   * @param options.mayCreate false when there was a store: where it is gone, none is made in its place.
   * @param options.onAltered is waited for when the folder turns out to be altered, before anything of it is mended.
   * @throws RangeError when the sealing key is not 32 bytes.
   * @throws SlotmeshError `store/locked`, `store/unreadable`, `store/older-format`, `store/wrong-key`,
   * `store/tampered`.
   */
  static async open(
    folder: string,
    sealingKey: Uint8Array,
    { mayCreate = true, onAltered = async () => undefined }: Opening = {},
  ): Promise<SealedDatabase> {
    if (sealingKey.length !== SEALING_KEY_BYTES) throw new RangeError(`A sealing key has ${SEALING_KEY_BYTES} bytes.`)
    const release = claim(await placeOf(folder))
    let database: SealedDatabase
    try {
      await finishRepair(folder)
      database = await SealedDatabase.#openRepaired(folder, sealingKey, { mayCreate, onAltered })
    } catch (thrown) {
      release()
      // An encrypted mount answers so for a file that does not verify; the last is a folder in the place of a file.
      throw isErrno(thrown, 'EACCES', 'EPERM', 'EIO', 'EISDIR')
        ? unreadableError(folder, messageOf(thrown), thrown)
        : thrown
    }
    database.#release = release
    try {
      const mending = await mendingOf(folder)
      if (mending !== undefined) {
        await database.transact(async (transaction) => {
          const former = await transaction.get(ALTERED, undefined)
          // The newest pending share may have been in what is gone.
          const pendingIsDoubtful = !mending.isLegible || (former?.pendingIsDoubtful ?? false)
          transaction.put(ALTERED, undefined, { pendingIsDoubtful })
        })
        await forgetRepair(folder)
      }
      database.damaged = await asideOf(folder)
      return database
    } catch (thrown) {
      await database.close()
      throw thrown
    }
  }

  static async #openRepaired(
    folder: string,
    sealingKey: Uint8Array,
    opening: Required<Opening>,
  ): Promise<SealedDatabase> {
    try {
      return await SealedDatabase.#open(folder, sealingKey, opening)
    } catch (thrown) {
      const isLegible = thrown instanceof AlteredError
      const isKnown = isLegible || thrown instanceof DamagedError
      if (!isKnown && !(await isRepairable(folder, thrown))) throw thrown
      await opening.onAltered()
      await repair(folder, isLegible).catch((cause) => {
        throw unreadableError(folder, messageOf(reasonOf(cause)), thrown)
      })
      return SealedDatabase.#open(folder, sealingKey, { ...opening, mayCreate: false })
    }
  }

  static async #open(folder: string, sealingKey: Uint8Array, opening: Required<Opening>): Promise<SealedDatabase> {
    const { mayCreate, onAltered } = opening
    // Of one in which something was written none is made anew, whatever the database shows of it.
    const mayBegin = mayCreate && (await isBare(folder))
    if (mayBegin && (await holdsStore(folder))) {
      await requireFree(folder)
      await forgetCreation(folder)
    }
    const createIfMissing = mayBegin
    await requireIntact(folder)
    const level: LevelDatabase = new Level(folder, { ...LEVELDB_OPTIONS, createIfMissing })
    try {
      await level.open()
    } catch (thrown) {
      throw openError(folder, thrown)
    }
    let sealer: Sealer | undefined
    try {
      const id = await storeId(level, folder, sealingKey, mayBegin)
      sealer = new Sealer(sealingKey, id)
      const database = new SealedDatabase(level, folder, sealer, await Watermark.read(folder, sealer))
      await database.#takeOver(onAltered)
      // Before, nothing is written to what is perhaps damaged.
      await mendHeader(level, sealingKey, id)
      await database.#watermark.set(database.sequence).catch((thrown) => {
        throw unreadableError(folder, messageOf(thrown), thrown)
      })
      return database
    } catch (thrown) {
      await level.close()
      sealer?.clear()
      throw translate(folder, thrown)
    }
  }

  async get<Key, Value>(table: Table<Key, Value>, key: Key, view?: View): Promise<Value | undefined> {
    const [value] = await this.getMany(table, [key], view)
    return value
  }

  async getMany<Key, Value>(
    table: Table<Key, Value>,
    keys: readonly Key[],
    view?: View,
  ): Promise<(Value | undefined)[]> {
    if (isPaged(table)) return this.#getManyOfPages(table, keys, view)
    const names = keys.map((key) => table.encodeKey(key))
    const found = await this.sealed(names, view)
    return keys.map((key, at) => {
      const [name, sealed] = [names[at], found[at]]
      return name && sealed && this.open(table, key, name, sealed)
    })
  }

  async #getManyOfPages<Key, Value>(
    table: PagedTable<Key, Value>,
    keys: readonly Key[],
    view?: View,
  ): Promise<(Value | undefined)[]> {
    const pages = view?.pages ?? new OpenPages()
    pages.use()
    try {
      const missing = new Map<string | number, Uint8Array>()
      for (const key of keys) {
        const id = table.pageOf(key)
        if (!pages.has(table, id) && !missing.has(id)) missing.set(id, table.encodePage(key))
      }
      const names = [...missing.values()]
      const found = names.length === 0 ? [] : await this.sealed(names, view)
      for (const [at, [id, name]] of [...missing].entries()) {
        const sealed = found[at]
        pages.add(table, id, sealed && this.openPage(table, name, sealed))
      }
      return keys.map((key) => {
        const value = pages.get(table, table.pageOf(key))?.get(table.entryOf(key))
        return value && table.decode(value)
      })
    } finally {
      pages.release()
      if (view === undefined) pages.clear()
    }
  }

  /** Runs `work` on one unchanging state of the database. */
  async snapshot<Result>(work: (reads: Reads) => Promise<Result>): Promise<Result> {
    const snapshot = await this.#translated(async () => this.#level.snapshot())
    const view = { snapshot, reading: this.#freshness.read(), pages: new OpenPages() }
    try {
      return await work({
        get: (table, key) => this.get(table, key, view),
        getMany: (table, keys) => this.getMany(table, keys, view),
      })
    } finally {
      view.reading.end()
      view.pages.clear()
      await snapshot.close()
    }
  }

  /**
   * Runs `work` with no other transaction at the same time, then writes all that it put and deleted in one batch,
   * synced to disk. When `work` throws nothing is written.
   *
   * @param written is called as soon as reads show what was written, which is before it is acknowledged.
   */
  transact<Result>(
    work: (transaction: Transaction) => Promise<Result>,
    written?: (result: Result) => void,
  ): Promise<Result> {
    return this.#exclusively(() => this.#commit(work, written))
  }

  /** Every value of a table in key order, opened one by one, as the table stood when the iteration began. */
  async *entries<Key, Value>(table: Table<Key, Value>): AsyncGenerator<[Key, Value]> {
    if (isPaged(table)) {
      for await (const { name, values } of this.#pages(table)) {
        for (const [entry, value] of values) yield [table.decodeKey(name, entry), table.decode(value)]
      }
      return
    }
    const options = { values: true, isWhole: true }
    for await (const [name, sealed] of this.#fresh(table.prefix, rangeOf(table), options)) {
      const key = table.decodeKey(name)
      yield [key, this.open(table, key, name, sealed)]
    }
  }

  /** Every key of a table in order, from `from` on if given; records are not opened for it, but pages are. */
  async *keys<Key>(table: Table<Key, unknown>, from?: Key): AsyncGenerator<Key> {
    if (isPaged(table)) {
      for await (const keys of this.keysOfPages(table, from)) yield* keys
      return
    }
    const range = from === undefined ? rangeOf(table) : { ...rangeOf(table), gte: table.encodeKey(from) }
    const options = { values: false, isWhole: from === undefined }
    for await (const [name] of this.#fresh(table.prefix, range, options)) yield table.decodeKey(name)
  }

  /** As `keys`, page by page. */
  async *keysOfPages<Key>(table: PagedTable<Key, unknown>, from?: Key): AsyncGenerator<Key[]> {
    for await (const { name, values } of this.#pages(table, from)) {
      yield [...values.keys()].map((entry) => table.decodeKey(name, entry))
    }
  }

  /** As `entries`, page by page from `from` on if given, each page as it is when it is its turn. */
  async *newestEntries<Key, Value>(
    table: PagedTable<Key, Value>,
    { from, skips = () => false }: { readonly from?: Key | undefined; readonly skips?: (key: Key) => boolean },
  ): AsyncGenerator<[Key, Value][]> {
    for await (const { name, values } of this.#pages(table, from, { newest: true })) {
      const entries: [Key, Value][] = []
      for (const [entry, value] of values) {
        const key = table.decodeKey(name, entry)
        if (!skips(key)) entries.push([key, table.decode(value)])
      }
      yield entries
    }
  }

  /** Each page of a table as it was when the iteration began; its values are zeroed when the next one is asked for. */
  async *#pages<Key>(table: PagedTable<Key, unknown>, from?: Key, { newest = false } = {}): AsyncGenerator<OpenedPage> {
    const first = from === undefined ? undefined : { page: table.encodePage(from), entry: table.entryOf(from) }
    const range = first === undefined ? rangeOf(table) : { ...rangeOf(table), gte: first.page }
    const options = { values: true, isWhole: first === undefined }
    for await (const [name, shown] of this.#fresh(table.prefix, range, options)) {
      // What was overwritten may be of a former time in the seat, and open no more.
      const isWanted = !newest || this.#freshness.isNewest(name, shown)
      const sealed = isWanted ? shown : (await this.sealed([name]))[0]
      if (sealed === undefined) continue
      const plain = this.openPage(table, name, sealed)
      try {
        const values = decodePage(plain)
        if (first !== undefined && equalBytes(name, first.page)) {
          for (const entry of values.keys()) if (entry < first.entry) values.delete(entry)
        }
        yield { name, values }
      } finally {
        zero(plain)
      }
    }
  }

  /** Whether a table is known to have no record at all. */
  isEmpty(prefix: number): boolean {
    return this.#freshness.isEmpty(prefix)
  }

  /** How many writes there were since the folder was made. */
  get sequence(): number {
    return this.#manifest.sequence
  }

  /** Of a folder that was altered: the records that could not be read, and are gone now. */
  get dropped(): number {
    return this.#dropped
  }

  /**
   * Aborts when a write has failed, with the error as its reason. What the disk has of that write nobody can say, and
   * LevelDB goes on behind it in the same journal, where no later start would find what it writes: so nothing is read or
   * written any more before the folder is opened anew, which begins a new journal.
   */
  get failed(): AbortSignal {
    return this.#failed.signal
  }

  putSecret(name: SecretName, value: Uint8Array): Promise<void> {
    return this.transact(async (transaction) => putSecret(transaction, name, value))
  }

  /** Deletes every record of the seat; one that is cut short is ended when the folder is opened again. */
  eraseSeat(): Promise<void> {
    return this.#exclusively(async () => {
      await this.#commit((transaction) => transaction.put(ERASING, undefined, this.#sealer.seatTime))
      await this.#clearSeat()
    })
  }

  /** Waits for the transaction at work, then gives the folder free. Safe to call twice. */
  close(): Promise<void> {
    return this.#exclusively(async () => {
      // What was acknowledged is there without it: it only shows when that is taken away.
      const isInUse = !this.#isClosed && !this.#failed.signal.aborted
      if (isInUse) await this.#watermark.set(this.sequence).catch(() => undefined)
      await this.#level.close()
      this.#isClosed = true
      this.#release()
      this.#sealer.clear()
    })
  }

  /**
   * The sealed values of records by their encoded keys.
   *
   * @throws SlotmeshError `store/tampered` where that is not the newest that this node has sealed.
   */
  async sealed(names: Uint8Array[], view?: View): Promise<(Uint8Array | undefined)[]> {
    this.#failed.signal.throwIfAborted()
    if (this.#isClosed) throw closedError(this.#folder)
    const reading = view?.reading ?? this.#freshness.read()
    try {
      const found: (Uint8Array | undefined)[] = []
      const asked: { readonly at: number; readonly name: Uint8Array }[] = []
      for (const [at, name] of names.entries()) {
        // Of what there is none nothing else would be believed.
        if (!reading.isThere(name)) continue
        found[at] = view === undefined ? this.#recent.get(name) : undefined
        if (found[at] === undefined) asked.push({ at, name })
      }
      if (asked.length > 0) {
        const shown = await this.#shownMany(
          asked.map(({ name }) => name),
          view,
        )
        for (const [turn, { at }] of asked.entries()) found[at] = shown[turn]
      }
      return names.map((name, at) => {
        const sealed = found[at]
        if (!reading.isFresh(name, sealed)) throw this.#stale(describeName(name))
        return sealed
      })
    } finally {
      if (view === undefined) reading.end()
    }
  }

  /**
   * Opens a record's sealed value; `name` is its encoded key.
   *
   * @throws SlotmeshError `store/tampered`.
   */
  open<Key, Value>(table: RecordTable<Key, Value>, key: Key, name: Uint8Array, sealed: Uint8Array): Value {
    const value = this.#sealer.open(name, sealed)
    if (value === undefined) throw tamperedError(this.#folder, table.describe(key))
    return table.decode(value)
  }

  /** As `open`, of a page; for the caller to zero. */
  openPage(table: Pages, name: Uint8Array, sealed: Uint8Array): Uint8Array {
    const plain = this.#sealer.open(name, sealed)
    if (plain === undefined) throw tamperedError(this.#folder, table.describePage(name))
    return plain
  }

  /**
   * Copies every record into another database, sealed anew there; the number of writes goes on from here. Before the last
   * of what it writes is there the copy has no manifest that its records agree with: wherever it ends, it shows as altered.
   *
   * @param target new and empty.
   */
  async copyTo(target: SealedDatabase, signal: AbortSignal): Promise<void> {
    target.#sealer.seatTime = this.#sealer.seatTime
    const copied = new ManifestSum()
    let batch: Change[] = []
    let bytes = 0
    for await (const [name, sealed] of this.#records()) {
      signal.throwIfAborted()
      copied.add(partOf(name[0] ?? 0), this.#sealer.fingerprint(name, sealed))
      const value = this.#sealer.open(name, sealed)
      if (value === undefined) throw tamperedError(this.#folder, describeName(name))
      try {
        batch.push({ name, before: undefined, after: target.#sealer.seal(name, value) })
      } finally {
        zero(value)
      }
      bytes += sealed.length
      if (batch.length >= RECORDS_PER_COPY || bytes >= BYTES_PER_COPY) {
        await target.#writePart(batch)
        batch = []
        bytes = 0
      }
    }
    // What was shown when the folder was opened may not be what was shown now.
    if (!PARTS.every((part) => isSameSum(copied.manifest(0)[part], this.#manifest[part]))) {
      throw unreadableError(this.#folder, 'it was altered while it was copied')
    }
    // By its number the copy shows that it has all of them; as the first with a manifest it raises the mark to it.
    target.#manifest = { ...target.#manifest, sequence: this.#manifest.sequence }
    await target.#write(batch)
  }

  /** Copies its files as they are, while nothing is written. @throws as `copyFiles`. */
  copyFilesTo(folder: string, signal: AbortSignal): Promise<void> {
    return this.#exclusively(() => this.#translated(() => copyFiles(this.#folder, folder, signal)))
  }

  /** The error for a record that is missing or wrong although another record vouches for it. */
  tampered<Key>(table: Table<Key, unknown>, key: Key): SlotmeshError {
    return tamperedError(this.#folder, table.describe(key))
  }

  async #commit<Result>(
    work: (transaction: Transaction) => Promise<Result> | Result,
    written: (result: Result) => void = () => undefined,
  ): Promise<Result> {
    const transaction = new Transaction(this, this.#sealer)
    try {
      const result = await work(transaction)
      const changes = await transaction.changes()
      if (changes.length > 0) await this.#write(changes, () => written(result))
      else written(result)
      return result
    } finally {
      transaction.clear()
    }
  }

  /** Changes and the manifest after them, in one batch. */
  async #write(changes: readonly Change[], written: () => void = () => undefined): Promise<void> {
    const manifest = this.#manifestAfter(changes, this.#manifest.sequence + 1)
    await this.#batch(changes, [manifestOperation(this.#sealer, manifest)])
    this.#manifest = manifest
    written()
    const isVital = changes.some(({ name }) => partOf(name[0] ?? 0) !== 'seat')
    await this.#written(() => this.#watermark.written(manifest.sequence, isVital))
  }

  /** Changes without their manifest, which is to come with a later write. */
  async #writePart(changes: readonly Change[]): Promise<void> {
    const manifest = this.#manifestAfter(changes, this.#manifest.sequence)
    await this.#batch(changes, [])
    this.#manifest = manifest
  }

  #manifestAfter(changes: readonly Change[], sequence: number): Manifest {
    const sum = new ManifestSum(this.#manifest)
    for (const { name, before, after } of changes) {
      const part = partOf(name[0] ?? 0)
      if (before !== undefined) sum.take(part, this.#sealer.fingerprint(name, before))
      if (after !== undefined) sum.add(part, this.#sealer.fingerprint(name, after))
    }
    return sum.manifest(sequence)
  }

  async #batch(changes: readonly Change[], more: readonly Operation[]): Promise<void> {
    const operations: Operation[] = changes.map(({ name: key, after: value }) =>
      value === undefined ? { type: 'del', key } : { type: 'put', key, value },
    )
    requireWritable(operations)
    operations.push(...more)
    const ended = this.#freshness.write(changes)
    try {
      await this.#written(() => this.#level.batch(operations, { sync: true }))
    } catch (thrown) {
      ended(false)
      throw thrown
    }
    ended(true)
    // Payloads are not written again.
    for (const { name, after } of changes) if (name[0] !== PAYLOADS.prefix) this.#recent.written(name, after)
  }

  /** What `eraseSeat` does once its mark stands. */
  async #clearSeat(): Promise<void> {
    const ended = this.#freshness.eraseSeat()
    this.#recent.clear()
    try {
      await this.#written(() => this.#level.clear(SEAT_RECORDS))
      const [left] = await this.#translated(() => this.#level.keys({ ...SEAT_RECORDS, limit: 1 }).all())
      if (left !== undefined) throw unreadableError(this.#folder, 'it keeps what was erased')
    } finally {
      ended()
    }
    const { pending, seat } = EMPTY_MANIFEST
    this.#manifest = { ...this.#manifest, pending, seat }
    const seatTime = new Uint8Array(randomBytes(SEAT_TIME_BYTES))
    await this.#commit((transaction) => {
      transaction.delete(ERASING, undefined)
      putSeatTime(transaction, seatTime)
    })
    this.#sealer.seatTime = seatTime
  }

  /**
   * Takes a folder over from the host: what the database shows in order is what counts from here on. It is compared with
   * the manifest, and with what the database shows when it is asked for single records; where one or the other differs
   * the folder was altered.
   *
   * @throws AlteredError when it is to be copied before it is mended.
   */
  async #takeOver(onAltered: () => Promise<unknown>): Promise<void> {
    const manifest = await this.#shown(MANIFEST)
    this.#sealer.seatTime = await this.#seatTime()
    const { found, isHidden } = await this.#recount()
    // A count that began anew could be mistaken for one of before; no folder is written to as often as the clock ticks.
    const sequence = manifest?.sequence ?? Date.now()
    const isSetBack = this.#watermark.isAbove(sequence)
    this.#manifest = found.manifest(Math.max(sequence, this.#watermark.sequence))
    const ending = await this.#shown(ERASING)
    const isErasing = ending !== undefined && equalBytes(ending, this.#sealer.seatTime)
    // The rest is half gone then.
    const compared: readonly Part[] = isErasing ? ['lasting'] : PARTS
    const isOther = (part: Part) => manifest === undefined || !isSameSum(manifest[part], this.#manifest[part])
    // All that agrees with an older manifest may be older.
    const differ = isSetBack ? PARTS : compared.filter(isOther)
    const isAltered = isHidden || differ.length > 0
    // Behind one damaged name an iterator hides others, and of what it hides nothing may be left to be written to.
    const isCopied = (await mendingOf(this.#folder))?.isCopied ?? false
    if (isAltered && !isCopied) throw new AlteredError(this.#folder, 'it is not as it was left')
    const former = await this.#shown(ALTERED)
    const pendingIsDoubtful = differ.includes('pending') || (former?.pendingIsDoubtful ?? false)
    if (isAltered) await onAltered()
    if (isAltered || former !== undefined) await this.#mend({ isErasing, pendingIsDoubtful })
    if (isErasing) await this.#clearSeat()
  }

  /** As the record says, or its copy: the one under which the identity opens, if there is one. */
  async #seatTime(): Promise<Uint8Array> {
    const shown = [await this.#shown(SEAT_TIME), await this.#shown(SEAT_TIME_COPY)]
    const [first, second] = shown.filter((each) => each !== undefined)
    if (first === undefined) {
      const names = [SEAT_TIME, SEAT_TIME_COPY].map((table) => table.encodeKey(undefined))
      const sealed = await Promise.all(names.map((name) => this.#shownSealed(name)))
      // Under another one all that is of the seat would be let go.
      if (sealed.some((each) => each !== undefined)) throw tamperedError(this.#folder, SEAT_TIME.describe(undefined))
      return this.#sealer.seatTime
    }
    if (second === undefined || equalBytes(first, second)) return first
    this.#sealer.seatTime = second
    const identities = [await this.#shown(IDENTITY), await this.#shown(IDENTITY_COPY)]
    return identities.some((identity) => identity !== undefined) ? second : first
  }

  /** Lets go what does not open. */
  async #mend(state: { readonly isErasing: boolean; readonly pendingIsDoubtful: boolean }): Promise<void> {
    const { isErasing, pendingIsDoubtful } = state
    // It stands until the end, so that one who is interrupted begins again.
    const flag = ALTERED.encodeKey(undefined)
    const before = await this.#shownSealed(flag)
    await this.#write([{ name: flag, before, after: this.#sealer.seal(flag, ALTERED.encode({ pendingIsDoubtful })) }])
    let batch: Change[] = []
    for await (const step of this.#steps(COUNTED)) {
      for (const [name, sealed] of step) {
        if (equalBytes(name, flag)) continue
        const isStaleMark = (name[0] === ERASING.prefix && !isErasing) || name[0] === WATERMARK.prefix
        if (isStaleMark || !this.#opens(name, sealed)) {
          await this.#requireSecret(name)
          this.#dropped += 1
          batch.push({ name, before: sealed, after: undefined })
        }
      }
      if (batch.length > 0) await this.#write(batch)
      batch = []
    }
    await this.#mendSecrets()
    if (!isErasing) await this.#mendIdentity()
    const seatTimes = [await this.get(SEAT_TIME, undefined), await this.get(SEAT_TIME_COPY, undefined)]
    if (seatTimes.every((each) => each === undefined)) return
    await this.#commit((transaction) => putSeatTime(transaction, this.#sealer.seatTime))
  }

  /** Nobody else has a seed: without it this would be another enclave. @param name of a record that does not open. */
  async #requireSecret(name: Uint8Array): Promise<void> {
    for (const secret of SECRET_NAMES) {
      const names = [SECRETS, SECRETS_COPY].map((table) => table.encodeKey(secret))
      if (!names.some((each) => equalBytes(each, name))) continue
      const sealed = await Promise.all(names.map((each) => this.#shownSealed(each)))
      const isKept = names.some((each, at) => sealed[at] !== undefined && this.#opens(each, sealed[at]))
      if (!isKept) throw tamperedError(this.#folder, SECRETS.describe(secret))
    }
  }

  /** A seed of which one record is left is written twice again. */
  async #mendSecrets(): Promise<void> {
    for (const secret of SECRET_NAMES) {
      const [first, second] = [await this.get(SECRETS, secret), await this.get(SECRETS_COPY, secret)]
      const kept = first ?? second
      if (kept === undefined) continue
      try {
        if (first === undefined || second === undefined) await this.#commit((to) => putSecret(to, secret, kept))
      } finally {
        for (const value of [first, second]) if (value !== undefined) zero(value)
      }
    }
  }

  async #mendIdentity(): Promise<void> {
    if ((await this.get(IDENTITY, undefined)) !== undefined) return
    const copy = await this.get(IDENTITY_COPY, undefined)
    // Without it nobody can say whose the rest is.
    if (copy === undefined) await this.eraseSeat()
    else await this.#commit((transaction) => transaction.put(IDENTITY, undefined, copy))
  }

  /** What all records but the headers and the manifest come to; each is the newest from here on. */
  async #recount(): Promise<{ found: ManifestSum; isHidden: boolean }> {
    const found = new ManifestSum()
    let isHidden = false
    for await (const step of this.#steps(COUNTED)) {
      for (const [name, sealed] of step) {
        found.add(partOf(name[0] ?? 0), this.#sealer.fingerprint(name, sealed))
        this.#freshness.load(name, sealed)
      }
      const known = step.filter(([name]) => !VOUCHED_FOR.has(name[0] ?? 0))
      const shown = await this.#translated(() => this.#level.getMany(known.map(([name]) => name)))
      isHidden ||= known.some(([, sealed], at) => !isSameRecord(shown[at], sealed))
    }
    return { found, isHidden }
  }

  async *#records(): AsyncGenerator<Entry> {
    for await (const step of this.#steps(COUNTED)) yield* step
  }

  #shownMany(names: Uint8Array[], view: View | undefined): Promise<(Uint8Array | undefined)[]> {
    return this.#translated(() => this.#level.getMany(names, { snapshot: view?.snapshot }))
  }

  /** For what is not the newest; once the keys are gone nobody can say. */
  #stale(record: string): SlotmeshError {
    return this.#isClosed ? closedError(this.#folder) : tamperedError(this.#folder, record)
  }

  /** Of a range, what is the newest. @throws SlotmeshError `store/tampered`. */
  async *#fresh(prefix: number, range: Range, options: { values: boolean; isWhole: boolean }): AsyncGenerator<Entry> {
    const reading = this.#freshness.read()
    let count = 0
    try {
      for await (const step of this.#steps(range, options.values)) {
        for (const entry of step) {
          const isFresh = options.values ? reading.isFresh(...entry) : reading.isThere(entry[0])
          if (!isFresh) throw this.#stale(describeName(entry[0]))
          count += 1
          yield entry
        }
      }
      if (options.isWhole && !reading.isAll(prefix, count)) throw this.#stale(`table/${prefix}`)
    } finally {
      reading.end()
    }
  }

  /** Records as the database shows them in order, some hundred at a time; the manifest is left out. */
  async *#steps(range: Range, values = true): AsyncGenerator<Entry[]> {
    const iterator = this.#level.iterator({ ...range, values })
    let last: Uint8Array = new Uint8Array(0)
    try {
      for (;;) {
        const step = await this.#translated(() => iterator.nextv(ENTRIES_PER_STEP))
        if (step.length === 0) return
        for (const [name] of step) {
          if (Buffer.compare(last, name) >= 0) throw new AlteredError(this.#folder, 'its records are out of order')
          last = name
        }
        yield step.filter(([name]) => !equalBytes(name, MANIFEST_NAME))
      }
    } finally {
      await iterator.close()
    }
  }

  /** While the folder is taken over: undefined when there is none that this enclave sealed. */
  async #shown<Value>(table: RecordTable<undefined, Value>): Promise<Value | undefined> {
    const name = table.encodeKey(undefined)
    const sealed = await this.#shownSealed(name)
    const value = sealed && this.#sealer.open(name, sealed)
    return value && table.decode(value)
  }

  /** By an iterator, as all that is taken over. */
  async #shownSealed(name: Uint8Array): Promise<Uint8Array | undefined> {
    const [sealed] = await this.#translated(() => this.#level.values({ gte: name, lte: name }).all())
    return sealed
  }

  #opens(name: Uint8Array, sealed: Uint8Array): boolean {
    const value = this.#sealer.open(name, sealed)
    if (value !== undefined) zero(value)
    return value !== undefined
  }

  #exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#writing.then(work)
    // Only the order matters to the next in line; the caller has the failure.
    this.#writing = result.catch(() => undefined)
    return result
  }

  /** All that changes the database after it was opened. */
  async #written(work: () => Promise<void>): Promise<void> {
    try {
      await this.#translated(work)
    } catch (thrown) {
      if (this.#isClosed || this.#failed.signal.aborted) throw thrown
      const failure = failedError(this.#folder, thrown)
      this.#failed.abort(failure)
      throw failure
    }
  }

  async #translated<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#failed.signal.throwIfAborted()
    try {
      return await work()
    } catch (thrown) {
      throw translate(this.#folder, thrown)
    }
  }
}

interface Opening {
  readonly mayCreate?: boolean
  readonly onAltered?: () => Promise<unknown>
}

type Operation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

type Entry = [name: Uint8Array, sealed: Uint8Array]

/** A page of the database in the clear. */
interface OpenedPage {
  readonly name: Uint8Array
  /** By their entries. */
  readonly values: ReadonlyMap<number, Uint8Array>
}

interface Range {
  readonly gt?: Uint8Array
  readonly gte?: Uint8Array
  readonly lt?: Uint8Array
}

/** All that the manifest counts, and the manifest. */
const COUNTED: Range = { gt: HEADER.encodeKey(undefined), lt: HEADER_COPY.encodeKey(undefined) }

const SECRET_NAMES = ['account-seed', 'peer-key-seed'] as const

/** What the database adds to each record of a write, and about so much to the write itself. */
const LENGTHS_BYTES = 16

const MANIFEST_NAME = MANIFEST.encodeKey(undefined)

function manifestOperation(sealer: Sealer, manifest: Manifest): Operation {
  return { type: 'put', key: MANIFEST_NAME, value: sealer.seal(MANIFEST_NAME, MANIFEST.encode(manifest)) }
}

/** Twice, apart from each other, as all without which the node cannot go on. */
function putSecret(transaction: Transaction, name: SecretName, value: Uint8Array): void {
  for (const table of [SECRETS, SECRETS_COPY]) transaction.put(table, name, value)
}

function putSeatTime(transaction: Transaction, seatTime: Uint8Array): void {
  for (const table of [SEAT_TIME, SEAT_TIME_COPY]) transaction.put(table, undefined, seatTime)
}

function isSameSum(one: PartSum, other: PartSum): boolean {
  return one.count === other.count && equalBytes(one.sum, other.sum)
}

function isSameRecord(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one !== undefined && equalBytes(one, other)
}

/** @throws RangeError where the next start would take what is written for none of this node's. */
function requireWritable(operations: readonly Operation[]): void {
  let bytes = 0
  for (const { key, ...rest } of operations) {
    const valueBytes = rest.type === 'put' ? rest.value.length : 0
    if (key.length > LARGEST_NAME_BYTES || valueBytes > LARGEST_VALUE_BYTES) {
      throw new RangeError(`A record of ${key.length} and ${valueBytes} bytes is larger than a store takes.`)
    }
    bytes += key.length + valueBytes + LENGTHS_BYTES
  }
  if (bytes > LARGEST_WRITE_BYTES - LENGTHS_BYTES) {
    throw new RangeError(`A write of ${bytes} bytes is larger than a store takes.`)
  }
}

function rangeOf(table: { readonly prefix: number }): Range {
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
  const sealer = headerSealer(sealingKey)
  try {
    return await readStoreId(level, folder, sealingKey, { sealer, mayCreate })
  } finally {
    sealer.clear()
  }
}

async function readStoreId(
  level: LevelDatabase,
  folder: string,
  sealingKey: Uint8Array,
  { sealer, mayCreate }: { sealer: Sealer; mayCreate: boolean },
): Promise<Uint8Array> {
  const sealed: (Uint8Array | undefined)[] = await level.getMany([...HEADER_NAMES])
  const ids = HEADER_NAMES.map((key, at) => sealed[at] && sealer.open(key, sealed[at]))
  if (ids.some((opened) => opened !== undefined)) {
    const id = await idOfCopies(level, sealingKey, ids)
    if (id === undefined) throw tamperedError(folder, HEADER.describe(undefined))
    return id
  }
  if (sealed.some((copy) => copy !== undefined)) {
    throw new SlotmeshError(
      'store/wrong-key',
      `The store in ${folder} was sealed under another key (another machine, enclave measurement or passphrase): start it where it was made, or choose an empty folder.`,
    )
  }
  const former: (Uint8Array | undefined)[] = await level.getMany([...FORMER_HEADERS])
  if (former.some((copy) => copy !== undefined)) {
    throw new SlotmeshError(
      'store/older-format',
      `The store in ${folder} is of a version of slotmesh that had another format, which this one does not read: use that version, or begin with an empty folder.`,
    )
  }
  const [anyKey] = await level.keys({ limit: 1 }).all()
  if (anyKey !== undefined || !mayCreate) throw unreadableError(folder, 'its header is missing')
  const made = new Uint8Array(randomBytes(STORE_ID_BYTES))
  // A header without a manifest is a folder of which the rest was taken away.
  const operations: Operation[] = HEADER_NAMES.map((key) => ({ type: 'put', key, value: sealer.seal(key, made) }))
  const madeSealer = new Sealer(sealingKey, made)
  operations.push(manifestOperation(madeSealer, EMPTY_MANIFEST))
  madeSealer.clear()
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
  return new SlotmeshError('store/unreadable', unreadableSentence(folder, what), { cause })
}

function unreadableSentence(folder: string, what: string): string {
  return `The store in ${folder} cannot be read (${what}): check the disk and the folder's permissions, restore the folder from a copy, or begin with an empty one.`
}

/** The folder is not as this node has left it, although its database tells of no damage. */
class AlteredError extends SlotmeshError {
  constructor(folder: string, what: string) {
    super('store/unreadable', unreadableSentence(folder, what))
  }
}

/** Files of its database are damaged, or missing. */
class DamagedError extends SlotmeshError {
  constructor(folder: string) {
    super('store/unreadable', unreadableSentence(folder, 'files of its database are damaged'))
  }
}

/**
 * Before LevelDB reads any file of it: in a journal it leaves out what is damaged, and tells nobody; in a table it believes
 * it, and can end the process.
 *
 * @throws DamagedError, SlotmeshError `store/locked`, `store/unreadable`.
 */
async function requireIntact(folder: string): Promise<void> {
  let cause: unknown
  try {
    if (!(await isDamaged(folder))) return
  } catch (thrown) {
    cause = thrown
  }
  // Of a folder that another process is writing to nothing can be said.
  await requireFree(folder)
  throw cause === undefined ? new DamagedError(folder) : unreadableError(folder, messageOf(cause), cause)
}

function failedError(folder: string, thrown: unknown): SlotmeshError {
  const { cause = thrown } = thrown instanceof SlotmeshError ? thrown : {}
  return new SlotmeshError(
    'store/failed',
    `The store in ${folder} could not be written (${messageOf(cause)}), and takes and gives nothing more until it is opened anew: free or mend the disk, and start the node again.`,
    { cause },
  )
}

function openError(folder: string, thrown: unknown): SlotmeshError {
  const cause = reasonOf(thrown)
  if (codeOf(cause) === 'LEVEL_LOCKED') return lockedError(folder, cause)
  return unreadableError(folder, messageOf(cause), cause)
}

/** What a person can act on, in place of the database's own errors; anything else passes unchanged. */
function translate(folder: string, thrown: unknown): unknown {
  const code = codeOf(thrown)
  if (thrown instanceof SlotmeshError || !code?.startsWith('LEVEL_')) return thrown
  if (code === 'LEVEL_DATABASE_NOT_OPEN' || code === 'LEVEL_ITERATOR_NOT_OPEN') {
    return closedError(folder, thrown)
  }
  return unreadableError(folder, messageOf(thrown), thrown)
}

function closedError(folder: string, cause?: unknown): SlotmeshError {
  return new SlotmeshError('store/closed', `The store in ${folder} is closed; open it again to use it.`, { cause })
}

function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : undefined
}
