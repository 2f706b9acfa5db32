import { createHash } from 'node:crypto'
import { base58 } from '@scure/base'
import { type AccountId, SlotmeshError } from '../domain/index.js'
import { equalBytes, fromHex, toHex, utf8 } from './bytes.js'

const ACCOUNT_BYTES = 32
const CHECKSUM_BYTES = 2
/** The generic Substrate prefix, which this chain uses. */
const PREFIX = 42
// 36 bytes in base 58; decoding takes quadratic time, so longer text is refused unread.
const MAXIMUM_LENGTH = 50

/** An account as people write it, with prefix 42 (https://docs.substrate.io/reference/address-formats/). */
export function toSs58(account: AccountId): string {
  const body = Uint8Array.of(PREFIX, ...fromHex(account))
  return base58.encode(Uint8Array.of(...body, ...checksum(body)))
}

/**
 * Reads the address of a 32-byte account, of whichever network prefix.
 * @throws SlotmeshError `crypto/not-ss58` when it is not one, or its checksum is wrong.
 */
export function fromSs58(address: string): AccountId {
  const bytes = address.length <= MAXIMUM_LENGTH ? decodeBase58(address) : undefined
  const prefixBytes = prefixLength(bytes?.[0])
  if (bytes === undefined || bytes.length !== prefixBytes + ACCOUNT_BYTES + CHECKSUM_BYTES) throw notSs58()
  const body = bytes.subarray(0, -CHECKSUM_BYTES)
  if (!equalBytes(checksum(body), bytes.subarray(-CHECKSUM_BYTES))) throw notSs58()
  return toHex(body.subarray(prefixBytes))
}

function notSs58(): SlotmeshError {
  return new SlotmeshError(
    'crypto/not-ss58',
    'Expected the SS58 address of a 32-byte account; check it for typing errors.',
  )
}

function decodeBase58(text: string): Uint8Array | undefined {
  try {
    return base58.decode(text)
  } catch {
    // The library throws on letters outside its alphabet; that is one more address that is none.
    return undefined
  }
}

/** 0 to 63 is a prefix by itself, 64 to 127 the first of two bytes; the rest is reserved, so no length fits. */
function prefixLength(first = 128): number {
  if (first >= 128) return Number.NaN
  return first < 64 ? 1 : 2
}

function checksum(body: Uint8Array): Uint8Array {
  const digest = createHash('blake2b512').update(utf8('SS58PRE')).update(body).digest()
  return new Uint8Array(digest.subarray(0, CHECKSUM_BYTES))
}
