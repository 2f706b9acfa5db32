import { hash } from 'node:crypto'
import { zero } from '../crypto/index.js'

const KEY_BYTES = 32
const LENGTH_BYTES = 4

/** Most records are smaller; for larger ones the buffer grows, to twice their size at most. */
const FIRST_BUFFER_BYTES = 4_096

/**
 * 32 bytes that stand for one sealed record under its name:
 *
 *     SHA-256(secret key || length of the name, u32 || name || sealed value)
 *
 * No two records are written alike. The key comes first and nobody outside sees the result, so that this is as good a
 * MAC as HMAC, at half the price. The key is kept in one buffer, which is zeroed by {@link Fingerprints.clear}.
 */
export class Fingerprints {
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BUFFER_BYTES)

  /** @param key 32 bytes; copied, so the caller may zero it. */
  constructor(key: Uint8Array) {
    this.#buffer.set(key)
  }

  of(name: Uint8Array, sealed: Uint8Array): Uint8Array {
    const nameAt = KEY_BYTES + LENGTH_BYTES
    const length = nameAt + name.length + sealed.length
    if (length > this.#buffer.length) this.#grow(2 * length)
    new DataView(this.#buffer.buffer).setUint32(KEY_BYTES, name.length)
    this.#buffer.set(name, nameAt)
    this.#buffer.set(sealed, nameAt + name.length)
    return hash('sha256', this.#buffer.subarray(0, length), 'buffer')
  }

  clear(): void {
    zero(this.#buffer)
  }

  #grow(length: number): void {
    const grown = new Uint8Array(length)
    grown.set(this.#buffer.subarray(0, KEY_BYTES))
    zero(this.#buffer)
    this.#buffer = grown
  }
}
