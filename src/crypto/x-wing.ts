import {
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { createMlKem768 } from 'mlkem'
import { SlotmeshError } from '../domain/index.js'
import { utf8, zero } from './bytes.js'

/*
 * X-Wing (draft-connolly-cfrg-xwing-kem): ML-KEM-768 by a library, X25519 and the hashes by Node. Keys and ciphertexts are
 * ML-KEM's behind which X25519's 32 bytes stand.
 */

/** Lengths in bytes. */
export const X_WING = { publicKey: 1_216, ciphertext: 1_120, secret: 32, seed: 32, randomness: 64 } as const

/** A key pair; its private half is zeroed when it is disposed of, but for what Node holds, and nothing is taken by it any more. */
export interface XWingKeys extends Disposable {
  readonly publicKey: Uint8Array<ArrayBuffer>
  /** Undefined once it is disposed of. */
  readonly privateKey: XWingPrivateHalf | undefined
}

/** Expanded. */
interface XWingPrivateHalf {
  /** ML-KEM's decapsulation key, 2400 bytes. */
  readonly mlKem: Uint8Array
  readonly x25519: KeyObject
}

class Keys implements XWingKeys {
  readonly publicKey: Uint8Array<ArrayBuffer>
  #privateKey: XWingPrivateHalf | undefined

  constructor(publicKey: Uint8Array<ArrayBuffer>, privateKey: XWingPrivateHalf) {
    this.publicKey = publicKey
    this.#privateKey = privateKey
  }

  get privateKey(): XWingPrivateHalf | undefined {
    return this.#privateKey
  }

  [Symbol.dispose](): void {
    if (this.#privateKey !== undefined) zero(this.#privateKey.mlKem)
    this.#privateKey = undefined
  }
}

const X25519_BYTES = 32
const ML_KEM = await createMlKem768()

/**
 * A new key pair. Its halves are made independently, since no one stores it: so the X25519 scalar, which would be
 * expanded from the draft's seed, is never in memory that is not Node's own.
 */
export function generateXWing(): XWingKeys {
  return keysOf(randomBytes(64), generateKeyPairSync('x25519'))
}

/** The key pair of a seed of 32 bytes, which remains the caller's to zero. @throws SlotmeshError `crypto/x-wing` */
export function deriveXWing(seed: Uint8Array): XWingKeys {
  requireLength(seed, X_WING.seed)
  const expanded = createHash('shake256', { outputLength: 96 }).update(seed).digest()
  try {
    return keysOf(expanded.subarray(0, 64), x25519Of(expanded.subarray(64)))
  } finally {
    zero(expanded)
  }
}

/**
 * @param randomness 64 bytes, for test vectors only: what the draft calls `eseed`.
 * @throws SlotmeshError `crypto/x-wing` when the public key has another length, its ML-KEM half is not reduced (FIPS 203,
 * 7.2), or its X25519 half is of small order.
 */
export function encapsulateXWing(
  publicKey: Uint8Array,
  randomness?: Uint8Array,
): { readonly ciphertext: Uint8Array<ArrayBuffer>; readonly secret: Uint8Array<ArrayBuffer> } {
  requireLength(publicKey, X_WING.publicKey)
  if (randomness !== undefined) requireLength(randomness, X_WING.randomness)
  const [keyM, keyX] = halves(publicKey)
  return withSecrets((secrets) => {
    const ephemeral = randomness === undefined ? generateKeyPairSync('x25519') : x25519Of(randomness.subarray(32))
    const message = randomness === undefined ? randomBytes(32) : new Uint8Array(randomness.subarray(0, 32))
    secrets.push(message)
    const [ciphertextM, secretM] = ML_KEM.encap(keyM, message)
    secrets.push(secretM)
    const secretX = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: publicX25519(keyX) })
    secrets.push(secretX)
    const ciphertextX = rawX25519(ephemeral.publicKey)
    const secret = combined(secretM, secretX, ciphertextX, keyX)
    return { ciphertext: joined(ciphertextM, ciphertextX), secret }
  })
}

/**
 * A ciphertext that was altered otherwise gives another secret: ML-KEM rejects implicitly.
 * @throws SlotmeshError `crypto/x-wing` when it has another length, or its X25519 half is of small order; RangeError when the
 * key pair is disposed of.
 */
export function decapsulateXWing(keys: XWingKeys, ciphertext: Uint8Array): Uint8Array<ArrayBuffer> {
  const { privateKey } = keys
  // ML-KEM would take zeroes for a key, and what it gives under these everybody can compute.
  if (privateKey === undefined) throw new RangeError('The key pair is disposed of; it takes nothing any more.')
  requireLength(ciphertext, X_WING.ciphertext)
  const [ciphertextM, ciphertextX] = halves(ciphertext)
  return withSecrets((secrets) => {
    const secretX = diffieHellman({ privateKey: privateKey.x25519, publicKey: publicX25519(ciphertextX) })
    secrets.push(secretX)
    const secretM = ML_KEM.decap(ciphertextM, privateKey.mlKem)
    secrets.push(secretM)
    return combined(secretM, secretX, ciphertextX, halves(keys.publicKey)[1])
  })
}

/** @param seed of ML-KEM, 64 bytes, zeroed. */
function keysOf(seed: Uint8Array, { privateKey: x25519, publicKey }: X25519Keys): XWingKeys {
  try {
    const [publicM, mlKem] = ML_KEM.deriveKeyPair(seed)
    return new Keys(joined(publicM, rawX25519(publicKey)), { mlKem, x25519 })
  } finally {
    zero(seed)
  }
}

const LABEL = utf8('\\.//^\\')

function combined(secretM: Uint8Array, secretX: Uint8Array, ciphertextX: Uint8Array, keyX: Uint8Array) {
  const hash = createHash('sha3-256').update(secretM).update(secretX).update(ciphertextX).update(keyX).update(LABEL)
  const digest = hash.digest()
  const secret = new Uint8Array(digest)
  zero(digest)
  return secret
}

/** Zeroes what `work` gives to the list. */
function withSecrets<T>(work: (secrets: Uint8Array[]) => T): T {
  const secrets: Uint8Array[] = []
  try {
    return work(secrets)
  } catch (cause) {
    // So Node says that it has no memory left.
    throw cause instanceof RangeError ? cause : notOfXWing({ cause })
  } finally {
    zero(...secrets)
  }
}

function halves(bytes: Uint8Array): readonly [Uint8Array, Uint8Array] {
  return [bytes.subarray(0, -X25519_BYTES), bytes.subarray(-X25519_BYTES)]
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(one.length + other.length)
  whole.set(one)
  whole.set(other, one.length)
  return whole
}

function requireLength(bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw notOfXWing()
}

function notOfXWing(options?: ErrorOptions): SlotmeshError {
  return new SlotmeshError('crypto/x-wing', 'The bytes are no key, and no ciphertext, of X-Wing.', options)
}

// ---- X25519 ---------------------------------------------------------------------------------------------------------

interface X25519Keys {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** What stands before the 32 bytes of a private key in PKCS #8 (RFC 8410, 7). */
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex')

/** By way of DER, ten times as slow as by JWK, which takes the key in a text: no one can zero that. */
function x25519Of(scalar: Uint8Array): X25519Keys {
  const key = Buffer.alloc(PKCS8.length + X25519_BYTES)
  try {
    key.set(PKCS8)
    key.set(scalar, PKCS8.length)
    const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
    return { privateKey, publicKey: createPublicKey(privateKey) }
  } finally {
    zero(key)
  }
}

/** By way of JWK, since DER takes ten times as long. */
function publicX25519(bytes: Uint8Array): KeyObject {
  const x = Buffer.from(bytes).toString('base64url')
  return createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' })
}

function rawX25519(publicKey: KeyObject): Uint8Array {
  const { x } = publicKey.export({ format: 'jwk' })
  if (x === undefined) throw notOfXWing()
  return Buffer.from(x, 'base64url')
}
