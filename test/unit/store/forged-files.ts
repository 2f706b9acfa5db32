import { crc32c, masked } from '../../../src/store/crc32c.js'

/*
 * LevelDB's files as a host can make them, with checksums that fit.
 */

const MAGIC = Buffer.from('57fb808b247547db', 'hex')
const LOG_BLOCK_BYTES = 32_768

export function number(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Buffer.from([...bytes, rest])
}

/** An entry of a block; its name with the number and the sort of a write behind it. */
export function entry(name: Uint8Array, value: Uint8Array, shared = 0): Buffer {
  return Buffer.concat([number(shared), number(name.length), number(value.length), name, value])
}

/** A record's name as a table has it. */
export function nameOf(name: string, sequence = 1): Buffer {
  const suffix = Buffer.alloc(8)
  suffix.writeBigUInt64LE((BigInt(sequence) << 8n) | 1n)
  return Buffer.concat([Buffer.from(name), suffix])
}

/** A block of entries, of which the first is the only one that is pointed to. */
export function block(entries: readonly Uint8Array[]): Buffer {
  const restarts = Buffer.alloc(8)
  restarts.writeUInt32LE(1, 4)
  return Buffer.concat([...entries, restarts])
}

export interface Placed {
  readonly offset: number
  readonly size: number
}

/** A table; where an index is not given, it lists the blocks as they are. */
export function table(blocks: readonly Uint8Array[], list = (placed: readonly Placed[]) => placed): Buffer {
  const parts: Uint8Array[] = []
  let at = 0
  const place = (content: Uint8Array): Placed => {
    const typed = Buffer.concat([content, Uint8Array.of(0)])
    const sum = Buffer.alloc(4)
    sum.writeUInt32LE(masked(crc32c(typed)))
    parts.push(typed, sum)
    const placed = { offset: at, size: content.length }
    at += typed.length + sum.length
    return placed
  }
  const placed = blocks.map(place)
  const handleOf = ({ offset, size }: Placed) => Buffer.concat([number(offset), number(size)])
  const helpers = place(block([]))
  const index = place(block(list(placed).map((each) => entry(nameOf('i'), handleOf(each)))))
  const handles = Buffer.concat([handleOf(helpers), handleOf(index)])
  return Buffer.concat([...parts, handles, Buffer.alloc(40 - handles.length), MAGIC])
}

/** One write of a journal. */
export function batch(sequence: number, records: readonly (readonly [name: Uint8Array, value: Uint8Array])[]): Buffer {
  const head = Buffer.alloc(12)
  head.writeBigUInt64LE(BigInt(sequence))
  head.writeUInt32LE(records.length, 8)
  const operations = records.flatMap(([name, value]) => [
    Uint8Array.of(1),
    number(name.length),
    name,
    number(value.length),
    value,
  ])
  return Buffer.concat([head, ...operations])
}

/** A log of these records, in pieces. */
export function log(...records: readonly Uint8Array[]): Buffer {
  const parts: Uint8Array[] = []
  let at = 0
  for (const record of records) {
    for (let from = 0; from < record.length || from === 0; ) {
      const room = LOG_BLOCK_BYTES - (at % LOG_BLOCK_BYTES)
      if (room < 8) {
        parts.push(new Uint8Array(room))
        at += room
        continue
      }
      const content = record.subarray(from, from + room - 7)
      const [isFirst, isLast] = [from === 0, from + content.length === record.length]
      const type = isFirst ? (isLast ? 1 : 2) : isLast ? 4 : 3
      const typed = Buffer.concat([Uint8Array.of(type), content])
      const head = Buffer.alloc(6)
      head.writeUInt32LE(masked(crc32c(typed)))
      head.writeUInt16LE(content.length, 4)
      parts.push(head, typed)
      at += 7 + content.length
      from += content.length
    }
  }
  return Buffer.concat(parts)
}
