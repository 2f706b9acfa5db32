import { utf8 } from '../../crypto/index.js'
import type { RequestBody } from '../../share/raw/index.js'
import { type CaseBench, demandRefusal } from '../bench.js'
import { type ConformanceCase, conformanceCase } from '../case.js'
import { demand } from '../deviation.js'
import { describeAnswer, type Lies } from '../raw.js'
import { debugQuote } from './quotes.js'
import { unsuitable } from './values.js'

const BINDING = 'the report data is as section 4.1 has it, else BINDING_MISMATCH'
const KEYS = "`encapsulated_key`, and the requester's ephemeral public key, are keys of the suite, else MALFORMED"
const ORDER = 'The provider checks, in this order'

interface RequestInit {
  readonly clause?: string
  readonly quote: string
  readonly lies: (bench: CaseBench) => Lies<RequestBody> & { role?: 'provider' }
}

function refused(
  id: string,
  sent: string,
  code: 'BINDING_MISMATCH' | 'MALFORMED' | 'DEBUG_ENCLAVE',
  { clause = '4.5', quote, lies }: RequestInit,
): ConformanceCase {
  return conformanceCase({
    id,
    clause,
    quote,
    role: 'provider',
    sent: `Request with ${sent}`,
    expected: `Refusal ${code}`,
    run: async (bench) => {
      const { side } = await bench.challenged()
      await side.request(bench.unheldLists(), lies(bench))
      demandRefusal(await side.answer(), code)
    },
  })
}

export const requestCases: readonly ConformanceCase[] = [
  refused('BIND-01', 'report data signed by another account', 'BINDING_MISMATCH', {
    quote: BINDING,
    lies: ({ stage }) => ({ signer: stage.cast.stranger }),
  }),
  refused('BIND-02', "report data over the provider's tag", 'BINDING_MISMATCH', {
    clause: '9',
    quote: 'Roles sign under different tags, and quotes under others than Hellos',
    lies: () => ({ role: 'provider' }),
  }),
  refused('BIND-03', 'report data of zeroes', 'BINDING_MISMATCH', {
    quote: BINDING,
    lies: (bench) => ({ proof: () => bench.quoteOver(new Uint8Array(64)) }),
  }),
  refused('BIND-04', 'report data that are the digest itself, not signed', 'BINDING_MISMATCH', {
    quote: BINDING,
    lies: (bench) => ({ proof: (_, digest) => bench.quoteOver(new Uint8Array([...digest, ...new Uint8Array(32)])) }),
  }),
  refused('BIND-05', 'a body that was changed after the quote was made', 'BINDING_MISMATCH', {
    quote: BINDING,
    lies: () => ({ afterwards: (body) => new Uint8Array([...body, 0x70, 0x01]) }),
  }),
  refused('BIND-06', 'report data that sign something else', 'BINDING_MISMATCH', {
    quote: BINDING,
    lies: () => ({ digest: () => utf8('another digest') }),
  }),
  conformanceCase({
    id: 'BIND-07',
    clause: '9',
    quote: 'A quote is good for one exchange',
    role: 'provider',
    sent: "Request with the quote of the same account's earlier exchange",
    expected: 'Refusal BINDING_MISMATCH',
    run: async (bench) => {
      const member = bench.bench.members.next()
      const earlier = await bench.challenged({ member })
      let used = new Uint8Array()
      await earlier.side.request(bench.unheldLists(), {
        proof: (right) => {
          used = new Uint8Array(right)
          return right
        },
      })
      await earlier.side.grant()
      earlier.side.abort()
      const { side } = await bench.challenged({ member })
      await side.request(bench.unheldLists(), { proof: () => used })
      demandRefusal(await side.answer(), 'BINDING_MISMATCH')
    },
  }),
  conformanceCase({
    id: 'BIND-08',
    clause: '9',
    quote:
      'Who forwards messages between a requester and a provider on connections of its own has another PeerId than either expects',
    role: 'provider',
    sent: "Request with a quote that another member of the suite's made for its own exchange, on its own connection",
    expected: 'Refusal BINDING_MISMATCH',
    run: async (bench) => {
      const { members } = bench.bench
      const [owner, relay] = [members.next(), members.next()]
      const own = await bench.challenged({ member: owner })
      let stolen = new Uint8Array()
      await own.side.request(bench.unheldLists(), {
        proof: (right) => {
          stolen = new Uint8Array(right)
          return right
        },
      })
      const { side } = await bench.challenged({ member: relay })
      await side.request(bench.unheldLists(), { proof: () => stolen })
      demandRefusal(await side.answer(), 'BINDING_MISMATCH')
    },
  }),
  refused('KEY-01', 'an encapsulated key of 31 bytes', 'MALFORMED', {
    quote: KEYS,
    lies: () => ({ body: { encapsulatedKey: unsuitable(31) } }),
  }),
  refused('KEY-02', 'no encapsulated key', 'MALFORMED', {
    quote: KEYS,
    lies: () => ({ body: { encapsulatedKey: new Uint8Array() } }),
  }),
  refused('KEY-03', 'an encapsulated key of zeroes, with which the shared secret is all zeroes', 'MALFORMED', {
    clause: '5.1',
    quote: 'In suite 1, shared secrets of all zeroes MUST be refused (RFC 9180, 7.1.4)',
    lies: () => ({ body: { encapsulatedKey: new Uint8Array(32) } }),
  }),
  ...(
    [
      ['KEY-04', 'of 31 bytes', unsuitable(31), '4.5', KEYS],
      ['KEY-05', 'of zeroes', new Uint8Array(32), '5.1', 'In suite 1, shared secrets of all zeroes MUST be refused'],
    ] as const
  ).map(([id, what, publicKey, clause, quote]) =>
    conformanceCase({
      id,
      clause,
      quote,
      role: 'provider',
      sent: `Request in an exchange whose Hello offered a key ${what} for suite 1`,
      expected: 'Refusal MALFORMED at the Request, and no sooner',
      run: async (bench) => {
        const side = await bench.open()
        await side.hello({ body: { suites: [{ suite: 1, publicKey }] } })
        await side.challenge()
        await side.request(bench.unheldLists())
        demandRefusal(await side.answer(), 'MALFORMED')
      },
    }),
  ),
  refused('ORDER-01', 'want lists that are malformed and a quote of a debug enclave', 'MALFORMED', {
    quote: ORDER,
    lies: (bench) => ({ body: { secrets: Uint8Array.of(5) }, proof: (right) => debugQuote(bench, right) }),
  }),
  refused('ORDER-02', 'a quote of a debug enclave over another exchange', 'DEBUG_ENCLAVE', {
    quote: ORDER,
    lies: (bench) => ({ digest: () => utf8('another digest'), proof: (right) => debugQuote(bench, right) }),
  }),
  refused('ORDER-03', 'report data over another exchange, and no encapsulated key', 'BINDING_MISMATCH', {
    quote: ORDER,
    lies: () => ({ body: { encapsulatedKey: new Uint8Array() }, digest: () => utf8('another digest') }),
  }),
  conformanceCase({
    id: 'ORDER-04',
    clause: '4.3',
    quote: 'Until all of these hold a provider MUST NOT make or verify a quote, nor read its store',
    role: 'provider',
    sent: 'Hello without a good signature, and a whole Request right after it',
    expected: 'Refusal BAD_SIGNATURE, and nothing else',
    run: async (bench) => {
      const side = await bench.open()
      await side.hello({ signer: bench.stage.cast.stranger, body: { account: bench.nextAccount() } })
      await side.send(unsuitable(400))
      demandRefusal(await side.answer(), 'BAD_SIGNATURE')
      const after = await side.answer()
      demand(after.type === 'closed' || after.type === 'reset', `${describeAnswer(after)} came after its Refusal`)
    },
  }),
]
