import { createCipheriv, createDecipheriv, createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { DOMAIN, taggedHash, u32Bytes, zero } from '../crypto/index.js'
import { Fingerprints } from './fingerprint.js'
import { partOf } from './records.js'

/** Bytes of a sealing key, and of every key derived from it. */
export const SEALING_KEY_BYTES = 32

/** Bytes of a store's random id. */
export const STORE_ID_BYTES = 16

export const SEAT_TIME_BYTES = 16

const FORMAT_VERSION = 5
const [KEY_SALT_BYTES, NUMBER_BYTES] = [20, 4]
const SALT_BYTES = KEY_SALT_BYTES + NUMBER_BYTES
const TAG_BYTES = 16

/** To derive a key costs more than to seal a small value; so few under one key are as good as one. */
const VALUES_PER_KEY = 1_024

/** Opened under one after the other, values that were written together are of few keys. */
const KEYS_REMEMBERED = 64

/** What sealing adds to a value. */
export const SEAL_BYTES = SALT_BYTES + TAG_BYTES

const NONCE_BYTES = 12

const NOTHING = new Uint8Array(0)

/**
 * Seals the values of one store; the only place where anything at rest is encrypted or decrypted.
 *
 *     store key  = HMAC-SHA-256(sealing key, taggedHash(store domain, store id))
 *     record key = HMAC-SHA-256(store key, salt)                   a random 20-byte salt for some hundred values
 *     nonce      = 8 zeroes || number, u32                         each number once under a key
 *     sealed     = salt || number || AES-256-GCM(record key, nonce, value, associated data) || 16-byte tag
 *     associated = format version || store id || (of a seat's record) seat time || the record's key in the database
 *
 * 20 random bytes do not repeat in any number of writes a disk could hold (2^-65 after 2^48 of them), so neither does a key.
 * The associated data nails a value to its place: moved to another key or another folder it does not open. That a
 * record is missing, or an old one is back, shows at start by the manifest and from then on by `Freshness`; a whole folder
 * that is set back, only by the world.
 */
export class Sealer {
  readonly #storeKey: KeyObject
  readonly #storeId: Uint8Array
  readonly #fingerprints: Fingerprints
  /** Under which values are sealed just now. */
  #writing: { readonly salt: Uint8Array; readonly key: KeyObject; next: number } | undefined
  /** By their salts, as Latin-1 text; the one that was used last stands last. */
  readonly #reading = new Map<string, KeyObject>()
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
    const { key, nonce } = this.#nextKey(sealed)
    const cipher = createCipheriv('aes-256-gcm', key, nonce)
    cipher.setAAD(this.#associatedData(recordKey))
    sealed.set(cipher.update(value), SALT_BYTES)
    cipher.final()
    sealed.set(cipher.getAuthTag(), SALT_BYTES + value.length)
    return sealed
  }

  /** @returns undefined when these bytes were not sealed, unchanged, for this record of this store under this key. */
  open(recordKey: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length < SEAL_BYTES) return undefined
    const key = this.#readingKey(sealed.subarray(0, KEY_SALT_BYTES))
    const nonce = nonceOf(sealed.subarray(KEY_SALT_BYTES, SALT_BYTES))
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
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

  /** Zeroes what can be zeroed of the keys, and lets go of the others; nothing may be sealed after it. */
  clear(): void {
    this.#fingerprints.clear()
    this.#writing = undefined
    this.#reading.clear()
  }

  /** Writes salt and number to the beginning of what is to be sealed. */
  #nextKey(sealed: Uint8Array): { key: KeyObject; nonce: Uint8Array } {
    if (this.#writing === undefined || this.#writing.next === VALUES_PER_KEY) {
      const salt = new Uint8Array(randomBytes(KEY_SALT_BYTES))
      this.#writing = { salt, key: this.#recordKey(salt), next: 0 }
    }
    const { salt, key, next } = this.#writing
    this.#writing.next = next + 1
    sealed.set(salt)
    const number = sealed.subarray(KEY_SALT_BYTES, SALT_BYTES)
    number.set(u32Bytes(next))
    return { key, nonce: nonceOf(number) }
  }

  #readingKey(salt: Uint8Array): KeyObject {
    const text = Buffer.from(salt.buffer, salt.byteOffset, salt.length).toString('latin1')
    const known = this.#reading.get(text)
    const key = known ?? this.#recordKey(salt)
    if (known !== undefined) this.#reading.delete(text)
    else if (this.#reading.size === KEYS_REMEMBERED) this.#reading.delete(oldestOf(this.#reading))
    this.#reading.set(text, key)
    return key
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

/**
 * 64 bits that no other value sealed by this enclave has, as good as surely: of a key that some hundred values share, its
 * random salt and their numbers make them.
 *
 * @returns undefined of what is too short to have been sealed.
 */
export function newnessOf(sealed: Uint8Array): bigint | undefined {
  if (sealed.length < SEAL_BYTES) return undefined
  const view = new DataView(sealed.buffer, sealed.byteOffset)
  return BigInt.asUintN(64, view.getBigUint64(0) + BigInt(view.getUint32(KEY_SALT_BYTES)))
}

/** Copied by whoever takes it; zeroes but for the number. */
const nonce = new Uint8Array(NONCE_BYTES)

function nonceOf(number: Uint8Array): Uint8Array {
  nonce.set(number, NONCE_BYTES - NUMBER_BYTES)
  return nonce
}

function oldestOf(keys: ReadonlyMap<string, KeyObject>): string {
  const [oldest = ''] = keys.keys()
  return oldest
}
