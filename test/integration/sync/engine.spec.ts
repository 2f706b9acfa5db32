import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type LogFields, type ShareKey, SlotmeshError, systemClock, type Trigger } from '../../../src/domain/index.js'
import type { Store } from '../../../src/store/index.js'
import { COLLATERAL, PLACES, PROGRESS } from '../../../src/store/records.js'
import { Ingest, SyncEngine, syncedBlock } from '../../../src/sync/index.js'
import {
  capsule,
  collect,
  Folders,
  logger,
  payloadOf,
  replicate,
  seal,
  secret,
  tamper,
  wantOf,
} from '../store/fixture.js'
import { own, peerA, peerB, ScriptedChain, StorePeers, Witness } from './fixture.js'

const all = [own, peerA, peerB].map(({ identity }) => ({ account: identity.account, cluster: identity.seat.cluster }))
const without = (account: string) => all.filter((seat) => seat.account !== account)
const synced = (key: ShareKey, cluster: number): Trigger => ({ type: 'synced', ...key, cluster })

describe('synchronisation engine', () => {
  const folders = new Folders()
  let chain: ScriptedChain
  let peers: StorePeers
  let witness: Witness
  let store: Store
  let location: string
  let stop: (() => Promise<void>) | undefined

  beforeEach(async () => {
    chain = new ScriptedChain()
    peers = new StorePeers()
    witness = new Witness()
    location = await folders.make()
    store = await folders.open(location)
  })

  afterEach(async () => {
    await stop?.()
    stop = undefined
    await folders.clear()
  })

  function start(now = Date.now, told = logger): SyncEngine {
    const stopping = new AbortController()
    const { signer } = own
    const engine = new SyncEngine({
      signer,
      chain,
      store,
      peers,
      listener: witness,
      logger: told,
      clock: { ...systemClock, now },
    })
    const running = engine.run(stopping.signal)
    stop = async () => {
      stopping.abort()
      await running
    }
    return engine
  }

  /** A slot peer that is up; `shares` are its own, synced at `block`. */
  async function peerWith(who: typeof peerA, block: number, shares: ShareKey[], edition = 0): Promise<Store> {
    const peerStore = await folders.open(await folders.make())
    await peerStore.beginSetup(who.identity, 0, [])
    await seal(peerStore, who, block, shares, edition)
    peers.up.set(who.identity.account, { store: peerStore, syncedBlock: 1_000 })
    return peerStore
  }

  /** More than one write takes, and no end. */
  async function* cutShort() {
    for (let nftId = 2; nftId < 20_000; nftId += 1) yield wantOf(secret(nftId))
    throw new Error('the chain was lost')
  }

  const holds = async (key: ShareKey) => (await store.place(key)) !== undefined

  it('lists what there is page by page, and asks nobody before it has begun, nor for what it holds of a listing that was cut short', async () => {
    await peerWith(peerA, 1, [secret(1), secret(2), secret(3)])
    chain.assign(all)
    // What is left of a setup that was cut short: wants, and nobody's.
    await assert.rejects(store.beginSetup(own.identity, 1, cutShort()), /the chain was lost/)
    assert.ok(store.counts().wants > 10_000)
    const listing = new EventEmitter()
    const isHalfway = once(listing, 'halfway')
    chain.syncedShares = async function* () {
      yield [secret(1)]
      const mayGoOn = once(listing, 'go on')
      listing.emit('halfway')
      await mayGoOn
      yield [secret(2), secret(3)]
    }
    start()
    await isHalfway
    for (let turn = 0; turn < 200; turn += 1) await nextTurn()
    assert.deepEqual([peers.requests, witness.failures], [[], []])
    listing.emit('go on')
    await witness.until(() => witness.states.includes('running'))
    assert.deepEqual([await holds(secret(1)), await holds(secret(2)), await holds(secret(3))], [true, true, true])
    assert.deepEqual(peers.askedOf(peerA).sort(), ['secret/1', 'secret/2', 'secret/3'])
    assert.equal(store.counts().wants, 0)
  })

  it('gives whoever waits for a block the very reason for which that ends', async () => {
    const [engine, waiting] = [start(), new AbortController()]
    const reached = engine.reached(1_000_000, { signal: waiting.signal })
    const reason = new SlotmeshError('node/stopped', 'The node is stopping.')
    waiting.abort(reason)
    await assert.rejects(reached, (thrown) => thrown === reason)
  })

  it('asks the origin first', async () => {
    await peerWith(peerA, 1, [])
    await peerWith(peerB, 1, [secret(4)])
    chain.assign(all)
    start()
    await witness.until(() => witness.states.includes('running'))
    chain.finalise([synced(secret(4), 1)])
    await witness.until(() => holds(secret(4)))
    assert.deepEqual(peers.askedOf(peerA), [])
    assert.deepEqual(peers.askedOf(peerB), ['secret/4'])
  })

  it('wants all shares of one block since one time, so that they fall due together', async () => {
    chain.assign(all)
    let now = 1_000
    start(() => {
      now += 1
      return now
    })
    await witness.until(() => witness.states.includes('running'))
    chain.finalise([synced(secret(4), 1), synced(secret(5), 1)])
    await witness.until(() => peers.requests.length > 0)
    const [one, other] = await collect(store.wants())
    assert.ok(one !== undefined && other !== undefined)
    assert.equal(one.since, other.since)
  })

  it('turns to another slot peer when the origin is down', async () => {
    const origin = await peerWith(peerB, 1, [secret(4)])
    const replica = await peerWith(peerA, 1, [])
    await replica.applyBlock(2, [{ type: 'synced', want: wantOf(secret(4), { origin: 1 }) }], peerA.signHead)
    await replicate(origin, replica, [secret(4)])
    peers.up.delete(peerB.identity.account)
    chain.assign(all)
    start()
    await witness.until(() => witness.states.includes('running'))
    chain.finalise([synced(secret(4), 1)])
    await witness.until(() => holds(secret(4)))
    assert.deepEqual(witness.failures, [peerB.identity.account])
    assert.deepEqual(witness.stored, [`secret/4 from ${peerA.identity.account}`])
  })

  it('says in the log which check the quote of a peer has failed', async () => {
    const lines: LogFields[] = []
    const told = { ...logger, info: (_: string, fields: LogFields = {}) => void lines.push(fields) }
    peers.request = async () => {
      const cause = Object.assign(new Error('The quote is not genuine: it is of another day.'), { check: 'freshness' })
      throw new SlotmeshError('share/refusing', 'The quote does not verify.', { cause })
    }
    chain.synced = [secret(1)]
    chain.assign(all)
    start(Date.now, told)
    await witness.until(() => witness.failures.length > 0)
    const line = lines.find(({ code }) => code === 'share/refusing')
    assert.deepEqual([line?.check, line?.cause], ['freshness', 'The quote is not genuine: it is of another day.'])
  })

  it('asks again when nobody holds the share yet, and never counts that as success', async () => {
    const origin = await peerWith(peerB, 1, [])
    chain.assign(all)
    start()
    await witness.until(() => witness.states.includes('running'))
    const block = chain.finalise([synced(secret(4), 1)])
    await witness.until(() => peers.askedOf(peerB).length > 0)
    assert.equal(store.counts().wants, 1)
    assert.ok((await syncedBlock(store)) < block)
    await seal(origin, peerB, 2, [secret(4)])
    await witness.until(() => holds(secret(4)))
    assert.equal(await syncedBlock(store), block)
  })

  it('makes a share of what an owner handed over, without asking anybody', async () => {
    chain.assign(all)
    start()
    await witness.until(() => witness.states.includes('running'))
    await store.putPending({ key: secret(9), payload: payloadOf(secret(9)), confirmed: true })
    const block = chain.finalise([synced(secret(9), own.identity.seat.cluster)])
    await eventually(() => holds(secret(9)))
    assert.equal((await store.place(secret(9)))?.version, block)
    assert.deepEqual(peers.requests, [])
  })

  it('lets a share wait for the blocks that its owner has seen, so that it is not taken for an earlier round', async () => {
    chain.assign(all)
    const engine = start()
    await witness.until(() => witness.states.includes('running'))
    await store.putPending({ key: capsule(9), payload: payloadOf(capsule(9), 1), confirmed: true })
    const first = chain.finalise([synced(capsule(9), own.identity.seat.cluster)])
    await engine.reached(first, { signal: AbortSignal.timeout(5_000) })
    await store.putPending({ key: capsule(9), payload: payloadOf(capsule(9), 2), confirmed: false })
    assert.deepEqual((await store.share(capsule(9)))?.payload, payloadOf(capsule(9), 1))
    const given = new AbortController()
    const waiting = engine.reached(first + 1, { signal: given.signal })
    given.abort()
    await assert.rejects(waiting, { name: 'AbortError' })
  })

  it('fetches a share of its own cluster that it has lost', async () => {
    chain.assign(all)
    start()
    await witness.until(() => witness.states.includes('running'))
    chain.finalise([synced(secret(9), own.identity.seat.cluster)])
    await witness.until(() => peers.requests.length > 0)
    assert.deepEqual(peers.requests[0]?.keys, ['secret/9'])
  })

  it('compares what it holds with the chain after a restart, as soon as it has caught up, and fetches what is missing', async () => {
    await peerWith(peerA, 1, [secret(1), secret(2)])
    chain.synced = [secret(1)]
    chain.assign(all)
    assert.equal(start().comparison, undefined)
    await witness.until(() => witness.states.includes('running'))
    await stop?.()
    store = await folders.reopen(store, location)

    let engine = start()
    await eventually(async () => engine.comparison !== undefined)
    assert.deepEqual(engine.comparison, { block: 0, listed: 1, missing: 0, erased: 0 })
    await stop?.()
    store = await folders.reopen(store, location)

    // No trigger has told of it: whoever was to take that one in has lost it.
    chain.synced = [secret(1), secret(2)]
    chain.finalise()
    const head = chain.finalise()
    engine = start()
    await witness.until(() => holds(secret(2)))
    assert.deepEqual(engine.comparison, { block: head, listed: 2, missing: 1, erased: 0 })
    assert.deepEqual(
      peers.askedOf(peerA).filter((key) => key === 'secret/2'),
      ['secret/2'],
    )
  })

  it('keeps what is left of a folder that was altered, and fetches the rest, in a log of its own that is new', async () => {
    await peerWith(peerA, 1, [secret(1), secret(100), capsule(1)])
    chain.synced = [secret(1), secret(100), capsule(1)]
    chain.assign(all)
    start()
    await witness.until(() => witness.states.includes('running'))
    await stop?.()
    const { incarnation } = (await store.identity()) ?? {}
    await store.close()
    // The other secret is of another page.
    await tamper(location, (raw) => raw.del(PLACES.encodePage(secret(100))))
    store = await folders.open(location)
    assert.equal(store.integrity().state, 'altered')
    peers.requests.length = 0
    witness.states.length = 0
    chain.finalise()
    start()
    await witness.until(() => witness.states.includes('running'))
    assert.deepEqual(witness.states, ['setup', 'running'])
    for (const key of [secret(1), secret(100), capsule(1)]) {
      assert.deepEqual((await store.share(key))?.payload, payloadOf(key))
    }
    assert.ok(!peers.askedOf(peerA).includes('secret/1'), 'it asked again for what it held')
    assert.notEqual((await store.identity())?.incarnation, incarnation)
    assert.equal(await store.isAltered(), false)
  })

  it('begins the setup of an altered folder at no block before its cursor: what is synced since would be missed', async () => {
    chain.assign(all)
    for (let block = 0; block < 4; block += 1) chain.finalise()
    start()
    await witness.until(() => witness.states.includes('running'))
    await store.putCollateral('x', '{}', 0)
    await alter(COLLATERAL.encodeKey('x'))
    // Its host lets its RPC node be behind for a time.
    const late = new ScriptedChain()
    late.assign(all)
    late.finalise()
    chain = late
    witness.states.length = 0
    start()
    while (late.followedFrom.length === 0) await nextTurn()
    assert.deepEqual(witness.states, [])
    for (let block = 1; block < 5; block += 1) late.finalise()
    await witness.until(() => witness.states.includes('running'))
    assert.equal(await store.isAltered(), false)
  })

  /** Stops the node and has its host take records away, so that it finds the folder altered at the next start. */
  async function alter(...names: Uint8Array[]): Promise<void> {
    await stop?.()
    await store.close()
    await tamper(location, async (raw) => {
      for (const name of names) await raw.del(name)
    })
    store = await folders.open(location)
    assert.equal(store.integrity().state, 'altered')
  }

  /** An owner hands a share over, and while the node is down the chain calls it synced; then the node starts again. */
  for (const [what, names] of [
    ['a record of no importance', [COLLATERAL.encodeKey('x')]],
    ['the cursor', [PROGRESS.encodeKey(undefined)]],
  ] as const) {
    for (const confirmed of [true, false]) {
      it(`does not lose a share that was pending, ${confirmed ? '' : 'not '}known to be confirmed, when ${what} is lost`, async () => {
        chain.assign(all)
        const { incarnation } = own.identity
        const key = secret(9)
        chain.finalise()
        start()
        await witness.until(() => witness.states.includes('running'))
        await store.putCollateral('x', '{}', 0)
        await store.putPending({ key, payload: payloadOf(key), confirmed })
        await alter(...names)
        chain.finalise()
        const block = chain.finalise([synced(key, own.identity.seat.cluster)])
        chain.finalise()
        chain.synced = [key]
        const engine = start()
        const lifetime = new AbortController()
        const ingest = new Ingest({
          signer: own.signer,
          chain: {
            confirm: async () => ({ outcome: 'already-synced' }),
            registry: () => chain.registry(),
            finalised: () => chain.finalised(),
            follow: (...given) => chain.follow(...given),
          },
          store,
          caughtUp: (options) => engine.reached(chain.finalised().number, options),
          logger,
          lifetime: lifetime.signal,
          retryAfterMs: 5,
        })
        const ingesting = ingest.run()
        try {
          await eventually(() => holds(key))
          await eventually(async () => ingest.owed().count === 0)
        } finally {
          lifetime.abort()
          await ingesting
        }
        assert.equal((await store.place(key))?.version, block)
        assert.deepEqual((await store.share(key))?.payload, payloadOf(key))
        assert.deepEqual([store.counts().pending, store.counts().wants], [0, 0])
        assert.notEqual((await store.identity())?.incarnation, incarnation)
      })
    }
  }

  it('erases what was burned in blocks that an altered folder has not taken in', async () => {
    await peerWith(peerA, 1, [secret(1), secret(2), capsule(3), capsule(4)])
    chain.synced = [secret(1), secret(2), capsule(3), capsule(4)]
    chain.assign(all)
    start()
    await witness.until(() => witness.states.includes('running'))
    await alter(PROGRESS.encodeKey(undefined))
    chain.finalise([{ type: 'removed', ...secret(1) }])
    chain.finalise()
    chain.burned.add(1)
    // One that is not listed for another reason stays.
    chain.synced = [secret(2), capsule(3)]
    witness.states.length = 0
    const engine = start()
    await eventually(async () => engine.comparison !== undefined)
    assert.equal(await holds(secret(1)), false)
    for (const key of [secret(2), capsule(3), capsule(4)]) assert.equal(await holds(key), true)
  })

  it('takes blocks in again without undoing what later ones have brought', async () => {
    chain.assign(all)
    start()
    await witness.until(() => witness.states.includes('running'))
    await store.putPending({ key: secret(70), payload: payloadOf(secret(70)), confirmed: true })
    const cluster = own.identity.seat.cluster
    for (const edition of [1, 2]) {
      await store.putPending({ key: capsule(9), payload: payloadOf(capsule(9), edition), confirmed: true })
      const block = chain.finalise([synced(capsule(9), cluster)])
      await eventually(async () => (await store.place(capsule(9)))?.version === block)
      const next = chain.finalise(edition === 1 ? [{ type: 'removed', ...capsule(9) }] : [])
      await eventually(async () => (await store.cursor()) === next)
    }
    await store.putPending({ key: capsule(9), payload: payloadOf(capsule(9), 3), confirmed: true })
    const held = await store.place(capsule(9))
    chain.synced = [capsule(9)]
    // The oldest share that is pending was handed over before all of this.
    await alter(PROGRESS.encodeKey(undefined))
    chain.followedFrom.length = 0
    const engine = start()
    await eventually(async () => engine.comparison !== undefined)
    assert.deepEqual(chain.followedFrom, [0])
    assert.equal((await store.place(capsule(9)))?.version, held?.version)
    assert.deepEqual((await store.share(capsule(9)))?.payload, payloadOf(capsule(9), 2))
    assert.deepEqual((await store.pending(capsule(9)))?.payload, payloadOf(capsule(9), 3))
    assert.ok(await store.pending(secret(70)))
  })

  it('takes what is good beside a log that contradicts itself', async () => {
    // Shares come in the order of their logs, so the forked one comes first.
    const [forked, honest] = [peerA, peerB].sort((one, other) => (one.log.account < other.log.account ? -1 : 1))
    assert.ok(forked && honest)
    const fork = await folders.open(await folders.make())
    await fork.beginSetup(forked.identity, 0, [])
    await seal(fork, forked, 1, [secret(1)])
    const otherFork = await peerWith(forked, 1, [secret(2)])
    const provider = await peerWith(honest, 1, [secret(3)])
    await provider.applyBlock(2, [{ type: 'synced', want: wantOf(secret(2)) }], honest.signHead)
    await replicate(otherFork, provider, [secret(2)])
    await store.beginSetup(own.identity, 0, [wantOf(secret(1)), wantOf(secret(2)), wantOf(secret(3))])
    await replicate(fork, store, [secret(1)])
    peers.up.delete(forked.identity.account)
    chain.assign(all)
    start()
    await witness.until(() => holds(secret(3)))
    assert.equal(await holds(secret(2)), false)
    assert.deepEqual(
      witness.failures.filter((peer) => peer === honest.identity.account),
      [],
    )
  })

  it('is not kept from what there is by any number of shares that nobody has', async () => {
    await peerWith(peerA, 1, [capsule(1)])
    chain.synced = [...Array.from({ length: 16_384 }, (_, nftId) => secret(nftId)), capsule(1)]
    chain.assign(without(peerB.identity.account))
    start()
    await witness.until(() => holds(capsule(1)))
    assert.equal(store.counts().wants, 16_384)
    // A whole round of wants takes a busy machine long.
  }).timeout(60_000)

  it('asks at once for what a peer that stopped early had not come to', async () => {
    const keys = Array.from({ length: 12 }, (_, nftId) => secret(nftId))
    await peerWith(peerA, 1, keys)
    peers.stopsAfter = 3
    chain.synced = keys
    chain.assign(without(peerB.identity.account))
    // No time passes, so that whoever is left alone for a while is left alone for good.
    start(() => 0)
    await witness.until(() => witness.states.includes('running'))
    assert.deepEqual(
      peers.requests.map((request) => request.keys.length),
      [12, 9, 6, 3],
    )
  })

  it('asks a slot peer as soon as there is one', async () => {
    await peerWith(peerA, 1, [secret(1)])
    chain.synced = [secret(1)]
    chain.assign(all.filter(({ account }) => account === own.identity.account))
    const engine = start()
    await witness.until(() => witness.states.includes('setup'))
    await engine.reached(chain.finalise(), { signal: AbortSignal.timeout(5_000) })
    chain.assign(all)
    chain.finalise([], true)
    await witness.until(() => holds(secret(1)))
  })

  it('is run again after a failure without a trace of the former run', async () => {
    chain.assign(all)
    const { signer } = own
    const engine = new SyncEngine({ signer, chain, store, peers, listener: witness, logger, clock: systemClock })
    const wants = store.wants.bind(store)
    store.wants = () => {
      throw new Error('The disk is broken.')
    }
    const stopping = new AbortController()
    await assert.rejects(engine.run(stopping.signal), { message: 'The disk is broken.' })
    assert.equal(engine.stoppedBy, 'The disk is broken.')
    store.wants = wants
    const running = engine.run(stopping.signal)
    stop = async () => {
      stopping.abort()
      await running
    }
    // Two of it would get in each other's way at each block.
    for (let blocks = 0; blocks < 3; blocks += 1) {
      const block = chain.finalise()
      await Promise.race([running, engine.reached(block, { signal: stopping.signal })])
      assert.equal(await store.cursor(), block)
    }
    assert.equal(engine.stoppedBy, undefined)
  })

  it('has caught up with nothing when it is run again, before it has taken its seat', async () => {
    chain.assign(all)
    const { signer } = own
    const engine = new SyncEngine({ signer, chain, store, peers, listener: witness, logger, clock: systemClock })
    const stopping = new AbortController()
    const failing = engine.run(stopping.signal)
    const block = chain.finalise()
    await engine.reached(block, { signal: stopping.signal })
    const applyBlock = store.applyBlock.bind(store)
    store.applyBlock = () => Promise.reject(new Error('The disk is broken.'))
    chain.finalise()
    await assert.rejects(failing, { message: 'The disk is broken.' })
    store.applyBlock = applyBlock

    // Meanwhile it was given another slot, and the chain takes its time over what is listed there.
    chain.assign(all.map((seat) => (seat.account === own.identity.account ? { ...seat, slot: 4 } : seat)))
    const [listed, asked] = [new AbortController(), new AbortController()]
    chain.syncedShares = async function* () {
      asked.abort()
      await whenAborted(listed.signal)
      yield []
    }
    const running = engine.run(stopping.signal)
    stop = async () => {
      stopping.abort()
      await running
    }
    await whenAborted(asked.signal)
    let isReached = false
    const waiting = engine.reached(block, { signal: stopping.signal }).then(() => {
      isReached = true
    })
    await store.cursor()
    assert.equal(isReached, false)
    listed.abort()
    await waiting
  })

  it('lets no owner believe that it has caught up once its seat is lost', async () => {
    chain.assign(all)
    const engine = start()
    await witness.until(() => witness.states.includes('running'))
    chain.assign(without(own.identity.account))
    const given = new AbortController()
    const block = chain.finalise([], true)
    const waiting = engine.reached(block, { signal: given.signal })
    await witness.until(() => witness.states.at(-1) === 'unregistered')
    given.abort()
    await assert.rejects(waiting, { name: 'AbortError' })
  })

  it('notices another slot also when no event tells of it', async () => {
    chain.assign(all)
    start()
    await witness.until(() => witness.states.includes('running'))
    chain.assign(all.map((seat) => (seat.account === own.identity.account ? { ...seat, slot: 4 } : seat)))
    chain.finalise()
    await witness.until(() => witness.states.filter((state) => state === 'setup').length === 2)
    assert.equal((await store.identity())?.seat.slot, 4)
  })

  it('erases everything when it was in another slot for a time that it did not see', async () => {
    const elsewhere = all.map((seat) => (seat.account === own.identity.account ? { ...seat, slot: 4 } : seat))
    await peerWith(peerA, 1, [secret(1)])
    chain.synced = [secret(1)]
    chain.assign(all)
    start()
    await witness.until(() => witness.states.includes('running'))
    const before = await store.identity()
    await stop?.()
    peers.up.clear()
    chain.assign(elsewhere)
    chain.finalise([], true)
    chain.assign(all)
    chain.finalise([], true)
    start()
    await witness.until(() => witness.states.filter((state) => state === 'setup').length === 2)
    assert.equal(await holds(secret(1)), false)
    const after = await store.identity()
    assert.deepEqual(after?.seat, before?.seat)
    assert.notEqual(after?.incarnation, before?.incarnation)
  })

  it('notices that its seat became another while it was being taken', async () => {
    const elsewhere = all.map((seat) => (seat.account === own.identity.account ? { ...seat, slot: 4 } : seat))
    chain.assign(all)
    const cursor = store.cursor.bind(store)
    store.cursor = async () => {
      store.cursor = cursor
      chain.assign(elsewhere)
      chain.finalise([], true)
      return undefined
    }
    start()
    await witness.until(() => witness.states.includes('running'))
    assert.equal((await store.identity())?.seat.slot, 4)
  })
})

async function whenAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

/** For what the engine does without telling: looks again each turn of the event loop; mocha's timeout ends it. */
async function eventually(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve))
}
