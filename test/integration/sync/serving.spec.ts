import assert from 'node:assert/strict'
import { Registry } from '../../../src/domain/index.js'
import type { Store } from '../../../src/store/index.js'
import { Serving } from '../../../src/sync/index.js'
import { capsule, Folders, payloadOf, SLOT, seal, secret, signal, wantOf } from '../store/fixture.js'
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
})
