import { DhkemX25519HkdfSha256 } from '@hpke/core'
import { fromHex } from '../../../src/crypto/index.js'
import type { Suite } from '../../../src/share/protocol.js'
import type { EphemeralKeys } from '../../../src/share/sealing.js'
import { XWingKem } from '../../../src/share/x-wing-kem.js'

/** Keys that are not made afresh; new ones for each use, since they are zeroed behind it. */
export async function fixedKeys(suite: Suite, pair: { privateKey: string; publicKey: string }): Promise<EphemeralKeys> {
  const kem = suite === 2 ? new XWingKem() : new DhkemX25519HkdfSha256()
  const whole = (hex: string) => new Uint8Array(fromHex(hex)).buffer
  const privateKey = await kem.deserializePrivateKey(whole(pair.privateKey))
  const publicKey = await kem.deserializePublicKey(whole(pair.publicKey))
  return {
    suite,
    publicKey: fromHex(pair.publicKey),
    pair: { privateKey, publicKey },
    [Symbol.dispose]: () => undefined,
  }
}
