import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { XWing } from '@hpke/hybridkem-x-wing'
import { ascii, H } from '../vectors/tools.js'
import { Broken, Refused } from './outcomes.js'

/* Share 5: HPKE (RFC 9180), by a library. */

const make = (kem: CipherSuite['kem']) => new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() })
const SUITES: ReadonlyMap<number, CipherSuite> = new Map([
  [2, make(new XWing())],
  [1, make(new DhkemX25519HkdfSha256())],
])

/** The strongest first. */
export const SUITE_NUMBERS = [...SUITES.keys()]

function suiteOf(number: number): CipherSuite {
  const suite = SUITES.get(number)
  if (suite === undefined) throw new Refused('UNSUPPORTED_SUITE')
  return suite
}

const buffer = (bytes: Uint8Array) => new Uint8Array(bytes).buffer

export interface KeyPair {
  readonly suite: number
  readonly publicKey: Uint8Array
  readonly pair: Awaited<ReturnType<CipherSuite['kem']['generateKeyPair']>>
}

export async function keyPair(suite: number): Promise<KeyPair> {
  const { kem } = suiteOf(suite)
  const pair = await kem.generateKeyPair()
  return { suite, publicKey: new Uint8Array(await kem.serializePublicKey(pair.publicKey)), pair }
}

/** Keys that are none are MALFORMED, whoever finds out. */
async function keyed<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch {
    throw new Refused('MALFORMED')
  }
}

const EXPORT = buffer(ascii('ternoa/share/1/psk'))

/** 5.2, the requester's half. */
export async function preSharedKeyTo(suite: number, key: Uint8Array, T4: Uint8Array) {
  const made = suiteOf(suite)
  const context = await keyed(async () => {
    const recipientPublicKey = await made.kem.deserializePublicKey(buffer(key))
    return made.createSenderContext({ recipientPublicKey, info: buffer(T4) })
  })
  return { encapsulatedKey: new Uint8Array(context.enc), psk: new Uint8Array(await context.export(EXPORT, 32)) }
}

/** 5.2, the provider's half. */
export async function preSharedKeyFrom(own: KeyPair, encapsulatedKey: Uint8Array, T4: Uint8Array): Promise<Uint8Array> {
  const enc = buffer(encapsulatedKey)
  const context = await keyed(() =>
    suiteOf(own.suite).createRecipientContext({ recipientKey: own.pair, enc, info: buffer(T4) }),
  )
  return new Uint8Array(await context.export(EXPORT, 32))
}

interface Keys {
  readonly T4: Uint8Array
  readonly T6: Uint8Array
  readonly psk: Uint8Array
}

const parameters = ({ T4, T6, psk }: Keys) => ({
  info: buffer(H('ternoa/share/1/sealing', T6)),
  psk: { id: buffer(T4), key: buffer(psk) },
})

/** 5.3, the provider's side. */
export async function sealerTo(suite: number, key: Uint8Array, keys: Keys) {
  const made = suiteOf(suite)
  const context = await keyed(async () => {
    const recipientPublicKey = await made.kem.deserializePublicKey(buffer(key))
    return made.createSenderContext({ recipientPublicKey, ...parameters(keys) })
  })
  return {
    encapsulatedKey: new Uint8Array(context.enc),
    seal: async (plaintext: Uint8Array) => new Uint8Array(await context.seal(buffer(plaintext))),
  }
}

/** 5.3, the requester's side. */
export async function openerFor(own: KeyPair, encapsulatedKey: Uint8Array, keys: Keys) {
  const enc = buffer(encapsulatedKey)
  const context = await keyed(() =>
    suiteOf(own.suite).createRecipientContext({ recipientKey: own.pair, enc, ...parameters(keys) }),
  )
  return async (ciphertext: Uint8Array): Promise<Uint8Array> => {
    try {
      return new Uint8Array(await context.open(buffer(ciphertext)))
    } catch {
      throw new Broken('a message does not unseal')
    }
  }
}
