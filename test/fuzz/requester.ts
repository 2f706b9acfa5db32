import assert from 'node:assert/strict'
import fc from 'fast-check'
import { pEvent } from 'p-event'
import { type ShareKey, SlotmeshError, shareKeyText } from '../../src/domain/index.js'
import { Frames } from '../../src/framing/index.js'
import { toWireRun } from '../../src/share/messages.js'
import { type ExchangeResult, requestShares } from '../../src/share/requester.js'
import { type Batch, ProviderMessage, type SealedContent, ShareKind } from '../../src/share/wire/share.js'
import {
  account,
  capsule,
  connectedStreams,
  FakeChain,
  OriginLog,
  party,
  payloadOf,
  Received,
  registryOf,
  secret,
  soon,
  want,
} from '../unit/share/fixture.js'
import { RawProvider, row } from '../unit/share/raw.js'
import type { FuzzTarget } from './decoders.js'
import { mutations, refusalCodes, seldomMutations } from './mutations.js'

const registry = registryOf([
  { name: 'asking', cluster: 1 },
  { name: 'serving', cluster: 2 },
  { name: 'third', cluster: 3 },
])
const KEYS: readonly ShareKey[] = [
  secret(1),
  secret(2),
  capsule(3),
  secret(4),
  secret(6),
  capsule(7),
  secret(8),
  secret(9),
]
const WANTED = new Set(KEYS.slice(0, 6).map(shareKeyText))
const LOGS = ['serving', 'third'].map((name, at) => {
  const log = new OriginLog(account(name), { cluster: 2 + at })
  for (const key of KEYS) log.append(key, 50)
  return log
})

/** How an exchange fails, if not by a refusal; anything else is a defect. */
const FAILURES = new Set([
  'share/refusing',
  'share/refused',
  'share/cut',
  'share/oversized',
  'share/unsealing',
  'share/unasked',
  'share/incomplete',
  'share/origin',
  'provenance/range',
  'provenance/head-signature',
])

/** What the provider seals: good runs, and things that are nearly right. */
type Content = (provider: RawProvider) => Promise<Uint8Array>

const idList = fc.oneof(
  fc.constant(row()),
  fc.uniqueArray(fc.nat(10), { minLength: 1, maxLength: 4 }).map((ids) => {
    const sorted = ids.toSorted((one, other) => one - other)
    return row(...sorted.flatMap((id, at) => [id - (sorted[at - 1] ?? -1) - 1, 1]))
  }),
  fc.uint8Array({ maxLength: 6 }),
)
const cursor = fc.option(
  fc.record({
    kind: fc.constantFrom(ShareKind.SECRET, ShareKind.CAPSULE, ShareKind.SHARE_KIND_UNSPECIFIED),
    nftId: fc.nat(12),
  }),
  { nil: undefined },
)
const run = fc.record({
  log: fc.constantFrom(...LOGS),
  first: fc.nat(KEYS.length - 1),
  count: fc.integer({ min: 1, max: 4 }),
})
const batch: fc.Arbitrary<() => Promise<SealedContent>> = fc
  .record({ runs: fc.array(run, { maxLength: 3 }), secretsNotHeld: idList, capsulesNotHeld: idList, cursor })
  .map(({ runs, ...rest }) => async () => {
    const made: Batch['runs'] = []
    for (const { log, first, count } of runs) {
      made.push(toWireRun(await log.run(first, Math.min(count, KEYS.length - first))))
    }
    return { batch: { ...rest, runs: made } }
  })
const end: fc.Arbitrary<() => Promise<SealedContent>> = fc
  .record({ shareCount: fc.nat(8), notHeldCount: fc.nat(4), unfinished: fc.boolean() })
  .map((made) => async () => ({ end: made }))

const content: fc.Arbitrary<Content> = fc
  .tuple(fc.oneof({ arbitrary: batch, weight: 4 }, end), seldomMutations, seldomMutations)
  .map(
    ([make, behind, before]) =>
      async (provider) =>
        before(await provider.seal(await make(), behind)),
  )

/** All that is wanted, of one log, run by run, with the right End: so that mutations come late in good exchanges, too. */
const honest: fc.Arbitrary<Content[]> = fc
  .record({ log: fc.constantFrom(...LOGS), which: fc.nat(3), mutate: fc.oneof(mutations, seldomMutations) })
  .map(({ log, which, mutate }) => {
    const altered = (at: number) => (at === which ? mutate : (bytes: Uint8Array) => bytes)
    const runAt =
      (at: number): Content =>
      async (provider) => {
        const runs = [toWireRun(await log.run(at * 2, 2))]
        return provider.seal({ batch: { runs, secretsNotHeld: row(), capsulesNotHeld: row() } }, altered(at))
      }
    return [
      runAt(0),
      runAt(1),
      runAt(2),
      (provider) => provider.seal({ end: { shareCount: 6, notHeldCount: 0, unfinished: false } }, altered(3)),
    ]
  })

const refusal = fc
  .record({ code: refusalCodes, sentence: fc.string(), retryAfterMs: fc.nat() })
  .map((made) => ProviderMessage.encode({ refusal: made }))

/** Nearly always nothing, else what comes in place of a message. */
const stray = fc.oneof(
  { arbitrary: fc.constant(undefined), weight: 12 },
  { arbitrary: fc.oneof(refusal, fc.uint8Array({ maxLength: 200 })), weight: 1 },
)

const exchanges = fc.record({
  challengeQuoted: seldomMutations,
  challengeAfterwards: seldomMutations,
  quote: seldomMutations,
  strays: fc.tuple(stray, stray, stray),
  contents: fc.oneof(honest, fc.array(content, { maxLength: 6 })),
})

/** The requester ends every exchange by itself, in a way that it knows, and takes only what an origin vouches for. */
export const requesterTarget: FuzzTarget = {
  name: 'the requester',
  property: () =>
    fc.asyncProperty(exchanges, async (plan) => {
      const asking = party('asking', new FakeChain(registry))
      const serving = party('serving', new FakeChain(registry))
      const [near, far] = await connectedStreams()
      const provider = new RawProvider(serving, far, { requesterPeer: asking.peer, providerPeer: serving.peer })
      const received = new Received()
      const request = { wants: KEYS.slice(0, 6).map((key) => want(key)), onRun: received.onRun, signal: soon() }
      const counterpart = { account: serving.signer.account, peer: serving.peer }
      const asked = requestShares(asking, counterpart, new Frames(near), request).then(
        (result): ExchangeResult | { thrown: unknown } => result,
        (thrown: unknown) => ({ thrown }),
      )
      const told = (async () => {
        await provider.hello()
        if (plan.strays[0]) await provider.send(plan.strays[0])
        await provider.challenge({
          before: plan.challengeQuoted,
          afterwards: plan.challengeAfterwards,
          proof: plan.quote,
        })
        await provider.request()
        if (plan.strays[1]) await provider.send(plan.strays[1])
        await provider.grant()
        for (const make of plan.contents) await provider.send(await make(provider))
        if (plan.strays[2]) await provider.send(plan.strays[2])
        await provider.close()
      })().catch(() => provider.frames.abort(new Error('it was refused, or lied')))
      const [outcome] = await Promise.all([asked, told])
      if ('thrown' in outcome) {
        const { thrown } = outcome
        assert.ok(thrown instanceof SlotmeshError && FAILURES.has(thrown.code), `unexpected: ${String(thrown)}`)
      } else {
        assert.equal(outcome.received, received.shares.size)
        assert.ok(outcome.unfinished || outcome.received + outcome.notHeld === WANTED.size)
      }
      for (const { shares } of received.runs) {
        assert.ok(
          shares.every(({ payload }) => payload.every((byte) => byte === 0)),
          'it left a payload behind',
        )
      }
      const keys = received.runs.flatMap(({ shares }) => shares.map(({ leaf }) => leaf))
      assert.equal(new Set(keys.map(shareKeyText)).size, keys.length, 'it took a share twice')
      for (const key of keys) {
        assert.ok(WANTED.has(shareKeyText(key)), 'it took a share that it had not asked for')
        assert.equal(key.version, 50)
        assert.deepEqual(received.shares.get(shareKeyText(key)), payloadOf({ kind: key.kind, nftId: key.nftId }))
      }
      if (near.status === 'open') await pEvent(near, 'close', { signal: soon() })
    }),
}
