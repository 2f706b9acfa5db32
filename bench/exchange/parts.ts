/*
 * What one side does in a handshake (share SPEC 4), each part alone and by what does it, with no protocol around it. The
 * provider's then answers on a stream, for the requester's round trips.
 */
import { randomBytes } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { getPublicKey, secretFromSeed, sign, verify } from '@scure/sr25519'
import { attestationOf } from '../../src/cli/bench/attestation.js'
import { loopbackHost, PROVIDER, REQUESTER } from '../../src/cli/bench/world.js'
import { fromHex, verifySignature } from '../../src/crypto/index.js'
import type { Hex } from '../../src/domain/index.js'
import { goOn, input, otherSide, report } from '../harness/child.js'
import { decapsulate, encapsulate, makeKeys } from './kem.js'
import {
  type ColdAndWarm,
  coldAndWarm,
  ECHO_PROTOCOL,
  HANDSHAKES,
  type Materials,
  type Measured,
  messagesOf,
  USUAL_SIGNATURES,
} from './world.js'

export interface PartsInput extends Materials {
  readonly role: 'requester' | 'provider'
}

export interface PartsOutput {
  readonly parts: Readonly<Record<Measured, ColdAndWarm>>
  readonly address: string
}

/** Signatures: the requester signs its Hello and its quote's data, the provider its quote's data; the other side checks. */
const SIGNATURES = { requester: { made: 2, checked: 1 }, provider: { made: 1, checked: 2 } } as const

const { role, ...materials } = input<PartsInput>()
const hex = (text: string): Uint8Array => fromHex(text as Hex)
const [quote, message, signature] = [hex(materials.quote), hex(materials.message), hex(materials.signature)]
const publicKey = hex(materials.publicKey)
const { made, checked } = SIGNATURES[role]
const { signer } = role === 'requester' ? REQUESTER : PROVIDER
const attestation = await attestationOf(role)
const messages = messagesOf(quote.length)
const host = await loopbackHost()
const { signal } = new AbortController()

const secretKey = secretFromSeed(new Uint8Array(randomBytes(32)))
const usual = { account: getPublicKey(secretKey), signature: sign(secretKey, message) }

const each: Record<Measured, number[]> = {
  quotes: [],
  device: [],
  signatures: [],
  keys: [],
  'round trips': [],
  [USUAL_SIGNATURES]: [],
}
// The provider's part is over when it says where it is, so that neither has the other beside it while it is measured.
const connection =
  role === 'provider' ? undefined : await host.dial(multiaddr((await otherSide<PartsOutput>()).address))
for (let turn = 0; turn < HANDSHAKES; turn += 1) {
  const own = await time('keys', () => makeKeys({ both: role === 'requester' }))
  await time('signatures', async () => {
    for (let count = 0; count < made; count += 1) signer.sign(message)
    for (let count = 0; count < checked; count += 1) {
      if (!verifySignature(materials.account as Hex, message, signature)) throw new Error('A signature is bad.')
    }
  })
  await time(USUAL_SIGNATURES, async () => {
    for (let count = 0; count < made; count += 1) sign(secretKey, message)
    for (let count = 0; count < checked; count += 1) {
      if (!verify(message, usual.signature, usual.account)) throw new Error('A signature is bad.')
    }
  })
  await time('device', () => attestation.quote(message, { signal }))
  await time('quotes', () => attestation.verify(quote))
  await time('keys', () => encapsulate(publicKey), { isMore: true })
  const encapsulatedKey = await encapsulate(own.publicKey)
  await time('keys', () => decapsulate(own.pair, encapsulatedKey), { isMore: true })
  const stream = await connection?.newStream(ECHO_PROTOCOL)
  await time('round trips', async () => {
    if (stream !== undefined) await ask(stream)
  })
}

if (role === 'provider') {
  await host.handle(ECHO_PROTOCOL, answer)
  goOn()
}
const output: PartsOutput = {
  parts: {
    quotes: coldAndWarm(each.quotes),
    device: coldAndWarm(each.device),
    signatures: coldAndWarm(each.signatures),
    keys: coldAndWarm(each.keys),
    'round trips': coldAndWarm(each['round trips']),
    [USUAL_SIGNATURES]: coldAndWarm(each[USUAL_SIGNATURES]),
  },
  address: host.getMultiaddrs()[0]?.toString() ?? '',
}
if (role === 'requester') await host.stop()
report(output)
if (role === 'requester') process.disconnect?.()

/** @param options.isMore of what this turn has had some of already. */
async function time<Result>(part: Measured, work: () => Promise<Result>, { isMore = false } = {}): Promise<Result> {
  const begun = performance.now()
  const result = await work()
  const ms = performance.now() - begun
  each[part].push(isMore ? (each[part].pop() ?? 0) + ms : ms)
  return result
}

async function ask(stream: Stream): Promise<void> {
  const read = readerOf(stream)
  stream.send(new Uint8Array(messages.hello))
  await read(messages.challenge)
  stream.send(new Uint8Array(messages.request))
  await read(messages.grant)
}

async function answer(stream: Stream): Promise<void> {
  const read = readerOf(stream)
  await read(messages.hello)
  stream.send(new Uint8Array(messages.challenge))
  await read(messages.request)
  stream.send(new Uint8Array(messages.grant))
  await stream.close()
}

/** @returns what waits for so many bytes; more never come, since the other side waits for its turn. */
function readerOf(stream: Stream): (bytes: number) => Promise<void> {
  const pieces = stream[Symbol.asyncIterator]()
  return async (bytes) => {
    for (let left = bytes; left > 0; ) {
      const { done, value } = await pieces.next()
      if (done === true) throw new Error('The stream has ended early.')
      left -= value.byteLength
    }
  }
}
