import { zero } from '../crypto/index.js'
import { formError } from './form-error.js'
import type { Pages } from './records.js'

const HEAD_BYTES = 3

/** The values of a page by their entries, as views of its bytes. @throws SlotmeshError `store/unreadable`. */
export function decodePage(bytes: Uint8Array): Map<number, Uint8Array> {
  const values = new Map<number, Uint8Array>()
  forEachValue(bytes, (entry, value) => values.set(entry, value))
  return values
}

function forEachValue(bytes: Uint8Array, take: (entry: number, value: Uint8Array) => void): void {
  for (let at = 0; at < bytes.length; ) {
    const [entry = 0, high = 0, low = 0] = [bytes[at], bytes[at + 1], bytes[at + 2]]
    const from = at + HEAD_BYTES
    at = from + high * 256 + low
    if (at > bytes.length) throw formError()
    take(entry, bytes.subarray(from, at))
  }
}

/** For each value in the order of entries: entry u8, length u16 (big-endian), the value. */
function encodePage(values: Values): Uint8Array {
  let length = 0
  for (const value of values) if (value !== undefined) length += HEAD_BYTES + value.length
  const bytes = new Uint8Array(length)
  let at = 0
  for (let entry = 0; entry < values.length; entry += 1) {
    const value = values[entry]
    if (value === undefined) continue
    bytes[at] = entry
    bytes[at + 1] = value.length >>> 8
    bytes[at + 2] = value.length
    bytes.set(value, at + HEAD_BYTES)
    at += HEAD_BYTES + value.length
  }
  return bytes
}

/** By their entries, undefined where there is none. */
type Values = readonly (Uint8Array | undefined)[]

/** What is opened may be read once more while a reading lasts; more than this is let go. Bytes. */
const OPEN_BYTES = 4_194_304

/** Pages that were opened for reading, in the clear until they are cleared. */
export class OpenPages {
  readonly #pages = new Map<number, Map<string | number, ReadonlyMap<number, Uint8Array> | undefined>>()
  readonly #opened: Uint8Array[] = []
  #bytes = 0
  #users = 0

  has({ prefix }: Pages, page: string | number): boolean {
    return this.#pages.get(prefix)?.has(page) ?? false
  }

  /** Undefined also where there is no such page. */
  get({ prefix }: Pages, page: string | number): ReadonlyMap<number, Uint8Array> | undefined {
    return this.#pages.get(prefix)?.get(page)
  }

  /** @param plain undefined where there is none. */
  add({ prefix }: Pages, page: string | number, plain: Uint8Array | undefined): void {
    const pages = this.#pages.get(prefix) ?? new Map()
    this.#pages.set(prefix, pages)
    if (plain !== undefined) {
      this.#opened.push(plain)
      this.#bytes += plain.length
    }
    pages.set(page, plain && decodePage(plain))
  }

  /** To be called before pages are looked for, and {@link release} when what is in them was read. */
  use(): void {
    this.#users += 1
  }

  /** Lets all go where it is too much to keep, and nobody else is reading. */
  release(): void {
    this.#users -= 1
    if (this.#users === 0 && this.#bytes > OPEN_BYTES) this.clear()
  }

  clear(): void {
    zero(...this.#opened)
    this.#opened.length = 0
    this.#bytes = 0
    this.#pages.clear()
  }
}

/** A page that a transaction changes, or looks at. What it holds is in the clear until {@link WorkingPage.clear}. */
export class WorkingPage {
  readonly name: Uint8Array
  /** Sealed, as it stands in the database; undefined where there is none, or before it was read. */
  before: Uint8Array | undefined
  #isRead = false
  #stored: Uint8Array | undefined
  readonly #values: (Uint8Array | undefined)[] = []
  /** True at the entries that were changed. */
  readonly #changed: boolean[] = []

  constructor(name: Uint8Array) {
    this.name = name
  }

  get isChanged(): boolean {
    return this.#changed.length > 0
  }

  /** Whether what `get` says of this entry is all that there is. */
  knows(entry: number): boolean {
    return this.#isRead || this.#changed[entry] === true
  }

  get isRead(): boolean {
    return this.#isRead
  }

  /** Takes what stands in the database; what was changed before stays as it is here. @param stored zeroed by `clear`. */
  take(before: Uint8Array | undefined, stored: Uint8Array | undefined): void {
    this.before = before
    this.#isRead = true
    if (stored === undefined) return
    this.#stored = stored
    forEachValue(stored, (entry, value) => {
      if (this.#changed[entry] !== true) this.#values[entry] = value
    })
  }

  get(entry: number): Uint8Array | undefined {
    return this.#values[entry]
  }

  /** @param value the page's own from here on; undefined deletes. */
  set(entry: number, value: Uint8Array | undefined): void {
    const former = this.#values[entry]
    if (former !== undefined) zero(former)
    this.#changed[entry] = true
    this.#values[entry] = value
  }

  /** Undefined when there is nothing in it; for the caller to zero. */
  encode(): Uint8Array | undefined {
    const bytes = encodePage(this.#values)
    return bytes.length === 0 ? undefined : bytes
  }

  clear(): void {
    for (const value of this.#values) if (value !== undefined) zero(value)
    if (this.#stored !== undefined) zero(this.#stored)
    this.#values.length = 0
  }
}
