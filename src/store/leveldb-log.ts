import { Checksums, crc32c, masked } from './crc32c.js'
import { LARGEST_WRITE_BYTES } from './limits.js'
import { openPlain } from './plain-file.js'

/*
 * LevelDB's logs, in which are its journals and its index: blocks of 32 KiB with pieces of records in them, of which each
 * has a checksum. LevelDB itself leaves out what does not fit its checksum and goes on with the next block.
 */

const BLOCK_BYTES = 32_768

/** Checksum (4 bytes), length (2), type (1). */
const HEAD_BYTES = 7
const [WHOLE, FIRST, MIDDLE, LAST] = [1, 2, 3, 4]

const NOTHING = Buffer.alloc(0)

/** `cut`: it ends with the file, before its own end, and so does not show whether it is right. */
export type State = 'right' | 'damaged' | 'cut'

interface Piece {
  readonly type: number
  readonly content: Buffer
  readonly state: State
}

/** One piece of a record, of which at most 32 KiB are in memory. */
interface LogPart {
  /** Of a damaged one all that is there, right or not. */
  readonly content: Buffer
  /** Undefined when more of the record follows; else what it is as a whole. */
  readonly ended: State | undefined
}

export interface LogRecord {
  readonly content: Buffer
  readonly state: State
}

/** The records of a log in their pieces. What claims to be more than `largest` bytes is damaged, and ends there. */
export async function* logParts(file: string, largest = LARGEST_WRITE_BYTES): AsyncGenerator<LogPart> {
  let [isOpen, isRight, bytes] = [false, true, 0]
  const part = (content: Buffer, ended: State | undefined): LogPart => {
    isOpen = ended === undefined
    if (!isOpen) [isRight, bytes] = [true, 0]
    return { content, ended }
  }
  for await (const { type, content, state } of pieces(file)) {
    if (state === 'cut') {
      yield part(content, isRight ? 'cut' : 'damaged')
      return
    }
    const begins = type === WHOLE || type === FIRST
    // The end of the one before is missing, or the beginning of this one.
    if (begins && isOpen) yield part(NOTHING, 'damaged')
    if (!begins && !isOpen) isRight = false
    isRight &&= state === 'right'
    bytes += content.length
    if (bytes > largest) yield part(content, 'damaged')
    else if (type === FIRST || type === MIDDLE) yield part(content, undefined)
    else yield part(content, isRight ? 'right' : 'damaged')
  }
  if (isOpen) yield part(NOTHING, isRight ? 'cut' : 'damaged')
}

/** As {@link logParts}, each in one: for a log of small records. */
export async function* logRecords(file: string, largest: number): AsyncGenerator<LogRecord> {
  let parts: Buffer[] = []
  for await (const { content, ended } of logParts(file, largest)) {
    parts.push(content)
    if (ended === undefined) continue
    yield { content: Buffer.concat(parts), state: ended }
    parts = []
  }
}

/** Whether nothing was written to a log in full. */
export async function isLogEmpty(file: string): Promise<boolean> {
  for await (const { ended } of logParts(file)) if (ended !== undefined) return ended === 'cut'
  return true
}

async function* pieces(file: string): AsyncGenerator<Piece> {
  const handle = await openPlain(file)
  try {
    const { size } = await handle.stat()
    for (let from = 0; from < size; from += BLOCK_BYTES) {
      const block = Buffer.alloc(Math.min(BLOCK_BYTES, size - from))
      const { bytesRead } = await handle.read(block, 0, block.length, from)
      yield* piecesOf(block.subarray(0, bytesRead), from + BLOCK_BYTES >= size)
    }
  } finally {
    await handle.close()
  }
}

function* piecesOf(block: Buffer, isLast: boolean): Generator<Piece> {
  let at = 0
  let sums: Checksums | undefined
  while (at + HEAD_BYTES <= block.length) {
    const type = block[at + 6] ?? 0
    const end = endOf(block, at)
    if (isRightPiece(block, at, end)) {
      yield { type, content: block.subarray(at + HEAD_BYTES, end), state: 'right' }
      at = end
      continue
    }
    // A disk that lost its power may have made room for what was to come, and no more.
    if (isLast && block.subarray(at).every((byte) => byte === 0)) return
    sums ??= new Checksums(block)
    const next = nextRight(block, at + HEAD_BYTES, sums)
    if (isLast && next === undefined && isCut(block, at)) {
      yield { type, content: block.subarray(block.length), state: 'cut' }
      return
    }
    yield { type, content: block.subarray(at + HEAD_BYTES, next), state: 'damaged' }
    at = next ?? block.length
  }
  if (isLast && at < block.length && block.length < BLOCK_BYTES) {
    yield { type: WHOLE, content: block.subarray(block.length), state: 'cut' }
  }
}

function endOf(block: Buffer, at: number): number {
  return at + HEAD_BYTES + block.readUInt16LE(at + 4)
}

function isRightPiece(block: Buffer, at: number, end: number, sums?: Checksums): boolean {
  const type = block[at + 6] ?? 0
  if (type < WHOLE || type > LAST || end > block.length) return false
  const sum = sums?.of(at + 6, end) ?? crc32c(block.subarray(at + 6, end))
  return masked(sum) === block.readUInt32LE(at)
}

/** Where what is damaged ends: its length may be what is damaged. @param sums of the block, since any place may be it. */
function nextRight(block: Buffer, from: number, sums: Checksums): number | undefined {
  for (let at = from; at + HEAD_BYTES <= block.length; at += 1) {
    if (isRightPiece(block, at, endOf(block, at), sums)) return at
  }
  return undefined
}

/** Whether a piece goes on behind the end of the file, and would have its place there. */
function isCut(block: Buffer, at: number): boolean {
  const [type, end] = [block[at + 6] ?? 0, endOf(block, at)]
  if (type < WHOLE || type > LAST || end <= block.length || end > BLOCK_BYTES) return false
  // It is there in full when it fits its checksum with what is there.
  return !isRightPiece(block, at, block.length)
}
