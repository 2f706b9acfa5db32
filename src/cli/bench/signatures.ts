import { randomBytes } from 'node:crypto'
import { accountSigner, verifySignature } from '../../crypto/index.js'
import { type Measuring, perSecond } from './measure.js'

/** Of enclave accounts, sr25519; each in a second. */
export interface SignatureFigures {
  readonly made: number
  readonly checked: number
}

/** A handshake takes two or three of either on each side, and each head of a log one. */
export async function signatures(measuring: Measuring): Promise<SignatureFigures> {
  const signer = accountSigner(new Uint8Array(randomBytes(32)))
  const message = new Uint8Array(randomBytes(64))
  const made = await perSecond(() => signer.sign(message), measuring)
  const signature = signer.sign(message)
  const checked = await perSecond(() => {
    if (!verifySignature(signer.account, message, signature)) throw new Error('A good signature was found to be bad.')
  }, measuring)
  signer.forget()
  return { made, checked }
}
