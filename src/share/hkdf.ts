import { createHmac } from 'node:crypto'
import { HkdfSha256 } from '@hpke/core'
import { zero } from '../crypto/index.js'
import { bytesOf } from './buffer-source.js'

const [HASH, HASH_BYTES] = ['sha256', 32]

/** The most that can be expanded: a counter of one byte. */
const MOST_BYTES = 255 * HASH_BYTES

/**
 * HKDF-SHA-256 (RFC 5869) as HPKE takes it, on Node's own HMAC: by WebCrypto each of the dozens of calls in an exchange goes to
 * another thread and back twice.
 */
export class NodeHkdfSha256 extends HkdfSha256 {
  override async extract(
    salt: ArrayBufferLike | ArrayBufferView,
    ikm: ArrayBufferLike | ArrayBufferView,
  ): Promise<ArrayBuffer> {
    const given = bytesOf(salt)
    return hmac(given.length === 0 ? new Uint8Array(HASH_BYTES) : given, bytesOf(ikm)).buffer
  }

  /** @throws RangeError where more is asked for than there is in it. */
  override async expand(
    prk: ArrayBufferLike | ArrayBufferView,
    info: ArrayBufferLike | ArrayBufferView,
    length: number,
  ): Promise<ArrayBuffer> {
    if (length > MOST_BYTES) throw new RangeError(`HKDF-SHA-256 expands to ${MOST_BYTES} bytes at most.`)
    const expanded = new Uint8Array(length)
    let block = new Uint8Array(0)
    for (let at = 0, counter = 1; at < length; at += HASH_BYTES, counter += 1) {
      const next = hmac(bytesOf(prk), block, bytesOf(info), Uint8Array.of(counter))
      zero(block)
      block = next
      expanded.set(block.subarray(0, length - at), at)
    }
    zero(block)
    return expanded.buffer
  }

  override async extractAndExpand(
    salt: ArrayBufferLike | ArrayBufferView,
    ikm: ArrayBufferLike | ArrayBufferView,
    info: ArrayBufferLike | ArrayBufferView,
    length: number,
  ): Promise<ArrayBuffer> {
    const prk = await this.extract(salt, ikm)
    try {
      return await this.expand(prk, info, length)
    } finally {
      zero(new Uint8Array(prk))
    }
  }
}

/** In memory of its own, as the library hands it on whole. */
function hmac(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const mac = createHmac(HASH, key)
  for (const part of parts) mac.update(part)
  const digest = mac.digest()
  const own = new Uint8Array(digest)
  zero(digest)
  return own
}
