import { sr25519Verify, waitReady } from '@polkadot/wasm-crypto'
import { getPublicKey, secretFromSeed, sign, verify } from '@scure/sr25519'
import type { AccountId } from '../domain/index.js'
import { fromHex, toHex, zero } from './bytes.js'

/*
 * Signatures are checked by schnorrkel itself, compiled to WebAssembly, which takes an eighth of what JavaScript does. What that
 * is given stays in its memory, which nobody can zero: so signatures are made in JavaScript, and those of secrets are checked in it.
 */

/** Not where a process has less address space than Node reserves for WebAssembly: then all is done in JavaScript. */
export const signaturesAreCompiled = await waitReady()

/** Bytes of a schnorrkel signature. */
export const SIGNATURE_BYTES = 64

/** An account that can sign: the enclave's own, or a client's. The secret key stays inside. */
export interface AccountSigner {
  readonly account: AccountId
  /** sr25519 over `message` in Substrate's signing context; 64 bytes, randomised. */
  sign(message: Uint8Array): Uint8Array
}

/** A signer of which the key can be forgotten; the library's own numbers are left to the garbage collector. */
export interface ForgetfulSigner extends AccountSigner {
  /** Zeroes the secret key; what is signed after that throws RangeError. */
  forget(): void
}

/**
 * An account that signs with the key of a seed.
 *
 * @param seed 32 bytes, the Substrate "mini secret"; not kept, so the caller may zero it.
 * @throws RangeError when the seed is not 32 bytes.
 */
export function accountSigner(seed: Uint8Array): ForgetfulSigner {
  const secretKey = secretFromSeed(seed)
  const account = toHex(getPublicKey(secretKey))
  let isForgotten = false
  return {
    account,
    sign: (message) => {
      if (isForgotten) throw new RangeError(`The key of ${account} is forgotten; it signs nothing any more.`)
      return sign(secretKey, message)
    },
    forget: () => {
      isForgotten = true
      zero(secretKey)
    },
  }
}

/** True when `signature` is `account`'s over exactly these bytes, which are not secret; false on anything malformed. */
export function verifySignature(account: AccountId, message: Uint8Array, signature: Uint8Array): boolean {
  if (!signaturesAreCompiled) return verifySignatureOfSecret(account, message, signature)
  const publicKey = publicKeyOf(account)
  if (publicKey === undefined || signature.length !== SIGNATURE_BYTES) return false
  return sr25519Verify(signature, message, publicKey)
}

/**
 * As {@link verifySignature}, in eight times the time, and leaves no copy of the message behind: but for its last 166 bytes at most,
 * in the state of a hash, where the account is no point of the curve.
 */
export function verifySignatureOfSecret(account: AccountId, secret: Uint8Array, signature: Uint8Array): boolean {
  const publicKey = publicKeyOf(account)
  if (publicKey === undefined || signature.length !== SIGNATURE_BYTES) return false
  try {
    return verify(secret, signature, publicKey)
  } catch {
    // The library throws where bytes are no curve point; to the caller that is one more invalid signature.
    return false
  }
}

const PUBLIC_KEY_BYTES = 32

/** Undefined where it is none, and of the neutral element: under that everybody can sign, which schnorrkel allows. */
function publicKeyOf(account: AccountId): Uint8Array | undefined {
  const bytes = bytesOf(account)
  const isNeutral = bytes?.every((byte) => byte === 0)
  return bytes?.length === PUBLIC_KEY_BYTES && !isNeutral ? bytes : undefined
}

function bytesOf(account: AccountId): Uint8Array | undefined {
  try {
    return fromHex(account)
  } catch {
    // To the caller that is an account that has signed nothing.
    return undefined
  }
}
