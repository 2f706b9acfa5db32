import { isPrefix, type Prefix } from '../inventory/index.js'
import { QUESTION_PREFIXES } from './protocol.js'
import { malformed } from './refusals.js'

/** SPEC 4.3: the first number, in five bytes, and the level. */
const PREFIX_BYTES = 6

/** What is asked for together, in the order of the wire: a part comes after what it is a part of. */
export function inOrder(prefixes: readonly Prefix[]): Prefix[] {
  return [...prefixes].sort((one, other) => one.first - other.first || one.level - other.level)
}

/** @param prefixes in order, each once. */
export function encodePrefixes(prefixes: readonly Prefix[]): Uint8Array {
  const bytes = Buffer.alloc(prefixes.length * PREFIX_BYTES)
  for (const [at, { level, first }] of prefixes.entries()) {
    bytes.writeUIntBE(first, at * PREFIX_BYTES, PREFIX_BYTES - 1)
    bytes.writeUInt8(level, (at + 1) * PREFIX_BYTES - 1)
  }
  return bytes
}

/** @throws RefusingError MALFORMED */
export function decodePrefixes(bytes: Uint8Array): Prefix[] {
  const length = bytes.length / PREFIX_BYTES
  if (!Number.isInteger(length) || length === 0 || length > QUESTION_PREFIXES) malformed()
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const prefixes: Prefix[] = []
  for (let at = 0; at < bytes.length; at += PREFIX_BYTES) {
    const prefix = {
      first: buffer.readUIntBE(at, PREFIX_BYTES - 1),
      level: buffer.readUInt8(at + PREFIX_BYTES - 1),
    }
    const before = prefixes.at(-1)
    const isAfter =
      before === undefined ||
      prefix.first > before.first ||
      (prefix.first === before.first && prefix.level > before.level)
    if (!isPrefix(prefix) || !isAfter) malformed()
    prefixes.push(prefix)
  }
  return prefixes
}
