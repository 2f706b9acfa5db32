import { DhkemX25519HkdfSha256 } from '@hpke/core'
import { XWing } from '@hpke/hybridkem-x-wing'
import { fromHex } from '../../../src/crypto/index.js'
import type { Suite } from '../../../src/share/protocol.js'
import type { EphemeralKeys } from '../../../src/share/sealing.js'

/** Keys that are not made afresh; new ones for each use, since they are zeroed behind it. */
export async function fixedKeys(suite: Suite, pair: { privateKey: string; publicKey: string }): Promise<EphemeralKeys> {
  const kem = suite === 2 ? new XWing() : new DhkemX25519HkdfSha256()
  const whole = (hex: string) => new Uint8Array(fromHex(hex)).buffer
  const privateKey = await kem.importKey('raw', whole(pair.privateKey), false)
  const publicKey = await kem.deserializePublicKey(whole(pair.publicKey))
  return {
    suite,
    publicKey: fromHex(pair.publicKey),
    pair: { privateKey, publicKey },
    [Symbol.dispose]: () => undefined,
  }
}
