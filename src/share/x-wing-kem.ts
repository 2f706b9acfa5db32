import type { webcrypto } from 'node:crypto'
import {
  KemId,
  type KemInterface,
  NotSupportedError,
  type RecipientContextParams,
  type SenderContextParams,
} from '@hpke/core'
import {
  decapsulateXWing,
  deriveXWing,
  encapsulateXWing,
  generateXWing,
  X_WING,
  type XWingKeys,
} from '../crypto/index.js'
import { SlotmeshError } from '../domain/index.js'
import { bytesOf } from './buffer-source.js'

const ALGORITHM: webcrypto.KeyAlgorithm = { name: 'X-Wing' }

class XWingPublicKey implements webcrypto.CryptoKey {
  readonly algorithm = ALGORITHM
  readonly type = 'public'
  readonly extractable = true
  readonly usages: webcrypto.KeyUsage[] = []

  constructor(readonly bytes: Uint8Array<ArrayBuffer>) {}
}

/** Zeroed when it is disposed of. */
export class XWingPrivateKey implements webcrypto.CryptoKey, Disposable {
  readonly algorithm = ALGORITHM
  readonly type = 'private'
  readonly extractable = false
  readonly usages: webcrypto.KeyUsage[] = ['deriveBits']

  constructor(readonly keys: XWingKeys) {}

  [Symbol.dispose](): void {
    this.keys[Symbol.dispose]()
  }
}

/**
 * X-Wing as HPKE takes it (draft-connolly-cfrg-xwing-kem), without an auth mode, which it has none of.
 * What is not of X-Wing is refused by SlotmeshError `crypto/x-wing`, a public key when something is encapsulated to it.
 */
export class XWingKem implements KemInterface {
  readonly id = KemId.XWing
  readonly secretSize = X_WING.secret
  readonly encSize = X_WING.ciphertext
  readonly publicKeySize = X_WING.publicKey
  readonly privateKeySize = X_WING.seed

  async generateKeyPair(): Promise<webcrypto.CryptoKeyPair> {
    const keys = generateXWing()
    return { publicKey: new XWingPublicKey(keys.publicKey), privateKey: new XWingPrivateKey(keys) }
  }

  async serializePublicKey(key: webcrypto.CryptoKey): Promise<ArrayBuffer> {
    return new Uint8Array(ownPublic(key)).buffer
  }

  async deserializePublicKey(key: ArrayBufferLike | ArrayBufferView): Promise<webcrypto.CryptoKey> {
    return new XWingPublicKey(new Uint8Array(bytesOf(key)))
  }

  /** @param key a seed, which remains the caller's to zero. */
  async deserializePrivateKey(key: ArrayBufferLike | ArrayBufferView): Promise<webcrypto.CryptoKey> {
    return new XWingPrivateKey(deriveXWing(bytesOf(key)))
  }

  async encap(parameters: SenderContextParams): Promise<{ sharedSecret: ArrayBuffer; enc: ArrayBuffer }> {
    const { recipientPublicKey, senderKey } = parameters
    if (senderKey !== undefined) throw noAuth()
    const { ciphertext, secret } = encapsulateXWing(ownPublic(recipientPublicKey))
    return { sharedSecret: secret.buffer, enc: ciphertext.buffer }
  }

  async decap({ recipientKey, enc, senderPublicKey }: RecipientContextParams): Promise<ArrayBuffer> {
    if (senderPublicKey !== undefined) throw noAuth()
    const key: webcrypto.CryptoKey = 'privateKey' in recipientKey ? recipientKey.privateKey : recipientKey
    if (!(key instanceof XWingPrivateKey)) throw foreignKey()
    return decapsulateXWing(key.keys, bytesOf(enc)).buffer
  }

  serializePrivateKey(): Promise<ArrayBuffer> {
    return unsupported()
  }

  importKey(): Promise<webcrypto.CryptoKey> {
    return unsupported()
  }

  deriveKeyPair(): Promise<webcrypto.CryptoKeyPair> {
    return unsupported()
  }
}

async function unsupported(): Promise<never> {
  throw new NotSupportedError('Private keys are generated or come from a seed, and do not leave.')
}

/** HPKE would take what is said of the sender for proved. */
function noAuth(): NotSupportedError {
  return new NotSupportedError('X-Wing has no auth mode.')
}

function ownPublic(key: webcrypto.CryptoKey): Uint8Array<ArrayBuffer> {
  if (!(key instanceof XWingPublicKey)) throw foreignKey()
  return key.bytes
}

function foreignKey(): SlotmeshError {
  return new SlotmeshError('crypto/x-wing', 'The key is another KEM’s, or not of this side; make it by this one.')
}
