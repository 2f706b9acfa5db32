import { chainStart } from './leveldb-chain.js'
import { readNumber } from './leveldb-numbers.js'
import type { StoredState } from './leveldb-table.js'
import { LARGEST_NAME_BYTES, LARGEST_VALUE_BYTES } from './limits.js'

/** What begins the record of a journal: the number of the write, and how many records it is of. */
const HEAD_BYTES = 12
const [DELETION, WRITE] = [0, 1]

/** Bytes of a length, and of the sort before it; as LevelDB writes them. */
const LONGEST_LENGTH_BYTES = 6

/** Of a damaged batch the last bytes are searched for what leads to its end: more than are copied in one write. */
const SEARCHED_BYTES = 8_388_608

/** Whether it is right shows at the end of the write. */
type BatchState = Omit<StoredState, 'isRight'>

interface Operation {
  readonly name: Buffer
  readonly value: Buffer | undefined
  readonly end: number
}

/**
 * One record of a journal, which is one write of many records, read as it comes: in memory is what one of its records may
 * have, and what is searched where it is damaged.
 */
export class BatchReader {
  #parts: Buffer[] = []
  #held = 0
  /** So many bytes are to be there before it is of use to look again. */
  #needed = HEAD_BYTES
  #head: { readonly sequence: bigint; readonly count: number } | undefined
  #read = 0
  #isBroken = false
  readonly #recent: Buffer[] = []
  #recentBytes = 0

  /** What it writes, as far as that can be told so far and was not told yet. */
  push(part: Buffer): BatchState[] {
    this.#remember(part)
    if (this.#isBroken) return []
    this.#parts.push(part)
    this.#held += part.length
    return this.#held < this.#needed ? [] : this.#decode(Buffer.concat(this.#parts))
  }

  /** Whether all of it was read, and is as LevelDB has it; to be asked at its end. */
  get isWhole(): boolean {
    return !this.#isBroken && this.#held === 0 && this.#read === this.#head?.count
  }

  /** Of one that is not whole, behind what was read already: what leads to its end. */
  *rest(): Generator<BatchState> {
    // Without its number nobody can say what is later than it.
    if (this.#head === undefined || this.isWhole) return
    const { sequence } = this.#head
    const bytes = Buffer.concat(this.#recent)
    const next = (at: number) => {
      const operation = operationAt(bytes, at)
      return typeof operation === 'object' ? operation.end : undefined
    }
    for (let at = chainStart(0, bytes.length, next); at !== undefined && at < bytes.length; ) {
      const operation = operationAt(bytes, at)
      if (typeof operation !== 'object') return
      // No write has one name twice: the number of its first tells it from all others.
      yield { name: operation.name, value: operation.value, sequence }
      at = operation.end
    }
  }

  #decode(bytes: Buffer): BatchState[] {
    const states: BatchState[] = []
    let at = 0
    if (this.#head === undefined) {
      this.#head = { sequence: bytes.readBigUInt64LE(0), count: bytes.readUInt32LE(8) }
      at = HEAD_BYTES
    }
    const { sequence } = this.#head
    for (;;) {
      const operation = operationAt(bytes, at)
      if (typeof operation === 'number') {
        this.#needed = operation
        break
      }
      if (operation === undefined) {
        this.#isBroken = true
        break
      }
      states.push({ name: operation.name, value: operation.value, sequence: sequence + BigInt(this.#read) })
      this.#read += 1
      at = operation.end
    }
    this.#parts = this.#isBroken ? [] : [bytes.subarray(at)]
    this.#held = this.#isBroken ? 0 : bytes.length - at
    return states
  }

  #remember(part: Buffer): void {
    this.#recent.push(part)
    this.#recentBytes += part.length
    for (
      let [first] = this.#recent;
      first && this.#recentBytes - first.length >= SEARCHED_BYTES;
      [first] = this.#recent
    ) {
      this.#recentBytes -= first.length
      this.#recent.shift()
    }
  }
}

/** Undefined where there is none; a number where so many bytes would have to be there to tell. */
function operationAt(bytes: Buffer, at: number): Operation | number | undefined {
  const sort = bytes[at]
  if (sort === undefined) return 1
  if (sort !== DELETION && sort !== WRITE) return undefined
  const field = fieldAt(bytes, at + 1, LARGEST_NAME_BYTES)
  if (typeof field !== 'object') return field && field - at
  const name = bytes.subarray(field.start, field.end)
  if (name.length === 0) return undefined
  if (sort === DELETION) return { name, value: undefined, end: field.end }
  const value = fieldAt(bytes, field.end, LARGEST_VALUE_BYTES)
  if (typeof value !== 'object') return value && value - at
  return { name, value: bytes.subarray(value.start, value.end), end: value.end }
}

/** As {@link operationAt}, with the place up to which bytes would have to be there. */
function fieldAt(bytes: Buffer, at: number, longest: number): { start: number; end: number } | number | undefined {
  const length = readNumber(bytes, at)
  if (length === undefined) return bytes.length - at < LONGEST_LENGTH_BYTES ? bytes.length + 1 : undefined
  if (length.value > longest) return undefined
  const end = length.end + length.value
  return end > bytes.length ? end : { start: length.end, end }
}
