import { createCipheriv, createDecipheriv, createECDH, type ECDH, hkdfSync, randomBytes } from 'node:crypto'

/* As the `ecies` libraries do it: an ephemeral secp256k1 key, HKDF with SHA-256, AES-256-GCM over all at once. */

const CURVE = 'secp256k1'
const POINT = 65
const NONCE = 12
const TAG = 16

/** @throws Error where Node knows no secp256k1. */
export function newKey(): ECDH {
  const key = createECDH(CURVE)
  key.generateKeys()
  return key
}

export function encryptFor(publicKey: Buffer, plain: Buffer): Buffer {
  const ephemeral = newKey()
  const point = ephemeral.getPublicKey()
  return Buffer.concat([point, seal(derive(point, ephemeral.computeSecret(publicKey)), plain)])
}

export function decryptWith(key: ECDH, encrypted: Buffer): Buffer {
  const point = encrypted.subarray(0, POINT)
  return open(derive(point, key.computeSecret(point)), encrypted.subarray(POINT))
}

function derive(point: Buffer, secret: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', Buffer.concat([point, secret]), '', '', 32))
}

export function seal(key: Buffer, plain: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const body = cipher.update(plain)
  cipher.final()
  return Buffer.concat([nonce, cipher.getAuthTag(), body])
}

/** @throws Error when it is not as it was sealed. */
export function open(key: Buffer, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE))
  decipher.setAuthTag(sealed.subarray(NONCE, NONCE + TAG))
  const plain = decipher.update(sealed.subarray(NONCE + TAG))
  decipher.final()
  return plain
}
