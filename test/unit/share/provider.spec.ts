import assert from 'node:assert/strict'
import type { Stream } from '@libp2p/interface'
import { pEvent } from 'p-event'
import { fromHex } from '../../../src/crypto/index.js'
import type { Registry } from '../../../src/domain/index.js'
import { Frames } from '../../../src/framing/index.js'
import { type ServedExchange, serveExchange } from '../../../src/share/provider.js'
import { type Refusal, RefusalError } from '../../../src/share/refusals.js'
import { quoteDigest } from '../../../src/share/transcript.js'
import { RefusalCode, type RequestBody, RequesterMessage } from '../../../src/share/wire/share.js'
import {
  account,
  connectedStreams,
  FakeChain,
  type Flavour,
  fakeQuote,
  MemoryShares,
  OriginLog,
  party,
  payloadOf,
  peerOf,
  registryOf,
  secret,
  soon,
  type TestParty,
  want,
} from './fixture.js'
import { RawRequester, row } from './raw.js'

const registry = registryOf([
  { name: 'asking', cluster: 1 },
  { name: 'serving', cluster: 2 },
])

/** A provider that serves one stream, and a requester at its other end that can lie. */
interface Scene {
  readonly provider: TestParty
  readonly requester: RawRequester
  readonly asking: TestParty
  readonly shares: MemoryShares
  readonly admitted: string[]
  readonly far: Stream
  /** Settles when the provider is done; its rejection is the provider's error. */
  readonly served: Promise<ServedExchange>
}

interface SceneInit {
  readonly registry?: Registry
  /** The requester's view of the chain. */
  readonly view?: { number?: number; genesisHash?: `0x${string}` }
  readonly shares?: MemoryShares
  readonly admission?: { admitHello?: () => void; admitAccount?: () => void }
  readonly signal?: AbortSignal
  /** The PeerId that the requester believes to talk to. */
  readonly believedProviderPeer?: Uint8Array
}

async function scene(init: SceneInit = {}): Promise<Scene> {
  const known = init.registry ?? registry
  const asking = party('asking', new FakeChain(known, init.view))
  const provider = party('serving', new FakeChain(known))
  const shares = init.shares ?? new MemoryShares([sample(3)])
  const admitted: string[] = []
  const admission = {
    admitHello: () => {
      admitted.push('hello')
      init.admission?.admitHello?.()
    },
    admitAccount: async (who: string) => {
      admitted.push(who)
      init.admission?.admitAccount?.()
    },
  }
  const [near, far] = await connectedStreams()
  const requester = new RawRequester(asking, near, {
    requesterPeer: asking.peer,
    providerPeer: init.believedProviderPeer ?? provider.peer,
  })
  const signal = init.signal ?? soon()
  const served = serveExchange(provider, shares, admission, asking.peer, new Frames(far), { signal })
  served.catch(() => 'looked at later')
  return { provider, requester, asking, shares, admitted, far, served }
}

function sample(count: number, bytes?: number): OriginLog {
  const log = new OriginLog(account('serving'), { cluster: 2 })
  for (let nftId = 0; nftId < count; nftId += 1)
    log.append(secret(nftId), 50, bytes ? new Uint8Array(bytes) : undefined)
  return log
}

const WANTS = [want(secret(1))]

/** Both sides agree that the exchange was refused so, and the provider has given no share away. */
async function assertRefused(
  { requester, served, shares, far }: Scene,
  refusal: Refusal,
  retryAfterMs = 0,
): Promise<void> {
  const { refusal: told } = await requester.next()
  assert.equal(told?.code, refusal)
  assert.equal(told?.retryAfterMs, retryAfterMs)
  assert.ok(Buffer.byteLength(told?.sentence ?? '') <= 256)
  await assert.rejects(served, (thrown) => thrown instanceof RefusalError && thrown.refusal === refusal)
  assert.equal(shares.calls.runs, 0)
  assert.deepEqual(await requester.next(), {}, 'nothing follows a refusal')
  await requester.close()
  await until(() => far.status !== 'open', far)
}

async function until(holds: () => boolean, stream: Stream): Promise<void> {
  if (!holds()) await pEvent(stream, 'close', { signal: soon() })
}

/** Refused before anything dear: no quote made or verified, the shares not looked at. */
function assertCheap({ provider, shares }: Scene): void {
  assert.deepEqual(provider.attestation.calls, { quote: 0, verify: 0 })
  assert.deepEqual({ ...shares.calls }, { knowledge: 0, runs: 0, runsEnded: 0 })
}

describe('the provider', () => {
  describe('refuses a Hello cheaply', () => {
    const anchor = (blockNumber: number, change: object = {}) => ({
      token: { blockNumber, blockHash: fromHex(new FakeChain(registry).hashAt(blockNumber)), validity: 20, ...change },
    })
    const seats = (asking: object, serving: object = {}) =>
      registryOf([
        { name: 'asking', cluster: 1, ...asking },
        { name: 'serving', cluster: 2, ...serving },
      ])

    const table: [string, Refusal, SceneInit, Parameters<RawRequester['hello']>[0]][] = [
      ['of another chain', 'UNKNOWN_CHAIN', {}, { body: { genesisHash: new Uint8Array(32) } }],
      ['anchored in a fork', 'UNKNOWN_CHAIN', {}, { body: anchor(99, { blockHash: new Uint8Array(32) }) }],
      ['of a stranger', 'NOT_REGISTERED', { registry: registryOf([{ name: 'serving', cluster: 2 }]) }, {}],
      ['when it has no seat itself', 'NOT_REGISTERED', { registry: registryOf([{ name: 'asking', cluster: 1 }]) }, {}],
      ['of another slot', 'WRONG_SLOT', { registry: seats({ slot: 4 }) }, {}],
      ['of its own cluster', 'SAME_CLUSTER', { registry: seats({ cluster: 2, slot: 4 }) }, {}],
      [
        'of a private cluster',
        'CLUSTER_NOT_PUBLIC',
        {
          registry: registryOf(
            [
              { name: 'asking', cluster: 1 },
              { name: 'serving', cluster: 2 },
            ],
            { 1: 'private' },
          ),
        },
        {},
      ],
      [
        'when its own cluster is not public',
        'CLUSTER_NOT_PUBLIC',
        {
          registry: registryOf(
            [
              { name: 'asking', cluster: 1 },
              { name: 'serving', cluster: 2 },
            ],
            { 2: 'admin' },
          ),
        },
        {},
      ],
      ['whose token has just expired', 'TOKEN_EXPIRED', {}, { body: anchor(79) }],
      ['whose short token has just expired', 'TOKEN_EXPIRED', {}, { body: anchor(97, { validity: 2 }) }],
      ['whose token is too far ahead', 'TOKEN_IN_FUTURE', {}, { body: anchor(103) }],
      ['whose token is from the end of time', 'TOKEN_IN_FUTURE', {}, { body: anchor(0xffff_ffff) }],
      ['whose token lasts too long', 'MALFORMED', {}, { body: anchor(100, { validity: 21 }) }],
      ['without a token', 'MALFORMED', {}, { body: { token: undefined } }],
      ['with a short anchor hash', 'MALFORMED', {}, { body: anchor(100, { blockHash: new Uint8Array(31) }) }],
      ['with a short genesis hash', 'MALFORMED', {}, { body: { genesisHash: new Uint8Array(31) } }],
      ['with a long account', 'MALFORMED', {}, { body: { account: new Uint8Array(33) } }],
      ['with a short nonce', 'MALFORMED', {}, { body: { nonce: new Uint8Array(31) } }],
      ['without suites', 'MALFORMED', {}, { body: { suites: [] } }],
      [
        'with too many suites',
        'MALFORMED',
        {},
        { body: { suites: Array.from(Array(9), (_, suite) => ({ suite, publicKey: new Uint8Array(32) })) } },
      ],
      [
        'with unknown suites only',
        'UNSUPPORTED_SUITE',
        {},
        { body: { suites: [{ suite: 9, publicKey: new Uint8Array(32) }] } },
      ],
      ['signed by another account', 'BAD_SIGNATURE', {}, { signer: account('someone') }],
      ['with no signature', 'BAD_SIGNATURE', {}, { proof: () => new Uint8Array() }],
      ['with a signature of zeroes', 'BAD_SIGNATURE', {}, { proof: () => new Uint8Array(64) }],
      [
        'in another’s name',
        'BAD_SIGNATURE',
        {
          registry: registryOf([
            { name: 'serving', cluster: 2 },
            { name: 'victim', cluster: 1 },
          ]),
        },
        { body: { account: fromHex(account('victim').account) } },
      ],
      ['signed for another provider', 'BAD_SIGNATURE', { believedProviderPeer: peerOf('relay') }, {}],
      [
        'whose body is not what was signed',
        'BAD_SIGNATURE',
        {},
        { afterwards: (body) => Uint8Array.of(...body, 0x30, 1) },
      ],
      [
        'signed as if it were a quote',
        'BAD_SIGNATURE',
        {},
        { proof: (_, digest) => account('asking').sign(quoteDigest('requester', digest)) },
      ],
    ]
    for (const [what, refusal, init, lies] of table) {
      it(`${what}: ${refusal}`, async () => {
        const at = await scene(init)
        await at.requester.hello(lies)
        await assertRefused(at, refusal)
        assertCheap(at)
        assert.ok(!at.admitted.includes(at.asking.signer.account))
      })
    }

    for (const [what, bytes] of [
      ['garbage', new Uint8Array(300).fill(0xff)],
      ['an empty message', new Uint8Array()],
      ['a Request', RequesterMessage.encode({ request: { body: new Uint8Array(4), quote: new Uint8Array(4) } })],
      [
        'a Hello without a body',
        RequesterMessage.encode({ hello: { body: new Uint8Array(), signature: new Uint8Array(64) } }),
      ],
      [
        'a Hello of garbage',
        RequesterMessage.encode({ hello: { body: new Uint8Array(99).fill(0xff), signature: new Uint8Array(64) } }),
      ],
      ['a refusal without a code', Uint8Array.of(0x7a, 0)],
    ] as const) {
      it(`that is ${what}: MALFORMED`, async () => {
        const at = await scene()
        await at.requester.send(bytes)
        await assertRefused(at, 'MALFORMED')
        assertCheap(at)
      })
    }

    it('when too many come from a peer, before the chain is asked and the signature checked', async () => {
      const busy = () => {
        throw new RefusalError('BUSY', { retryAfterMs: 700 })
      }
      const at = await scene({ admission: { admitHello: busy } })
      await at.requester.hello({ proof: () => new Uint8Array(64) })
      await assertRefused(at, 'BUSY', 700)
      assertCheap(at)
      assert.equal(at.provider.chain.calls.blockHash, 0)
    })

    it('when its own view of the chain has stood still for too long: NOT_READY', async () => {
      const at = await scene()
      at.provider.chain.finalisedAge = 120_001
      await at.requester.hello()
      await assertRefused(at, 'NOT_READY')
      assertCheap(at)
      assert.deepEqual(at.admitted, [])
    })

    it('when it is busy, once the account has proved itself', async () => {
      const busy = () => {
        throw new RefusalError('BUSY', { retryAfterMs: 900 })
      }
      const at = await scene({ admission: { admitAccount: busy } })
      await at.requester.hello()
      await assertRefused(at, 'BUSY', 900)
      assertCheap(at)
      assert.deepEqual(at.admitted, ['hello', at.asking.signer.account])
    })

    it('without asking its chain for more than the anchor’s hash', async () => {
      const at = await scene()
      await at.requester.hello({ signer: account('someone') })
      await assertRefused(at, 'BAD_SIGNATURE')
      assert.deepEqual(at.provider.chain.calls, { blockHash: 1, registryAt: 0 })
    })
  })

  describe('takes a token', () => {
    for (const [what, number, validity] of [
      ['in its last block', 80, 20],
      ['that is valid for its own block only', 100, 0],
      ['two blocks ahead of what it sees', 102, 20],
    ] as const) {
      it(what, async () => {
        const at = await scene({ view: { number } })
        const blockHash = fromHex(at.asking.chain.hashAt(number))
        await at.requester.hello({ body: { token: { blockNumber: number, blockHash, validity } } })
        await at.requester.challenge()
      })
    }
  })

  describe('refuses a Request', () => {
    const flavours: [Flavour, Refusal][] = [
      ['low-tcb', 'TCB_BELOW_POLICY'],
      ['other-measurement', 'MEASUREMENT_NOT_ALLOWED'],
      ['debug', 'DEBUG_ENCLAVE'],
      ['unknown-platform', 'NOT_READY'],
      ['broken-verifier', 'NOT_READY'],
    ]
    const earlier: { quote: Uint8Array } = { quote: new Uint8Array() }
    const table: [string, Refusal, Parameters<RawRequester['request']>[1]][] = [
      ...flavours.map(([flavour, refusal]): (typeof table)[number] => [
        `with a quote that is ${flavour}`,
        refusal,
        { proof: (right) => fakeQuote(right.subarray(1, 65), flavour) },
      ]),
      ['with a forged quote', 'QUOTE_INVALID', { proof: (right) => right.with(96, (right[96] ?? 0) ^ 1) }],
      ['with no quote', 'QUOTE_INVALID', { proof: () => new Uint8Array() }],
      ['whose quote names no one', 'BINDING_MISMATCH', { proof: () => fakeQuote(new Uint8Array(64)) }],
      ['quoted by another enclave’s account', 'BINDING_MISMATCH', { signer: account('someone') }],
      [
        'whose quote was made in the other role',
        'BINDING_MISMATCH',
        { proof: (_, digest) => fakeQuote(account('asking').sign(quoteDigest('provider', digest))) },
      ],
      [
        'whose quote signs the bare digest of a Hello',
        'BINDING_MISMATCH',
        { proof: () => fakeQuote(account('asking').sign(new Uint8Array(32))) },
      ],
      ['with the provider’s own quote, sent back', 'BINDING_MISMATCH', { proof: () => earlier.quote }],
      [
        'that was altered after it was quoted',
        'BINDING_MISMATCH',
        { afterwards: (body) => Uint8Array.of(...body, 0x1a, 3, 9, 1, 0) },
      ],
      ['for nothing', 'MALFORMED', { body: { secrets: row(), capsules: row() } }],
      ['of garbage', 'MALFORMED', { afterwards: () => new Uint8Array(50).fill(0xff) }],
      ['with a short encapsulated key', 'MALFORMED', { body: { encapsulatedKey: new Uint8Array(31) } }],
      ['with an encapsulated key of small order', 'MALFORMED', { body: { encapsulatedKey: new Uint8Array(32) } }],
      ...Object.entries<Partial<RequestBody>>({
        'a range that overlaps its neighbour, as by wrapping around': { secrets: row(5, 3, 0, 0xffff_ffff, 1, 0) },
        'two ranges that are one': { secrets: row(5, 1, 0, 0, 1, 0) },
        'something after everything': { secrets: row(5, 0, 0, 1, 1, 0) },
        'a range past the last id': { secrets: row(0xffff_ffff, 2, 0) },
        'everything beyond the last id': { secrets: row(0xffff_ffff, 1, 0, 0, 0, 2) },
        'a version below 0': { secrets: row(5, 1, 1) },
        'a version past the last block': { secrets: row(5, 1, 0x1_ffff_fffe, 1, 1, 2) },
        'half a range': { secrets: row(5, 1) },
        'half a number': { secrets: Uint8Array.of(5, 1, 0x80) },
        'a number longer than need be': { secrets: Uint8Array.of(5, 1, 0x80, 0) },
        'a number of six bytes': { secrets: Uint8Array.of(5, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 1) },
        'a number beyond 32 bits': { secrets: row(0x1_0000_0000, 1, 0) },
        'one share more than a request may': { secrets: row(0, 524_288, 0), capsules: row(0, 1, 0) },
        'four billion shares': { secrets: row(0, 0xffff_ffff, 0) },
        'lists that are too long': { secrets: new Uint8Array(2 * 1024 * 1024 - 2).fill(1), capsules: row(0, 1, 0) },
      }).map(([what, body]): (typeof table)[number] => [
        `that asks for ${what}`,
        'MALFORMED',
        { body: { secrets: row(), capsules: row(), ...body } },
      ]),
    ]
    for (const [what, refusal, lies] of table) {
      it(`${what}: ${refusal}`, async () => {
        const at = await scene()
        await at.requester.hello()
        earlier.quote = (await at.requester.challenge()).quote
        await at.requester.request(WANTS, lies)
        await assertRefused(at, refusal)
      })
    }

    it('whose quote was made for an earlier exchange: BINDING_MISMATCH', async () => {
      let recorded: Uint8Array = new Uint8Array()
      const first = await scene()
      await first.requester.hello()
      await first.requester.challenge()
      await first.requester.request(WANTS, {
        proof: (right) => {
          recorded = right
          return right
        },
      })
      assert.equal((await first.requester.sealed()).batch?.runs.length, 1)

      const second = await scene()
      await second.requester.hello()
      await second.requester.challenge()
      await second.requester.request(WANTS, { proof: () => recorded })
      await assertRefused(second, 'BINDING_MISMATCH')
    })

    it('whose requester offered a key of small order: MALFORMED', async () => {
      const at = await scene()
      await at.requester.hello({ body: { suites: [{ suite: 1, publicKey: new Uint8Array(32) }] } })
      await at.requester.challenge()
      await at.requester.request(WANTS)
      await assertRefused(at, 'MALFORMED')
    })
  })

  it('chooses the suite that it knows among others', async () => {
    const at = await scene()
    const { publicKey } = await at.requester.keys()
    const suites = [
      { suite: 77, publicKey: new Uint8Array(1216) },
      { suite: 1, publicKey },
    ]
    await at.requester.hello({ body: { suites } })
    assert.equal((await at.requester.challenge()).body.suite, 1)
  })

  it('tells in the Challenge up to which block what it gives is the newest, and how far it has come in the chain', async () => {
    const at = await scene({ shares: new MemoryShares([], 42, 99) })
    await at.requester.hello()
    const { syncedBlock, takenInBlock } = (await at.requester.challenge()).body
    assert.deepEqual([syncedBlock, takenInBlock], [42, 99])
  })

  it('tells of no block that is later than the one of its token', async () => {
    const at = await scene({ shares: new MemoryShares([], 4242, 4243) })
    await at.requester.hello()
    const { syncedBlock, takenInBlock, token } = (await at.requester.challenge()).body
    assert.deepEqual([syncedBlock, takenInBlock, token?.blockNumber], [100, 100, 100])
  })

  it('uses fresh keys and nonces each time', async () => {
    const [one, other] = [await scene(), await scene()]
    await one.requester.hello()
    await other.requester.hello()
    const [{ body: first }, { body: second }] = [await one.requester.challenge(), await other.requester.challenge()]
    assert.notDeepEqual(first.nonce, second.nonce)
    assert.notDeepEqual(first.publicKey, second.publicKey)
  })

  it('passes over a requester that refuses its Challenge', async () => {
    const at = await scene()
    await at.requester.hello()
    await at.requester.challenge()
    await at.requester.send(
      RequesterMessage.encode({
        refusal: { code: RefusalCode.MEASUREMENT_NOT_ALLOWED, sentence: 'no', retryAfterMs: 0 },
      }),
    )
    await assert.rejects(at.served, { code: 'share/refused', refusal: 'MEASUREMENT_NOT_ALLOWED' })
    assert.equal(at.shares.calls.runs, 0)
  })

  describe('in mid-transfer', () => {
    /** Three batches of 60 large shares each are wanted; the provider is stopped when it reads the last. */
    async function afterFirstBatch(disturb: (at: Scene) => void): Promise<Scene> {
      const log = new OriginLog(account('serving'), { cluster: 2 })
      const wanted = Array.from({ length: 180 }, (_, nftId) => secret(nftId))
      for (const key of wanted) {
        // Something that is not wanted, so that it becomes three runs.
        if (key.nftId % 60 === 0) log.append(secret(key.nftId + 1000), 50)
        log.append(key, 50, payloadOf(key, 3000))
      }
      const shares = new MemoryShares([log])
      const at = await scene({ shares })
      shares.onRun = (given) => {
        if (given === 2) disturb(at)
      }
      await at.requester.hello()
      await at.requester.challenge()
      await at.requester.request(wanted.map((key) => want(key)))
      return at
    }

    const changes: [string, (at: Scene) => void][] = [
      [
        'the requester’s token expires',
        ({ provider }) => {
          provider.chain.number = 121
        },
      ],
      [
        'its view of the chain has stood still for too long',
        ({ provider }) => {
          provider.chain.finalisedAge = 120_001
        },
      ],
      [
        'the requester loses its seat',
        ({ provider }) => {
          provider.chain.change(registryOf([{ name: 'serving', cluster: 2 }]))
        },
      ],
      [
        'the provider loses its seat',
        ({ provider }) => {
          provider.chain.change(registryOf([{ name: 'asking', cluster: 1 }]))
        },
      ],
      [
        'both get another slot',
        ({ provider }) => {
          provider.chain.change(
            registryOf([
              { name: 'asking', cluster: 1, slot: 4 },
              { name: 'serving', cluster: 2, slot: 4 },
            ]),
          )
        },
      ],
      [
        'a cluster is no longer public',
        ({ provider }) => {
          provider.chain.change(
            registryOf(
              [
                { name: 'asking', cluster: 1 },
                { name: 'serving', cluster: 2 },
              ],
              { 1: 'private' },
            ),
          )
        },
      ],
    ]
    for (const [what, disturb] of changes) {
      it(`ends unfinished when ${what}`, async () => {
        const at = await afterFirstBatch(disturb)
        assert.ok((await at.requester.sealed()).batch)
        assert.deepEqual((await at.requester.sealed()).end, { shareCount: 60, notHeldCount: 0, unfinished: true })
        assert.equal((await at.served).sent, 60)
        assert.ok(at.shares.given.every((payload) => payload.every((byte) => byte === 0)))
        assert.equal(at.shares.calls.runsEnded, 1)
      })
    }

    it('goes on in the token’s last block', async () => {
      const at = await afterFirstBatch(({ provider }) => {
        provider.chain.number = 120
      })
      for (let batch = 0; batch < 3; batch += 1) assert.ok((await at.requester.sealed()).batch)
      assert.deepEqual((await at.requester.sealed()).end, { shareCount: 180, notHeldCount: 0, unfinished: false })
    })

    it('lets go of its source, and zeroes what it read, when the requester resets the stream', async () => {
      const at = await scene({ shares: new MemoryShares([sample(3000, 3000)]) })
      await at.requester.hello()
      await at.requester.challenge()
      await at.requester.request(Array.from({ length: 3000 }, (_, nftId) => want(secret(nftId))))
      assert.ok((await at.requester.sealed()).batch)
      at.requester.frames.abort(new Error('gone'))
      await assert.rejects(at.served, { code: 'share/cut' })
      assert.equal(at.shares.calls.runsEnded, 1)
      assert.ok(at.shares.given.every((payload) => payload.every((byte) => byte === 0)))
    })

    it('resets the stream when the node stops', async () => {
      const stopping = new AbortController()
      const at = await scene({ signal: stopping.signal })
      await at.requester.hello()
      await at.requester.challenge()
      stopping.abort(new Error('stopping'))
      await assert.rejects(at.served, { message: 'stopping' })
      await assert.rejects(at.requester.next(), { code: 'share/cut' })
    })
  })

  it('tells nothing of its own failures to the peer', async () => {
    const shares = new MemoryShares([])
    shares.knowledge = async () => {
      throw new Error('disk on fire')
    }
    const at = await scene({ shares })
    await at.requester.hello()
    await assert.rejects(at.requester.next(), { code: 'share/cut' })
    await assert.rejects(at.served, { message: 'disk on fire' })
  })
})
