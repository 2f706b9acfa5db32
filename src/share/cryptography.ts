import { randomBytes } from 'node:crypto'
import { verifySignature } from '../crypto/index.js'
import {
  createOpener,
  createSealer,
  ephemeralKeys,
  offeredKeys,
  offerPreSharedKey,
  takePreSharedKey,
} from './sealing.js'

/**
 * The primitives of an exchange. A node has no other than these. The discrete simulation hands in a model of them, which
 * takes the same decisions at a stated price in place of computing: it is what makes a thousand clusters affordable.
 */
export const CRYPTOGRAPHY = {
  /** What nobody can foresee. */
  nonce: (length: number): Uint8Array => new Uint8Array(randomBytes(length)),
  verifySignature,
  ephemeralKeys,
  offeredKeys,
  offerPreSharedKey,
  takePreSharedKey,
  createSealer,
  createOpener,
}

export type Cryptography = typeof CRYPTOGRAPHY
