import assert from 'node:assert/strict'
import type { Stream } from '@libp2p/interface'
import { pEvent } from 'p-event'
import { fromHex, toHex } from '../../../src/crypto/index.js'
import { type Registry, type ShareKey, SlotmeshError } from '../../../src/domain/index.js'
import { Frames } from '../../../src/framing/index.js'
import type { ShareRun } from '../../../src/provenance/index.js'
import { toWireRun } from '../../../src/share/messages.js'
import { isRefusal, type Refusal, RefusalError } from '../../../src/share/refusals.js'
import { type ExchangeResult, requestShares } from '../../../src/share/requester.js'
import { quoteDigest } from '../../../src/share/transcript.js'
import type { OpenWant, Wanted } from '../../../src/share/wants.js'
import { type Batch, ProviderMessage, RefusalCode, type Run, ShareKind } from '../../../src/share/wire/share.js'
import {
  account,
  capsule,
  connectedStreams,
  FakeChain,
  type Flavour,
  fakeQuote,
  OriginLog,
  party,
  payloadOf,
  peerOf,
  Received,
  registryOf,
  secret,
  soon,
  type TestParty,
  want,
} from './fixture.js'
import { RawProvider, row } from './raw.js'

const seats = [
  { name: 'asking', cluster: 1 },
  { name: 'serving', cluster: 2 },
  { name: 'third', cluster: 3 },
  { name: 'elsewhere', cluster: 3, slot: 4 },
]
const registry = registryOf(seats)

/** A requester that asks over one stream, and a provider at its other end that can lie. */
interface Scene {
  readonly requester: TestParty
  readonly provider: RawProvider
  readonly serving: TestParty
  readonly received: Received
  readonly near: Stream
  /** Settles when the requester is done; its rejection is the requester's error. */
  readonly asked: Promise<ExchangeResult>
}

interface SceneInit {
  readonly registry?: Registry
  readonly wants?: readonly Wanted[]
  readonly open?: readonly OpenWant[]
  /** The provider's view of the chain. */
  readonly view?: { number?: number }
  /** How long the requester's own view has stood still, ms. */
  readonly finalisedAge?: number
  readonly signal?: AbortSignal
  /** The PeerId that the provider believes to serve. */
  readonly believedRequesterPeer?: Uint8Array
}

const WANTS = [want(secret(1), 40), want(secret(2), 40), want(capsule(7), 40)]

async function scene(init: SceneInit = {}): Promise<Scene> {
  const requester = party('asking', new FakeChain(init.registry ?? registry))
  requester.chain.finalisedAge = init.finalisedAge ?? 0
  const serving = party('serving', new FakeChain(registry, init.view))
  const received = new Received()
  const [near, far] = await connectedStreams()
  const provider = new RawProvider(serving, far, {
    requesterPeer: init.believedRequesterPeer ?? requester.peer,
    providerPeer: serving.peer,
  })
  const counterpart = { account: serving.signer.account, peer: serving.peer }
  const asked = requestShares(requester, counterpart, new Frames(near), {
    wants: init.wants ?? WANTS,
    ...(init.open && { open: init.open }),
    onRun: received.onRun,
    onNotHeld: received.onNotHeld,
    signal: init.signal ?? soon(),
  })
  asked.catch(() => 'looked at later')
  return { requester, provider, serving, received, near, asked }
}

async function closed(stream: Stream): Promise<void> {
  if (stream.status === 'open') await pEvent(stream, 'close', { signal: soon() })
}

/** Both sides agree that the requester refused so, and nothing was taken. */
async function assertRefuses({ provider, asked, received, near }: Scene, refusal: Refusal): Promise<void> {
  const { refusal: told } = await provider.next()
  assert.equal(told?.code, refusal)
  await assert.rejects(asked, (thrown) => thrown instanceof RefusalError && thrown.refusal === refusal)
  assert.equal(received.runs.length, 0)
  await provider.close()
  await closed(near)
}

/** The requester resets the stream, with this error, and nothing was taken. */
async function assertFails({ asked, received, near }: Scene, code: string): Promise<void> {
  await assert.rejects(asked, { code })
  assert.equal(received.runs.length, 0, 'nothing was taken')
  assert.notEqual(near.status, 'open')
}

function log(...keys: ShareKey[]): OriginLog {
  const made = new OriginLog(account('serving'), { cluster: 2 })
  for (const key of keys) made.append(key, 50)
  return made
}

const GOOD = log(secret(1), secret(2), capsule(7), capsule(8))

const end = (shareCount: number, notHeldCount = 0, unfinished = false) => ({
  end: { shareCount, notHeldCount, unfinished },
})
const nothing = { runs: [], secretsNotHeld: row(), capsulesNotHeld: row() }
const batch = (...runs: Run[]) => ({ batch: { ...nothing, runs } })
const news = (fields: Partial<Batch>) => ({ batch: { ...nothing, ...fields } })

describe('the requester', () => {
  it('takes what an honest provider sends', async () => {
    const at = await scene()
    await at.provider.handshake()
    await at.provider.sendSealed(batch(toWireRun(await GOOD.run(0, 2)), toWireRun(await GOOD.run(2, 1))))
    await at.provider.sendSealed(end(3))
    assert.deepEqual(await at.asked, {
      received: 3,
      notHeld: 0,
      unfinished: false,
      cursor: undefined,
      provider: { newestAsOf: 90, takenIn: 95 },
    })
    assert.deepEqual(at.received.shares.get('capsule/7'), payloadOf(capsule(7)))
    assert.deepEqual(at.received.shares.size, 3)
  })

  it('takes no end of batches in which there is nothing', async () => {
    const at = await scene()
    await at.provider.handshake()
    // With a field that nobody knows, so that they are no crumbs.
    const padding = [0xa2, 0x7d, 100, ...new Uint8Array(100)]
    const padded = (bytes: Uint8Array) => new Uint8Array([...bytes, ...padding])
    const empty = news({ cursor: { kind: ShareKind.SECRET, nftId: 1 } })
    for (let sent = 0; sent <= 1_024; sent += 1) await at.provider.send(await at.provider.seal(empty, padded))
    await assertFails(at, 'share/endless')
  })

  it('asks for all it wants and nothing else, sorted and joined', async () => {
    const ids = [5, 3, 4, 9]
    const at = await scene({ wants: [...ids.map((id) => want(secret(id), 7)), want(capsule(1)), want(secret(10), 8)] })
    await at.provider.hello()
    await at.provider.challenge()
    const { secrets, capsules } = await at.provider.request()
    assert.deepEqual({ secrets, capsules }, { secrets: row(3, 3, 14, 3, 1, 0, 0, 1, 2), capsules: row(1, 1, 0) })
  })

  for (const [what, wants] of [
    ['nothing', []],
    ['too many shares', Array.from({ length: 524_289 }, (_, nftId) => want(secret(nftId)))],
    ['the same twice', [want(secret(1)), want(secret(1), 5)]],
  ] as const) {
    it(`does not even ask for ${what}`, async () => {
      await assertFails(await scene({ wants }), 'share/wants')
    })
  }

  it('does not even ask when its view of the chain has stood still for too long', async () => {
    await assertFails(await scene({ finalisedAge: 120_001 }), 'share/stale-view')
  })

  describe('refuses a Challenge before it verifies the quote', () => {
    const anchor = (blockNumber: number, change: object = {}) => ({
      token: { blockNumber, blockHash: fromHex(new FakeChain(registry).hashAt(blockNumber)), validity: 20, ...change },
    })
    const table: [string, Refusal, SceneInit, Parameters<RawProvider['challenge']>[0]][] = [
      [
        'of an impostor',
        'BAD_SIGNATURE',
        {},
        { body: { account: fromHex(account('third').account) }, signer: account('third') },
      ],
      ['with a short account', 'MALFORMED', {}, { body: { account: new Uint8Array(31) } }],
      ['with a short nonce', 'MALFORMED', {}, { body: { nonce: new Uint8Array(31) } }],
      ['in a suite that was not offered', 'UNSUPPORTED_SUITE', {}, { body: { suite: 9 } }],
      ['without a suite', 'UNSUPPORTED_SUITE', {}, { body: { suite: 0 } }],
      [
        'of a provider without a seat',
        'NOT_REGISTERED',
        { registry: registryOf(seats.filter(({ name }) => name !== 'serving')) },
        {},
      ],
      [
        'when it has no seat itself',
        'NOT_REGISTERED',
        { registry: registryOf(seats.filter(({ name }) => name !== 'asking')) },
        {},
      ],
      [
        'of another slot',
        'WRONG_SLOT',
        {
          registry: registryOf([
            { name: 'asking', cluster: 1 },
            { name: 'serving', cluster: 2, slot: 1 },
          ]),
        },
        {},
      ],
      [
        'of its own cluster',
        'SAME_CLUSTER',
        {
          registry: registryOf([
            { name: 'asking', cluster: 1 },
            { name: 'serving', cluster: 1 },
          ]),
        },
        {},
      ],
      ['of a private cluster', 'CLUSTER_NOT_PUBLIC', { registry: registryOf(seats, { 2: 'private' }) }, {}],
      ['without a token', 'MALFORMED', {}, { body: { token: undefined } }],
      ['whose token has expired', 'TOKEN_EXPIRED', {}, { body: anchor(79) }],
      ['whose token is too far ahead', 'TOKEN_IN_FUTURE', {}, { body: anchor(103) }],
      ['anchored in a fork', 'UNKNOWN_CHAIN', {}, { body: anchor(99, { blockHash: new Uint8Array(32) }) }],
      ['that is sure of a block that is not taken in', 'MALFORMED', {}, { body: { syncedBlock: 96 } }],
      ['of more than its token calls final', 'MALFORMED', {}, { body: { ...anchor(99), takenInBlock: 100 } }],
      [
        'whose token has expired, of more than that calls final',
        'TOKEN_EXPIRED',
        {},
        { body: { ...anchor(79), takenInBlock: 80 } },
      ],
    ]
    for (const [what, refusal, init, lies] of table) {
      it(`${what}: ${refusal}`, async () => {
        const at = await scene(init)
        await at.provider.hello()
        await at.provider.challenge(lies)
        await assertRefuses(at, refusal)
        assert.deepEqual(at.requester.attestation.calls, { quote: 0, verify: 0 })
      })
    }
  })

  describe('refuses a Challenge and makes no quote of its own', () => {
    const flavours: [Flavour, Refusal][] = [
      ['low-tcb', 'TCB_BELOW_POLICY'],
      ['other-measurement', 'MEASUREMENT_NOT_ALLOWED'],
      ['debug', 'DEBUG_ENCLAVE'],
      ['unknown-platform', 'NOT_READY'],
    ]
    const table: [string, Refusal, SceneInit, Parameters<RawProvider['challenge']>[0]][] = [
      ...flavours.map(([flavour, refusal]): (typeof table)[number] => [
        `with a quote that is ${flavour}`,
        refusal,
        {},
        { proof: (right) => fakeQuote(right.subarray(1, 65), flavour) },
      ]),
      ['with a forged quote', 'QUOTE_INVALID', {}, { proof: (right) => right.with(96, (right[96] ?? 0) ^ 1) }],
      ['with no quote', 'QUOTE_INVALID', {}, { proof: () => new Uint8Array() }],
      ['whose quote names no one', 'BINDING_MISMATCH', {}, { proof: () => fakeQuote(new Uint8Array(64)) }],
      ['quoted by another genuine enclave', 'BINDING_MISMATCH', {}, { signer: account('third') }],
      ['quoted in the requester’s role', 'BINDING_MISMATCH', {}, { role: 'requester' }],
      [
        'that signs the bare digest',
        'BINDING_MISMATCH',
        {},
        { proof: (_, digest) => fakeQuote(account('serving').sign(quoteDigest('provider', digest))) },
      ],
      ['quoted over another connection', 'BINDING_MISMATCH', { believedRequesterPeer: peerOf('relay') }, {}],
      [
        'altered after it was quoted',
        'BINDING_MISMATCH',
        {},
        { afterwards: (body) => Uint8Array.of(...body, 0x30, 1) },
      ],
      [
        'that somebody has made a few blocks younger',
        'BINDING_MISMATCH',
        {},
        { afterwards: (body) => Uint8Array.of(...body, 0x38, 99) },
      ],
    ]
    for (const [what, refusal, init, lies] of table) {
      it(`${what}: ${refusal}`, async () => {
        const at = await scene(init)
        await at.provider.hello()
        await at.provider.challenge(lies)
        await assertRefuses(at, refusal)
        assert.deepEqual(at.requester.attestation.calls, { quote: 0, verify: 1 })
      })
    }

    it('whose ephemeral key is of small order: MALFORMED', async () => {
      const at = await scene()
      await at.provider.hello()
      await at.provider.challenge({ body: { publicKey: new Uint8Array(32) } })
      await assertRefuses(at, 'MALFORMED')
    })

    it('whose ephemeral key is too short: MALFORMED', async () => {
      const at = await scene()
      await at.provider.hello()
      await at.provider.challenge({ body: { publicKey: new Uint8Array(31) } })
      await assertRefuses(at, 'MALFORMED')
    })

    it('that another exchange has had: BINDING_MISMATCH', async () => {
      const recorded: { quote?: Uint8Array; body?: Uint8Array } = {}
      const first = await scene()
      await first.provider.hello()
      await first.provider.challenge({
        proof: (right) => {
          recorded.quote = right
          return right
        },
        afterwards: (body) => {
          recorded.body = body
          return body
        },
      })
      assert.ok((await first.provider.request()).secrets.length > 0)

      const second = await scene()
      await second.provider.hello()
      await second.provider.challenge({
        proof: () => recorded.quote ?? assert.fail(),
        afterwards: () => recorded.body ?? assert.fail(),
      })
      await assertRefuses(second, 'BINDING_MISMATCH')
    })
  })

  describe('refuses as MALFORMED', () => {
    for (const [what, bytes] of [
      ['garbage', new Uint8Array(300).fill(0xff)],
      ['an empty message', new Uint8Array()],
      ['a Grant before the Challenge', ProviderMessage.encode({ grant: { encapsulatedKey: new Uint8Array(32) } })],
      ['a refusal without a code', Uint8Array.of(0x7a, 0)],
      ['a refusal with a code that is none', Uint8Array.of(0x7a, 2, 8, 99)],
    ] as const) {
      it(what, async () => {
        const at = await scene()
        await at.provider.hello()
        await at.provider.send(bytes)
        await assertRefuses(at, 'MALFORMED')
      })
    }

    for (const [what, encapsulatedKey] of [
      ['short', new Uint8Array(31)],
      ['of small order', new Uint8Array(32)],
    ] as const) {
      it(`a Grant whose key is ${what}`, async () => {
        const at = await scene()
        await at.provider.hello()
        await at.provider.challenge()
        await at.provider.request()
        await at.provider.grant({ encapsulatedKey })
        await assertRefuses(at, 'MALFORMED')
      })
    }

    const good = async () => toWireRun(await GOOD.run(0, 2))
    const bent = async (bend: (run: Run) => Partial<Run>) => {
      const run = await good()
      return batch({ ...run, ...bend(run) })
    }
    const withPayload = (payload: Uint8Array) =>
      bent(({ shares }) => ({ shares: shares.map((share) => ({ ...share, payload })) }))
    const sealed: [string, () => Promise<Parameters<RawProvider['seal']>[0]>][] = [
      ['nothing sealed', async () => ({})],
      ['a batch of nothing', async () => batch()],
      ['a secret not held that was not asked for', async () => news({ secretsNotHeld: row(3, 1) })],
      ['a capsule not held that was not asked for', async () => news({ capsulesNotHeld: row(6, 2) })],
      ['one not held twice', async () => news({ secretsNotHeld: row(1, 1, 0, 1) })],
      ['very many not held', async () => news({ secretsNotHeld: row(1, 0xffff_ffff) })],
      ['an open range not held', async () => news({ secretsNotHeld: row(1, 0) })],
      ['half a list of what is not held', async () => news({ secretsNotHeld: row(1) })],
      ['a cursor of no kind', async () => news({ cursor: { kind: ShareKind.SHARE_KIND_UNSPECIFIED, nftId: 1 } })],
      ['a run without shares', () => bent(() => ({ shares: [] }))],
      ['a run without a head', () => bent(() => ({ head: undefined }))],
      ['a payload of 15 bytes', () => withPayload(new Uint8Array(15))],
      ['a payload of 3001 bytes', () => withPayload(new Uint8Array(3001))],
      [
        'a head with a short root',
        () => bent(({ head }) => ({ head: head && { ...head, root: head.root.subarray(1) } })),
      ],
      [
        'a head with a short account',
        () => bent(({ head }) => ({ head: head && { ...head, account: head.account.subarray(1) } })),
      ],
      [
        'a head with a short incarnation',
        () => bent(({ head }) => ({ head: head && { ...head, incarnation: new Uint8Array(15) } })),
      ],
      [
        'a head with a short signature',
        () => bent(({ head }) => ({ head: head && { ...head, signature: new Uint8Array(63) } })),
      ],
      [
        'a share of no kind',
        () =>
          bent(({ shares }) => ({
            shares: shares.map((share) => ({ ...share, kind: ShareKind.SHARE_KIND_UNSPECIFIED })),
          })),
      ],
    ]
    for (const [what, content] of sealed) {
      it(what, async () => {
        const at = await scene()
        await at.provider.handshake()
        await at.provider.sendSealed(await content())
        await assertRefuses(at, 'MALFORMED')
      })
    }
  })

  describe('takes nothing that the attested provider has not sealed, in its order', () => {
    it('when batches are forged by one who knows all but what is inside the enclaves', async () => {
      const at = await scene()
      await at.provider.hello()
      await at.provider.challenge()
      await at.provider.request()
      await at.provider.grant({ preSharedKey: new Uint8Array(32) })
      await at.provider.sendSealed(batch(toWireRun(await GOOD.run(0, 2))))
      await assertFails(at, 'share/unsealing')
    })

    it('when an End is forged likewise', async () => {
      const at = await scene()
      await at.provider.hello()
      await at.provider.challenge()
      await at.provider.request()
      await at.provider.grant({ preSharedKey: new Uint8Array(32).fill(1) })
      await at.provider.sendSealed(end(0, 0, true))
      await assertFails(at, 'share/unsealing')
    })

    const order: [string, (parts: Uint8Array[]) => (Uint8Array | undefined)[], string][] = [
      ['reordered', ([one, two, three]) => [two, one, three], 'share/unsealing'],
      ['cut at the front', ([, two, three]) => [two, three], 'share/unsealing'],
      [
        'altered',
        ([one, two, three]) => [one?.map((byte, at) => (at === 99 ? byte ^ 1 : byte)), two, three],
        'share/unsealing',
      ],
    ]
    for (const [what, arrange, code] of order) {
      it(`when messages are ${what}`, async () => {
        const at = await scene()
        await at.provider.handshake()
        const parts = await sealedParts(at.provider)
        for (const part of arrange(parts)) if (part) await at.provider.send(part)
        await assertFails(at, code)
      })
    }

    const later: [string, (parts: Uint8Array[]) => (Uint8Array | undefined)[]][] = [
      ['duplicated', ([one, two, three]) => [one, one, two, three]],
      ['dropped', ([one, , three]) => [one, three]],
    ]
    for (const [what, arrange] of later) {
      it(`when a message in the middle is ${what}, after what came before it`, async () => {
        const at = await scene()
        await at.provider.handshake()
        for (const part of arrange(await sealedParts(at.provider))) if (part) await at.provider.send(part)
        await assert.rejects(at.asked, { code: 'share/unsealing' })
        assert.equal(at.received.shares.size, 2)
      })
    }

    async function sealedParts(provider: RawProvider): Promise<Uint8Array[]> {
      return [
        await provider.seal(batch(toWireRun(await GOOD.run(0, 2)))),
        await provider.seal(batch(toWireRun(await GOOD.run(2, 1)))),
        await provider.seal(end(3)),
      ]
    }
  })

  describe('does not take a cut stream for a whole one', () => {
    const ends: [string, ReturnType<typeof end> | undefined, string][] = [
      ['no End', undefined, 'share/cut'],
      ['an End that counts too few', end(1, 1), 'share/incomplete'],
      ['an End that counts too many', end(3, 1), 'share/incomplete'],
      ['an End that counts too few not held', end(2, 0), 'share/incomplete'],
      ['an End that counts too many not held', end(2, 2), 'share/incomplete'],
      ['an unfinished End that counts wrongly', end(1, 1, true), 'share/incomplete'],
    ]
    for (const [what, last, code] of ends) {
      it(what, async () => {
        const at = await scene()
        await at.provider.handshake()
        await at.provider.sendSealed(batch(toWireRun(await GOOD.run(0, 2))))
        await at.provider.sendSealed(news({ capsulesNotHeld: row(7, 1) }))
        if (last !== undefined) await at.provider.sendSealed(last)
        await at.provider.close()
        await assert.rejects(at.asked, { code })
        assert.equal(at.received.shares.size, 2, 'what was verified before is good')
      })
    }

    it('an End that leaves one out', async () => {
      const at = await scene()
      await at.provider.handshake()
      await at.provider.sendSealed(batch(toWireRun(await GOOD.run(0, 2))))
      await at.provider.sendSealed(end(2))
      await assert.rejects(at.asked, { code: 'share/incomplete' })
    })

    it('but takes an unfinished End that counts rightly, and tells how far it came', async () => {
      const at = await scene()
      await at.provider.handshake()
      const { batch: whole } = batch(toWireRun(await GOOD.run(0, 2)))
      await at.provider.sendSealed({ batch: { ...whole, cursor: { kind: ShareKind.SECRET, nftId: 3 } } })
      await at.provider.sendSealed(end(2, 0, true))
      assert.deepEqual(await at.asked, {
        received: 2,
        notHeld: 0,
        unfinished: true,
        cursor: secret(3),
        provider: { newestAsOf: 90, takenIn: 95 },
      })
    })

    it('an exchange whose batches are held back until long after the token has expired', async () => {
      const at = await scene()
      await at.provider.handshake()
      at.requester.chain.number = 130
      await at.provider.sendSealed(batch(toWireRun(await GOOD.run(0, 1))))
      while (at.received.runs.length === 0) await new Promise(setImmediate)
      at.requester.chain.number = 131
      await at.provider.sendSealed(batch(toWireRun(await GOOD.run(1, 1))))
      await assert.rejects(at.asked, { code: 'share/cut' })
      assert.equal(at.received.shares.size, 1)
    })

    const contradictions: [string, () => Promise<Batch>][] = [
      ['one that was sent is not held', async () => ({ ...nothing, secretsNotHeld: row(1, 1) })],
      ['a cursor goes back', async () => ({ ...nothing, cursor: { kind: ShareKind.SECRET, nftId: 2 } })],
    ]
    for (const [what, contradiction] of contradictions) {
      it(`refuses when ${what}`, async () => {
        const at = await scene()
        await at.provider.handshake()
        const { batch: whole } = batch(toWireRun(await GOOD.run(0, 2)))
        await at.provider.sendSealed({ batch: { ...whole, cursor: { kind: ShareKind.SECRET, nftId: 3 } } })
        await at.provider.sendSealed({ batch: await contradiction() })
        await assert.rejects(at.asked, { refusal: 'MALFORMED' })
      })
    }

    it('at any phase before', async () => {
      for (const steps of [0, 1, 2, 3]) {
        const at = await scene()
        if (steps > 0) await at.provider.hello()
        if (steps > 1) await at.provider.challenge()
        if (steps > 2) await at.provider.request()
        await at.provider.close()
        await assertFails(at, 'share/cut')
      }
    })

    it('when the stream is reset', async () => {
      const at = await scene()
      await at.provider.handshake()
      at.provider.frames.abort(new Error('gone'))
      await assertFails(at, 'share/cut')
    })
  })

  describe('stores nothing whose provenance is not right', () => {
    const signed = (change: object) => ({ ...GOOD.head(change) })
    const runs: [string, string, () => Promise<ShareRun>, SceneInit?][] = [
      ['a share that was not asked for', 'share/unasked', () => GOOD.run(2, 2)],
      ['a secret for a capsule', 'share/unasked', () => log(secret(7)).run()],
      [
        'a version older than the least that will do',
        'share/unasked',
        () => GOOD.run(0, 2),
        { wants: [want(secret(1), 51), want(secret(2))] },
      ],
      ['a version of the far future', 'share/unasked', () => log().append(secret(1), 0xffff_ffff).run()],
      ['a version just beyond what can be final', 'share/unasked', () => log().append(secret(1), 103).run()],
      [
        'another cluster than the chain named',
        'share/unasked',
        () => GOOD.run(0, 2),
        { wants: [{ ...want(secret(1)), origin: 3 }, want(secret(2))] },
      ],
      [
        'the same share twice in one run',
        'share/unasked',
        () => log().append(capsule(7), 50).append(capsule(7), 60).run(),
      ],
      [
        'a log of another slot',
        'share/origin',
        () => new OriginLog(account('elsewhere'), { cluster: 3, slot: 4 }).append(secret(1), 50).run(),
      ],
      [
        'a seat that its account never had',
        'share/origin',
        () => new OriginLog(account('third'), { cluster: 2 }).append(secret(1), 50).run(),
      ],
      [
        'an account that never had a seat',
        'share/origin',
        () => new OriginLog(account('stranger'), { cluster: 2 }).append(secret(1), 50).run(),
      ],
      [
        'a cluster that does not exist',
        'share/origin',
        () => new OriginLog(account('serving'), { cluster: 99 }).append(secret(1), 50).run(),
      ],
      [
        'a head signed by another',
        'provenance/head-signature',
        async () => {
          const forged = new OriginLog(account('third'), { cluster: 2 }).append(secret(1), 50)
          return forged.run(0, 1, { ...forged.head(), account: account('serving').account })
        },
      ],
      [
        'a head without a signature',
        'provenance/head-signature',
        () => GOOD.run(0, 2, { ...GOOD.head(), signature: new Uint8Array(64) }),
      ],
      [
        'a head of another incarnation than was signed',
        'provenance/head-signature',
        () => GOOD.run(0, 2, { ...GOOD.head(), incarnation: toHex(new Uint8Array(16)) }),
      ],
      [
        'a head of another size than was signed',
        'provenance/head-signature',
        () => GOOD.run(0, 2, { ...GOOD.head(), size: 5 }),
      ],
      [
        'a root that covers other leaves',
        'provenance/range',
        () => GOOD.run(0, 2, signed({ root: new Uint8Array(32) })),
      ],
      ['another place in the log', 'provenance/range', async () => ({ ...(await GOOD.run(0, 2)), first: 1 })],
      ['a place beyond the log', 'provenance/range', async () => ({ ...(await GOOD.run(0, 2)), first: 0xffff_ffff })],
      [
        'a proof without its right side',
        'provenance/range',
        async () => {
          const run = await GOOD.run(0, 2)
          return { ...run, proof: { ...run.proof, right: [] } }
        },
      ],
      [
        'a proof with one hash too many',
        'provenance/range',
        async () => {
          const run = await GOOD.run(0, 2)
          return { ...run, proof: { ...run.proof, left: [new Uint8Array(32)] } }
        },
      ],
      [
        'a payload that was altered',
        'provenance/range',
        async () => {
          const run = await GOOD.run(0, 2)
          run.shares[1]?.payload.set([1], 0)
          return run
        },
      ],
      [
        'payloads that were swapped',
        'provenance/range',
        async () => {
          const run = await GOOD.run(0, 2)
          const [one, two] = run.shares
          if (one === undefined || two === undefined) assert.fail()
          return {
            ...run,
            shares: [
              { ...one, payload: two.payload },
              { ...two, payload: one.payload },
            ],
          }
        },
      ],
      [
        'a version that was raised',
        'provenance/range',
        async () => {
          const run = await GOOD.run(0, 2)
          return { ...run, shares: run.shares.map((share) => ({ ...share, leaf: { ...share.leaf, version: 51 } })) }
        },
      ],
    ]
    for (const [what, code, run, init] of runs) {
      it(`${what}: ${code}`, async () => {
        const at = await scene(init)
        await at.provider.handshake()
        await at.provider.sendSealed(batch(toWireRun(await run())))
        await assertFails(at, code)
      })
    }

    it('a share that it has already had in this exchange', async () => {
      const at = await scene()
      await at.provider.handshake()
      await at.provider.sendSealed(batch(toWireRun(await GOOD.run(0, 2)), toWireRun(await GOOD.run(0, 2))))
      await assert.rejects(at.asked, { code: 'share/unasked' })
      assert.equal(at.received.runs.length, 1)
    })

    for (const [what, change] of [
      ['signature', { signature: new Uint8Array(64) }],
      ['root', { root: new Uint8Array(32) }],
      ['size', { size: 5 }],
      ['incarnation', { incarnation: toHex(new Uint8Array(16)) }],
      ['cluster', { cluster: 3 }],
      ['account', { account: account('third').account }],
    ] as const) {
      it(`a head that differs in its ${what} from one whose signature was good`, async () => {
        const at = await scene()
        await at.provider.handshake()
        // What the head speaks for is right in each case: now, or when the shares were synced.
        const now = what === 'account' ? [{ name: 'third', cluster: 2 }] : [{ name: 'serving', cluster: 3 }]
        at.requester.chain.change(registryOf([{ name: 'asking', cluster: 1 }, ...now]))
        const altered = await GOOD.run(1, 1, { ...GOOD.head(), ...change })
        const good = await GOOD.run(0, 1)
        const signature = what === 'signature' ? altered.head.signature : good.head.signature
        await at.provider.sendSealed(
          batch(toWireRun(good), toWireRun({ ...altered, head: { ...altered.head, signature } })),
        )
        await assert.rejects(at.asked, { code: 'provenance/head-signature' })
        assert.equal(at.received.runs.length, 1)
      })
    }

    const doubtful: [string, boolean, () => Promise<ShareRun>, SceneInit?][] = [
      ['of blocks that are not seen here yet', true, () => log().append(secret(1), 103).run()],
      ['of another cluster than', true, () => GOOD.run(0, 2), { wants: [{ ...want(secret(1)), origin: 3 }] }],
      ['of a seat', true, () => new OriginLog(account('third'), { cluster: 2 }).append(secret(1), 50).run()],
      ['that were not asked for', false, () => GOOD.run(2, 2)],
      ['that are too old', false, () => GOOD.run(0, 2), { wants: [want(secret(1), 51)] }],
      [
        'of another slot',
        false,
        () => new OriginLog(account('elsewhere'), { cluster: 3, slot: 4 }).append(secret(1), 50).run(),
      ],
    ]
    for (const [what, isDoubtful, make, init] of doubtful) {
      it(`and tells whether an honest peer could have given it: shares ${what}`, async () => {
        const at = await scene(init)
        await at.provider.handshake()
        await at.provider.sendSealed(batch(toWireRun(await make())))
        await assert.rejects(at.asked, ({ cause }: Error) => {
          assert.equal(
            cause instanceof SlotmeshError ? cause.code : undefined,
            isDoubtful ? 'share/doubtful' : undefined,
          )
          return true
        })
      })
    }

    it('when it has lost its own seat meanwhile', async () => {
      const at = await scene()
      await at.provider.handshake()
      at.requester.chain.change(registryOf(seats.filter(({ name }) => name !== 'asking')))
      await at.provider.sendSealed(batch(toWireRun(await GOOD.run(0, 2))))
      await assertFails(at, 'share/origin')
    })
  })

  describe('knows an origin by the seat that it had', () => {
    const departed = () => new OriginLog(account('departed'), { cluster: 2 }).append(secret(1), 50)
    const before = registryOf([...seats.filter(({ name }) => name !== 'serving'), { name: 'departed', cluster: 2 }])

    it('when the share was synced, although another has it now', async () => {
      const at = await scene({ registry: before, wants: [want(secret(1))] })
      at.requester.chain.change(registry, 60)
      await at.provider.handshake()
      await at.provider.sendSealed(batch(toWireRun(await departed().run())))
      await at.provider.sendSealed(end(1))
      assert.equal((await at.asked).received, 1)
    })

    it('but not when it had left before', async () => {
      const at = await scene({ registry: before, wants: [want(secret(1))] })
      at.requester.chain.change(registry, 49)
      await at.provider.handshake()
      await at.provider.sendSealed(batch(toWireRun(await departed().run())))
      await assertFails(at, 'share/origin')
    })

    it('and only from its own log where the chain has said which', async () => {
      const at = await scene({ wants: [{ ...want(secret(1)), origin: 3 }] })
      await at.provider.handshake()
      const own = new OriginLog(account('third'), { cluster: 3 }).append(secret(1), 50)
      await at.provider.sendSealed(batch(toWireRun(await own.run())))
      await at.provider.sendSealed(end(1))
      assert.equal((await at.asked).received, 1)
    })
  })

  it('takes a capsule that was synced anew by another cluster from there, but not the version that the chain named', async () => {
    for (const [version, outcome] of [
      [60, 'received'],
      [50, 'refused'],
    ] as const) {
      const at = await scene({ wants: [{ ...want(capsule(7), 50), origin: 3 }] })
      await at.provider.handshake()
      await at.provider.sendSealed(batch(toWireRun(await log().append(capsule(7), version).run())))
      if (outcome === 'refused') {
        await assertFails(at, 'share/unasked')
        continue
      }
      await at.provider.sendSealed(end(1))
      assert.equal((await at.asked).received, 1)
    }
  })

  it('reports every refusal that a provider can give, at any phase', async () => {
    const codes = Object.values(RefusalCode).filter((code) => typeof code === 'string' && isRefusal(code))
    assert.equal(codes.length, 17)
    for (const [turn, code] of codes.entries()) {
      const at = await scene()
      await at.provider.hello()
      if (turn % 3 > 0) await at.provider.challenge()
      if (turn % 3 > 0) await at.provider.request()
      if (turn % 3 > 1) await at.provider.grant()
      await at.provider.send(ProviderMessage.encode({ refusal: { code, sentence: 'because', retryAfterMs: turn } }))
      await assert.rejects(at.asked, { code: 'share/refused', refusal: code, retryAfterMs: turn })
      assert.equal(at.received.runs.length, 0)
      await at.provider.close()
      await closed(at.near)
    }
  })

  it('stops, and resets the stream, when what takes the shares fails', async () => {
    const at = await scene()
    at.received.runs.push = () => {
      throw new SlotmeshError('store/full', 'The disk is full.')
    }
    await at.provider.handshake()
    await at.provider.sendSealed(batch(toWireRun(await GOOD.run(0, 2))))
    await assertFails(at, 'store/full')
  })

  it('stops when told to, with the reason', async () => {
    const stopping = new AbortController()
    const at = await scene({ signal: stopping.signal })
    await at.provider.hello()
    stopping.abort(new SlotmeshError('test/stopping', 'Stopping.'))
    await assertFails(at, 'test/stopping')
  })
})
