import assert from 'node:assert/strict'
import type { Stream } from '@libp2p/interface'
import { type ShareKey, shareKeyText } from '../../../src/domain/index.js'
import { leafHash, verifyHead, verifyRange } from '../../../src/provenance/index.js'
import { Frames } from '../../../src/share/frames.js'
import type { ServedExchange } from '../../../src/share/provider.js'
import { serveExchange } from '../../../src/share/provider.js'
import { type ExchangeRequest, type ExchangeResult, requestShares } from '../../../src/share/requester.js'
import {
  account,
  capsule,
  connectedStreams,
  FakeChain,
  GENESIS,
  MemoryShares,
  OriginLog,
  party,
  payloadOf,
  Received,
  registryOf,
  secret,
  soon,
  type TestParty,
  want,
} from './fixture.js'

const registry = registryOf([
  { name: 'asking', cluster: 1 },
  { name: 'serving', cluster: 2 },
  { name: 'third', cluster: 3 },
])
const welcome = { admitHello: () => undefined, admitAccount: () => undefined }

function parties(): { requester: TestParty; provider: TestParty } {
  return { requester: party('asking', new FakeChain(registry)), provider: party('serving', new FakeChain(registry)) }
}

async function exchange(
  { requester, provider }: { requester: TestParty; provider: TestParty },
  shares: MemoryShares,
  request: Omit<ExchangeRequest, 'signal'>,
  [near, far]: readonly [Stream, Stream],
): Promise<[ExchangeResult, ServedExchange]> {
  return Promise.all([
    requestShares(requester, { account: provider.signer.account, peer: provider.peer }, new Frames(near), {
      ...request,
      signal: soon(),
    }),
    serveExchange(provider, shares, welcome, requester.peer, new Frames(far), { signal: soon() }),
  ])
}

function keys(count: number): ShareKey[] {
  return Array.from({ length: count }, (_, nftId) => secret(nftId))
}

describe('an exchange between two enclaves', () => {
  it('hands over what is held of several logs, and says what is not', async () => {
    const own = new OriginLog(account('serving'), { cluster: 2 })
    const replica = new OriginLog(account('third'), { cluster: 3 })
    for (const id of [1, 2, 3, 5, 6]) own.append(secret(id), 40 + id)
    own.append(capsule(2), 50)
    for (const id of [10, 11]) replica.append(secret(id), 60 + id)
    const shares = new MemoryShares([own, replica], 88)
    const received = new Received()
    const held = [secret(1), secret(2), secret(5), secret(6), capsule(2), secret(10), secret(11)]
    const missing = [secret(4), secret(12), capsule(1), capsule(10)]
    const both = parties()
    const streams = await connectedStreams()

    const wants = [...missing, ...held].map((key) => want(key))
    const { onRun, onNotHeld } = received
    const [result, served] = await exchange(both, shares, { wants, onRun, onNotHeld }, streams)

    assert.deepEqual(result, {
      received: 7,
      notHeld: 4,
      unfinished: false,
      cursor: capsule(11),
      providerSyncedBlock: 88,
    })
    assert.deepEqual(received.notHeld, missing)
    assert.deepEqual(served, { account: both.requester.signer.account, sent: 7 })
    assert.deepEqual([...received.shares.keys()].sort(), held.map(shareKeyText).sort())
    for (const key of held) assert.deepEqual(received.shares.get(shareKeyText(key)), payloadOf(key))
    assert.deepEqual(new Set(received.synced), new Set([88]))
    assert.deepEqual(
      received.runs.map(({ head, first, shares }) => [head.cluster, first, shares.length]),
      [
        [2, 0, 2],
        [2, 3, 3],
        [3, 0, 2],
      ],
    )
    for (const stream of streams) assert.notEqual(stream.status, 'open')
    for (const { attestation } of [both.requester, both.provider]) {
      assert.deepEqual(attestation.calls, { quote: 1, verify: 1 })
    }
  })

  it('gives the requester all it needs to prove the shares to others', async () => {
    const log = new OriginLog(account('serving'), { cluster: 2 })
    for (const key of keys(9)) log.append(key, 50)
    const received = new Received()
    await exchange(
      parties(),
      new MemoryShares([log]),
      { wants: keys(5).map((key) => want(key)), onRun: received.onRun },
      await connectedStreams(),
    )
    const [run] = received.runs
    assert.ok(run)
    verifyHead(GENESIS, run.head)
    const leaves = log.shares.slice(0, 5).map(({ leaf }) => leafHash(leaf))
    const nodes = verifyRange(run.head, 0, leaves, run.proof)
    assert.deepEqual(run.nodes, nodes)
  })

  it('zeroes payloads on both sides when they are done with', async () => {
    const log = new OriginLog(account('serving'), { cluster: 2 })
    for (const key of keys(3)) log.append(key, 50)
    const shares = new MemoryShares([log])
    const received = new Received()
    const wants = keys(3).map((key) => want(key))
    await exchange(parties(), shares, { wants, onRun: received.onRun }, await connectedStreams())
    const payloads = received.runs.flatMap((run) => run.shares.map(({ payload }) => payload))
    assert.equal(payloads.length, 3)
    assert.equal(shares.given.length, 3)
    for (const payload of [...payloads, ...shares.given]) assert.ok(payload.every((byte) => byte === 0))
  })

  it('sends only versions that are new enough', async () => {
    const log = new OriginLog(account('serving'), { cluster: 2 }).append(capsule(1), 50).append(capsule(2), 60)
    const received = new Received()
    const wants = [want(capsule(1), 51), want(capsule(2), 60)]
    const [result] = await exchange(
      parties(),
      new MemoryShares([log]),
      { wants, onRun: received.onRun, onNotHeld: received.onNotHeld },
      await connectedStreams(),
    )
    assert.equal(result.notHeld, 1)
    assert.deepEqual(received.notHeld, [capsule(1)])
    assert.deepEqual([...received.shares.keys()], ['capsule/2'])
  })

  it('says what is not held when that takes very many ranges', async () => {
    const log = new OriginLog(account('serving'), { cluster: 2 })
    const all = keys(16_500)
    for (const key of all) if (key.nftId % 2 === 0) log.append(key, 50)
    const received = new Received()
    const wants = all.map((key) => want(key))
    const [result] = await exchange(
      parties(),
      new MemoryShares([log]),
      { wants, onRun: received.onRun, onNotHeld: received.onNotHeld },
      await connectedStreams(),
    )
    assert.equal(result.received, 8250)
    assert.deepEqual(
      received.notHeld,
      all.filter(({ nftId }) => nftId % 2 === 1),
    )
  })

  it('moves far more than fits into buffers, in batches, and never runs ahead of a slow requester', async () => {
    const log = new OriginLog(account('serving'), { cluster: 2 })
    const all = keys(3000)
    for (const key of all) log.append(key, 50, payloadOf(key, 3000))
    const shares = new MemoryShares([log])
    const received = new Received()
    let taken = 0
    let furthestAhead = 0
    shares.onRun = (given) => {
      furthestAhead = Math.max(furthestAhead, given - taken)
    }
    const wants = all.map((key) => want(key))
    const [result] = await exchange(
      parties(),
      shares,
      {
        wants,
        onRun: async (run, synced) => {
          // Long enough for the provider to fill every buffer between the two.
          for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate)
          await received.onRun(run, synced)
          taken += 1
        },
      },
      await connectedStreams(),
    )
    assert.equal(result.received, 3000)
    assert.ok(received.runs.length >= 34, `${received.runs.length} batches`)
    assert.ok(received.runs.every(({ shares }) => shares.length * 3000 <= 256 * 1024))
    assert.ok(furthestAhead <= 10, `${furthestAhead} batches were outstanding`)
    for (const key of all.slice(-3)) assert.deepEqual(received.shares.get(shareKeyText(key)), payloadOf(key, 3000))
  })
})
