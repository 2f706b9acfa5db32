import { utf8 } from '../../crypto/index.js'
import type { Refusal } from '../../share/index.js'
import { ChallengeBody } from '../../share/raw/index.js'
import { type CaseBench, demandRefusal, demandReset } from '../bench.js'
import { type ConformanceCase, conformanceCase } from '../case.js'
import { demand } from '../deviation.js'
import type { Member } from '../members.js'
import { describeAnswer, type Lies, type RawProvider } from '../raw.js'
import { debugQuote } from './quotes.js'
import { tokenOf } from './tokens.js'
import { unsuitable } from './values.js'

const FIRST = '`account` is that account, else BAD_SIGNATURE'
const NONCE = 'the size of `nonce`, else MALFORMED'
const SUITE = '`suite` is one that it offered, else UNSUPPORTED_SUITE'
const TOKEN = 'the token;'
const ORDER_OF_BLOCKS = '`synced_block` ≤ `taken_in_block` ≤ `block_number` of the token, else MALFORMED'
const BINDING = 'the report data is as section 4.1 has it, else BINDING_MISMATCH'
const ORDER = 'The requester knows beforehand which account it has turned to. It checks, in this order'
const NO_QUOTE = 'Until all of these hold a requester MUST NOT make a quote'
const KEY = 'a key that is none is MALFORMED'
const LIMIT = 'It MUST reset the stream when the length is over the limit or its varint is longer than 4 bytes'
const OTHER = 'A message that does not decode, holds none or another than the one expected here, or breaks a rule below'

type ChallengeLies = Lies<ChallengeBody> & { role?: 'requester' }

/** The peer asks, and is told this. */
function refused(
  id: string,
  sent: string,
  code: Refusal,
  init: {
    readonly clause?: string
    readonly quote: string
    readonly lies: (bench: CaseBench, member: Member) => ChallengeLies | Promise<ChallengeLies>
  },
): ConformanceCase {
  return conformanceCase({
    id,
    clause: init.clause ?? '4.4',
    quote: init.quote,
    role: 'requester',
    sent: `Challenge with ${sent}`,
    expected: `Refusal ${code}, and no Request`,
    run: (bench) =>
      bench.lure(async (side, member) => {
        await side.hello()
        await side.challenge(await init.lies(bench, member))
        demandRefusal(await side.answer(), code)
      }),
  })
}

/** The peer asks, and something comes at one point of the exchange. */
function answered(
  id: string,
  clause: string,
  quote: string,
  [sent, expected]: readonly [string, string],
  play: (side: RawProvider, bench: CaseBench) => Promise<void>,
): ConformanceCase {
  return conformanceCase({
    id,
    clause,
    quote,
    role: 'requester',
    sent,
    expected,
    run: (bench) =>
      bench.lure(async (side) => {
        await side.hello()
        await play(side, bench)
      }),
  })
}

async function demandRequest(side: RawProvider): Promise<void> {
  const answer = await side.answer()
  const isRequest = answer.type === 'message' && answer.message.request !== undefined
  demand(isRequest, `${describeAnswer(answer)} came instead of a Request`)
}

function another({ bench }: CaseBench, member: Member): Member {
  const found = bench.members.all.find((each) => each !== member)
  if (found === undefined) throw new Error('There is one member only.')
  return found
}

export const checkingCases: readonly ConformanceCase[] = [
  refused('CHECK-01', 'another account, which has signed it', 'BAD_SIGNATURE', {
    quote: FIRST,
    lies: (bench, member) => {
      const { signer } = another(bench, member).seat
      return { signer, body: { account: bench.bytesOf(signer.account) } }
    },
  }),
  refused('CHECK-02', 'a nonce of 31 bytes', 'MALFORMED', {
    quote: NONCE,
    lies: () => ({ body: { nonce: unsuitable(31) } }),
  }),
  refused('CHECK-03', 'a suite that was not offered', 'UNSUPPORTED_SUITE', {
    quote: SUITE,
    lies: () => ({ body: { suite: 4_000_000 } }),
  }),
  refused('CHECK-04', 'no token', 'MALFORMED', { quote: TOKEN, lies: () => ({ body: { token: undefined } }) }),
  refused('CHECK-05', 'a token of validity 21', 'MALFORMED', {
    clause: '4.2',
    quote: '`validity` ≤ 20, else MALFORMED',
    lies: async (bench) => ({
      body: { token: await tokenOf(bench, (now) => ({ blockNumber: now, validity: 21 })) },
    }),
  }),
  refused('CHECK-06', 'a token that expired long ago', 'TOKEN_EXPIRED', {
    clause: '4.2',
    quote: '`block_number` + `validity` ≥ _now_, else TOKEN_EXPIRED; the sum does not wrap',
    lies: async (bench) => ({
      body: { token: await tokenOf(bench, (now) => ({ blockNumber: now - 25, validity: 20 })) },
    }),
  }),
  refused('CHECK-07', 'a token that lies in the future', 'TOKEN_IN_FUTURE', {
    clause: '4.2',
    quote: '`block_number` ≤ _now_ + 2, else TOKEN_IN_FUTURE',
    lies: async (bench) => ({
      body: { token: await tokenOf(bench, (now) => ({ blockNumber: now + 10, validity: 20 })) },
    }),
  }),
  refused('CHECK-08', 'a token whose anchor has another hash', 'UNKNOWN_CHAIN', {
    clause: '4.2',
    quote: 'if `block_number` ≤ _now_: `block_hash` is the hash of that block',
    lies: async (bench) => ({
      body: {
        token: await tokenOf(bench, (now) => ({ blockNumber: now - 5, validity: 20, blockHash: unsuitable(32) })),
      },
    }),
  }),
  answered(
    'CHECK-09',
    '4.2',
    '`block_number` ≤ _now_ + 2, else TOKEN_IN_FUTURE',
    ['Challenge with a token anchored one block ahead', 'Request'],
    (side, bench) =>
      bench.stage.still(async () => {
        const token = await tokenOf(bench, (now) => ({ blockNumber: now + 1, validity: 20 }))
        await side.challenge({ body: { token } })
        await demandRequest(side)
      }),
  ),
  conformanceCase({
    id: 'CHECK-10',
    clause: '4.4',
    quote: 'the two accounts are allowed at its _now_',
    role: 'requester',
    sent: "Challenge, after the chain has made the provider's cluster private since the Hello",
    expected: 'Refusal CLUSTER_NOT_PUBLIC',
    run: (bench) =>
      bench.lure(async (side, member) => {
        const { cluster } = member.seat
        await side.hello()
        await bench.stage.setClusterType(cluster, 'Private')
        try {
          await bench.settle(member)
          await side.challenge()
          demandRefusal(await side.answer(), 'CLUSTER_NOT_PUBLIC')
        } finally {
          await bench.stage.setClusterType(cluster, 'Public')
          await bench.settle(member)
        }
      }),
  }),
  refused('CHECK-11', 'another account and a nonce of 31 bytes', 'BAD_SIGNATURE', {
    quote: ORDER,
    lies: (bench, member) => {
      const { signer } = another(bench, member).seat
      return { signer, body: { account: bench.bytesOf(signer.account), nonce: unsuitable(31) } }
    },
  }),
  refused('CHECK-12', 'a token that expired long ago and a quote of a debug enclave', 'TOKEN_EXPIRED', {
    quote: ORDER,
    lies: async (bench) => ({
      body: { token: await tokenOf(bench, (now) => ({ blockNumber: now - 25, validity: 20 })) },
      proof: (right) => debugQuote(bench, right),
    }),
  }),
  refused('CHECK-13', 'a quote of a debug enclave over another exchange', 'DEBUG_ENCLAVE', {
    quote: ORDER,
    lies: (bench) => ({ digest: () => utf8('another digest'), proof: (right) => debugQuote(bench, right) }),
  }),
  refused('CHECK-14', 'a suite that was not offered and a token that expired long ago', 'UNSUPPORTED_SUITE', {
    quote: NO_QUOTE,
    lies: async (bench) => ({
      body: { suite: 4_000_000, token: await tokenOf(bench, (now) => ({ blockNumber: now - 25, validity: 20 })) },
    }),
  }),
  refused('CHECK-15', 'a synced_block above its taken_in_block', 'MALFORMED', {
    quote: ORDER_OF_BLOCKS,
    lies: (bench) => ({ body: { syncedBlock: bench.stage.now, takenInBlock: bench.stage.now - 1 } }),
  }),
  refused('CHECK-16', 'a taken_in_block above the block of its token', 'MALFORMED', {
    quote: ORDER_OF_BLOCKS,
    lies: async (bench) => ({
      body: {
        token: await tokenOf(bench, (now) => ({ blockNumber: now - 1, validity: 20 })),
        takenInBlock: bench.stage.now,
      },
    }),
  }),
  refused('CHECK-17', 'a synced_block, and none taken in, and a token that expired long ago', 'TOKEN_EXPIRED', {
    quote: ORDER,
    lies: async (bench) => ({
      body: { token: await tokenOf(bench, (now) => ({ blockNumber: now - 25, validity: 20 })), syncedBlock: 1 },
    }),
  }),
  refused('CBIND-01', 'report data signed by another account', 'BINDING_MISMATCH', {
    quote: BINDING,
    lies: (bench, member) => ({ signer: another(bench, member).seat.signer }),
  }),
  refused('CBIND-02', "report data over the requester's tag", 'BINDING_MISMATCH', {
    clause: '9',
    quote: 'Roles sign under different tags, and quotes under others than Hellos',
    lies: () => ({ role: 'requester' }),
  }),
  refused('CBIND-03', 'report data of zeroes', 'BINDING_MISMATCH', {
    quote: BINDING,
    lies: (bench) => ({ proof: () => bench.quoteOver(new Uint8Array(64)) }),
  }),
  refused('CBIND-04', 'a nonce that was changed after the quote was made', 'BINDING_MISMATCH', {
    quote: BINDING,
    lies: () => ({
      afterwards: (body) => ChallengeBody.encode({ ...ChallengeBody.decode(body), nonce: unsuitable(32) }),
    }),
  }),
  refused(
    'CBIND-05',
    'an ephemeral key that somebody has put in the place of the one in the quote',
    'BINDING_MISMATCH',
    {
      clause: '9',
      quote: "the choice is in T3, which the provider's quote covers, so none can be put in its place",
      lies: () => ({
        afterwards: (body) => {
          const publicKey = new Uint8Array(32).fill(9)
          return ChallengeBody.encode({ ...ChallengeBody.decode(body), suite: 1, publicKey })
        },
      }),
    },
  ),
  conformanceCase({
    id: 'CBIND-06',
    clause: '9',
    quote: 'A quote is good for one exchange',
    role: 'requester',
    sent: 'Challenge with the quote of an earlier Challenge by the same account',
    expected: 'Refusal BINDING_MISMATCH',
    run: (bench) =>
      bench.lure(async (side, member) => {
        const earlier = await bench.earlierQuote(member)
        await side.hello()
        await side.challenge({ proof: () => earlier })
        demandRefusal(await side.answer(), 'BINDING_MISMATCH')
      }),
  }),
  refused('CKEY-01', 'an ephemeral key of 31 bytes', 'MALFORMED', {
    clause: '4.5',
    quote: KEY,
    lies: () => ({ body: { publicKey: unsuitable(31) } }),
  }),
  refused('CKEY-02', 'an ephemeral key of zeroes, with which the shared secret is all zeroes', 'MALFORMED', {
    clause: '5.1',
    quote: 'In suite 1, shared secrets of all zeroes MUST be refused (RFC 9180, 7.1.4)',
    lies: () => ({ body: { publicKey: new Uint8Array(32) } }),
  }),
  answered('CFRAME-01', '3', LIMIT, ['the length 20,481 where a Challenge is due', 'a reset'], async (side) => {
    side.announce(20_481)
    demandReset(await side.answer())
  }),
  answered('CFRAME-02', '3', LIMIT, ['a length of 5 bytes where a Challenge is due', 'a reset'], async (side) => {
    side.sendBytes(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x01))
    demandReset(await side.answer())
  }),
  answered(
    'CFRAME-03',
    '3',
    OTHER,
    ['bytes that are no protocol buffer where a Challenge is due', 'Refusal MALFORMED'],
    async (side) => {
      await side.send(unsuitable(40).fill(0xff))
      demandRefusal(await side.answer(), 'MALFORMED')
    },
  ),
  answered(
    'CFRAME-04',
    '3',
    OTHER,
    ['an empty message where a Challenge is due', 'Refusal MALFORMED'],
    async (side) => {
      await side.send(new Uint8Array())
      demandRefusal(await side.answer(), 'MALFORMED')
    },
  ),
  answered('CFRAME-05', '3', OTHER, ['a Grant where a Challenge is due', 'Refusal MALFORMED'], async (side) => {
    await side.sendGrant(unsuitable(32))
    demandRefusal(await side.answer(), 'MALFORMED')
  }),
  answered('CFRAME-06', '3', OTHER, ['a Sealed where a Grant is due', 'Refusal MALFORMED'], async (side) => {
    await side.challenge()
    await side.request()
    await side.sendCiphertext(unsuitable(100))
    demandRefusal(await side.answer(), 'MALFORMED')
  }),
  answered('CFRAME-07', '3', LIMIT, ['the length 4,097 where a Grant is due', 'a reset'], async (side) => {
    await side.challenge()
    await side.request()
    side.announce(4_097)
    demandReset(await side.answer())
  }),
  answered('CFRAME-08', '3', LIMIT, ['the length 655,361 where a Sealed is due', 'a reset'], async (side) => {
    await side.challenge()
    await side.request()
    await side.grant()
    side.announce(655_361)
    demandReset(await side.answer())
  }),
  answered(
    'CFRAME-09',
    '3',
    'Unknown fields MUST be ignored',
    [
      'Challenge with a field 14 that nobody knows in its body, quoted with it, and one in the message around it',
      'Request',
    ],
    async (side) => {
      const unknown = Uint8Array.of(0x70, 0x2a)
      await side.challenge({ encoded: (body) => new Uint8Array([...body, ...unknown]), trailer: unknown })
      await demandRequest(side)
    },
  ),
  answered(
    'CFRAME-10',
    '3',
    'It is hashed as the bytes that were received; a receiver MUST NOT encode it again for that',
    ['Challenge whose body has its first field at its end, quoted so', 'Request that speaks for these bytes'],
    async (side, bench) => {
      await side.challenge({ encoded: (body) => new Uint8Array([...body.subarray(34), ...body.subarray(0, 34)]) })
      const request = await side.request()
      await bench.bench.members.serveHonestly(side, request.body)
    },
  ),
  answered(
    'CFRAME-11',
    '4.8',
    'whichever side finds a reason of section 7 sends `Refusal` and closes its side; the other, on taking it, closes its own',
    ['Refusal NOT_READY in place of a Challenge', 'the end of its side'],
    async (side) => {
      await side.refuse('NOT_READY')
      const answer = await side.answer()
      demand(answer.type === 'closed', `${describeAnswer(answer)} came`)
    },
  ),
  answered(
    'CFRAME-12',
    '4.8',
    'All other failures (a cut stream, an oversized message',
    ['half a Challenge, and the end of the stream', 'the end of the exchange, without a Request'],
    async (side) => {
      const message = await side.challengeMessage()
      side.announce(message.length)
      side.sendBytes(message.subarray(0, message.length / 2))
      await side.close()
      const answer = await side.answer()
      demand(answer.type !== 'message', `${describeAnswer(answer)} came`)
    },
  ),
]
