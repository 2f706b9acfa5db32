import type { Part } from './manifest.js'
import { partOf, VOUCHED_FOR } from './records.js'
import { newnessOf } from './sealing.js'
import { TagTable } from './tag-table.js'

/** No record of that name. */
const ABSENT = 0n

/** What is too short to be a record. */
const NEVER = 2n ** 64n - 1n

/** What was before a write, by the hash of the record's name; undefined: the write did not change that record. */
type Former = (hash: bigint) => bigint | undefined

interface Written {
  readonly name: Uint8Array
  readonly after: Uint8Array | undefined
}

/**
 * What the newest version of each record is known by, kept in the enclave's memory: LevelDB and its files are the
 * host's, and can show an old record in one place and the newest in another, or take turns.
 *
 * A record is known by 8 bytes made of its salt and its number under that ({@link newnessOf}): of records that open, no two
 * have the same. It stands under a keyed 64-bit hash of its name. Records that others vouch for are not kept
 * here ({@link VOUCHED_FOR}). For the memory see {@link TagTable}.
 */
export class Freshness {
  readonly #hashOf: (name: Uint8Array) => bigint
  #tables: Readonly<Record<Part, TagTable>> = { lasting: new TagTable(), pending: new TagTable(), seat: new TagTable() }
  /** How many records there are of each table. */
  #counts = new Map<number, number>()
  /** Of the write that is under way; whether LevelDB shows what is before or after it, nobody can say. */
  #underWay: { readonly former: Former; readonly counts: ReadonlyMap<number, number> } | undefined
  readonly #readings = new Set<Reading>()

  /** @param hashOf keyed; whoever chooses names must not know it. */
  constructor(hashOf: (name: Uint8Array) => bigint) {
    this.#hashOf = hashOf
  }

  /** Takes a record as the newest, without a reading or a write being under way. */
  load(name: Uint8Array, sealed: Uint8Array): void {
    if (isKept(name)) this.#set(name, this.#hashOf(name), tagOf(sealed))
  }

  /** Begins a reading, which is to be ended. */
  read(): Reading {
    const counts = this.#underWay === undefined ? [] : [this.#underWay.counts]
    const reading = new Reading(this, [new Map(this.#counts), ...counts])
    if (this.#underWay !== undefined) reading.formers.push(this.#underWay.former)
    this.#readings.add(reading)
    return reading
  }

  end(reading: Reading): void {
    this.#readings.delete(reading)
  }

  /**
   * To be called when a write begins, and what it returns when that has ended. One write at a time.
   *
   * @returns `isWritten` false: the database has refused it, all is as before.
   */
  write(changes: readonly Written[]): (isWritten: boolean) => void {
    const before = new Map<bigint, bigint>()
    const counts = new Map(this.#counts)
    const kept = changes
      .filter(({ name }) => isKept(name))
      .map(({ name, after }) => ({ name, hash: this.#hashOf(name), tag: tagOf(after) }))
    for (const { name, hash, tag } of kept) {
      before.set(hash, this.#table(name).get(hash))
      this.#set(name, hash, tag)
    }
    this.#begin((hash) => before.get(hash), counts)
    return (isWritten) => {
      this.#underWay = undefined
      if (!isWritten) for (const { name, hash } of kept) this.#set(name, hash, before.get(hash) ?? ABSENT)
    }
  }

  /** As {@link write}, for the erasure of all records of the seat. */
  eraseSeat(): () => void {
    const { lasting, pending, seat } = this.#tables
    const counts = this.#counts
    this.#tables = { lasting, pending: new TagTable(), seat: new TagTable() }
    this.#counts = new Map([...counts].filter(([prefix]) => partOf(prefix) === 'lasting'))
    this.#begin((hash) => seat.get(hash) || pending.get(hash) || undefined, counts)
    return () => {
      this.#underWay = undefined
    }
  }

  /** Whether a table has no record; what of it is not kept here, nobody can say. */
  isEmpty(prefix: number): boolean {
    return isKept(Uint8Array.of(prefix)) && (this.#counts.get(prefix) ?? 0) === 0
  }

  /** Whether this is what the database is to show of a record: the newest, or one that a former write has left. */
  isFresh(name: Uint8Array, sealed: Uint8Array | undefined, formers: readonly Former[]): boolean {
    return !isKept(name) || this.#is(name, formers, (tag) => tag === tagOf(sealed))
  }

  /** Whether this is what the last write has left, or the one that is under way is to leave. */
  isNewest(name: Uint8Array, sealed: Uint8Array): boolean {
    return this.isFresh(name, sealed, [])
  }

  /** As `isFresh`, of a name alone. */
  isThere(name: Uint8Array, formers: readonly Former[]): boolean {
    return !isKept(name) || this.#is(name, formers, (tag) => tag !== ABSENT)
  }

  #is(name: Uint8Array, formers: readonly Former[], isSo: (tag: bigint) => boolean): boolean {
    const hash = this.#hashOf(name)
    if (isSo(this.#table(name).get(hash))) return true
    return formers.some((former) => {
      const tag = former(hash)
      return tag !== undefined && isSo(tag)
    })
  }

  #begin(former: Former, counts: ReadonlyMap<number, number>): void {
    this.#underWay = { former, counts }
    for (const reading of this.#readings) reading.formers.push(former)
  }

  #set(name: Uint8Array, hash: bigint, tag: bigint): void {
    const table = this.#table(name)
    const prefix = name[0] ?? 0
    const wasThere = table.get(hash) !== ABSENT
    if (tag === ABSENT) table.delete(hash)
    else table.set(hash, tag)
    const step = Number(tag !== ABSENT) - Number(wasThere)
    if (step !== 0) this.#counts.set(prefix, (this.#counts.get(prefix) ?? 0) + step)
  }

  #table(name: Uint8Array): TagTable {
    return this.#tables[partOf(name[0] ?? 0)]
  }
}

/**
 * One look at the database, be it long or short: what it is shown must be what some record was at a moment since the
 * reading began. It keeps what is overwritten meanwhile, some 100 bytes a record, until it is ended.
 */
export class Reading {
  readonly formers: Former[] = []
  readonly #freshness: Freshness
  readonly #counts: readonly ReadonlyMap<number, number>[]

  constructor(freshness: Freshness, counts: readonly ReadonlyMap<number, number>[]) {
    this.#freshness = freshness
    this.#counts = counts
  }

  isFresh(name: Uint8Array, sealed: Uint8Array | undefined): boolean {
    return this.#freshness.isFresh(name, sealed, this.formers)
  }

  isThere(name: Uint8Array): boolean {
    return this.#freshness.isThere(name, this.formers)
  }

  /** Whether a table had so many records when the reading began. */
  isAll(prefix: number, count: number): boolean {
    if (!isKept(Uint8Array.of(prefix))) return true
    return this.#counts.some((counts) => (counts.get(prefix) ?? 0) === count)
  }

  end(): void {
    this.#freshness.end(this)
  }
}

function isKept(name: Uint8Array): boolean {
  return !VOUCHED_FOR.has(name[0] ?? 0)
}

function tagOf(sealed: Uint8Array | undefined): bigint {
  if (sealed === undefined) return ABSENT
  const tag = newnessOf(sealed) ?? NEVER
  return tag === ABSENT ? 1n : tag
}
