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
  verifySignature,
  ephemeralKeys,
  offeredKeys,
  offerPreSharedKey,
  takePreSharedKey,
  createSealer,
  createOpener,
}

export type Cryptography = typeof CRYPTOGRAPHY
