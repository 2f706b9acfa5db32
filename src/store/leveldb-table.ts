import type { FileHandle } from 'node:fs/promises'
import { crc32c, masked } from './crc32c.js'
import { chainStart } from './leveldb-chain.js'
import { readNumber } from './leveldb-numbers.js'
import { LARGEST_NAME_BYTES, LARGEST_VALUE_BYTES } from './limits.js'
import { openPlain } from './plain-file.js'
import { SEAL_BYTES } from './sealing.js'

/*
 * LevelDB's tables: blocks of records with a checksum each, an index of these blocks, and at the end where the index is.
 * LevelDB itself looks at no checksum when it reads, and believes every length that it finds.
 */

const FOOTER_BYTES = 48
const MAGIC = Buffer.from('57fb808b247547db', 'hex')

/** Behind each block: whether it is compressed, and its checksum. */
const TRAILER_BYTES = 5

/** Sealed values do not compress: this node writes no blocks of another sort. */
const NOT_COMPRESSED = 0

/** What LevelDB adds to a name: the number of the write and its sort. */
const SUFFIX_BYTES = 8

/** The sort of a deletion. */
const DELETED = 0

/** A block ends behind the record with which it comes to 4 KiB. The index of a table is one, too. */
const LARGEST_BLOCK_BYTES = LARGEST_VALUE_BYTES + 65_536

const WINDOW_BYTES = 1_048_576

/** Of a table without an index so much is in memory at once: a block that begins in the first half is there in full. */
const SCANNED_BYTES = 2 * (LARGEST_BLOCK_BYTES + TRAILER_BYTES)

/**
 * What looking for blocks in a table without an index may cost, for each of its bytes: entries looked at, and bytes that
 * checksums were computed of. One that was made to cost more is not read to its end.
 */
const STEPS_PER_BYTE = 16

/** A state of a record. */
export interface StoredState {
  readonly name: Uint8Array
  /** The later write has the higher number. */
  readonly sequence: bigint
  /** Undefined when it was deleted. */
  readonly value: Uint8Array | undefined
  /** Whether the block, or the write, that it is read of fits its checksum. */
  readonly isRight: boolean
}

interface Handle {
  readonly offset: number
  readonly size: number
}

/** A table's bytes, read some at a time: a block is smaller by far than what a disk gives at once. */
class TableFile {
  readonly size: number
  readonly #handle: FileHandle
  #window = Buffer.alloc(0)
  #from = 0

  private constructor(handle: FileHandle, size: number) {
    this.#handle = handle
    this.size = size
  }

  static async open(file: string): Promise<TableFile> {
    const handle = await openPlain(file)
    try {
      return new TableFile(handle, (await handle.stat()).size)
    } catch (thrown) {
      await handle.close()
      throw thrown
    }
  }

  /** Undefined where the file does not go as far, or that is too much to be read. */
  async bytes({ offset, size }: Handle): Promise<Buffer | undefined> {
    if (size > SCANNED_BYTES || offset + size > this.size) return undefined
    if (offset < this.#from || offset + size > this.#from + this.#window.length) {
      // Not the same one again: parts of it may still be in use.
      const window = Buffer.alloc(Math.min(Math.max(size, WINDOW_BYTES), this.size - offset))
      const { bytesRead } = await this.#handle.read(window, 0, window.length, offset)
      this.#window = window.subarray(0, bytesRead)
      this.#from = offset
      if (bytesRead < size) return undefined
    }
    return this.#window.subarray(offset - this.#from, offset - this.#from + size)
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** The two blocks that say where the others are: those of records, and what helps to find them. */
interface Index {
  readonly records: Buffer
  readonly helpers: Buffer
}

/** Whether all of a table is there, fits its checksums, is in order, and is what this node writes. */
export async function isTableRight(file: string): Promise<boolean> {
  const table = await TableFile.open(file)
  try {
    const index = await indexOf(table)
    if (index === undefined) return false
    for (const each of listed(index.helpers)) if ((await blockAt(table, each))?.isRight !== true) return false
    let last: Buffer | undefined
    for (const each of listed(index.records)) {
      const block = await blockAt(table, each)
      if (!block?.isRight) return false
      const [entries, limit] = [entriesFrom(block.content, 0, limitOf(block.content)), limitOf(block.content)]
      for (let next = entries.next(); ; next = entries.next()) {
        if (next.done) {
          if (next.value !== limit) return false
          break
        }
        const { key } = next.value
        if (key.length < SUFFIX_BYTES || (last !== undefined && !isBefore(last, key))) return false
        last = key
      }
    }
    return true
  } finally {
    await table.close()
  }
}

/** All that can be read of a table, right or not: what was not sealed by this node does not open. In no order. */
export async function* tableStates(file: string): AsyncGenerator<StoredState> {
  const table = await TableFile.open(file)
  try {
    const index = await indexOf(table)
    if (index === undefined) {
      for await (const block of scanned(table)) {
        for (const state of statesOf(block)) if (!isIndex(state)) yield state
      }
      return
    }
    for (const each of listed(index.records)) {
      const block = await blockAt(table, each)
      if (block !== undefined) yield* block.isRight ? statesOf(block.content) : legibleStates(block.content)
    }
  } finally {
    await table.close()
  }
}

/** Undefined when it is damaged. */
async function indexOf(table: TableFile): Promise<Index | undefined> {
  const { size } = table
  if (size < FOOTER_BYTES) return undefined
  const footer = await table.bytes({ offset: size - FOOTER_BYTES, size: FOOTER_BYTES })
  if (footer?.subarray(-MAGIC.length).equals(MAGIC) !== true) return undefined
  const meta = readHandle(footer, 0)
  const main = meta && readHandle(footer, meta.end)
  const helpers = meta && (await listAt(table, meta.handle))
  const records = main && (await listAt(table, main.handle))
  return helpers && records && { helpers, records }
}

/** A block that lists others, one behind the other, so that none is read twice; undefined when it is damaged. */
async function listAt(table: TableFile, at: Handle): Promise<Buffer | undefined> {
  const block = await blockAt(table, at)
  if (!block?.isRight) return undefined
  const entries = entriesFrom(block.content, 0, limitOf(block.content))
  let end = 0
  for (let next = entries.next(); ; next = entries.next()) {
    if (next.done) return next.value === limitOf(block.content) ? block.content : undefined
    const handle = readHandle(next.value.value, 0)?.handle
    if (handle === undefined || handle.offset < end) return undefined
    end = handle.offset + handle.size + TRAILER_BYTES
  }
}

function* listed(list: Buffer): Generator<Handle> {
  for (const { value } of entriesFrom(list, 0, limitOf(list))) {
    const handle = readHandle(value, 0)?.handle
    if (handle !== undefined) yield handle
  }
}

async function blockAt(
  table: TableFile,
  { offset, size }: Handle,
): Promise<{ content: Buffer; isRight: boolean } | undefined> {
  if (size > LARGEST_BLOCK_BYTES) return undefined
  const bytes = await table.bytes({ offset, size: size + TRAILER_BYTES })
  if (bytes === undefined) return undefined
  const isRight = masked(crc32c(bytes.subarray(0, size + 1))) === bytes.readUInt32LE(size + 1)
  return { content: bytes.subarray(0, size), isRight: isRight && bytes[size] === NOT_COMPRESSED }
}

/**
 * Without the index: all blocks that fit their checksums, wherever there is damage between them. Any place may be where
 * one begins; most show at once that they are not.
 */
async function* scanned(table: TableFile): AsyncGenerator<Buffer> {
  let steps = STEPS_PER_BYTE * table.size
  for (let offset = 0; offset < table.size; ) {
    const size = Math.min(SCANNED_BYTES, table.size - offset)
    const bytes = await table.bytes({ offset, size })
    if (bytes === undefined) return
    const isLast = offset + size === table.size
    let at = 0
    while (isLast ? at < size : size - at > SCANNED_BYTES / 2) {
      const found = blockFrom(bytes, at)
      steps -= found.steps
      if (steps < 0) return
      if (found.end !== undefined) yield bytes.subarray(at, found.end)
      at = found.end === undefined ? at + 1 : found.end + TRAILER_BYTES
    }
    offset += at
  }
}

/**
 * The whole block that begins at a place, if one does: its entries, of which none is without a name; behind them the places
 * of some of them, the first of which is 0, and how many these are; and a checksum that fits.
 */
function blockFrom(bytes: Buffer, from: number): { end: number | undefined; steps: number } {
  let [at, steps, nameBytes] = [from, 0, 0]
  for (;;) {
    steps += 1
    const entry = entryAt(bytes, at, bytes.length)
    if (entry === undefined || at - from > LARGEST_BLOCK_BYTES) return { end: undefined, steps }
    if (entry.shared === 0 && entry.own === 0) break
    nameBytes = entry.shared > nameBytes ? 0 : entry.shared + entry.own
    if (nameBytes <= SUFFIX_BYTES || nameBytes > LARGEST_NAME_BYTES + SUFFIX_BYTES) return { end: undefined, steps }
    at = entry.end
  }
  const limit = at
  for (let [count, last] = [0, -1]; at + 4 + TRAILER_BYTES <= bytes.length; count += 1) {
    steps += 1
    const word = bytes.readUInt32LE(at)
    at += 4
    if (count > 0 && word === count) {
      if (bytes[at] !== NOT_COMPRESSED) break
      steps += at + 1 - from
      const isRight = masked(crc32c(bytes.subarray(from, at + 1))) === bytes.readUInt32LE(at + 1)
      return { end: isRight ? at : undefined, steps }
    }
    if (count === 0 ? word !== 0 : word <= last || from + word >= limit) break
    last = word
  }
  return { end: undefined, steps }
}

interface Entry {
  readonly key: Buffer
  readonly value: Buffer
}

/** Where the entries end, and what points to every sixteenth of them begins. */
function limitOf(block: Buffer): number {
  if (block.length < 4) return -1
  return block.length - 4 * (block.readUInt32LE(block.length - 4) + 1)
}

/** Where an entry's own part of its name begins, and what it takes of the one before; undefined when there is none. */
function entryAt(
  block: Buffer,
  at: number,
  limit: number,
): { shared: number; own: number; nameAt: number; valueAt: number; end: number } | undefined {
  const shared = readNumber(block, at)
  const own = shared && readNumber(block, shared.end)
  const value = own && readNumber(block, own.end)
  if (shared === undefined || own === undefined || value === undefined) return undefined
  const isTooLong = shared.value + own.value > LARGEST_NAME_BYTES + SUFFIX_BYTES || value.value > LARGEST_VALUE_BYTES
  const valueAt = value.end + own.value
  const end = valueAt + value.value
  if (isTooLong || end > limit) return undefined
  return { shared: shared.value, own: own.value, nameAt: value.end, valueAt, end }
}

/**
 * As many entries as follow one another, each but the first with a part of the name of the one before.
 *
 * @returns where they end.
 */
function* entriesFrom(block: Buffer, from: number, limit: number): Generator<Entry, number, undefined> {
  let key = Buffer.alloc(0)
  let at = from
  while (at < limit) {
    const entry = entryAt(block, at, limit)
    if (entry === undefined || entry.shared > key.length) break
    const { shared, nameAt, valueAt, end } = entry
    key = Buffer.concat([key.subarray(0, shared), block.subarray(nameAt, valueAt)])
    yield { key, value: block.subarray(valueAt, end) }
    at = end
  }
  return at
}

function* statesOf(block: Buffer): Generator<StoredState> {
  for (const entry of entriesFrom(block, 0, limitOf(block))) yield* stateOf(entry, true)
}

/** What follows from the beginning, and what leads to the end behind the damage. */
function* legibleStates(block: Buffer): Generator<StoredState> {
  const limit = limitOf(block)
  const start = chainStart(
    0,
    limit,
    (at) => endBeforeNext(block, at, limit),
    (at) => block[at] === 0,
  )
  const isWhole = start === 0
  for (const entry of entriesFrom(block, 0, isWhole ? limit : block.length)) yield* stateOf(entry, false)
  if (start === undefined || isWhole) return
  for (const entry of entriesFrom(block, start, limit)) yield* stateOf(entry, false)
}

/** Where an entry ends, unless the one behind it shares more of its name than there is. */
function endBeforeNext(block: Buffer, at: number, limit: number): number | undefined {
  const entry = entryAt(block, at, limit)
  if (entry === undefined || entry.end === limit) return entry?.end
  const shared = readNumber(block, entry.end)?.value
  return shared !== undefined && shared <= entry.shared + entry.own ? entry.end : undefined
}

/** Nothing where it is no record's. */
function* stateOf({ key, value }: Entry, isRight: boolean): Generator<StoredState> {
  if (key.length <= SUFFIX_BYTES) return
  const end = key.length - SUFFIX_BYTES
  const isDeleted = key[end] === DELETED && value.length === 0
  const sequence = key.readBigUInt64LE(end) >> 8n
  yield { name: key.subarray(0, end), sequence, value: isDeleted ? undefined : value, isRight }
}

/** What an index says of a block has the name of a record; no sealed value is as short. */
function isIndex({ value }: StoredState): boolean {
  return value !== undefined && value.length < SEAL_BYTES
}

/** By name, and of one name the latest write first. */
function isBefore(one: Buffer, other: Buffer): boolean {
  const [oneEnd, otherEnd] = [one.length - SUFFIX_BYTES, other.length - SUFFIX_BYTES]
  const order = Buffer.compare(one.subarray(0, oneEnd), other.subarray(0, otherEnd))
  return order < 0 || (order === 0 && one.readBigUInt64LE(oneEnd) > other.readBigUInt64LE(otherEnd))
}

function readHandle(bytes: Buffer, from: number): { handle: Handle; end: number } | undefined {
  const offset = readNumber(bytes, from)
  const size = offset && readNumber(bytes, offset.end)
  return size && { handle: { offset: offset.value, size: size.value }, end: size.end }
}
