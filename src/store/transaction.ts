import { toHex, zero } from '../crypto/index.js'
import type { SlotmeshError } from '../domain/index.js'
import { WorkingPage } from './page.js'
import { isPaged, type PagedTable, type Pages, type RecordTable, type Table } from './records.js'
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
  /** Whether a table is known to have no record at all. */
  isEmpty(prefix: number): boolean
  open<Key, Value>(table: RecordTable<Key, Value>, key: Key, name: Uint8Array, sealed: Uint8Array): Value
  openPage(table: Pages, name: Uint8Array, sealed: Uint8Array): Uint8Array
  tampered<Key>(table: Table<Key, unknown>, key: Key): SlotmeshError
}

/**
 * What one writer wants to change: reads see its own puts and deletes. Records are held sealed until written; what is sealed
 * by the page is not, until {@link Transaction.clear}.
 */
export class Transaction implements Reads {
  readonly #database: Below
  readonly #sealer: Sealer
  /** Every record read or changed so far, by its name in hex. */
  readonly #records = new Map<string, RecordState>()
  /** The prefixes of the tables of which records were changed. */
  readonly #tables = new Set<number>()
  /** Every page read or changed so far, by its table's prefix. */
  readonly #pages = new Map<number, PagesOf>()

  constructor(database: Below, sealer: Sealer) {
    this.#database = database
    this.#sealer = sealer
  }

  /** Reads what will be asked for one by one in one go. */
  async preload<Key>(table: Table<Key, unknown>, keys: readonly Key[]): Promise<void> {
    if (isPaged(table)) await this.#readPages(table, keys)
    else if (!this.#database.isEmpty(table.prefix)) await this.#known(table, keys)
  }

  async get<Key, Value>(table: Table<Key, Value>, key: Key): Promise<Value | undefined> {
    if (isPaged(table)) {
      const known = this.#page(table, key)
      const entry = table.entryOf(key)
      if (!known.knows(entry)) await this.#readPages(table, [key])
      const value = known.get(entry)
      return value && table.decode(value)
    }
    const [record] = await this.#known(table, [key])
    return record && this.#open(table, key, record)
  }

  /** As `get`, of what was read, put or deleted before. @throws RangeError where it was not. */
  known<Key, Value>(table: Table<Key, Value>, key: Key): Value | undefined {
    if (isPaged(table)) {
      const page = this.#page(table, key)
      const entry = table.entryOf(key)
      if (!page.knows(entry)) throw notLoaded(table, key)
      const value = page.get(entry)
      return value && table.decode(value)
    }
    const record = this.#knownRecord(table, key)
    return record && this.#open(table, key, record)
  }

  /** Whether `known` would find something. */
  has<Key>(table: Table<Key, unknown>, key: Key): boolean {
    if (!isPaged(table)) return this.#knownRecord(table, key)?.sealed !== undefined
    const page = this.#page(table, key)
    const entry = table.entryOf(key)
    if (!page.knows(entry)) throw notLoaded(table, key)
    return page.get(entry) !== undefined
  }

  async getMany<Key, Value>(table: Table<Key, Value>, keys: readonly Key[]): Promise<(Value | undefined)[]> {
    if (isPaged(table)) {
      await this.#readPages(table, keys)
      return keys.map((key) => {
        const value = this.#page(table, key).get(table.entryOf(key))
        return value && table.decode(value)
      })
    }
    const records = await this.#known(table, keys)
    return keys.map((key, at) => {
      const record = records[at]
      return record && this.#open(table, key, record)
    })
  }

  put<Key, Value>(table: Table<Key, Value>, key: Key, value: Value): void {
    const plain = table.encode(value)
    if (isPaged(table)) {
      this.#page(table, key).set(table.entryOf(key), plain)
      return
    }
    const named = nameOf(table, key)
    try {
      this.#change(named, this.#sealer.seal(named.name, plain))
    } finally {
      zero(plain)
    }
  }

  delete<Key>(table: Table<Key, unknown>, key: Key): void {
    if (isPaged(table)) this.#page(table, key).set(table.entryOf(key), undefined)
    else this.#change(nameOf(table, key), undefined)
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
    const changes: Change[] = changed.map(({ name, before, sealed }) => ({ name, before, after: sealed }))
    for (const { table, pages } of this.#pages.values()) {
      const changed = [...pages.values()].filter(({ isChanged }) => isChanged)
      await this.#read(table, changed)
      changes.push(...changed.map((page) => this.#sealPage(page)))
    }
    return changes
  }

  /** Zeroes what was opened; nothing is to be read after it. */
  clear(): void {
    for (const { pages } of this.#pages.values()) for (const page of pages.values()) page.clear()
    this.#pages.clear()
  }

  #sealPage(page: WorkingPage): Change {
    const { name, before } = page
    const plain = page.encode()
    if (plain === undefined) return { name, before, after: undefined }
    try {
      return { name, before, after: this.#sealer.seal(name, plain) }
    } finally {
      zero(plain)
    }
  }

  #pagesOf(table: Pages): PagesOf {
    const known = this.#pages.get(table.prefix)
    if (known !== undefined) return known
    const none: PagesOf = { table, pages: new Map(), last: undefined }
    this.#pages.set(table.prefix, none)
    return none
  }

  #page<Key>(table: PagedTable<Key, unknown>, key: Key): WorkingPage {
    const of = this.#pagesOf(table)
    const id = table.pageOf(key)
    // Of each share some pages are asked for again and again, and the next one's are mostly the same.
    if (of.last?.id === id) return of.last.page
    const known = of.pages.get(id)
    const page = known ?? new WorkingPage(table.encodePage(key))
    if (known === undefined) of.pages.set(id, page)
    of.last = { id, page }
    return page
  }

  #readPages<Key>(table: PagedTable<Key, unknown>, keys: readonly Key[]): Promise<void> {
    return this.#read(table, new Set(keys.map((key) => this.#page(table, key))))
  }

  /** Those of these pages that are not read yet. */
  async #read(table: Pages, pages: Iterable<WorkingPage>): Promise<void> {
    const unread = [...pages].filter(({ isRead }) => !isRead)
    if (unread.length === 0) return
    const found = await this.#database.sealed(unread.map(({ name }) => name))
    for (const [at, page] of unread.entries()) {
      const sealed = found[at]
      page.take(sealed, sealed && this.#database.openPage(table, page.name, sealed))
    }
  }

  #open<Key, Value>(table: RecordTable<Key, Value>, key: Key, { name, sealed }: RecordState): Value | undefined {
    return sealed && this.#database.open(table, key, name, sealed)
  }

  /** The records of these keys, read where they are not known yet. */
  async #known<Key>(table: RecordTable<Key, unknown>, keys: readonly Key[]): Promise<RecordState[]> {
    const named = keys.map((key) => nameOf(table, key))
    const unread = named.filter(({ id }) => !this.#records.has(id))
    const found = unread.length > 0 ? await this.#database.sealed(unread.map(({ name }) => name)) : []
    for (const [at, { id, name }] of unread.entries()) {
      const sealed = found[at]
      this.#records.set(id, { name, sealed, isChanged: false, before: sealed, isRead: true })
    }
    return named.map(({ id, name }) => this.#records.get(id) ?? notRead(name))
  }

  /** Of what was read or changed before; undefined also where the table has none. @throws RangeError */
  #knownRecord<Key>(table: RecordTable<Key, unknown>, key: Key): RecordState | undefined {
    // What is empty needs no name: this is asked for each of many shares.
    const isEmpty = this.#database.isEmpty(table.prefix)
    if (isEmpty && !this.#tables.has(table.prefix)) return undefined
    const record = this.#records.get(nameOf(table, key).id)
    if (record === undefined && !isEmpty) throw notLoaded(table, key)
    return record
  }

  #change({ id, name }: Named, sealed: Uint8Array | undefined): void {
    const { before, isRead } = this.#records.get(id) ?? notRead(name)
    this.#tables.add(name[0] ?? 0)
    this.#records.set(id, { name, sealed, isChanged: true, before, isRead })
  }
}

function notLoaded<Key>(table: Table<Key, unknown>, key: Key): RangeError {
  return new RangeError(`The record ${table.describe(key)} is to be read before it is used.`)
}

/** The pages of one table, by what it calls them. */
interface PagesOf {
  readonly table: Pages
  readonly pages: Map<string | number, WorkingPage>
  /** The one that was asked for last. */
  last: { readonly id: string | number; readonly page: WorkingPage } | undefined
}

/** A record's name as bytes, and as text for a map. */
interface Named {
  readonly name: Uint8Array
  readonly id: string
}

function nameOf<Key>(table: RecordTable<Key, unknown>, key: Key): Named {
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
