import type { webcrypto } from 'node:crypto'
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256 } from '@hpke/core'
import { NodeHkdfSha256 } from '../../src/share/hkdf.js'
import { XWingKem } from '../../src/share/x-wing-kem.js'

/* The KEMs of an exchange's suites (share SPEC 5.1), by the HPKE library and the product's X-Wing and HKDF, with nothing around them. */

const X_WING = new CipherSuite({ kem: new XWingKem(), kdf: new NodeHkdfSha256(), aead: new Aes256Gcm() })
const X25519 = new DhkemX25519HkdfSha256()

const [INFO, LABEL] = [new ArrayBuffer(32), new ArrayBuffer(24)]

/** @param both of the weaker suite as well, as a requester offers them. */
export async function makeKeys({ both }: { readonly both: boolean }) {
  const pair = await X_WING.kem.generateKeyPair()
  if (both) await X25519.serializePublicKey((await X25519.generateKeyPair()).publicKey)
  return { pair, publicKey: new Uint8Array(await X_WING.kem.serializePublicKey(pair.publicKey)) }
}

export async function encapsulate(publicKey: Uint8Array): Promise<Uint8Array> {
  const recipientPublicKey = await X_WING.kem.deserializePublicKey(bufferOf(publicKey))
  const context = await X_WING.createSenderContext({ recipientPublicKey, info: INFO })
  await context.export(LABEL, 32)
  return new Uint8Array(context.enc)
}

export async function decapsulate(recipientKey: webcrypto.CryptoKeyPair, encapsulatedKey: Uint8Array): Promise<void> {
  const context = await X_WING.createRecipientContext({ recipientKey, enc: bufferOf(encapsulatedKey), info: INFO })
  await context.export(LABEL, 32)
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}
