import assert from 'node:assert/strict'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, PeerId, Stream, StreamHandler } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { fromHex } from '../../../src/crypto/index.js'
import { systemClock } from '../../../src/domain/index.js'
import {
  PROVIDER_LIMITS,
  type Refusal,
  SHARE_PROTOCOL,
  type ShareHost,
  ShareService,
} from '../../../src/share/index.js'
import { ephemeralKeys } from '../../../src/share/sealing.js'
import { issueToken } from '../../../src/share/tokens.js'
import { HelloBody, RequesterMessage } from '../../../src/share/wire/share.js'
import {
  account,
  connectedStreams,
  FakeChain,
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
import { RawRequester } from './raw.js'

const registry = registryOf([
  { name: 'asking', cluster: 1 },
  { name: 'serving', cluster: 2 },
  ...Array.from({ length: 20 }, (_, at) => ({ name: `other-${at}`, cluster: 10 + at })),
])

/** Hosts that reach each other by PeerId, without a network. */
class FakeNetwork {
  readonly #handlers = new Map<string, StreamHandler>()

  async host(): Promise<ShareHost> {
    const peerId = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    return {
      peerId,
      handle: async (protocol, handler) => {
        assert.equal(protocol, SHARE_PROTOCOL)
        this.#handlers.set(peerId.toString(), handler)
      },
      unhandle: async () => {
        this.#handlers.delete(peerId.toString())
      },
      dialProtocol: async (peer) => this.dial(peerId, peer.toString()),
    }
  }

  async dial(from: PeerId, to: string): Promise<Stream> {
    const handler = this.#handlers.get(to)
    if (handler === undefined) throw new Error('no such peer')
    const [near, far] = await connectedStreams()
    void handler(far, { remotePeer: from } as Connection)
    return near
  }
}

interface Scene {
  readonly network: FakeNetwork
  readonly service: ShareService
  readonly provider: TestParty
  readonly shares: MemoryShares
  readonly peerId: PeerId
  readonly refusals: Refusal[]
  /** What the service logged, as text. */
  readonly logged: string[]
  readonly clock: { now: number }
}

async function scene(): Promise<Scene> {
  const network = new FakeNetwork()
  const host = await network.host()
  const log = new OriginLog(account('serving'), { cluster: 2 }).append(secret(1), 50).append(secret(2), 50)
  const shares = new MemoryShares([log])
  const refusals: Refusal[] = []
  const logged: string[] = []
  const clock = { now: 1_000_000 }
  const write = (message: string, fields?: object) => logged.push(`${message} ${JSON.stringify(fields)}`)
  const provider = party('serving', new FakeChain(registry))
  const service = new ShareService({
    host,
    party: { ...provider, clock: { ...systemClock, now: () => clock.now } },
    shares,
    logger: { debug: write, info: write, warn: write, error: write },
    onRefusal: (refusal) => refusals.push(refusal),
  })
  await service.start()
  return { network, service, provider, shares, peerId: host.peerId, refusals, logged, clock }
}

/** A requester with an account and a PeerId of its own, or that of another. */
async function raw({ network, peerId }: Scene, name: string, from?: PeerId): Promise<RawRequester> {
  const own = from ?? peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
  return new RawRequester(party(name, new FakeChain(registry)), await network.dial(own, peerId.toString()), {
    requesterPeer: own.toMultihash().bytes,
    providerPeer: peerId.toMultihash().bytes,
  })
}

/** A Hello as the named account would send it, but for its signature. */
async function unsigned(name: string): Promise<Uint8Array> {
  const { signer, chain } = party(name, new FakeChain(registry))
  using keys = await ephemeralKeys(1)
  const body = HelloBody.encode({
    genesisHash: fromHex(chain.genesisHash),
    account: fromHex(signer.account),
    nonce: new Uint8Array(32),
    token: issueToken(chain),
    suites: [{ suite: 1, publicKey: keys.publicKey }],
  })
  return RequesterMessage.encode({ hello: { body, signature: new Uint8Array(64) } })
}

async function hold(at: Scene, name: string, from?: PeerId): Promise<RawRequester> {
  const requester = await raw(at, name, from)
  await requester.hello()
  await requester.challenge()
  return requester
}

async function assertBusy(at: Scene, name: string, from?: PeerId): Promise<void> {
  const requester = await raw(at, name, from)
  await requester.hello()
  const { refusal } = await requester.next()
  assert.equal(refusal?.code, 'BUSY')
  assert.equal(refusal?.retryAfterMs, PROVIDER_LIMITS.retryAfterMs)
}

describe('the share service', () => {
  it('serves and asks, between hosts', async () => {
    const at = await scene()
    const asking = new ShareService({
      host: await at.network.host(),
      party: party('asking', new FakeChain(registry)),
      shares: new MemoryShares([]),
      logger: { debug: () => 0, info: () => 0, warn: () => 0, error: () => 0 },
    })
    const received = new Received()
    const provider = { account: account('serving').account, peer: at.peerId }
    const result = await asking.request(provider, {
      wants: [want(secret(1)), want(secret(3))],
      onRun: received.onRun,
      onNotHeld: received.onNotHeld,
      signal: soon(),
    })
    assert.equal(result.notHeld, 1)
    assert.deepEqual(received.notHeld, [secret(3)])
    assert.deepEqual(received.shares.get('secret/1'), payloadOf(secret(1)))
    assert.deepEqual(at.refusals, [])
  })

  it('gives an account two places at once, over whatever peers', async () => {
    const at = await scene()
    await hold(at, 'asking')
    const second = await hold(at, 'asking')
    await assertBusy(at, 'asking')
    await hold(at, 'other-0')
    second.frames.abort(new Error('gone'))
    await until(() => at.logged.some((line) => line.includes('share/cut')))
    await hold(at, 'asking')
    assert.deepEqual(at.refusals, ['BUSY'])
  })

  it('gives a peer two places at once, whatever its accounts', async () => {
    const at = await scene()
    const peer = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    await hold(at, 'other-0', peer)
    await hold(at, 'other-1', peer)
    await assertBusy(at, 'other-2', peer)
    await hold(at, 'other-2')
  })

  it('takes on so many exchanges in all, and the next when one has ended', async () => {
    const at = await scene()
    const held: RawRequester[] = []
    for (let turn = 0; turn < PROVIDER_LIMITS.exchanges; turn += 1) held.push(await hold(at, `other-${turn}`))
    let isTaken = false
    const waiting = hold(at, 'other-17').then(() => {
      isTaken = true
    })
    await until(() => at.service.waiting === 1)
    const [first] = held
    for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate)
    assert.equal(isTaken, false)
    await first?.request([want(secret(1))])
    assert.ok((await first?.sealed())?.batch)
    assert.ok((await first?.sealed())?.end)
    await waiting
    assert.equal(at.service.waiting, 0)
    assert.deepEqual(at.refusals, [])
  })

  it('lets the exchanges under way end when it drains, and begins none, in either role', async () => {
    const at = await scene()
    const requester = await hold(at, 'asking')
    let isDrained = false
    const draining = at.service.drain({ signal: soon() }).then(() => {
      isDrained = true
    })
    await assert.rejects(hold(at, 'other-0'), /no such peer/)
    const end = new AbortController()
    const { onRun, onNotHeld } = new Received()
    const provider = { account: account('asking').account, peer: at.peerId }
    const asked = at.service.request(provider, { wants: [want(secret(1))], onRun, onNotHeld, signal: end.signal })
    for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate)
    assert.equal(isDrained, false)
    await requester.request([want(secret(1))])
    assert.ok((await requester.sealed()).batch)
    assert.ok((await requester.sealed()).end)
    await requester.close()
    await draining
    assert.deepEqual(at.refusals, [])
    end.abort(new Error('enough'))
    await assert.rejects(asked, /enough/)
  })

  it('waits for the exchanges under way no longer than it is told to', async () => {
    const at = await scene()
    await hold(at, 'asking')
    const patience = new AbortController()
    const draining = at.service.drain({ signal: patience.signal })
    patience.abort(new Error('no longer'))
    await assert.rejects(draining, /no longer/)
  })

  it('forgets one who goes while it waits', async () => {
    const at = await scene()
    for (let turn = 0; turn < PROVIDER_LIMITS.exchanges; turn += 1) await hold(at, `other-${turn}`)
    const requester = await raw(at, 'other-17')
    await requester.hello()
    requester.frames.abort(new Error('gone'))
    await until(() => at.logged.some((line) => line.includes('share/cut')))
  })

  it('spends no more on a flood of strangers than it said, and serves its peers meanwhile', async function () {
    const strangers = 900
    const peers = Array.from({ length: 8 }, (_, at) => `other-${at}`)
    const at = await scene()
    const ids = new Map<string, PeerId>()
    for (const name of peers) ids.set(name, peerIdFromPrivateKey(await generateKeyPair('Ed25519')))
    const everybody = async (): Promise<number> => {
      const began = performance.now()
      await Promise.all(
        peers.map(async (name) => {
          const requester = await hold(at, name, ids.get(name))
          await requester.request([want(secret(1))])
          assert.equal((await requester.sealed()).batch?.runs.length, 1)
          assert.deepEqual((await requester.sealed()).end?.shareCount, 1)
          await requester.close()
        }),
      )
      return performance.now() - began
    }
    const quiet = await everybody()
    // In the name of a registered account, and of none; a third says nothing. Made beforehand, so that only the provider works.
    const streams = await Promise.all(Array.from({ length: strangers }, () => raw(at, 'asking')))
    const hellos = await Promise.all(['asking', 'nobody'].map(unsigned))
    const flood = streams.map(async (requester, turn) => {
      const hello = hellos[turn % 3]
      if (hello === undefined) return
      await requester.send(hello)
      await requester.next()
    })
    const loud = await everybody()
    await Promise.all(flood)
    for (const requester of streams) requester.frames.abort(new Error('done'))
    const count = (refusal: Refusal) => at.refusals.filter((each) => each === refusal).length
    // With the clock at rest the budget does not refill: each BAD_SIGNATURE is a signature check that was spent.
    assert.ok(count('BAD_SIGNATURE') <= PROVIDER_LIMITS.hellosOfUnknown.atOnce)
    assert.ok(count('NOT_REGISTERED') >= strangers / 3)
    assert.equal(at.shares.calls.runs, 2 * peers.length, 'nothing was read for strangers')
    assert.equal(at.provider.attestation.calls.quote, 2 * peers.length, 'and no quote made')
    const factor = (loud / quiet).toFixed(1)
    if (this.test) this.test.title += ` (${factor} times slower under ${strangers} strangers at once)`
  })

  it('checks so many signatures of strangers, refilled steadily', async () => {
    const at = await scene()
    const refusalOf = async () => {
      const requester = await raw(at, 'asking')
      await requester.hello({ proof: () => new Uint8Array(64) })
      return (await requester.next()).refusal?.code
    }
    for (let turn = 0; turn < PROVIDER_LIMITS.hellosOfUnknown.atOnce; turn += 1) {
      assert.equal(await refusalOf(), 'BAD_SIGNATURE')
    }
    assert.equal(await refusalOf(), 'BUSY')
    at.clock.now += 100
    assert.equal(await refusalOf(), 'BAD_SIGNATURE')
    assert.equal(await refusalOf(), 'BUSY')
  })

  it('logs why an exchange ended early, and nothing secret', async () => {
    const at = await scene()
    const requester = await hold(at, 'asking')
    await requester.request([want(secret(1))], { proof: () => new Uint8Array(3) })
    assert.equal((await requester.next()).refusal?.code, 'QUOTE_INVALID')
    await requester.close()
    await until(() => at.logged.some((line) => line.includes('QUOTE_INVALID')))
    assert.ok(at.logged.some((line) => line.includes('The quote is not genuine.')))
  })

  it('ends what is under way when it stops, and takes on nothing more', async () => {
    const at = await scene()
    const requester = await hold(at, 'asking')
    await at.service.stop()
    await assert.rejects(requester.next(), { code: 'share/cut' })
    await assert.rejects(raw(at, 'asking'), { message: 'no such peer' })
    const provider = { account: account('asking').account, peer: at.peerId }
    await assert.rejects(
      at.service.request(provider, { wants: [want(secret(1))], onRun: async () => undefined, signal: soon() }),
    )
  })
})

/** Turns the event loop until something holds; the test's time-out bounds it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate)
}
