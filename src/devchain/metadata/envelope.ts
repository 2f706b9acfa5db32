import { compactFromU8a } from '@polkadot/util'
import { z } from 'zod'
import { fromHex } from '../../crypto/index.js'
import { SlotmeshError } from '../../domain/index.js'

/** "meta", with which all metadata begins. */
const MAGIC = '6d657461'
const VERSION_OFFSET = 4
const VERSION = 14

const JSON_START = /^\s*["{]/
const JSON_END = /["}]\s*$/
const HEX_TEXT = /^\s*0x(?:[0-9a-fA-F]{2})*\s*$/

const answerSchema = z.union([z.string(), z.object({ result: z.string() }).transform(({ result }) => result)])

/**
 * Takes version 14 metadata out of what tools wrap it in: `Bytes` and `Option<Bytes>`, as runtime APIs give it and
 * `subxt metadata` writes it; its hexadecimal text; and the JSON answer of `state_getMetadata`.
 * @throws SlotmeshError `devchain/bad-metadata`
 */
export function openMetadata(contents: Uint8Array): Uint8Array {
  const bytes = unwrap(fromText(contents))
  if (bytes === undefined) throw bad('it does not begin as metadata does')
  const version = bytes[VERSION_OFFSET]
  if (version !== VERSION) throw bad(`it is of version ${version}`)
  return bytes
}

function bad(reason: string, cause?: unknown): SlotmeshError {
  return new SlotmeshError(
    'devchain/bad-metadata',
    `The metadata cannot be read: ${reason}; give metadata of version ${VERSION}, as state_getMetadata answers.`,
    { cause },
  )
}

function fromText(contents: Uint8Array): Uint8Array {
  // All of these texts are plain ASCII; binary metadata is not, whatever it begins with.
  const text = Buffer.from(contents.buffer, contents.byteOffset, contents.byteLength).toString('latin1')
  const isJson = JSON_START.test(text) && JSON_END.test(text)
  const hex = isJson ? answerOf(text) : text
  if (HEX_TEXT.test(hex)) return fromHex(`0x${hex.trim().slice(2).toLowerCase()}`)
  if (isJson) throw bad('it is JSON, but no answer of a chain')
  return contents
}

function answerOf(text: string): string {
  try {
    return answerSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw bad('it is JSON, but no answer of a chain', cause)
  }
}

/** Bare, or behind its length, or behind the byte of `Some` and its length. */
function unwrap(bytes: Uint8Array): Uint8Array | undefined {
  if (isMetadata(bytes)) return bytes
  return [bytes, ...(bytes[0] === 1 ? [bytes.subarray(1)] : [])].map(behindLength).find((inner) => inner !== undefined)
}

function behindLength(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < VERSION_OFFSET) return undefined
  const [offset, length] = compactFromU8a(bytes)
  const inner = bytes.subarray(offset)
  return length.eqn(inner.length) && isMetadata(inner) ? inner : undefined
}

function isMetadata(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, VERSION_OFFSET)).toString('hex') === MAGIC
}
