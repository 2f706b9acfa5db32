import { getPublicKey, secretFromSeed, sign, verify } from '@scure/sr25519'
import type { AccountId } from '../domain/index.js'
import { fromHex, toHex, zero } from './bytes.js'

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

/** True when `signature` is `account`'s over exactly these bytes; false on anything malformed. */
export function verifySignature(account: AccountId, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false
  try {
    return verify(message, signature, fromHex(account))
  } catch {
    // The library throws where bytes are no curve point; to the caller that is one more invalid signature.
    return false
  }
}
