import { DOMAIN, sha256, taggedHash, taggedLayout } from '../crypto/index.js'
import { keyOf } from './trie.js'

/** Enough for a hint: whoever finds two sets of one fingerprint hides what differs between these alone. */
export const FINGERPRINT_BYTES = 16

/** A sum is a number below 2^256 in so many words of 32 bits, the most significant first. */
const WORDS = 8

export function noSum(): Uint32Array {
  return new Uint32Array(WORDS)
}

/** A share's kind, NFT id and version. */
const ELEMENT = taggedLayout(DOMAIN.reconcileElement, [9])
const [ELEMENT_AT = 0] = ELEMENT.at
const view = new DataView(ELEMENT.bytes.buffer, ELEMENT_AT)

/** Adds a share to a sum, or takes it away again: its hash as a number, modulo 2^256 (reconcile SPEC 4.2). */
export function changeSum(sum: Uint32Array, share: number, version: number, step: 1 | -1): void {
  const { kind, nftId } = keyOf(share)
  view.setUint8(0, kind === 'secret' ? 1 : 2)
  view.setUint32(1, nftId)
  view.setUint32(5, version)
  const hash = sha256(ELEMENT.bytes)
  const words = new DataView(hash.buffer, hash.byteOffset)
  let carry = 0
  for (let word = WORDS - 1; word >= 0; word -= 1) {
    const changed = (sum[word] ?? 0) + step * words.getUint32(4 * word) + carry
    sum[word] = changed
    carry = Math.floor(changed / 2 ** 32)
  }
}

/** Adds one sum to another, or takes it away again. */
export function addSum(sum: Uint32Array, other: Uint32Array, step: 1 | -1 = 1): void {
  let carry = 0
  for (let word = WORDS - 1; word >= 0; word -= 1) {
    const changed = (sum[word] ?? 0) + step * (other[word] ?? 0) + carry
    sum[word] = changed
    carry = Math.floor(changed / 2 ** 32)
  }
}

const counted = new Uint8Array(8 + 4 * WORDS)
const countedView = new DataView(counted.buffer)

/** What some shares are known by: their number and their sum. @returns {@link FINGERPRINT_BYTES} bytes. */
export function fingerprintOf(count: number, sum: Uint32Array): Uint8Array {
  countedView.setBigUint64(0, BigInt(count))
  for (let word = 0; word < WORDS; word += 1) countedView.setUint32(8 + 4 * word, sum[word] ?? 0)
  return taggedHash(DOMAIN.reconcileFingerprint, counted).slice(0, FINGERPRINT_BYTES)
}
