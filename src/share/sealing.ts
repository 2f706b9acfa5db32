import type { webcrypto } from 'node:crypto'
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { DOMAIN, taggedHash, utf8, zero } from '../crypto/index.js'
import { SlotmeshError } from '../domain/index.js'
import { RefusalError } from './refusals.js'

/*
 * How shares are sealed for one exchange (SPEC 5).
 *
 * Both sides make an ephemeral KEM key pair inside the enclave and have the public half bound into their quote. The
 * requester encapsulates to the provider's key, which gives both a pre-shared key that no one else can know; the
 * provider then seals to the requester's key in HPKE's mode_psk. So the shares are readable only by the enclave that
 * the requester's quote speaks for, and could have been sealed only by the one that the provider's quote speaks for.
 */

const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
})

const PRE_SHARED_KEY_BYTES = 32

/** An ephemeral KEM key pair of this enclave, for one exchange. */
export interface EphemeralKeys {
  readonly publicKey: Uint8Array
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

export async function ephemeralKeys(): Promise<EphemeralKeys> {
  const pair = await suite.kem.generateKeyPair()
  return { publicKey: new Uint8Array(await suite.kem.serializePublicKey(pair.publicKey)), pair }
}

/**
 * The requester's half of the pre-shared key: encapsulates to the provider's ephemeral key.
 * @throws RefusalError MALFORMED when that is no key.
 */
export async function offerPreSharedKey(
  providerKey: Uint8Array,
  challengeHash: Uint8Array,
): Promise<{ encapsulatedKey: Uint8Array; preSharedKey: Uint8Array }> {
  const context = await withKeyOfPeer(async () =>
    suite.createSenderContext({ recipientPublicKey: await publicKey(providerKey), info: buffer(challengeHash) }),
  )
  return { encapsulatedKey: new Uint8Array(context.enc), preSharedKey: await exported(context) }
}

/** The provider's half of the pre-shared key. @throws RefusalError MALFORMED when the peer's is no encapsulated key. */
export async function takePreSharedKey(
  own: EphemeralKeys,
  encapsulatedKey: Uint8Array,
  challengeHash: Uint8Array,
): Promise<Uint8Array> {
  const context = await withKeyOfPeer(() =>
    suite.createRecipientContext({ recipientKey: own.pair, enc: buffer(encapsulatedKey), info: buffer(challengeHash) }),
  )
  return exported(context)
}

/** @throws RefusalError MALFORMED when the requester's key is none. */
export async function createSealer(requesterKey: Uint8Array, context: SealingContext): Promise<Sealer> {
  const sender = await withPreSharedKey(context, async (parameters) =>
    suite.createSenderContext({ recipientPublicKey: await publicKey(requesterKey), ...parameters }),
  )
  return {
    encapsulatedKey: new Uint8Array(sender.enc),
    seal: async (plaintext) => {
      const copy = buffer(plaintext)
      zero(plaintext)
      const ciphertext = await sender.seal(copy)
      zero(new Uint8Array(copy))
      return new Uint8Array(ciphertext)
    },
  }
}

/** @throws RefusalError MALFORMED when the peer's is no encapsulated key. */
export async function createOpener(
  own: EphemeralKeys,
  encapsulatedKey: Uint8Array,
  context: SealingContext,
): Promise<Opener> {
  const recipient = await withPreSharedKey(context, (parameters) =>
    suite.createRecipientContext({ recipientKey: own.pair, enc: buffer(encapsulatedKey), ...parameters }),
  )
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

interface PskParameters {
  readonly info: ArrayBuffer
  readonly psk: { id: ArrayBuffer; key: ArrayBuffer }
}

async function withPreSharedKey<T>(
  { challengeHash, finalHash, preSharedKey }: SealingContext,
  create: (parameters: PskParameters) => Promise<T>,
): Promise<T> {
  const key = buffer(preSharedKey)
  try {
    const info = buffer(taggedHash(DOMAIN.shareSealing, finalHash))
    return await withKeyOfPeer(() => create({ info, psk: { id: buffer(challengeHash), key } }))
  } finally {
    zero(preSharedKey, new Uint8Array(key))
  }
}

/** Keys of another length, that are no points of the curve, or of small order, are the peer's doing. */
async function withKeyOfPeer<T>(create: () => Promise<T>): Promise<T> {
  try {
    return await create()
  } catch (cause) {
    throw new RefusalError('MALFORMED', { cause })
  }
}

async function exported(context: { export(label: ArrayBuffer, bytes: number): Promise<ArrayBuffer> }) {
  return new Uint8Array(await context.export(buffer(utf8(DOMAIN.sharePreSharedKey)), PRE_SHARED_KEY_BYTES))
}

async function publicKey(bytes: Uint8Array): Promise<webcrypto.CryptoKey> {
  return suite.kem.deserializePublicKey(buffer(bytes))
}

/** A copy: the library takes whole ArrayBuffers only. */
function buffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}
