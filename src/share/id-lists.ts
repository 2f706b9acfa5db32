import { encodeUint8Array, encodingLength } from 'uint8-varint'
import { type BlockNumber, type NftId, U32_MAX } from '../domain/index.js'
import { malformed } from './messages.js'

/*
 * The rows of varints in which NFT ids go over the wire (SPEC 6.1): want lists, whose ranges have a least version and
 * may be open, and id lists, whose ranges have neither.
 */

type ListKind = 'wants' | 'ids'

/** A step between two `u32`, in zigzag form, takes no more. */
const VARINT_BYTES = 5

/**
 * Reads a list range by range, checking as it goes that it is the one encoding of what it says. One object serves for
 * all ranges, since a list can have 700,000.
 */
export class ListReader {
  /** First id of the range. */
  first: NftId = 0
  /** Number of ids; 0 for an open range. */
  length = 0
  minimumVersion: BlockNumber = 0
  readonly #bytes: Uint8Array
  readonly #kind: ListKind
  #at = 0

  constructor(bytes: Uint8Array, kind: ListKind) {
    this.#bytes = bytes
    this.#kind = kind
  }

  /** Goes to the next range. @returns false when there is none. @throws RefusalError MALFORMED */
  next(): boolean {
    if (this.#at === this.#bytes.length) return false
    const isFirst = this.#at === 0
    if (!isFirst && this.length === 0) malformed()
    const gap = this.#varint(U32_MAX)
    this.first += this.length + gap
    this.length = this.#varint(U32_MAX)
    if (this.first > U32_MAX || this.first + this.length > U32_MAX + 1) malformed()
    if (this.length === 0 && this.#kind === 'ids') malformed()
    const step = this.#kind === 'wants' ? fromZigzag(this.#varint(2 * U32_MAX)) : 0
    this.minimumVersion += step
    if (this.minimumVersion < 0 || this.minimumVersion > U32_MAX) malformed()
    // What is open is another question than what is not, though it follows at once.
    const couldBeJoined = !isFirst && gap === 0 && step === 0 && this.length > 0
    if (couldBeJoined) malformed()
    return true
  }

  #varint(maximum: number): number {
    let value = 0
    for (let place = 0; place < VARINT_BYTES; place += 1) {
      const byte = this.#bytes[this.#at] ?? malformed()
      this.#at += 1
      // Multiplied, as shifting ends at 32 bits.
      value += (byte & 0x7f) * 2 ** (7 * place)
      if (byte >= 0x80) continue
      const isShortest = byte !== 0 || place === 0
      return isShortest && value <= maximum ? value : malformed()
    }
    return malformed()
  }
}

/** Writes a list from ids in ascending order, joining neighbours into ranges. */
export class ListWriter {
  readonly #kind: ListKind
  #bytes = new Uint8Array(64)
  #used = 0
  /** The range that may still grow. */
  #range: { readonly first: NftId; length: number; readonly minimumVersion: BlockNumber } | undefined
  /** The id after the last range written, and its version. */
  #end = 0
  #version = 0

  constructor(kind: ListKind) {
    this.#kind = kind
  }

  /** @param id above all before it. */
  add(id: NftId, minimumVersion: BlockNumber = 0): void {
    const range = this.#range
    if (range !== undefined && id === range.first + range.length && minimumVersion === range.minimumVersion) {
      range.length += 1
      return
    }
    this.#writeRange()
    this.#range = { first: id, length: 1, minimumVersion }
  }

  /** Ends the list with an open range from `first`, which is above all ids before it. */
  addOpen(first: NftId, minimumVersion: BlockNumber): void {
    this.#writeRange()
    this.#range = { first, length: 0, minimumVersion }
  }

  finish(): Uint8Array {
    this.#writeRange()
    return this.#bytes.slice(0, this.#used)
  }

  #writeRange(): void {
    const range = this.#range
    if (range === undefined) return
    this.#varint(range.first - this.#end)
    this.#varint(range.length)
    if (this.#kind === 'wants') this.#varint(toZigzag(range.minimumVersion - this.#version))
    this.#end = range.first + range.length
    this.#version = range.minimumVersion
    this.#range = undefined
  }

  #varint(value: number): void {
    const end = this.#used + encodingLength(value)
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(this.#bytes.length * 2)
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    encodeUint8Array(value, this.#bytes, this.#used)
    this.#used = end
  }
}

function toZigzag(step: number): number {
  return step >= 0 ? 2 * step : -2 * step - 1
}

function fromZigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}
