import { type FileHandle, open } from 'node:fs/promises'
import { crc32c, masked } from './crc32c.js'
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

/** Largest part of a file that is taken into memory. */
const LARGEST_BYTES = 268_435_456
const WINDOW_BYTES = 1_048_576

/** A state of a record. */
export interface StoredState {
  readonly name: Uint8Array
  /** The later write has the higher number. */
  readonly sequence: bigint
  /** Undefined when it was deleted. */
  readonly value: Uint8Array | undefined
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
    const handle = await open(file, 'r')
    try {
      return new TableFile(handle, (await handle.stat()).size)
    } catch (thrown) {
      await handle.close()
      throw thrown
    }
  }

  /** Undefined where the file does not go as far, or that is too much to be read. */
  async bytes({ offset, size }: Handle): Promise<Buffer | undefined> {
    if (size > LARGEST_BYTES || offset + size > this.size) return undefined
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

/** Where the blocks of a table are: those of records, and what helps to find them. */
interface Index {
  readonly records: readonly Handle[]
  readonly helpers: readonly Handle[]
}

/** Whether all of a table is there, fits its checksums, and is in order. */
export async function isTableRight(file: string): Promise<boolean> {
  const table = await TableFile.open(file)
  try {
    const index = await indexOf(table)
    if (index === undefined) return false
    for (const each of index.helpers) if ((await blockAt(table, each))?.isRight !== true) return false
    let last: Buffer | undefined
    for (const each of index.records) {
      const block = await blockAt(table, each)
      const entries = block?.isRight ? entriesOf(block.content) : undefined
      if (entries === undefined) return false
      for (const { key } of entries) {
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
      for (const block of await scanned(table)) {
        for (const state of statesOf(block)) if (!isIndex(state)) yield state
      }
      return
    }
    for (const each of index.records) {
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
  const [helpers, records] = [meta && (await listed(table, meta.handle)), main && (await listed(table, main.handle))]
  return helpers && records && { helpers, records }
}

/** The blocks that a block lists; undefined when it is damaged. */
async function listed(table: TableFile, at: Handle): Promise<Handle[] | undefined> {
  const block = await blockAt(table, at)
  const entries = block?.isRight ? entriesOf(block.content) : undefined
  const handles = entries?.map(({ value }) => readHandle(value, 0)?.handle)
  return handles?.every((each) => each !== undefined) ? handles : undefined
}

async function blockAt(
  table: TableFile,
  { offset, size }: Handle,
): Promise<{ content: Buffer; isRight: boolean } | undefined> {
  const bytes = await table.bytes({ offset, size: size + TRAILER_BYTES })
  if (bytes === undefined) return undefined
  const isRight = masked(crc32c(bytes.subarray(0, size + 1))) === bytes.readUInt32LE(size + 1)
  return { content: bytes.subarray(0, size), isRight: isRight && bytes[size] === NOT_COMPRESSED }
}

/** Without the index: one block stands behind the other, and ends where its checksum fits. */
async function scanned(table: TableFile): Promise<Buffer[]> {
  const { size } = table
  const bytes = await table.bytes({ offset: 0, size: Math.min(size, LARGEST_BYTES) })
  const blocks: Buffer[] = []
  for (let from = 0; bytes !== undefined; ) {
    const end = endOfBlock(bytes, from)
    if (end === undefined) return blocks
    blocks.push(bytes.subarray(from, end))
    from = end + TRAILER_BYTES
  }
  return blocks
}

function endOfBlock(bytes: Buffer, from: number): number | undefined {
  let crc = 0
  for (let at = from; at + TRAILER_BYTES <= bytes.length; at += 1) {
    crc = crc32c(bytes.subarray(at, at + 1), crc)
    if (bytes[at] === NOT_COMPRESSED && masked(crc) === bytes.readUInt32LE(at + 1)) return at
  }
  return undefined
}

interface Entry {
  readonly key: Buffer
  readonly value: Buffer
}

/** Undefined when it is no block. */
function entriesOf(block: Buffer): Entry[] | undefined {
  const limit = limitOf(block)
  const { entries, end } = entriesFrom(block, 0, limit)
  return end === limit ? entries : undefined
}

/** Where the entries end, and what points to every sixteenth of them begins. */
function limitOf(block: Buffer): number {
  if (block.length < 4) return -1
  return block.length - 4 * (block.readUInt32LE(block.length - 4) + 1)
}

/** As many entries as follow one another, each but the first with a part of the name of the one before. */
function entriesFrom(block: Buffer, from: number, limit: number): { entries: Entry[]; end: number } {
  const entries: Entry[] = []
  let key = Buffer.alloc(0)
  let at = from
  while (at < limit) {
    const shared = readNumber(block, at)
    const own = shared && readNumber(block, shared.end)
    const value = own && readNumber(block, own.end)
    if (shared === undefined || own === undefined || value === undefined || shared.value > key.length) break
    const end = value.end + own.value + value.value
    if (end > limit) break
    key = Buffer.concat([key.subarray(0, shared.value), block.subarray(value.end, value.end + own.value)])
    entries.push({ key, value: block.subarray(value.end + own.value, end) })
    at = end
  }
  return { entries, end: at }
}

function* statesOf(block: Buffer): Generator<StoredState> {
  for (const entry of entriesFrom(block, 0, limitOf(block)).entries) yield* stateOf(entry)
}

/** What follows from the beginning, and what leads to the end behind the damage. */
function* legibleStates(block: Buffer): Generator<StoredState> {
  const limit = limitOf(block)
  const whole = entriesFrom(block, 0, limit)
  for (const entry of whole.end === limit ? whole.entries : entriesFrom(block, 0, block.length).entries) {
    yield* stateOf(entry)
  }
  if (whole.end === limit) return
  for (let at = 1; at < limit; at += 1) {
    const { entries, end } = entriesFrom(block, at, limit)
    if (entries.length === 0 || end !== limit) continue
    for (const entry of entries) yield* stateOf(entry)
    return
  }
}

/** Nothing where it is no record's. */
function* stateOf({ key, value }: Entry): Generator<StoredState> {
  if (key.length <= SUFFIX_BYTES) return
  const end = key.length - SUFFIX_BYTES
  const isDeleted = key[end] === DELETED && value.length === 0
  yield { name: key.subarray(0, end), sequence: key.readBigUInt64LE(end) >> 8n, value: isDeleted ? undefined : value }
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

/** Bytes of the longest number that JavaScript holds. */
const NUMBER_BYTES = 8

/** Seven bits in each byte, the lowest first; undefined when it does not end, or is no number of bytes. */
export function readNumber(bytes: Uint8Array, from: number): { value: number; end: number } | undefined {
  let value = 0
  for (let at = from, scale = 1; at < Math.min(bytes.length, from + NUMBER_BYTES); at += 1, scale *= 128) {
    const byte = bytes[at] ?? 0
    value += (byte & 127) * scale
    if (value > Number.MAX_SAFE_INTEGER) return undefined
    if (byte < 128) return { value, end: at + 1 }
  }
  return undefined
}
