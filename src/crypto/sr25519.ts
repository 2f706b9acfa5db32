import { sr25519Verify, waitReady } from '@polkadot/wasm-crypto'
import { getPublicKey, secretFromSeed, sign } from '@scure/sr25519'
import type { AccountId } from '../domain/index.js'
import { fromHex, toHex, zero } from './bytes.js'

/*
 * Signatures are checked by schnorrkel itself, compiled to WebAssembly, which takes an eighth of what JavaScript does. They are
 * made in JavaScript all the same: the memory of a WebAssembly module would keep copies of the secret key that nobody can zero.
 */
await waitReady()

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

/** The neutral element of ristretto255: under it everybody can sign, which schnorrkel allows and nobody here may. */
const NEUTRAL_ACCOUNT = `0x${'00'.repeat(32)}`

/** True when `signature` is `account`'s over exactly these bytes; false on anything malformed. */
export function verifySignature(account: AccountId, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || account === NEUTRAL_ACCOUNT) return false
  return sr25519Verify(signature, message, fromHex(account))
}
