import assert from 'node:assert/strict'
import fc from 'fast-check'
import { pEvent } from 'p-event'
import { SlotmeshError } from '../../src/domain/index.js'
import { Frames } from '../../src/framing/index.js'
import { serveExchange } from '../../src/share/provider.js'
import { RequesterMessage } from '../../src/share/wire/share.js'
import {
  account,
  connectedStreams,
  FakeChain,
  MemoryShares,
  OriginLog,
  party,
  registryOf,
  secret,
  soon,
  want,
} from '../unit/share/fixture.js'
import { RawRequester } from '../unit/share/raw.js'
import type { FuzzTarget } from './decoders.js'
import { mutations, refusalCodes, seldomMutations } from './mutations.js'

const registry = registryOf([
  { name: 'asking', cluster: 1 },
  { name: 'serving', cluster: 2 },
])
const LOG = new OriginLog(account('serving'), { cluster: 2 })
for (let nftId = 0; nftId < 12; nftId += 1) LOG.append(secret(nftId), 50)
const welcome = { admitHello: () => undefined, admitAccount: async () => undefined }

/** How an exchange fails, if not by a refusal; anything else is a defect. */
const FAILURES = new Set(['share/refusing', 'share/refused', 'share/cut', 'share/oversized'])

type Step = (requester: RawRequester) => Promise<unknown>

/** In place of what ought to come, or before it. */
const stray: fc.Arbitrary<Step> = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map(
    (bytes): Step =>
      (requester) =>
        requester.send(bytes),
  ),
  fc.record({ code: refusalCodes, sentence: fc.string(), retryAfterMs: fc.nat() }).map(
    (refusal): Step =>
      (requester) =>
        requester.send(RequesterMessage.encode({ refusal })),
  ),
  fc.constant<Step>(async (requester) => requester.frames.abort(new Error('gone'))),
  fc.constant<Step>((requester) => requester.close()),
)

const nothing = fc.constant<Step>(async () => undefined)
const mostlyNothing = fc.oneof({ arbitrary: nothing, weight: 6 }, { arbitrary: stray, weight: 1 })

/** A requester that follows the protocol except where a mutation says otherwise, before or behind what vouches for it. */
const exchanges = fc.record({
  first: mostlyNothing,
  helloSigned: seldomMutations,
  helloAfterwards: seldomMutations,
  second: mostlyNothing,
  requestQuoted: fc.oneof({ arbitrary: mutations, weight: 2 }, { arbitrary: seldomMutations, weight: 3 }),
  requestAfterwards: seldomMutations,
  quote: seldomMutations,
  wants: fc.uniqueArray(fc.nat(15), { minLength: 1, maxLength: 10 }),
})

/** The provider ends every exchange by itself, in a way that it knows, and gives nothing to one that is not attested. */
export const providerTarget: FuzzTarget = {
  name: 'the provider',
  property: () =>
    fc.asyncProperty(exchanges, async (plan) => {
      const asking = party('asking', new FakeChain(registry))
      const provider = party('serving', new FakeChain(registry))
      const shares = new MemoryShares([LOG])
      const [near, far] = await connectedStreams()
      const requester = new RawRequester(asking, near, { requesterPeer: asking.peer, providerPeer: provider.peer })
      const serving = serveExchange(provider, shares, welcome, asking.peer, new Frames(far), { signal: soon() }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      const asked = (async () => {
        await plan.first(requester)
        await requester.hello({ before: plan.helloSigned, afterwards: plan.helloAfterwards })
        await requester.challenge()
        await plan.second(requester)
        const wants = plan.wants.map((nftId) => want(secret(nftId)))
        const lies = { before: plan.requestQuoted, afterwards: plan.requestAfterwards, proof: plan.quote }
        await requester.request(wants, lies)
        let last = await requester.sealed()
        while (last.end === undefined) last = await requester.sealed()
        await requester.close()
        return true
      })().catch(() => {
        requester.frames.abort(new Error('it was refused, or lied'))
        return false
      })
      const [thrown, isDone] = await Promise.all([serving, asked])
      assert.ok(
        thrown === undefined || (thrown instanceof SlotmeshError && FAILURES.has(thrown.code)),
        `unexpected: ${String(thrown)}`,
      )
      const isAttested = thrown === undefined || provider.attestation.calls.verify === 1
      assert.ok(shares.calls.runs === 0 || isAttested, 'it read shares for one that is not attested')
      assert.ok(!isDone || shares.calls.runs > 0)
      assert.equal(shares.calls.runsEnded, shares.calls.runs, 'it let go of what it reads from')
      assert.ok(
        shares.given.every((payload) => payload.every((byte) => byte === 0)),
        'it left a payload behind',
      )
      if (far.status === 'open') await pEvent(far, 'close', { signal: soon() })
    }),
}
