import assert from 'node:assert/strict'
import { Registry } from '../../../src/domain/index.js'
import type { Store } from '../../../src/store/index.js'
import { PAYLOADS, PLACES } from '../../../src/store/records.js'
import { Serving } from '../../../src/sync/index.js'
import { capsule, Folders, payloadOf, SLOT, seal, secret, signal, tamper, wantOf } from '../store/fixture.js'
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
      .runs([{ key: secret(1), minimumVersion: 0 }], { maximumBytes: 1_000, signal })
      .next()

  it('serves peers and owners in its own seat', async () => {
    assert.equal(await serving().syncedBlock(), 1)
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
      await assert.rejects(serving().syncedBlock(), { refusal: 'NOT_READY' })
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

  it('gives nothing of a folder that was altered, until its setup has begun anew', async () => {
    const location = await folders.make()
    store = await folders.open(location)
    await store.beginSetup(own.identity, 0, [])
    await seal(store, own, 11, [capsule(7)], 1)
    await store.close()
    const older: [Uint8Array, Uint8Array][] = []
    const prefixes = [PLACES.prefix, PAYLOADS.prefix]
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
    await assert.rejects(serving().syncedBlock(), { refusal: 'NOT_READY' })
    await assert.rejects(firstRun(), { refusal: 'NOT_READY' })
    await assert.rejects(serving().heldFrom(capsule(0), 10), { refusal: 'NOT_READY' })
    assert.equal(await serving().latest(capsule(7)), undefined)

    await store.beginSetup(own.identity, 300, [wantOf(capsule(7), { asOf: 300 })])
    // It is served again, but nobody is told that it is the newest.
    assert.equal(await serving().syncedBlock(), 0)
    assert.equal(await serving().latest(capsule(7)), undefined)
  })
})
