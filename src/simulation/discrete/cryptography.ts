import { createHash, type webcrypto } from 'node:crypto'
import { type AccountSigner, equalBytes, SIGNATURE_BYTES, utf8, zero } from '../../crypto/index.js'
import { type AccountId, SlotmeshError } from '../../domain/index.js'
import {
  type Cryptography,
  type EphemeralKeys,
  RefusalError,
  type SealingContext,
  SUITE_X_WING,
  type Suite,
  type SuiteKey,
} from '../../share/index.js'
import { COSTS } from './costs.js'
import type { Processor } from './processor.js'
import type { Stream } from './random.js'

/*
 * Signatures and keys of the right length that cost next to nothing to compute and decide as the real ones would: what
 * was signed by another account, or for another exchange, or sealed to another key, does not pass. Nothing is secret here.
 * What the real ones cost is charged to the node's processor.
 */

/** Lengths on the wire (RFC 9180; draft-connolly-cfrg-xwing-kem). */
const KEY_BYTES: Record<Suite, { readonly public: number; readonly encapsulated: number }> = {
  1: { public: 32, encapsulated: 32 },
  2: { public: 1_216, encapsulated: 1_120 },
}
const TAG_BYTES = 16

/** Nobody looks at the halves of a modelled pair. */
const NO_KEY: webcrypto.CryptoKey = { algorithm: { name: 'model' }, extractable: false, type: 'private', usages: [] }
const NO_PAIR: webcrypto.CryptoKeyPair = { publicKey: NO_KEY, privateKey: NO_KEY }

export function modelSigner(account: AccountId, processor: Processor): AccountSigner {
  return {
    account,
    sign: (message) => {
      processor.charge(COSTS.sign)
      return signatureOf(account, message)
    },
  }
}

/** As {@link modelSigner}'s verifier, for who charges it himself. */
export function isSignatureOf(account: AccountId, message: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === SIGNATURE_BYTES && equalBytes(signature, signatureOf(account, message))
}

export function modelCryptography(processor: Processor, random: Stream): Cryptography {
  const ephemeralKeys = async (suite: Suite): Promise<EphemeralKeys> => {
    await processor.work(costs(suite).keys)
    return keysOf(suite, random)
  }
  return {
    nonce: (length) => random.bytes(length),
    verifySignature: (account, message, signature) => {
      processor.charge(COSTS.verify)
      return isSignatureOf(account, message, signature)
    },
    ephemeralKeys,
    offeredKeys: async (suites) => {
      await processor.work(suites.reduce((sum, suite) => sum + costs(suite).keys, 0))
      return { keys: suites.map((suite) => keysOf(suite, random)), [Symbol.dispose]: () => undefined }
    },
    offerPreSharedKey: async (providerKey, challengeHash) => {
      await processor.work(costs(providerKey.suite).encapsulate)
      const encapsulatedKey = encapsulated(providerKey, random)
      const preSharedKey = secretOf(providerKey.publicKey, encapsulatedKey, challengeHash)
      return { encapsulatedKey, preSharedKey, [Symbol.dispose]: () => zero(preSharedKey) }
    },
    takePreSharedKey: async (own, encapsulatedKey, challengeHash) => {
      requireLength(own.suite, encapsulatedKey)
      await processor.work(costs(own.suite).decapsulate)
      return secretOf(own.publicKey, encapsulatedKey, challengeHash)
    },
    createSealer: async (requesterKey, context) => {
      await processor.work(costs(requesterKey.suite).encapsulate)
      const encapsulatedKey = encapsulated(requesterKey, random)
      const key = sealingKey(requesterKey.publicKey, encapsulatedKey, context)
      let sequence = 0
      return {
        encapsulatedKey,
        seal: async (plaintext) => {
          await processor.work(COSTS.sealMessage + plaintext.length * COSTS.sealByte)
          const ciphertext = new Uint8Array(plaintext.length + TAG_BYTES)
          ciphertext.set(plaintext)
          zero(plaintext)
          ciphertext.set(tagOf(key, sequence, ciphertext.length), ciphertext.length - TAG_BYTES)
          sequence += 1
          return ciphertext
        },
      }
    },
    createOpener: async (own, encapsulatedKey, context) => {
      requireLength(own.suite, encapsulatedKey)
      await processor.work(costs(own.suite).decapsulate)
      const key = sealingKey(own.publicKey, encapsulatedKey, context)
      let sequence = 0
      return {
        open: async (ciphertext) => {
          await processor.work(COSTS.sealMessage + ciphertext.length * COSTS.sealByte)
          const tag = ciphertext.subarray(-TAG_BYTES)
          if (!equalBytes(tag, tagOf(key, sequence, ciphertext.length))) {
            throw new SlotmeshError('share/unsealing', 'A sealed message is not the next one of the attested provider.')
          }
          sequence += 1
          return ciphertext.slice(0, -TAG_BYTES)
        },
      }
    },
  }
}

function costs(suite: Suite): (typeof COSTS)['xWing' | 'x25519'] {
  return suite === SUITE_X_WING ? COSTS.xWing : COSTS.x25519
}

function hashOf(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

function signatureOf(account: AccountId, message: Uint8Array): Uint8Array {
  const hash = hashOf('signature', account, message)
  const signature = new Uint8Array(SIGNATURE_BYTES)
  signature.set(hash)
  signature.set(hash, hash.length)
  return signature
}

function keysOf(suite: Suite, random: Stream): EphemeralKeys {
  return { suite, publicKey: padded(random, KEY_BYTES[suite].public), pair: NO_PAIR, [Symbol.dispose]: () => undefined }
}

function encapsulated({ suite, publicKey }: SuiteKey<Suite>, random: Stream): Uint8Array {
  if (publicKey.length !== KEY_BYTES[suite].public) throw new RefusalError('MALFORMED')
  return padded(random, KEY_BYTES[suite].encapsulated)
}

function requireLength(suite: Suite, encapsulatedKey: Uint8Array): void {
  if (encapsulatedKey.length !== KEY_BYTES[suite].encapsulated) throw new RefusalError('MALFORMED')
}

/** Enough random bytes to be unlike any other, and the length that it has on the wire. */
function padded(random: Stream, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  bytes.set(random.bytes(16))
  return bytes
}

function secretOf(publicKey: Uint8Array, encapsulatedKey: Uint8Array, challengeHash: Uint8Array): Uint8Array {
  return hashOf('secret', publicKey, encapsulatedKey, challengeHash)
}

function sealingKey(
  publicKey: Uint8Array,
  encapsulatedKey: Uint8Array,
  { challengeHash, finalHash, preSharedKey }: SealingContext,
): Uint8Array {
  const key = hashOf('sealing', publicKey, encapsulatedKey, challengeHash, finalHash, preSharedKey)
  zero(preSharedKey)
  return key
}

function tagOf(key: Uint8Array, sequence: number, length: number): Uint8Array {
  return hashOf(key, utf8(`${sequence}/${length}`)).subarray(0, TAG_BYTES)
}
