import assert from 'node:assert/strict'
import { type ClusterType, Registry } from '../../../src/domain/index.js'
import type { Store } from '../../../src/store/index.js'
import { HEADS, PLACES, SMALL_PAYLOADS } from '../../../src/store/records.js'
import { Serving } from '../../../src/sync/index.js'
import {
  capsule,
  collect,
  enclave,
  Folders,
  payloadOf,
  replicate,
  SLOT,
  seal,
  secret,
  signal,
  tamper,
  wantOf,
} from '../store/fixture.js'
import { own } from './fixture.js'

describe('giving out shares', () => {
  const folders = new Folders()
  const { account } = own.identity
  let store: Store
  let registry: Registry

  const seatedAt = (cluster: number, slot: number) =>
    new Registry([{ id: cluster, type: 'public', seats: [{ account, operator: account, cluster, slot, apiUri: '' }] }])

  beforeEach(async () => {
    store = await folders.open(await folders.make())
    await store.beginSetup(own.identity, 0, [])
    await seal(store, own, 1, [secret(1), capsule(1)])
    registry = seatedAt(own.identity.seat.cluster, SLOT)
  })

  afterEach(() => folders.clear())

  const serving = () => new Serving({ account, store, registry: () => registry })
  const firstRun = () =>
    serving()
      .runs([{ key: secret(1), minimumVersion: 0 }], { maximumBytes: 1_000, signal, newestAsOf: 0 })
      .next()

  it('serves peers and owners in its own seat', async () => {
    assert.deepEqual(await serving().knowledge(), { newestAsOf: 1, takenIn: 1 })
    assert.equal((await firstRun()).done, false)
    assert.deepEqual((await serving().latest(capsule(1)))?.payload, payloadOf(capsule(1)))
    assert.equal(await serving().latest(secret(2)), undefined)
  })

  const others: [string, Registry][] = [
    ['another slot', seatedAt(own.identity.seat.cluster, SLOT + 1)],
    ['another cluster', seatedAt(own.identity.seat.cluster + 1, SLOT)],
    ['no seat', new Registry([])],
  ]
  for (const [seat, other] of others) {
    it(`gives nothing of the former seat when the chain says ${seat}`, async () => {
      registry = other
      await assert.rejects(serving().knowledge(), { refusal: 'NOT_READY' })
      await assert.rejects(firstRun(), { refusal: 'NOT_READY' })
      assert.equal(await serving().latest(secret(1)), undefined)
    })
  }

  it('gives no owner a version that is being replaced', async () => {
    const want = wantOf(capsule(1), { minimumVersion: 2, origin: own.identity.seat.cluster + 1 })
    await store.applyBlock(2, [{ type: 'synced', want }], own.signHead)
    assert.equal(await serving().latest(capsule(1)), undefined)
    assert.ok(await serving().latest(secret(1)))
  })

  const given = async (key: ReturnType<typeof secret>, newestAsOf: number) => {
    const runs = serving().runs([{ key, minimumVersion: 0 }], { maximumBytes: 1_000, signal, newestAsOf })
    return (await runs.next()).done !== true
  }

  it('gives no peer a version of which a newer one is known, or on its way', async () => {
    assert.ok(await given(capsule(1), 1))
    await store.putPending({ key: capsule(1), payload: payloadOf(capsule(1), 1), confirmed: true })
    // Its block may be final, and not taken in here yet.
    assert.equal(await given(capsule(1), 1), false)
    assert.ok(await given(secret(1), 1))
    await store.dropPending(capsule(1))
    const want = wantOf(capsule(1), { minimumVersion: 2, origin: own.identity.seat.cluster + 1 })
    await store.applyBlock(2, [{ type: 'synced', want }], own.signHead)
    assert.equal(await given(capsule(1), 1), false)
    assert.ok(await given(secret(1), 1))
    assert.deepEqual(await serving().knowledge(), { newestAsOf: 2, takenIn: 2 })
    assert.deepEqual(await serving().heldFrom(capsule(0), 10), [1])
  })

  it('gives a peer what may not be the newest, unless it was told that all is', async () => {
    await store.beginSetup(own.identity, 9, [wantOf(capsule(1), { asOf: 9 })])
    // It has taken in the block, and says so, whatever it is sure of.
    assert.deepEqual(await serving().knowledge(), { newestAsOf: 1, takenIn: 9 })
    assert.ok(await given(capsule(1), 1))
    assert.equal(await given(capsule(1), 2), false)
    assert.equal(await serving().latest(capsule(1)), undefined)
  })

  it('gives owners what the own cluster sealed, sure or not, while nobody may be asked: one of the clusters is not public', async () => {
    const { cluster } = own.identity.seat
    const origin = enclave(9, cluster + 1)
    const other = await folders.open(await folders.make())
    await other.beginSetup(origin.identity, 0, [])
    await seal(other, origin, 1, [capsule(2)])
    await replicate(other, store, [capsule(2)])
    const mesh = (own: ClusterType, others: ClusterType) =>
      new Registry([
        ...seatedAt(cluster, SLOT)
          .clusters()
          .map((each) => ({ ...each, type: own })),
        {
          id: cluster + 1,
          type: others,
          seats: [
            {
              ...origin.identity.seat,
              account: origin.identity.account,
              operator: origin.identity.account,
              apiUri: '',
            },
          ],
        },
      ])
    const wants = [wantOf(capsule(1), { asOf: 9 }), wantOf(capsule(2), { asOf: 9 })]
    await store.beginSetup(own.identity, 9, wants)
    await replicate(other, store, [capsule(2)], { newestAsOf: 1 })
    for (const [ours, theirs] of [
      ['private', 'public'],
      ['public', 'private'],
      ['disabled', 'public'],
    ] as const) {
      registry = mesh(ours, theirs)
      assert.deepEqual((await serving().latest(capsule(1)))?.payload, payloadOf(capsule(1)), `${ours}, ${theirs}`)
      assert.equal(await serving().latest(capsule(2)), undefined)
    }
    // They may be asked, or there is nobody to be asked: it is settled then.
    for (const asked of [mesh('public', 'public'), seatedAt(cluster, SLOT)]) {
      registry = asked
      assert.equal(await serving().latest(capsule(1)), undefined)
    }
    assert.equal((await store.wantsOf([capsule(1), capsule(2)])).length, 2)
    assert.ok(await store.place(capsule(2)))
  })

  it('gives nothing of a folder that was altered, until its setup has begun anew', async () => {
    const location = await folders.make()
    store = await folders.open(location)
    await store.beginSetup(own.identity, 0, [])
    await seal(store, own, 11, [capsule(7)], 1)
    await store.close()
    const older: [Uint8Array, Uint8Array][] = []
    const prefixes = [PLACES.prefix, SMALL_PAYLOADS.prefix]
    await tamper(location, async (raw) => {
      older.push(...(await raw.iterator().all()).filter(([name]) => prefixes.includes(name[0] ?? 0)))
    })
    store = await folders.open(location)
    await seal(store, own, 200, [capsule(7)], 2)
    await store.applyBlock(300, [], own.signHead)
    await store.close()
    await tamper(location, async (raw) => {
      for (const [name, sealed] of older) await raw.put(name, sealed)
    })
    store = await folders.open(location)
    assert.equal((await store.place(capsule(7)))?.version, 11)
    await assert.rejects(serving().knowledge(), { refusal: 'NOT_READY' })
    await assert.rejects(firstRun(), { refusal: 'NOT_READY' })
    await assert.rejects(serving().heldFrom(capsule(0), 10), { refusal: 'NOT_READY' })
    assert.equal(await serving().latest(capsule(7)), undefined)

    await store.beginSetup(own.identity, 300, [wantOf(capsule(7), { asOf: 300 })])
    // It is served again, but nobody is told that it is the newest as of any later block.
    assert.deepEqual(await serving().knowledge(), { newestAsOf: 11, takenIn: 300 })
    assert.equal(await serving().latest(capsule(7)), undefined)
  })

  it('gives an owner what only cannot be proved to others any more, and no capsule that may not be the newest', async () => {
    const origin = enclave(9, own.identity.seat.cluster + 1)
    const source = await folders.open(await folders.make())
    await source.beginSetup(origin.identity, 0, [])
    const keys = [secret(5), capsule(5)]
    await seal(source, origin, 5, keys)
    const location = await folders.make()
    store = await folders.open(location)
    await store.beginSetup(
      own.identity,
      4,
      keys.map((key) => wantOf(key, { minimumVersion: 5, origin: origin.identity.seat.cluster })),
    )
    await replicate(source, store, keys)
    await store.close()
    await tamper(location, (raw) => raw.del(HEADS.encodeKey({ log: origin.log, size: 2 })))
    store = await folders.open(location)
    await store.beginSetup(
      own.identity,
      5,
      keys.map((key) => wantOf(key, { asOf: 9 })),
    )
    assert.equal(store.counts().wants, 2)
    assert.deepEqual((await serving().latest(secret(5)))?.payload, payloadOf(secret(5)))
    assert.equal(await serving().latest(capsule(5)), undefined)
    assert.equal(await given(capsule(5), 0), false)

    // Everybody was asked, and nobody knows of a newer one; nor can anybody prove this one.
    assert.deepEqual(await store.settleUnsure(await collect(store.wants())), [])
    assert.equal(store.counts().wants, 2)
    assert.deepEqual((await serving().latest(capsule(5)))?.payload, payloadOf(capsule(5)))
    assert.deepEqual(await serving().knowledge(), { newestAsOf: 5, takenIn: 5 })
    await replicate(source, store, keys, { newestAsOf: 0 })
    assert.equal(store.counts().wants, 0)
  })
})
