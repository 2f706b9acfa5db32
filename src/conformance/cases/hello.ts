import { fromHex } from '../../crypto/index.js'
import type { Refusal } from '../../share/index.js'
import type { HelloBody } from '../../share/raw/index.js'
import { type CaseBench, demandRefusal } from '../bench.js'
import { type ConformanceCase, conformanceCase } from '../case.js'
import { demand } from '../deviation.js'
import { describeAnswer, type Lies } from '../raw.js'
import { unsuitable } from './values.js'

type HelloLies = (bench: CaseBench) => Lies<HelloBody> | Promise<Lies<HelloBody>>

interface HelloInit {
  readonly clause?: string
  readonly quote: string
  readonly lies?: HelloLies
  /** Who asks, when it is not a member. */
  readonly as?: keyof typeof OTHERS
}

const OTHERS = {
  stranger: ({ stage }: CaseBench) => stage.cast.stranger,
  neighbour: ({ stage }: CaseBench) => stage.cast.neighbour.signer,
  otherSlot: ({ stage }: CaseBench) => stage.cast.otherSlot.signer,
  hidden: ({ stage }: CaseBench) => stage.cast.hidden.signer,
} as const

function refused(id: string, sent: string, code: Refusal | readonly Refusal[], init: HelloInit): ConformanceCase {
  const codes = typeof code === 'string' ? [code] : code
  return conformanceCase({
    id,
    clause: init.clause ?? '4.3',
    quote: init.quote,
    role: 'provider',
    sent: `Hello with ${sent}`,
    expected: `Refusal ${codes.join(' or ')}`,
    run: async (bench) => {
      const side = await bench.open(init.as === undefined ? {} : { as: OTHERS[init.as](bench) })
      await side.hello(await init.lies?.(bench))
      demandRefusal(await side.answer(), ...codes)
    },
  })
}

function accepted(id: string, sent: string, init: HelloInit): ConformanceCase {
  return conformanceCase({
    id,
    clause: init.clause ?? '4.3',
    quote: init.quote,
    role: 'provider',
    sent: `Hello with ${sent}`,
    expected: 'Challenge',
    run: async (bench) => {
      const side = await bench.open()
      await side.hello(await init.lies?.(bench))
      await side.challenge()
    },
  })
}

const SIZES = 'the sizes and counts above, else MALFORMED'
const FIXED = 'Fields given with a fixed length MUST have that length'
const SUITES = '1 to 8 `SuiteOffer`s: number (section 5.1), each once, and ephemeral public key'
const ALLOWED = '`account` and its own are allowed (section 1.2) at its _now_'
const FIRST_REASON = 'NOT_REGISTERED, SAME_CLUSTER, WRONG_SLOT, CLUSTER_NOT_PUBLIC, in this order'
const ORDER = 'The provider checks, in this order, so that what costs nothing comes first'
const SIGNATURE = 'the signature, else BAD_SIGNATURE, also when it has not 64 bytes'

/** Bytes of a schnorrkel signature by nobody. */
const NO_SIGNATURE = unsuitable(64)

export const helloCases: readonly ConformanceCase[] = [
  accepted('HELLO-01', 'nothing wrong', { quote: ALLOWED }),
  refused('HELLO-02', 'a genesis hash of 31 bytes', 'MALFORMED', {
    clause: '3',
    quote: FIXED,
    lies: () => ({ body: { genesisHash: unsuitable(31) } }),
  }),
  refused('HELLO-03', 'an account of 33 bytes', 'MALFORMED', {
    clause: '3',
    quote: FIXED,
    lies: ({ bench }) => ({
      body: { account: new Uint8Array([...fromHex(bench.members.next().seat.signer.account), 0]) },
    }),
  }),
  refused('HELLO-04', 'a nonce of 31 bytes', 'MALFORMED', {
    quote: SIZES,
    lies: () => ({ body: { nonce: unsuitable(31) } }),
  }),
  refused('HELLO-05', 'no nonce', 'MALFORMED', { quote: SIZES, lies: () => ({ body: { nonce: new Uint8Array() } }) }),
  refused('HELLO-06', 'no token', 'MALFORMED', { quote: SIZES, lies: () => ({ body: { token: undefined } }) }),
  refused('HELLO-07', 'a token whose block hash has 31 bytes', 'MALFORMED', {
    quote: SIZES,
    lies: ({ stage }) => ({ body: { token: { blockNumber: stage.now, blockHash: unsuitable(31), validity: 20 } } }),
  }),
  refused('HELLO-08', 'no suites', 'MALFORMED', { quote: SUITES, lies: () => ({ body: { suites: [] } }) }),
  refused('HELLO-09', '9 suites', 'MALFORMED', {
    quote: SUITES,
    lies: () => ({
      body: { suites: Array.from({ length: 9 }, (_, at) => ({ suite: 1 + at, publicKey: unsuitable(32) })) },
    }),
  }),
  conformanceCase({
    id: 'HELLO-10',
    clause: '4.3',
    quote: SUITES,
    role: 'provider',
    sent: 'Hello that offers suite 1 twice',
    expected: 'Refusal MALFORMED',
    run: async (bench) => {
      const side = await bench.open()
      const { publicKey } = await side.keys()
      const offer = { suite: 1, publicKey }
      await side.hello({ body: { suites: [offer, offer] } })
      demandRefusal(await side.answer(), 'MALFORMED')
    },
  }),
  conformanceCase({
    id: 'HELLO-11',
    clause: '4.3',
    quote: 'public keys are not looked at yet: section 4.5',
    role: 'provider',
    sent: 'Hello that offers suite 1, and a suite that nobody knows with a key of 3 bytes before it',
    expected: 'Challenge in suite 1',
    run: async (bench) => {
      const side = await bench.open()
      const { publicKey } = await side.keys()
      const suites = [
        { suite: 4_000_000, publicKey: unsuitable(3) },
        { suite: 1, publicKey },
      ]
      await side.hello({ body: { suites } })
      const { body } = await side.challenge()
      demand(body.suite === 1, `its Challenge is in suite ${body.suite}`)
    },
  }),
  refused('HELLO-12', 'the genesis hash of another chain', 'UNKNOWN_CHAIN', {
    quote: "`genesis_hash` is its chain's, else UNKNOWN_CHAIN",
    lies: () => ({ body: { genesisHash: unsuitable(32) } }),
  }),
  refused('HELLO-13', 'an account that has no seat', 'NOT_REGISTERED', {
    clause: '1.2',
    quote: FIRST_REASON,
    as: 'stranger',
  }),
  refused('HELLO-14', "an account of the peer's own cluster", 'SAME_CLUSTER', {
    clause: '1.2',
    quote: FIRST_REASON,
    as: 'neighbour',
  }),
  refused('HELLO-15', 'an account in another slot', 'WRONG_SLOT', {
    clause: '1.2',
    quote: FIRST_REASON,
    as: 'otherSlot',
  }),
  refused('HELLO-16', 'an account in a cluster that is not public', 'CLUSTER_NOT_PUBLIC', {
    clause: '1.2',
    quote: FIRST_REASON,
    as: 'hidden',
  }),
  refused('HELLO-17', 'an account without a seat and the genesis hash of another chain', 'UNKNOWN_CHAIN', {
    quote: ORDER,
    as: 'stranger',
    lies: () => ({ body: { genesisHash: unsuitable(32) } }),
  }),
  refused('HELLO-18', 'a nonce of 31 bytes and the genesis hash of another chain', 'MALFORMED', {
    quote: ORDER,
    lies: () => ({ body: { genesisHash: unsuitable(32), nonce: unsuitable(31) } }),
  }),
  refused('HELLO-19', 'an account in another slot and no suite that anybody knows', 'WRONG_SLOT', {
    quote: ORDER,
    as: 'otherSlot',
    lies: () => ({ body: { suites: [{ suite: 4_000_000, publicKey: unsuitable(32) }] } }),
  }),
  refused('HELLO-20', 'no suite that anybody knows', 'UNSUPPORTED_SUITE', {
    quote: 'it allows one of the suites, else UNSUPPORTED_SUITE',
    lies: () => ({ body: { suites: [{ suite: 4_000_000, publicKey: unsuitable(32) }] } }),
  }),
  refused('HELLO-21', 'no suite that anybody knows and a token that expired long ago', 'UNSUPPORTED_SUITE', {
    quote: ORDER,
    lies: () => ({
      body: {
        suites: [{ suite: 4_000_000, publicKey: unsuitable(32) }],
        token: { blockNumber: 0, blockHash: unsuitable(32), validity: 0 },
      },
    }),
  }),
  refused('HELLO-22', 'a token that expired long ago and no good signature', 'TOKEN_EXPIRED', {
    quote: ORDER,
    lies: () => ({
      body: { token: { blockNumber: 0, blockHash: unsuitable(32), validity: 0 } },
      proof: () => NO_SIGNATURE,
    }),
  }),
  refused('HELLO-23', 'the signature of another account', 'BAD_SIGNATURE', {
    quote: SIGNATURE,
    lies: ({ stage, bench }) => ({
      body: { account: fromHex(bench.members.next().seat.signer.account) },
      signer: stage.cast.stranger,
    }),
  }),
  refused('HELLO-24', '64 bytes that are no signature', 'BAD_SIGNATURE', {
    quote: SIGNATURE,
    lies: () => ({ proof: () => NO_SIGNATURE }),
  }),
  refused('HELLO-25', 'a signature of 63 bytes', 'BAD_SIGNATURE', {
    quote: SIGNATURE,
    lies: () => ({ proof: (right) => right.subarray(0, 63) }),
  }),
  refused('HELLO-26', 'no signature', 'BAD_SIGNATURE', {
    quote: SIGNATURE,
    lies: () => ({ proof: () => new Uint8Array() }),
  }),
  refused('HELLO-27', 'a body that was changed after it was signed', 'BAD_SIGNATURE', {
    quote: SIGNATURE,
    lies: () => ({ afterwards: (body) => new Uint8Array([...body, 0x70, 0x01]) }),
  }),
  refused('HELLO-28', 'a signature over the digest in `<Bytes>` tags, as wallets sign', 'BAD_SIGNATURE', {
    clause: '1.1',
    quote: 'in the signing context `"substrate"`, 64 bytes, as Substrate makes and verifies them',
    lies: () => ({
      digest: (right) => new Uint8Array(Buffer.concat([Buffer.from('<Bytes>'), right, Buffer.from('</Bytes>')])),
    }),
  }),
  conformanceCase({
    id: 'HELLO-29',
    clause: '4.1',
    quote: "The PeerIds are those that the connection has authenticated: each side's own, and the one at the other end",
    role: 'provider',
    sent: "another member's Hello, signed by that one for its own PeerId, from this one's connection",
    expected: 'Refusal BAD_SIGNATURE',
    run: async (bench) => {
      const { members } = bench.bench
      const [owner, relay] = [members.next(), members.next()]
      const own = await bench.open({ member: owner })
      const message = await own.helloMessage()
      const side = await bench.open({ member: relay })
      await side.send(message)
      demandRefusal(await side.answer(), 'BAD_SIGNATURE')
    },
  }),
  conformanceCase({
    id: 'HELLO-30',
    clause: '9',
    quote: 'recorded, it can be replayed only by the same peer to the same provider',
    role: 'provider',
    sent: 'the same Hello twice from the same PeerId',
    expected: 'Challenge or a Refusal, but two Challenges with different nonces, keys and quotes',
    run: async (bench) => {
      const member = bench.bench.members.next()
      const first = await bench.open({ member })
      const message = await first.helloMessage()
      await first.send(message)
      const one = await first.challenge()
      const second = await bench.open({ member })
      await second.send(message)
      const answer = await second.answer()
      if (answer.type === 'refusal') return
      demand(answer.type === 'message' && answer.message.challenge !== undefined, `${describeAnswer(answer)} came`)
      const repeated = answer.type === 'message' && answer.message.challenge
      demand(repeated !== undefined && repeated !== false, 'no Challenge came')
      demand(Buffer.compare(repeated.quote, one.quote) !== 0, 'both Challenges hold the same quote')
    },
  }),
  conformanceCase({
    id: 'HELLO-31',
    clause: '3',
    quote: 'Unknown fields MUST be ignored',
    role: 'provider',
    sent: 'Hello with a field 14 that nobody knows in its body, signed with it, and one in the message around it',
    expected: 'Challenge',
    run: async (bench) => {
      const side = await bench.open()
      const unknown = Uint8Array.of(0x70, 0x2a)
      await side.hello({ encoded: (body) => new Uint8Array([...body, ...unknown]), trailer: unknown })
      await side.challenge()
    },
  }),
  conformanceCase({
    id: 'HELLO-32',
    clause: '3',
    quote: 'It is hashed as the bytes that were received; a receiver MUST NOT encode it again for that',
    role: 'provider',
    sent: 'Hello whose body has its first field at its end, signed so',
    expected: 'Challenge',
    run: async (bench) => {
      const side = await bench.open()
      // The genesis hash: a tag, a length, and 32 bytes.
      await side.hello({ encoded: (body) => new Uint8Array([...body.subarray(34), ...body.subarray(0, 34)]) })
      await side.challenge()
    },
  }),
]
