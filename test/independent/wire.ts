import type {
  Batch,
  ChallengeBody,
  End,
  HelloBody,
  Kind,
  LogHead,
  RequestBody,
  Run,
  Share,
  Token,
} from '../vectors/wire.js'
import { Refused } from './outcomes.js'

/*
 * Decoding of protocol buffers version 3, and of share.proto's messages, by hand. What does not decode is MALFORMED
 * (share 3).
 */

type Fields = ReadonlyMap<number, readonly (number | Uint8Array)[]>

const MALFORMED = () => new Refused('MALFORMED')

export function fieldsOf(bytes: Uint8Array): Fields {
  const fields = new Map<number, (number | Uint8Array)[]>()
  let at = 0
  const varint = (): number => {
    let value = 0n
    for (let place = 0n; place < 10n; place += 1n) {
      const byte = bytes[at]
      if (byte === undefined) throw MALFORMED()
      at += 1
      value |= BigInt(byte & 0x7f) << (7n * place)
      if (byte < 0x80) return Number(BigInt.asUintN(64, value))
    }
    throw MALFORMED()
  }
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw MALFORMED()
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const tag = varint()
    const [field, type] = [Math.floor(tag / 8), tag % 8]
    if (field === 0) throw MALFORMED()
    const value =
      type === 0 ? varint() : type === 1 ? take(8) : type === 2 ? take(varint()) : type === 5 ? take(4) : undefined
    if (value === undefined) throw MALFORMED()
    fields.set(field, [...(fields.get(field) ?? []), value])
  }
  return fields
}

function number(fields: Fields, field: number): number {
  const value = fields.get(field)?.at(-1) ?? 0
  if (typeof value !== 'number') throw MALFORMED()
  // uint32, bool and enum: a longer number loses its upper half.
  return Number(BigInt.asUintN(32, BigInt(value)))
}

function byteString(fields: Fields, field: number): Uint8Array {
  const value = fields.get(field)?.at(-1) ?? new Uint8Array()
  if (typeof value === 'number') throw MALFORMED()
  return value
}

function repeated(fields: Fields, field: number): Uint8Array[] {
  return (fields.get(field) ?? []).map((value) => {
    if (typeof value === 'number') throw MALFORMED()
    return value
  })
}

function optional<T>(fields: Fields, field: number, decode: (bytes: Uint8Array) => T): T | undefined {
  return fields.has(field) ? decode(byteString(fields, field)) : undefined
}

/** The one message that a RequesterMessage or a ProviderMessage holds: its field and its bytes. */
export function messageIn(bytes: Uint8Array): { readonly field: number; readonly message: Uint8Array } {
  const known = [...fieldsOf(bytes)].filter(([field]) => [1, 2, 3, 15].includes(field)).at(-1)
  const message = known?.[1].at(-1)
  if (known === undefined || !(message instanceof Uint8Array)) throw MALFORMED()
  return { field: known[0], message }
}

/** Hello, Challenge and Request: what is hashed as it came, and what vouches for it. */
export function bodyAndProof(bytes: Uint8Array): { readonly body: Uint8Array; readonly proof: Uint8Array } {
  const fields = fieldsOf(bytes)
  return { body: byteString(fields, 1), proof: byteString(fields, 2) }
}

export function onlyField(bytes: Uint8Array): Uint8Array {
  return byteString(fieldsOf(bytes), 1)
}

export function decodeRefusal(bytes: Uint8Array): { readonly code: number; readonly retryAfterMs: number } {
  const fields = fieldsOf(bytes)
  byteString(fields, 2)
  return { code: number(fields, 1), retryAfterMs: number(fields, 3) }
}

function decodeToken(bytes: Uint8Array): Token {
  const fields = fieldsOf(bytes)
  return { blockNumber: number(fields, 1), blockHash: byteString(fields, 2), validity: number(fields, 3) }
}

export function decodeHelloBody(bytes: Uint8Array): HelloBody {
  const fields = fieldsOf(bytes)
  const suites = repeated(fields, 5).map((offer) => {
    const of = fieldsOf(offer)
    return { suite: number(of, 1), publicKey: byteString(of, 2) }
  })
  return {
    genesisHash: byteString(fields, 1),
    account: byteString(fields, 2),
    nonce: byteString(fields, 3),
    token: optional(fields, 4, decodeToken),
    suites,
  }
}

export function decodeChallengeBody(bytes: Uint8Array): ChallengeBody {
  const fields = fieldsOf(bytes)
  return {
    account: byteString(fields, 1),
    nonce: byteString(fields, 2),
    token: optional(fields, 3, decodeToken),
    suite: number(fields, 4),
    publicKey: byteString(fields, 5),
    syncedBlock: number(fields, 6),
    takenInBlock: number(fields, 7),
  }
}

export function decodeRequestBody(bytes: Uint8Array): RequestBody {
  const fields = fieldsOf(bytes)
  return { encapsulatedKey: byteString(fields, 1), secrets: byteString(fields, 2), capsules: byteString(fields, 3) }
}

export function decodeSealedContent(bytes: Uint8Array): { batch: Batch } | { end: End } {
  const fields = fieldsOf(bytes)
  const last = [...fields.keys()].filter((field) => field === 1 || field === 2).at(-1)
  if (last === 1) return { batch: decodeBatch(byteString(fields, 1)) }
  if (last !== 2) throw MALFORMED()
  const end = fieldsOf(byteString(fields, 2))
  return { end: { shareCount: number(end, 1), notHeldCount: number(end, 2), unfinished: number(end, 3) !== 0 } }
}

function decodeBatch(bytes: Uint8Array): Batch {
  const fields = fieldsOf(bytes)
  const cursor = optional(fields, 4, (part) => {
    const of = fieldsOf(part)
    return { kind: kindOf(number(of, 1)), nftId: number(of, 2) }
  })
  return {
    runs: repeated(fields, 1).map(decodeRun),
    secretsNotHeld: byteString(fields, 2),
    capsulesNotHeld: byteString(fields, 3),
    cursor,
  }
}

function decodeRun(bytes: Uint8Array): Run {
  const fields = fieldsOf(bytes)
  return {
    head: optional(fields, 1, decodeHead),
    firstIndex: number(fields, 2),
    shares: repeated(fields, 3).map(decodeShare),
    left: repeated(fields, 4),
    right: repeated(fields, 5),
  }
}

function decodeHead(bytes: Uint8Array): LogHead {
  const fields = fieldsOf(bytes)
  return {
    account: byteString(fields, 1),
    incarnation: byteString(fields, 2),
    cluster: number(fields, 3),
    slot: number(fields, 4),
    size: number(fields, 5),
    root: byteString(fields, 6),
    signature: byteString(fields, 7),
  }
}

function decodeShare(bytes: Uint8Array): Share {
  const fields = fieldsOf(bytes)
  return {
    kind: kindOf(number(fields, 1)),
    nftId: number(fields, 2),
    version: number(fields, 3),
    payload: byteString(fields, 4),
  }
}

function kindOf(value: number): Kind {
  if (value === 1) return 'SECRET'
  if (value === 2) return 'CAPSULE'
  throw MALFORMED()
}
