import {
  createCipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
} from 'node:crypto'
import { XWing } from '@hpke/hybridkem-x-wing'
import { altered, ascii, concat, H, made } from './tools.js'
import { encodeBatch, encodeEnd } from './wire.js'

/*
 * HPKE of RFC 9180 as far as the protocol uses it, with what is in between written out. X25519 is Node's, X-Wing is a
 * library's.
 */

const SMALL_ORDER = {
  zero: new Uint8Array(32),
  one: Uint8Array.of(1, ...new Uint8Array(31)),
  /** 2^255 - 19, which is 0. */
  modulus: Uint8Array.of(0xed, ...new Uint8Array(30).fill(0xff), 0x7f),
}

export interface KeyPair {
  /** Of X-Wing the seed of 32 bytes. */
  readonly privateKey: Uint8Array
  readonly publicKey: Uint8Array
}

interface Encapsulation {
  /** Of X25519 the ephemeral private key; of X-Wing `eseed`, 64 bytes. */
  readonly randomness: Uint8Array
  readonly encapsulatedKey: Uint8Array
  readonly sharedSecret: Uint8Array
}

interface Kem {
  readonly suite: number
  readonly kem: string
  readonly kemId: number
  keyPair(name: string): Promise<KeyPair>
  encapsulate(publicKey: Uint8Array, name: string): Promise<Encapsulation>
}

// ---- X25519 ---------------------------------------------------------------------------------------------------------

const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex')
const SPKI = Buffer.from('302a300506032b656e032100', 'hex')

function privateX25519(bytes: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8, bytes]), format: 'der', type: 'pkcs8' })
}

function publicOf(privateKey: Uint8Array): Uint8Array {
  const spki = createPublicKey(privateX25519(privateKey)).export({ format: 'der', type: 'spki' })
  return new Uint8Array(spki.subarray(SPKI.length))
}

const X25519: Kem = {
  suite: 1,
  kem: 'DHKEM(X25519, HKDF-SHA256)',
  kemId: 0x0020,
  keyPair: async (name) => {
    const privateKey = made(`X25519 ${name}`)
    return { privateKey, publicKey: publicOf(privateKey) }
  },
  encapsulate: async (recipient, name) => {
    const randomness = made(`X25519 ${name}`)
    const encapsulatedKey = publicOf(randomness)
    const secret = diffieHellman({
      privateKey: privateX25519(randomness),
      publicKey: createPublicKey({ key: Buffer.concat([SPKI, recipient]), format: 'der', type: 'spki' }),
    })
    const id = concat(ascii('KEM'), i2osp(0x0020, 2))
    const prk = labeledExtract(id, new Uint8Array(), 'eae_prk', new Uint8Array(secret))
    const sharedSecret = labeledExpand(id, prk, 'shared_secret', concat(encapsulatedKey, recipient), 32)
    return { randomness, encapsulatedKey, sharedSecret }
  },
}

// ---- X-Wing ---------------------------------------------------------------------------------------------------------

const X_WING: Kem = {
  suite: 2,
  kem: 'X-Wing, draft-connolly-cfrg-xwing-kem-06',
  kemId: 0x647a,
  keyPair: async (name) => {
    const kem = new XWing()
    const privateKey = made(`X-Wing ${name}`)
    const pair = await kem.generateKeyPairDerand(new Uint8Array(privateKey))
    return { privateKey, publicKey: new Uint8Array(await kem.serializePublicKey(pair.publicKey)) }
  },
  encapsulate: async (recipient, name) => {
    const kem = new XWing()
    const randomness = made(`X-Wing ${name}`, 64)
    const recipientPublicKey = await kem.deserializePublicKey(new Uint8Array(recipient).buffer)
    const { enc, sharedSecret } = await kem.encap({ recipientPublicKey, ekm: new Uint8Array(randomness).buffer })
    return { randomness, encapsulatedKey: new Uint8Array(enc), sharedSecret: new Uint8Array(sharedSecret) }
  },
}

export const KEMS = { 1: X25519, 2: X_WING } as const

// ---- HPKE -----------------------------------------------------------------------------------------------------------

function i2osp(value: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => Math.floor(value / 256 ** (length - 1 - at)) % 256)
}

function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha256', key).update(data).digest())
}

function labeledExtract(id: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array {
  return hmac(salt, concat(ascii('HPKE-v1'), id, ascii(label), ikm))
}

/** At most 32 bytes: one block of HKDF-Expand. */
function labeledExpand(id: Uint8Array, prk: Uint8Array, label: string, info: Uint8Array, length: number): Uint8Array {
  const labeled = concat(i2osp(length, 2), ascii('HPKE-v1'), id, ascii(label), info, Uint8Array.of(1))
  return hmac(prk, labeled).subarray(0, length)
}

interface Psk {
  readonly psk: Uint8Array
  readonly pskId: Uint8Array
}

interface Context {
  readonly keyScheduleContext: Uint8Array
  readonly secret: Uint8Array
  readonly key: Uint8Array
  readonly baseNonce: Uint8Array
  readonly exporterSecret: Uint8Array
}

/** RFC 9180, 5.1, for HKDF-SHA256 and AES-256-GCM. */
function keySchedule({ kemId }: Kem, sharedSecret: Uint8Array, info: Uint8Array, psk?: Psk): Context {
  const id = suiteId(kemId)
  const none = new Uint8Array()
  const keyScheduleContext = concat(
    Uint8Array.of(psk === undefined ? 0 : 1),
    labeledExtract(id, none, 'psk_id_hash', psk?.pskId ?? none),
    labeledExtract(id, none, 'info_hash', info),
  )
  const secret = labeledExtract(id, sharedSecret, 'secret', psk?.psk ?? none)
  const expanded = (label: string, length: number) => labeledExpand(id, secret, label, keyScheduleContext, length)
  return {
    keyScheduleContext,
    secret,
    key: expanded('key', 32),
    baseNonce: expanded('base_nonce', 12),
    exporterSecret: expanded('exp', 32),
  }
}

function suiteId(kemId: number): Uint8Array {
  return concat(ascii('HPKE'), i2osp(kemId, 2), i2osp(1, 2), i2osp(2, 2))
}

function seal(
  { key, baseNonce }: Context,
  sequence: number,
  plaintext: Uint8Array,
  aad: Uint8Array = new Uint8Array(),
): Uint8Array {
  const counter = i2osp(sequence, 12)
  const nonce = baseNonce.map((byte, at) => byte ^ (counter[at] ?? 0))
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad)
  return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
}

// ---- The protocol's two contexts ------------------------------------------------------------------------------------

/** Clause 5.2: what the requester makes, and the PSK of both. */
export async function presharing(kem: Kem, providerKey: Uint8Array, T4: Uint8Array) {
  const encapsulation = await kem.encapsulate(providerKey, 'encapsulation of the requester')
  const context = keySchedule(kem, encapsulation.sharedSecret, T4)
  const psk = labeledExpand(suiteId(kem.kemId), context.exporterSecret, 'sec', ascii('ternoa/share/1/psk'), 32)
  return { ...encapsulation, info: T4, ...context, psk }
}

/** Clause 5.3: what the provider makes, and its seals. */
export async function sealing(kem: Kem, requesterKey: Uint8Array, T4: Uint8Array, T6: Uint8Array, psk?: Uint8Array) {
  const encapsulation = await kem.encapsulate(requesterKey, 'encapsulation of the provider')
  const info = H('ternoa/share/1/sealing', T6)
  const context = keySchedule(kem, encapsulation.sharedSecret, info, psk && { psk, pskId: T4 })
  return {
    outputs: { ...encapsulation, info, ...context },
    seal: (sequence: number, plaintext: Uint8Array, aad?: Uint8Array) => seal(context, sequence, plaintext, aad),
  }
}

/** The two contexts of an exchange, the sealed stream, and what does not open. */
export async function sealingVectors() {
  const suites = await Promise.all([X_WING, X25519].map(ofSuite))
  return {
    about:
      'Clause 5: the two HPKE contexts of an exchange over given transcript hashes, with what RFC 9180 has in between. A private key of X-Wing is its seed of 32 bytes. `randomness` is the private key of X25519’s encapsulation, and the `eseed` of X-Wing’s. `streams`: of `ciphertexts`, under the right context, the first `opened` open and the next does not, which resets the stream. `keys`: what is no key, and the refusal.',
    suites,
  }
}

async function ofSuite(kem: Kem) {
  const [requester, provider] = [await kem.keyPair('requester'), await kem.keyPair('provider')]
  const [T4, T6] = [made('T4'), made('T6')]
  const shared = await presharing(kem, provider.publicKey, T4)
  const { outputs, seal } = await sealing(kem, requester.publicKey, T4, T6, shared.psk)
  const plaintexts = [
    encodeBatch({
      runs: [],
      secretsNotHeld: Uint8Array.of(5, 3),
      capsulesNotHeld: new Uint8Array(),
      cursor: { kind: 'SECRET', nftId: 9 },
    }),
    made('a plaintext of two blocks of AES', 32),
    new Uint8Array(),
    encodeEnd({ shareCount: 0, notHeldCount: 3, unfinished: true }),
  ]
  const messages = plaintexts.map((plaintext, sequence) => ({
    sequence,
    plaintext,
    ciphertext: seal(sequence, plaintext),
  }))
  const right = messages.map(({ ciphertext }) => ciphertext)
  const [first = new Uint8Array(), second = first, third = first] = right
  const text = ascii('What only the two enclaves may read.')
  const under = async (name: string, T4_: Uint8Array, T6_: Uint8Array, psk?: Uint8Array) => {
    const other = await sealing(kem, requester.publicKey, T4_, T6_, psk)
    return { name, ciphertexts: [other.seal(0, text)], opened: 0 }
  }
  return {
    suite: kem.suite,
    kem: kem.kem,
    kemId: kem.kemId,
    requester,
    provider,
    T4,
    T6,
    presharing: shared,
    sealing: outputs,
    messages,
    streams: [
      { name: 'the second first', ciphertexts: [second], opened: 0 },
      { name: 'one twice', ciphertexts: [first, first], opened: 1 },
      { name: 'one left out', ciphertexts: [first, third], opened: 1 },
      { name: 'two exchanged', ciphertexts: [first, third, second], opened: 1 },
      { name: 'the first byte altered', ciphertexts: [altered(first, 0)], opened: 0 },
      { name: 'the last byte of the tag altered', ciphertexts: [first, altered(second)], opened: 1 },
      { name: 'one byte cut off', ciphertexts: [first.subarray(0, -1)], opened: 0 },
      { name: 'one byte added', ciphertexts: [first, concat(second, Uint8Array.of(0))], opened: 1 },
      { name: 'shorter than a tag', ciphertexts: [first.subarray(0, 15)], opened: 0 },
      { name: 'nothing', ciphertexts: [new Uint8Array()], opened: 0 },
      { name: 'the plaintext', ciphertexts: [text], opened: 0 },
      { name: 'with associated data', ciphertexts: [seal(0, text, ascii('aad'))], opened: 0 },
      await under('in base mode, by one who knows the requester’s key and the transcript', T4, T6),
      await under('with a PSK of zeroes', T4, T6, new Uint8Array(32)),
      await under('with another PSK', T4, T6, altered(shared.psk)),
      await under('with another T4 for psk_id', altered(T4), T6, shared.psk),
      await under('with another T6', T4, altered(T6), shared.psk),
      await under('with T4 for T6', T4, T4, shared.psk),
    ],
    keys: badKeys(kem, provider.publicKey, shared.encapsulatedKey),
  }
}

function badKeys({ suite }: Kem, publicKey: Uint8Array, encapsulatedKey: Uint8Array) {
  const judged = (what: 'publicKey' | 'encapsulatedKey', name: string, bytes: Uint8Array) => ({
    name,
    what,
    bytes,
    outcome: 'MALFORMED' as const,
  })
  return [
    ...[['publicKey', publicKey] as const, ['encapsulatedKey', encapsulatedKey] as const].flatMap(([what, right]) => [
      judged(what, 'nothing', new Uint8Array()),
      judged(what, 'a byte too few', right.subarray(1)),
      judged(what, 'a byte too many', concat(right, Uint8Array.of(0))),
      ...(suite === 1
        ? Object.entries(SMALL_ORDER).map(([name, bytes]) => judged(what, `of small order: ${name}`, bytes))
        : [judged(what, 'X25519’s alone', right.subarray(-32))]),
    ]),
    ...(suite === 2
      ? [
          judged(
            'publicKey',
            'a coefficient of ML-KEM that is not below 3329',
            concat(Uint8Array.of(0xff, 0xff), publicKey.subarray(2)),
          ),
        ]
      : []),
  ]
}
