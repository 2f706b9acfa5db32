import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomFillSync,
} from 'node:crypto'
import { DOMAIN, taggedHash, zero } from '../crypto/index.js'
import { Fingerprints } from './fingerprint.js'
import { partOf } from './records.js'

/** Bytes of a sealing key, and of every key derived from it. */
export const SEALING_KEY_BYTES = 32

/** Bytes of a store's random id. */
export const STORE_ID_BYTES = 16

export const SEAT_TIME_BYTES = 16

const FORMAT_VERSION = 4
const SALT_BYTES = 24
const TAG_BYTES = 16

/** What sealing adds to a value. */
export const SEAL_BYTES = SALT_BYTES + TAG_BYTES

/** Each AES key seals exactly one value, so the nonce may be constant (as in RFC 9180 for a first message). */
const NONCE = new Uint8Array(12)

const NOTHING = new Uint8Array(0)

/**
 * Seals the values of one store; the only place where anything at rest is encrypted or decrypted.
 *
 *     store key  = HMAC-SHA-256(sealing key, taggedHash(store domain, store id))
 *     record key = HMAC-SHA-256(store key, salt)                   a fresh random 24-byte salt for every write
 *     sealed     = salt || AES-256-GCM(record key, nonce 0, value, associated data) || 16-byte tag
 *     associated = format version || store id || (of a seat's record) seat time || the record's key in the database
 *
 * 24 random bytes do not repeat in any number of writes a disk could hold (2^-97 after 2^48), so neither does a key.
 * The associated data nails a value to its place: moved to another key or another folder it does not open. That a
 * record is missing, or an old one is back, shows at start by the manifest and from then on by `Freshness`; a whole folder
 * that is set back, only by the world.
 */
export class Sealer {
  readonly #storeKey: KeyObject
  readonly #storeId: Uint8Array
  readonly #fingerprints: Fingerprints
  readonly #salts = new Salts()
  /** See the table of that name; zeros until a seat was erased for the first time. */
  seatTime: Uint8Array = new Uint8Array(SEAT_TIME_BYTES)

  /** @param sealingKey 32 bytes; copied, so the caller may zero it. */
  constructor(sealingKey: Uint8Array, storeId: Uint8Array) {
    const derived = createHmac('sha256', sealingKey).update(taggedHash(DOMAIN.storeRecordKey, storeId)).digest()
    this.#storeKey = createSecretKey(derived)
    this.#storeId = storeId
    zero(derived)
    const tag = taggedHash(DOMAIN.storeFingerprint, storeId)
    const fingerprintKey = createHmac('sha256', sealingKey).update(tag).digest()
    this.#fingerprints = new Fingerprints(fingerprintKey)
    zero(fingerprintKey)
  }

  seal(recordKey: Uint8Array, value: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(SEAL_BYTES + value.length)
    const salt = sealed.subarray(0, SALT_BYTES)
    this.#salts.draw(salt)
    const cipher = createCipheriv('aes-256-gcm', this.#recordKey(salt), NONCE)
    cipher.setAAD(this.#associatedData(recordKey))
    sealed.set(cipher.update(value), SALT_BYTES)
    cipher.final()
    sealed.set(cipher.getAuthTag(), SALT_BYTES + value.length)
    return sealed
  }

  /** @returns undefined when these bytes were not sealed, unchanged, for this record of this store under this key. */
  open(recordKey: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length < SEAL_BYTES) return undefined
    const decipher = createDecipheriv('aes-256-gcm', this.#recordKey(sealed.subarray(0, SALT_BYTES)), NONCE, {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(this.#associatedData(recordKey))
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
    const value = decipher.update(sealed.subarray(SALT_BYTES, -TAG_BYTES))
    try {
      decipher.final()
    } catch {
      // GCM's one way to say that the tag does not fit; bytes that failed it must not be used.
      zero(value)
      return undefined
    }
    return new Uint8Array(value.buffer, value.byteOffset, value.length)
  }

  /** See {@link Fingerprints}. */
  fingerprint(name: Uint8Array, sealed: Uint8Array): Uint8Array {
    return this.#fingerprints.of(name, sealed)
  }

  /** 64 bits, not 0, that stand for a record's name; as secret as fingerprints are. */
  nameHash(name: Uint8Array): bigint {
    const print = this.#fingerprints.of(name, NOTHING)
    return new DataView(print.buffer, print.byteOffset).getBigUint64(0) || 1n
  }

  /** Zeroes what can be zeroed of the keys; nothing may be sealed after it. */
  clear(): void {
    this.#fingerprints.clear()
  }

  #recordKey(salt: Uint8Array): KeyObject {
    const derived = createHmac('sha256', this.#storeKey).update(salt).digest()
    const key = createSecretKey(derived)
    zero(derived)
    return key
  }

  #associatedData(recordKey: Uint8Array): Uint8Array {
    const ofSeat = partOf(recordKey[0] ?? 0) === 'lasting' ? [] : [this.seatTime]
    return Buffer.concat([Uint8Array.of(FORMAT_VERSION), this.#storeId, ...ofSeat, recordKey])
  }
}

/** Salts are drawn by the hundred: a call for each costs more than the sealing of a small value. None is ever given twice. */
class Salts {
  readonly #drawn = new Uint8Array(SALT_BYTES * 256)
  #at = this.#drawn.length

  draw(salt: Uint8Array): void {
    if (this.#at === this.#drawn.length) {
      randomFillSync(this.#drawn)
      this.#at = 0
    }
    const next = this.#at + SALT_BYTES
    salt.set(this.#drawn.subarray(this.#at, next))
    this.#at = next
  }
}
