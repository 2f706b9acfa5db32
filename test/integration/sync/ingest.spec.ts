import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { accountSigner } from '../../../src/crypto/index.js'
import { Registry, SlotmeshError } from '../../../src/domain/index.js'
import { ownerStoreRequest, verifyStoreRequest } from '../../../src/owner/index.js'
import type { Store, View } from '../../../src/store/index.js'
import { PENDING, SETUP_DONE } from '../../../src/store/records.js'
import { Ingest, type IngestParts, type SyncChain } from '../../../src/sync/index.js'
import { MadeArrays } from '../../support/made-arrays.js'
import {
  capsule,
  Folders,
  logger,
  payloadOf,
  replicate,
  SLOT,
  seal,
  secret,
  signal,
  tamper,
  wantOf,
} from '../store/fixture.js'
import { blockAt, own, peerA, ScriptedChain } from './fixture.js'

type Outcome = Awaited<ReturnType<SyncChain['confirm']>>['outcome']

const cluster = own.identity.seat.cluster
const anotherCluster = peerA.identity.seat.cluster
const { account } = own.signer
const registry = new Registry([
  { id: cluster, type: 'public', seats: [{ account, operator: account, cluster, slot: SLOT, apiUri: '' }] },
])

describe('taking shares from owners', () => {
  const folders = new Folders()
  let store: Store
  let asked: number
  let lifetime: AbortController

  beforeEach(async () => {
    store = await folders.open(await folders.make())
    await store.beginSetup(own.identity, 0, [])
    asked = 0
    lifetime = new AbortController()
  })

  afterEach(async () => {
    lifetime.abort()
    await folders.clear()
  })

  function ingestWith(
    outcome: Outcome,
    { chain, ...parts }: Partial<Omit<IngestParts, 'chain'> & { chain: Partial<IngestParts['chain']> }> = {},
  ): Ingest {
    const confirm = async () => {
      asked += 1
      return { outcome }
    }
    const quiet = new ScriptedChain()
    return new Ingest({
      signer: own.signer,
      chain: {
        confirm,
        registry: () => registry,
        // No test's folder has taken in as much.
        finalised: () => blockAt(1_000),
        follow: (after, options) => quiet.follow(after, options),
        ...chain,
      },
      store,
      caughtUp: async () => undefined,
      logger,
      lifetime: lifetime.signal,
      retryAfterMs: 5,
      ...parts,
    })
  }

  /** Runs it until something has come about. */
  async function running(ingest: Ingest, isSo: () => boolean): Promise<void> {
    const run = ingest.run()
    while (!isSo()) await nextTurn()
    lifetime.abort()
    await run
  }

  const applySynced = (block: number, key: ReturnType<typeof secret>, origin: number) =>
    store.applyBlock(block, [{ type: 'synced', want: wantOf(key, { minimumVersion: block, origin }) }], own.signHead)

  it('keeps a share that is synced already, until the block that says so is taken in', async () => {
    // Its confirmation was sent, the host ended the process, and meanwhile all five were final.
    const key = secret(1)
    await store.putPending({ key, payload: payloadOf(key), confirmed: false })
    let isBehind = true
    const caughtUp = async () => {
      if (asked === 0) return
      if (isBehind) assert.deepEqual((await applySynced(1, key, cluster)).missingOwn, [])
      isBehind = false
    }
    const ingest = ingestWith('already-synced', { caughtUp })
    await running(ingest, () => asked === 1 && ingest.owed().count === 0)
    assert.deepEqual((await store.share(key))?.payload, payloadOf(key))
    assert.equal(store.counts().pending, 0)
  })

  it('knows what is pending from what is held, until its round is over', async () => {
    const key = capsule(1)
    await seal(store, own, 1, [key])
    await store.putPending({ key, payload: payloadOf(key, 1), confirmed: true })
    const ingest = ingestWith('already-synced')
    const compared = () => Promise.all([1, 0, 2].map((edition) => ingest.compare(key, payloadOf(key, edition))))
    assert.deepEqual(await compared(), ['pending', 'same', 'different'])
    // Another cluster has replaced both, and the newer one is not here yet.
    await applySynced(2, key, anotherCluster)
    assert.deepEqual(await compared(), ['absent', 'absent', 'absent'])
  })

  it('asks no chain that is behind what was taken in: it would take the round for the one before', async () => {
    const key = capsule(1)
    await applySynced(10, key, cluster)
    const chain = new ScriptedChain()
    let asked = 0
    const confirm: SyncChain['confirm'] = async () => {
      asked += 1
      return { outcome: 'confirmed' }
    }
    const ingest = ingestWith('confirmed', {
      chain: { confirm, finalised: () => chain.finalised(), follow: (after, options) => chain.follow(after, options) },
    })
    const taking = ingest.take(key, payloadOf(key), { signal })
    while (chain.followedFrom.length === 0 && asked === 0) await nextTurn()
    for (let block = 1; block < 10; block += 1) {
      chain.finalise()
      await nextTurn()
    }
    assert.equal(asked, 0)
    chain.finalise()
    await taking
    assert.equal(asked, 1)
  })

  it('confirms nothing that was erased while the chain was waited for, since the seat was another or the NFT is gone', async () => {
    const [key, other] = [secret(1), secret(2)]
    await applySynced(10, capsule(1), anotherCluster)
    const chain = new ScriptedChain()
    const ingest = ingestWith('confirmed', {
      chain: { finalised: () => chain.finalised(), follow: (after, options) => chain.follow(after, options) },
    })
    const taking = [key, other].map((each) => ingest.take(each, payloadOf(each), { signal }))
    const ended = Promise.allSettled(taking)
    while (chain.followedFrom.length < 2) await nextTurn()
    await store.applyBlock(11, [{ type: 'removed', key }], own.signHead)
    const { identity } = own
    await store.eraseAll()
    await store.beginSetup({ ...identity, seat: { ...identity.seat, cluster: anotherCluster } }, 11, [])
    for (let block = 0; block < 11; block += 1) chain.finalise()
    const outcomes = (await ended).map((each) => each.status === 'rejected' && each.reason.outcome)
    assert.deepEqual([outcomes, asked, ingest.owed().count], [['gone', 'gone'], 0, 0])
  })

  it('tells no owner that a share is kept that was erased while the chain was confirming it', async () => {
    const [key, other] = [secret(1), capsule(2)]
    let meanwhile = () => store.dropPending(key)
    const confirm = async () => {
      await meanwhile()
      return { outcome: 'confirmed' as const }
    }
    const ingest = ingestWith('confirmed', { chain: { confirm } })
    await assert.rejects(ingest.take(key, payloadOf(key), { signal }), { outcome: 'gone' })
    assert.equal(ingest.owed().count, 0)
    // It was the last one, and that block is taken in already.
    meanwhile = async () => void (await applySynced(1, other, cluster))
    await ingest.take(other, payloadOf(other), { signal })
    assert.deepEqual((await store.share(other))?.payload, payloadOf(other))
  })

  it('has so many requests wait for their turn with one share, and no more, however long the chain takes', async () => {
    const [key, other] = [secret(1), secret(2)]
    let answer: () => void = () => undefined
    const answered = new Promise<void>((resolve) => (answer = resolve))
    const confirm = async () => {
      asked += 1
      await answered
      return { outcome: 'confirmed' as const }
    }
    const ingest = ingestWith('confirmed', { chain: { confirm } })
    const take = (of: typeof key) => ingest.take(of, payloadOf(of), { signal })
    const waiting = Array.from({ length: 8 }, () => take(key))
    await assert.rejects(take(key), { code: 'sync/busy' })
    await assert.rejects(ingest.settle(key, payloadOf(key), { signal }), { code: 'sync/busy' })
    waiting.push(take(other))
    while (asked < 2) await nextTurn()
    answer()
    await Promise.all(waiting)
    await take(key)
    assert.equal(asked, 2)
  })

  it('has an owner who hands a share over again told that it is kept, when the confirmation before was the last one', async () => {
    const [key, other] = [capsule(1), capsule(2)]
    let next: () => Promise<unknown> = () => applySynced(1, key, cluster)
    const ingest = ingestWith('already-synced', { caughtUp: async () => void (await next()) })
    await store.putPending({ key, payload: payloadOf(key), confirmed: false })
    await ingest.take(key, payloadOf(key), { signal })
    assert.deepEqual((await store.share(key))?.payload, payloadOf(key))
    next = async () => undefined
    await ingest.take(key, payloadOf(key), { signal })

    next = () => applySynced(2, other, anotherCluster)
    await assert.rejects(ingest.take(other, payloadOf(other), { signal }), { outcome: 'already-synced' })
    // Another cluster has replaced it by now.
    next = () => applySynced(3, key, anotherCluster)
    await assert.rejects(ingest.take(key, payloadOf(key), { signal }), { outcome: 'already-synced' })
    assert.equal(store.counts().pending, 0)
  })

  it('drops a share whose round has ended', async () => {
    const key = capsule(1)
    await seal(store, own, 1, [key])
    const taking = ingestWith('already-synced').take(key, payloadOf(key, 1), { signal })
    await assert.rejects(taking, { outcome: 'already-synced' })
    assert.equal(store.counts().pending, 0)
    assert.deepEqual((await store.share(key))?.payload, payloadOf(key))
  })

  it('leaves no copy of a share, whether it is confirmed or not', async () => {
    for (const [nftId, outcome] of (['confirmed', 'no-funds', 'unknown-nft'] as const).entries()) {
      const key = secret(nftId)
      const given = payloadOf(key)
      const made = new MadeArrays()
      await made.during(() => Promise.allSettled([ingestWith(outcome).take(key, given, { signal })]))
      assert.ok(made.count > 0)
      assert.deepEqual(made.holding(payloadOf(key), [given]), [], outcome)
    }
    assert.equal(asked, 3)
  })

  for (const outcome of ['no-funds', 'not-registered'] as const) {
    it(`keeps a share that may be confirmed already when the answer is ${outcome}`, async () => {
      const key = secret(1)
      await assert.rejects(ingestWith(outcome).take(key, payloadOf(key), { signal }), { outcome })
      assert.deepEqual((await applySynced(1, key, cluster)).missingOwn, [])
      assert.deepEqual((await store.share(key))?.payload, payloadOf(key))
    })
  }

  for (const outcome of ['wrong-cluster', 'unknown-nft', 'wrong-kind'] as const) {
    it(`drops a share that can never be confirmed: ${outcome}`, async () => {
      await assert.rejects(ingestWith(outcome).take(secret(1), payloadOf(secret(1)), { signal }), { outcome })
      assert.equal(store.counts().pending, 0)
    })
  }

  it('does not confirm a share of a round that another cluster has ended', async () => {
    const key = capsule(1)
    await store.putPending({ key, payload: payloadOf(key), confirmed: false })
    const caughtUp = async () => {
      await applySynced(1, key, anotherCluster)
    }
    await running(ingestWith('confirmed', { caughtUp }), () => store.counts().pending === 0)
    assert.equal(asked, 0)
    assert.equal(store.counts().pending, 0)
  })

  it('confirms nothing that may be an older share, and takes the right one from its owner', async () => {
    const key = secret(1)
    const other = secret(2)
    const location = await folders.make()
    store = await folders.open(location)
    await store.beginSetup(own.identity, 0, [])
    for (const each of [key, other]) await store.putPending({ key: each, payload: payloadOf(each), confirmed: false })
    await store.close()
    await tamper(location, (raw) => raw.del(PENDING.encodeKey(other)))
    store = await folders.open(location)
    await store.beginSetup(own.identity, 0, [])
    const ingest = ingestWith('confirmed')
    const running = ingest.run()
    await ingest.take(key, payloadOf(key, 1), { signal })
    assert.equal(asked, 1)
    const { payload, confirmed, isDoubtful } = (await store.pending(key)) ?? {}
    assert.deepEqual(
      { payload, confirmed, isDoubtful },
      { payload: payloadOf(key, 1), confirmed: true, isDoubtful: false },
    )
    lifetime.abort()
    await running
  })

  it('keeps what may be an older share while nobody says which is right', async () => {
    const key = secret(1)
    const location = await folders.make()
    store = await folders.open(location)
    await store.beginSetup(own.identity, 0, [])
    for (const each of [key, secret(2)])
      await store.putPending({ key: each, payload: payloadOf(each), confirmed: false })
    await store.close()
    await tamper(location, (raw) => raw.del(PENDING.encodeKey(secret(2))))
    store = await folders.open(location)
    await store.beginSetup(own.identity, 0, [])
    await store.putPending({ key: secret(3), payload: payloadOf(secret(3)), confirmed: false })
    await running(ingestWith('already-synced'), () => asked > 0 && store.counts().pending === 1)
    assert.equal(asked, 1)
    assert.deepEqual((await store.pending(key))?.payload, payloadOf(key))
  })

  /** Pending shares of the own cluster, of which the host has altered one; their rounds end after the restart. */
  async function missed(keys: readonly ReturnType<typeof secret>[], block = 11): Promise<string> {
    const location = await folders.make()
    store = await folders.open(location)
    await store.beginSetup(own.identity, 10, [])
    for (const key of [...keys, secret(666)]) await store.putPending({ key, payload: payloadOf(key), confirmed: true })
    await store.markSetupDone()
    await store.close()
    await tamper(location, (raw) => raw.del(PENDING.encodeKey(secret(666))))
    store = await folders.open(location)
    await store.vouchAnew({ ...own.identity, incarnation: `0x${'44'.repeat(16)}` }, 10, own.signHead)
    await store.beginSetup({ ...own.identity, incarnation: `0x${'44'.repeat(16)}` }, 10, [])
    await store.markSetupDone()
    for (const [at, key] of keys.entries()) await applySynced(block + at, key, cluster)
    assert.equal(store.counts().wants, keys.length)
    return location
  }

  it('vouches for what may be an older share on the word of its owner, also when its round is over', async () => {
    const keys = [secret(1), capsule(1)]
    const location = await missed(keys)
    const { incarnation } = (await store.identity()) ?? {}
    const ingest = ingestWith('already-synced')
    for (const key of keys) {
      assert.equal(await ingest.compare(key, payloadOf(key, 1)), 'absent')
      await ingest.settle(key, payloadOf(key, 1), { signal })
      assert.equal(await store.place(key), undefined)

      assert.equal(await ingest.compare(key, payloadOf(key)), 'same')
      await ingest.settle(key, payloadOf(key), { signal })
    }
    const versions = async () => [(await store.place(secret(1)))?.version, (await store.place(capsule(1)))?.version]
    assert.deepEqual(await versions(), [11, 12])
    assert.deepEqual([store.counts().wants, store.counts().pending, store.integrity().doubtful], [0, 0, 0])
    assert.notEqual((await store.identity())?.incarnation, incarnation)
    assert.equal(asked, 0)
    store = await folders.reopen(store, location)
    assert.deepEqual(await versions(), [11, 12])
    const another = await folders.open(await folders.make())
    const replica = peerA.identity
    const wants = keys.map((key, at) => wantOf(key, { minimumVersion: 11 + at, origin: cluster }))
    await another.beginSetup(replica, 20, wants)
    await replicate(store, another, keys)
    assert.deepEqual((await another.share(secret(1)))?.payload, payloadOf(secret(1)))
    assert.equal(another.counts().wants, 0)
  })

  it('has such an owner told that the share is kept, and one of another share that it is not', async () => {
    const key = secret(1)
    await missed([key])
    const ingest = ingestWith('already-synced')
    const owner = accountSigner(new Uint8Array(32).fill(77))
    const nft = {
      owner: owner.account,
      delegatee: undefined,
      rentee: undefined,
      isCapsule: false,
      isSyncingCapsule: false,
    }
    const facts = {
      finalised: () => ({ number: 12, hash: own.identity.genesisHash }),
      nft: async () => ({ ...nft, isSecret: true, isSyncingSecret: false }),
    }
    const authorised = (edition: number) => {
      const share = Buffer.from(payloadOf(key, edition)).toString()
      const temporarySigner = accountSigner(new Uint8Array(32).fill(78))
      const request = ownerStoreRequest({ owner, temporarySigner, key, share, block: 12 })
      const held = (of: typeof key, bytes: Uint8Array) => ingest.compare(of, bytes)
      return verifyStoreRequest('secret', request, facts, { signal, held })
    }
    await assert.rejects(authorised(1), { status: 'NOTSYNCING' })
    const { awaitsConfirmation, share } = await authorised(0)
    assert.equal(awaitsConfirmation, false)
    await ingest.settle(key, share, { signal })
    assert.deepEqual((await store.share(key))?.payload, payloadOf(key))
    assert.equal((await authorised(0)).awaitsConfirmation, false)
    await assert.rejects(authorised(1), { status: 'NFTIDEXISTS' })
  })

  it('vouches for it also when the setup has begun anew after its round', async () => {
    const keys = [secret(1), capsule(1)]
    const location = await missed(keys)
    await store.close()
    await tamper(location, (raw) => raw.del(SETUP_DONE.encodeKey(undefined)))
    store = await folders.open(location)
    const again = { ...own.identity, incarnation: `0x${'55'.repeat(16)}` as const }
    await store.vouchAnew(again, 12, own.signHead)
    await store.beginSetup(
      again,
      12,
      keys.map((key) => wantOf(key, { asOf: 20 })),
    )
    const ingest = ingestWith('already-synced')
    for (const key of keys) await ingest.settle(key, payloadOf(key), { signal })
    assert.equal((await store.place(secret(1)))?.version, 11)
    assert.equal(await store.want(secret(1)), undefined)
    // One of another cluster may be newer.
    assert.equal((await store.place(capsule(1)))?.version, 12)
    assert.deepEqual(await store.want(capsule(1)), wantOf(capsule(1), { minimumVersion: 12, asOf: 20 }))
  })

  it('vouches for one whose round ended between the request and its turn', async () => {
    await missed([secret(1)])
    await ingestWith('already-synced').take(secret(1), payloadOf(secret(1)), { signal })
    assert.equal((await store.place(secret(1)))?.version, 11)
    assert.equal(asked, 0)
  })

  it('does not take the word of the owner for a round that another cluster has ended since, nor in another seat', async () => {
    await missed([capsule(1)])
    const seatless = ingestWith('already-synced', { chain: { registry: () => new Registry([]) } })
    assert.equal(await seatless.compare(capsule(1), payloadOf(capsule(1))), 'absent')
    await seatless.settle(capsule(1), payloadOf(capsule(1)), { signal })
    assert.equal(await store.place(capsule(1)), undefined)

    await applySynced(30, capsule(1), anotherCluster)
    const ingest = ingestWith('already-synced')
    assert.equal(await ingest.compare(capsule(1), payloadOf(capsule(1))), 'absent')
    await ingest.settle(capsule(1), payloadOf(capsule(1)), { signal })
    assert.equal(await store.place(capsule(1)), undefined)
    assert.equal((await store.want(capsule(1)))?.minimumVersion, 30)
  })

  it('takes one of two different shares that are handed over at once', async () => {
    const key = secret(1)
    const ingest = ingestWith('confirmed')
    const results = await Promise.allSettled(
      [0, 1].map((edition) => ingest.take(key, payloadOf(key, edition), { signal })),
    )
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    )
    assert.equal(asked, 1)
    assert.deepEqual((await store.pending(key))?.payload, payloadOf(key, 0))
  })

  for (const outcome of ['no-funds', 'not-registered'] as const) {
    it(`sends a confirmation again until the chain takes it: ${outcome}`, async () => {
      const key = secret(1)
      const answers: Outcome[] = [outcome, outcome, outcome, 'already-confirmed']
      const confirm = async () => ({ outcome: answers[asked++] ?? 'wrong-cluster' })
      const ingest = ingestWith(outcome, { chain: { confirm, registry: () => registry } })
      await assert.rejects(ingest.take(key, payloadOf(key), { signal }), { outcome })
      const { count, oldestSince, lastOutcome } = ingest.owed()
      assert.deepEqual([count, typeof oldestSince, lastOutcome], [1, 'number', outcome])
      await running(ingest, () => ingest.owed().count === 0)
      assert.equal(asked, 4)
      assert.equal((await store.pending(key))?.confirmed, true)
    })
  }

  it('sends nothing while the enclave has no seat', async () => {
    const key = secret(1)
    await store.putPending({ key, payload: payloadOf(key), confirmed: false })
    let looked = 0
    const chain = {
      confirm: async () => ({ outcome: 'confirmed' as const, asked: asked++ }),
      registry: () => {
        looked += 1
        return looked > 3 ? registry : new Registry([])
      },
    }
    const ingest = ingestWith('confirmed', { chain })
    const run = ingest.run()
    while (looked < 3) await nextTurn()
    assert.equal(asked, 0)
    assert.deepEqual([ingest.owed().count, ingest.owed().lastOutcome], [1, 'not-registered'])
    while (ingest.owed().count > 0) await nextTurn()
    lifetime.abort()
    await run
    assert.equal(asked, 1)
  })

  it('sends at once when a block has assigned the seat', async () => {
    const scripted = new ScriptedChain()
    const owed = [secret(1), secret(2)]
    for (const key of owed) await store.putPending({ key, payload: payloadOf(key), confirmed: false })
    const chain = {
      // As of a block before the one that the registry is of, for the first.
      confirm: async () => ({ outcome: asked++ === 0 ? ('not-registered' as const) : ('confirmed' as const) }),
      registry: () => scripted.registry(),
      finalised: () => scripted.finalised(),
      follow: scripted.follow.bind(scripted),
    }
    const ingest = ingestWith('confirmed', { chain, retryAfterMs: 3_600_000 })
    const run = ingest.run()
    while (ingest.owed().lastOutcome !== 'not-registered') await nextTurn()
    assert.equal(asked, 0)
    scripted.assign([{ account, cluster }])
    scripted.finalise([], true)
    while (asked < 2) await nextTurn()
    while (ingest.owed().count > 1) await nextTurn()
    for (let block = 0; block < 3; block += 1) scripted.finalise()
    assert.equal(asked, 2)
    scripted.finalise([], true)
    while (ingest.owed().count > 0) await nextTurn()
    assert.equal(asked, 3)
    lifetime.abort()
    await run
  })

  it('calls back what it has asked the chain for when its seat is another', async () => {
    const key = secret(1)
    const scripted = new ScriptedChain()
    scripted.assign([{ account, cluster }])
    const confirm: SyncChain['confirm'] = async (_signer, _key, { signal: limit }) => {
      asked += 1
      if (asked > 1) return { outcome: 'already-confirmed' }
      await once(limit, 'abort')
      throw limit.reason
    }
    const chain = {
      confirm,
      registry: () => scripted.registry(),
      finalised: () => scripted.finalised(),
      follow: scripted.follow.bind(scripted),
    }
    const ingest = ingestWith('confirmed', { chain, retryAfterMs: 3_600_000 })
    const run = ingest.run()
    const taking = ingest.take(key, payloadOf(key), { signal })
    while (asked === 0 || scripted.followedFrom.length === 0) await nextTurn()
    scripted.finalise([], true)
    for (let turn = 0; turn < 5; turn += 1) await nextTurn()
    scripted.assign([{ account, cluster: anotherCluster }])
    scripted.finalise([], true)
    await assert.rejects(taking, { outcome: 'not-registered' })
    assert.deepEqual([asked, ingest.owed().count], [1, 1])
    await ingest.take(key, payloadOf(key), { signal })
    assert.equal(asked, 2)
    lifetime.abort()
    await run
  })

  it('lets one that takes long hold up no other', async () => {
    const keys = Array.from({ length: 450 }, (_, index) => secret(index + 1))
    for (const key of keys) await store.putPending({ key, payload: payloadOf(key), confirmed: false })
    let most = 0
    let underWay = 0
    const confirm: SyncChain['confirm'] = async (_signer, { nftId }, { signal: limit }) => {
      asked += 1
      underWay += 1
      most = Math.max(most, underWay)
      if (nftId === 3) await once(limit, 'abort')
      await nextTurn()
      underWay -= 1
      return { outcome: 'confirmed' }
    }
    const ingest = ingestWith('confirmed', { chain: { confirm }, retryAfterMs: 3_600_000 })
    await running(ingest, () => ingest.owed().count === 1 && asked === keys.length)
    assert.ok(most > 1 && most <= 200)
  })

  it('does not try without rest when the store fails', async () => {
    const key = secret(1)
    await store.putPending({ key, payload: payloadOf(key), confirmed: false })
    let read = 0
    const pending = async () => {
      read += 1
      await nextTurn()
      throw new SlotmeshError('store/broken', 'The disk does not answer.')
    }
    const failing = new Proxy(store, { get: (target, name) => (name === 'pending' ? pending : bound(target, name)) })
    const ingest = ingestWith('confirmed', { store: failing, retryAfterMs: 3_600_000 })
    const run = ingest.run()
    while (ingest.owed().lastOutcome !== 'store/broken') await nextTurn()
    for (let turn = 0; turn < 20; turn += 1) await nextTurn()
    assert.equal(read, 1)
    lifetime.abort()
    await run
  })

  it('goes on to confirm a share whose owner has stopped waiting, once', async () => {
    const key = secret(1)
    const owner = new AbortController()
    let answer: () => void = () => undefined
    const confirm = () => {
      asked += 1
      return new Promise<{ outcome: 'confirmed' }>((resolve) => {
        answer = () => resolve({ outcome: 'confirmed' })
      })
    }
    const ingest = ingestWith('confirmed', { chain: { confirm, registry: () => registry } })
    const payload = payloadOf(key)
    const view: View = { at: 1, block: 0, account: `0x${'ab'.repeat(32)}`, role: 'OWNER', event: 'STORE' }
    const taking = ingest.take(key, payload, { signal: owner.signal, view })
    // As its owner does who does not wait any longer, be it before it is stored.
    payload.fill(0)
    while (asked === 0) await nextTurn()
    owner.abort()
    await assert.rejects(taking, { name: 'AbortError' })
    assert.deepEqual(await store.views(key), [view])
    const run = ingest.run()
    while (ingest.owed().count === 0) await nextTurn()
    answer()
    while (ingest.owed().count > 0) await nextTurn()
    lifetime.abort()
    await run
    assert.equal(asked, 1)
    const pending = await store.pending(key)
    assert.deepEqual([pending?.confirmed, pending?.payload], [true, payloadOf(key)])
  })

  it('sends again what could not be sent, and rests longer each time', async () => {
    const key = secret(1)
    const confirm = async () => {
      asked += 1
      if (asked < 3) throw new SlotmeshError('chain/not-included', 'No block took it.')
      return { outcome: 'confirmed' as const }
    }
    const ingest = ingestWith('confirmed', { chain: { confirm, registry: () => registry } })
    await assert.rejects(ingest.take(key, payloadOf(key), { signal }), { code: 'chain/not-included' })
    assert.equal(ingest.owed().lastOutcome, 'chain/not-included')
    await running(ingest, () => ingest.owed().count === 0)
    assert.equal(asked, 3)
  })
})

function bound(store: Store, name: string | symbol): unknown {
  const value: unknown = Reflect.get(store, name)
  return typeof value === 'function' ? value.bind(store) : value
}
