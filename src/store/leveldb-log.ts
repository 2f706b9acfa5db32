import { open } from 'node:fs/promises'
import { crc32c, masked } from './crc32c.js'

/*
 * LevelDB's logs, in which are its journals and its index: blocks of 32 KiB with pieces of records in them, of which each
 * has a checksum. LevelDB itself leaves out what does not fit its checksum and goes on with the next block.
 */

const BLOCK_BYTES = 32_768

/** Checksum (4 bytes), length (2), type (1). */
const HEAD_BYTES = 7
const [WHOLE, FIRST, MIDDLE, LAST] = [1, 2, 3, 4]

/** More than any write of a store's comes to; what claims to be longer is no record. */
const LARGEST_RECORD_BYTES = 268_435_456

/** `cut`: it ends with the file, before its own end, and so does not show whether it is right. */
type State = 'right' | 'damaged' | 'cut'

interface Piece {
  readonly type: number
  readonly content: Buffer
  readonly state: State
}

export interface LogRecord {
  /** Of a damaged one all that is there, right or not. */
  readonly content: Buffer
  readonly state: State
}

/** The records of a log, put together from their pieces; at most one record is in memory. */
export async function* logRecords(file: string): AsyncGenerator<LogRecord> {
  let parts: Buffer[] = []
  let bytes = 0
  let isRight = true
  const ended = (state: State): LogRecord => {
    const content = Buffer.concat(parts)
    parts = []
    bytes = 0
    isRight = true
    return { content, state }
  }
  for await (const { type, content, state } of pieces(file)) {
    if (state === 'cut') {
      yield ended('cut')
      return
    }
    const begins = type === WHOLE || type === FIRST
    // The end of the one before is missing, or the beginning of this one.
    if (begins && parts.length > 0) yield ended('damaged')
    if (!begins && parts.length === 0) isRight = false
    isRight &&= state === 'right'
    parts.push(content)
    bytes += content.length
    if (bytes > LARGEST_RECORD_BYTES) yield ended('damaged')
    else if (type !== FIRST && type !== MIDDLE) yield ended(isRight ? 'right' : 'damaged')
  }
  if (parts.length > 0) yield ended(isRight ? 'cut' : 'damaged')
}

/**
 * Whether all of a log is there and fits its checksums.
 *
 * @param mayBeCut the last record may be cut short by the end of the file: the database has never said that it is written.
 */
export async function isLogRight(file: string, mayBeCut: boolean): Promise<boolean> {
  for await (const { state } of logRecords(file))
    if (state === 'damaged' || (state === 'cut' && !mayBeCut)) return false
  return true
}

async function* pieces(file: string): AsyncGenerator<Piece> {
  const handle = await open(file, 'r')
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
    const next = nextRight(block, at + HEAD_BYTES)
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

function isRightPiece(block: Buffer, at: number, end: number): boolean {
  const type = block[at + 6] ?? 0
  if (type < WHOLE || type > LAST || end > block.length) return false
  return masked(crc32c(block.subarray(at + 6, end))) === block.readUInt32LE(at)
}

/** Where what is damaged ends: its length may be what is damaged. */
function nextRight(block: Buffer, from: number): number | undefined {
  for (let at = from; at + HEAD_BYTES <= block.length; at += 1) if (isRightPiece(block, at, endOf(block, at))) return at
  return undefined
}

/** Whether a piece goes on behind the end of the file, and would have its place there. */
function isCut(block: Buffer, at: number): boolean {
  const [type, end] = [block[at + 6] ?? 0, endOf(block, at)]
  if (type < WHOLE || type > LAST || end <= block.length || end > BLOCK_BYTES) return false
  // It is there in full when it fits its checksum with what is there.
  return !isRightPiece(block, at, block.length)
}
