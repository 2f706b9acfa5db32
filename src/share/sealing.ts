import type { webcrypto } from 'node:crypto'
import {
  Aes256Gcm,
  CipherSuite,
  DhkemX25519HkdfSha256,
  HpkeError,
  type RecipientContext,
  type SenderContext,
} from '@hpke/core'
import { DOMAIN, taggedHash, utf8, zero } from '../crypto/index.js'
import { SlotmeshError } from '../domain/index.js'
import { NodeHkdfSha256 } from './hkdf.js'
import { SUITE_X_WING, SUITE_X25519, SUITES, type Suite } from './protocol.js'
import { RefusalError } from './refusals.js'
import { XWingKem, XWingPrivateKey } from './x-wing-kem.js'

/*
 * How shares are sealed for one exchange (SPEC 5).
 *
 * Both sides make an ephemeral KEM key pair inside the enclave and have the public half bound into their quote. The
 * requester encapsulates to the provider's key, which gives both a pre-shared key that no one else can know; the
 * provider then seals to the requester's key in HPKE's mode_psk. So the shares are readable only by the enclave that
 * the requester's quote speaks for, and could have been sealed only by the one that the provider's quote speaks for.
 */

const CIPHER_SUITES: Record<Suite, CipherSuite> = {
  [SUITE_X_WING]: cipherSuite(new XWingKem()),
  [SUITE_X25519]: cipherSuite(new DhkemX25519HkdfSha256()),
}

/** KDF and AEAD of its own each: the library writes the suite into the KDF. */
function cipherSuite(kem: CipherSuite['kem']): CipherSuite {
  return new CipherSuite({ kem, kdf: new NodeHkdfSha256(), aead: new Aes256Gcm() })
}

const PRE_SHARED_KEY_BYTES = 32

/** A public key and its suite, as Hello and Challenge carry them. */
export interface SuiteKey<S extends number = number> {
  readonly suite: S
  readonly publicKey: Uint8Array
}

/** An ephemeral KEM key pair of this enclave, for one exchange; the private key is zeroed when it is disposed of. */
export interface EphemeralKeys extends SuiteKey<Suite>, Disposable {
  readonly pair: webcrypto.CryptoKeyPair
}

/** What both sides know when the quotes have been checked. */
export interface SealingContext {
  /** The transcript up to and including the Challenge. */
  readonly challengeHash: Uint8Array
  /** The whole transcript, both quotes included. */
  readonly finalHash: Uint8Array
  /** 32 bytes from {@link offerPreSharedKey} or {@link takePreSharedKey}; zeroed when the context is made. */
  readonly preSharedKey: Uint8Array
}

export interface Sealer {
  /** To be sent in Grant. */
  readonly encapsulatedKey: Uint8Array
  /** Seals the next message and zeroes its plaintext; the order is part of the seal. */
  seal(plaintext: Uint8Array): Promise<Uint8Array>
}

export interface Opener {
  /** @throws SlotmeshError `share/unsealing` unless this is the next message that the attested provider sealed. */
  open(ciphertext: Uint8Array): Promise<Uint8Array>
}

/**
 * The suites that an operator allows, the strongest first.
 * @throws SlotmeshError `share/suites` when there are none, or one that does not exist.
 */
export function allowedSuites(suites: readonly number[] = SUITES): readonly Suite[] {
  const allowed = SUITES.filter((suite) => suites.includes(suite))
  if (allowed.length === 0 || allowed.length < new Set(suites).size) {
    throw new SlotmeshError('share/suites', `Allow one suite or more of ${SUITES.join(', ')}.`)
  }
  return allowed
}

/** SPEC 4.4: the offer in the strongest of the allowed suites. @throws RefusalError UNSUPPORTED_SUITE */
export function strongest(offers: readonly SuiteKey[], allowed: readonly Suite[]): SuiteKey<Suite> {
  for (const suite of allowed) {
    const offer = offers.find((each) => each.suite === suite)
    if (offer !== undefined) return { suite, publicKey: offer.publicKey }
  }
  throw new RefusalError('UNSUPPORTED_SUITE')
}

export async function ephemeralKeys(suite: Suite): Promise<EphemeralKeys> {
  const { kem } = CIPHER_SUITES[suite]
  const pair = await kem.generateKeyPair()
  const publicKey = new Uint8Array(await kem.serializePublicKey(pair.publicKey))
  return { suite, publicKey, pair, [Symbol.dispose]: () => zeroPrivateKey(pair) }
}

/** A key pair of each of these suites, disposed of together. */
export async function offeredKeys(
  suites: readonly Suite[],
): Promise<Disposable & { readonly keys: readonly EphemeralKeys[] }> {
  const keys = await Promise.all(suites.map(ephemeralKeys))
  return {
    keys,
    [Symbol.dispose]: () => {
      for (const each of keys) each[Symbol.dispose]()
    },
  }
}

/** Of X-Wing; those of X25519, which Node holds, cannot be reached, nor zeroed. */
function zeroPrivateKey({ privateKey }: webcrypto.CryptoKeyPair): void {
  if (privateKey instanceof XWingPrivateKey) privateKey[Symbol.dispose]()
}

/**
 * The requester's half of the pre-shared key, zeroed at the latest when it is disposed of: encapsulates to the provider's
 * ephemeral key.
 * @throws RefusalError MALFORMED when that is no key.
 */
export async function offerPreSharedKey(
  providerKey: SuiteKey<Suite>,
  challengeHash: Uint8Array,
): Promise<Disposable & { readonly encapsulatedKey: Uint8Array; readonly preSharedKey: Uint8Array }> {
  const context = await senderContext(providerKey, { info: buffer(challengeHash) })
  const preSharedKey = await exported(context)
  return { encapsulatedKey: new Uint8Array(context.enc), preSharedKey, [Symbol.dispose]: () => zero(preSharedKey) }
}

/**
 * The provider's half of the pre-shared key; takes its own key pair, which has no further use.
 * @throws RefusalError MALFORMED when the peer's is no encapsulated key.
 */
export async function takePreSharedKey(
  own: EphemeralKeys,
  encapsulatedKey: Uint8Array,
  challengeHash: Uint8Array,
): Promise<Uint8Array> {
  return exported(await recipientContext(own, encapsulatedKey, { info: buffer(challengeHash) }))
}

/** @throws RefusalError MALFORMED when the requester's key is none. */
export async function createSealer(requesterKey: SuiteKey<Suite>, context: SealingContext): Promise<Sealer> {
  const sender = await withPreSharedKey(context, (parameters) => senderContext(requesterKey, parameters))
  return {
    encapsulatedKey: new Uint8Array(sender.enc),
    seal: async (plaintext) => {
      const copy = buffer(plaintext)
      zero(plaintext)
      try {
        return new Uint8Array(await sender.seal(copy))
      } finally {
        zero(new Uint8Array(copy))
      }
    },
  }
}

/**
 * Takes this enclave's key pair, which has no further use.
 * @throws RefusalError MALFORMED when the peer's is no encapsulated key.
 */
export async function createOpener(
  own: EphemeralKeys,
  encapsulatedKey: Uint8Array,
  context: SealingContext,
): Promise<Opener> {
  const recipient = await withPreSharedKey(context, (parameters) => recipientContext(own, encapsulatedKey, parameters))
  return {
    open: async (ciphertext) => {
      try {
        return new Uint8Array(await recipient.open(buffer(ciphertext)))
      } catch (cause) {
        throw new SlotmeshError('share/unsealing', 'A sealed message is not the next one of the attested provider.', {
          cause,
        })
      }
    },
  }
}

interface ContextParameters {
  readonly info: ArrayBuffer
  readonly psk?: { id: ArrayBuffer; key: ArrayBuffer }
}

async function withPreSharedKey<T>(
  { challengeHash, finalHash, preSharedKey }: SealingContext,
  create: (parameters: ContextParameters) => Promise<T>,
): Promise<T> {
  const key = buffer(preSharedKey)
  try {
    const info = buffer(taggedHash(DOMAIN.shareSealing, finalHash))
    return await create({ info, psk: { id: buffer(challengeHash), key } })
  } finally {
    zero(preSharedKey, new Uint8Array(key))
  }
}

function senderContext({ suite, publicKey }: SuiteKey<Suite>, parameters: ContextParameters): Promise<SenderContext> {
  const cipherSuite = CIPHER_SUITES[suite]
  return withKeyOfPeer(async () => {
    const recipientPublicKey = await cipherSuite.kem.deserializePublicKey(buffer(publicKey))
    return cipherSuite.createSenderContext({ recipientPublicKey, ...parameters })
  })
}

async function recipientContext(
  own: EphemeralKeys,
  encapsulatedKey: Uint8Array,
  parameters: ContextParameters,
): Promise<RecipientContext> {
  using keys = own
  const parametersOfPeer = { recipientKey: keys.pair, enc: buffer(encapsulatedKey), ...parameters }
  return await withKeyOfPeer(() => CIPHER_SUITES[keys.suite].createRecipientContext(parametersOfPeer))
}

/** Keys of another length, that are not of the KEM, or whose X25519 part is of small order, are the peer's doing. */
async function withKeyOfPeer<T>(create: () => Promise<T>): Promise<T> {
  try {
    return await create()
  } catch (cause) {
    const isOfPeer = cause instanceof HpkeError || (cause instanceof SlotmeshError && cause.code === 'crypto/x-wing')
    // What fails here otherwise, as for want of memory, is nothing to shut a peer out for.
    throw isOfPeer ? new RefusalError('MALFORMED', { cause }) : cause
  }
}

async function exported(context: SenderContext | RecipientContext): Promise<Uint8Array> {
  return new Uint8Array(await context.export(buffer(utf8(DOMAIN.sharePreSharedKey)), PRE_SHARED_KEY_BYTES))
}

/** A copy: the library takes whole ArrayBuffers only. */
function buffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}
