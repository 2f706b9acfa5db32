import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { ShareKey } from '../../../src/domain/index.js'
import { Inventory, numberOf, ROOT } from '../../../src/inventory/index.js'
import type { Store } from '../../../src/store/index.js'
import { PAYLOADS, PLACES, SMALL_PAYLOADS } from '../../../src/store/records.js'
import {
  capsule,
  enclave,
  Folders,
  failOnce,
  largePayloadOf,
  payloadOf,
  replicate,
  seal,
  secret,
  tamper,
  wantOf,
} from './fixture.js'

/** What is summed up in memory, beside the same made of the records alone. */
async function assertAgrees(store: Store): Promise<void> {
  const read = new Inventory()
  for await (const { kind, nftId, version } of store.places()) read.set(numberOf({ kind, nftId }), version)
  assert.deepEqual(store.held.items(ROOT, 1_000), read.items(ROOT, 1_000))
  assert.deepEqual(store.held.summary(), read.summary())
  const { secret: secrets, capsule: capsules } = store.counts().shares
  assert.equal(store.held.size, secrets + capsules)
}

describe('what is held, summed up in memory', () => {
  const folders = new Folders()
  const [one, other] = [enclave(1, 1), enclave(2, 2)]

  afterEach(() => folders.clear())

  it('is what the records say after any writes, and after the folder was opened anew', async () => {
    const key = fc.oneof(fc.nat(5).map(secret), fc.nat(5).map(capsule))
    const write = fc.record({
      what: fc.constantFrom('sync', 'sync', 'replicate', 'burn', 'unlist', 'vouch', 'setup', 'reopen', 'lose-seat'),
      keys: fc.uniqueArray(key, { minLength: 1, maxLength: 4, selector: numberOf }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(write, { minLength: 5, maxLength: 12 }), async (writes) => {
        const location = await folders.make()
        const provider = await folders.open(await folders.make())
        await provider.beginSetup(other.identity, 0, [])
        let store = await folders.open(location)
        await store.beginSetup(one.identity, 0, [])
        let block = 0
        const perform = async (what: string, keys: readonly ShareKey[]): Promise<void> => {
          block += 1
          if (what === 'sync') await seal(store, one, block, keys, block)
          if (what === 'replicate') {
            await seal(provider, other, block, keys, block)
            await store.openWants(keys.map((each) => wantOf(each, { minimumVersion: block, origin: 2 })))
            await replicate(provider, store, keys)
          }
          if (what === 'burn') {
            const removed = keys.map((each) => ({ type: 'removed' as const, key: each }))
            await store.applyBlock(block, removed, one.signHead)
          }
          if (what === 'unlist') await store.eraseShares(block - 1, keys)
          if (what === 'vouch') await store.vouchAnew(one.identity, block, one.signHead)
          if (what === 'setup')
            await store.beginSetup(
              one.identity,
              block,
              keys.map((each) => wantOf(each)),
            )
          if (what === 'reopen') store = await folders.reopen(store, location)
          if (what === 'lose-seat') {
            await store.eraseAll()
            await store.beginSetup(one.identity, block, [])
          }
        }
        for (const { what, keys } of writes) {
          await perform(what, keys)
          await assertAgrees(store)
        }
        store = await folders.reopen(store, location)
        await assertAgrees(store)
        await folders.clear()
      }),
      { seed: 11, numRuns: 12 },
    )
  }).timeout(60_000)

  /** Of a folder with small shares on three pages, and a large one; with what is taken goes all that is sealed with it. */
  const gone: [string, Uint8Array, ShareKey[]][] = [
    ['the payloads of the first page', SMALL_PAYLOADS.encodePage(secret(1)), [secret(1), secret(2)]],
    ['the places of the first page', PLACES.encodePage(secret(1)), [secret(1), secret(2)]],
    ['the places of the last page', PLACES.encodePage(capsule(1)), [capsule(1)]],
    ['the payload of a large share', PAYLOADS.encodeKey({ key: secret(64), version: 3 }), [secret(64)]],
  ]
  for (const [name, record, lost] of gone) {
    it(`is what is left of a folder from which ${name} was taken`, async () => {
      const location = await folders.make()
      const store = await folders.open(location)
      await store.beginSetup(one.identity, 0, [])
      await seal(store, one, 1, [secret(1), secret(2), secret(130), capsule(1)], 1)
      await seal(store, one, 2, [capsule(1)], 2)
      await seal(store, one, 3, [secret(64)], 1, largePayloadOf)
      await store.close()
      await tamper(location, async (raw) => {
        assert.ok(await raw.get(record))
        await raw.del(record)
      })
      const altered = await folders.open(location)
      assert.equal(altered.integrity().state, 'altered')
      for (const key of [secret(1), secret(2), secret(64), secret(130), capsule(1)]) {
        const isLost = lost.some((each) => numberOf(each) === numberOf(key))
        assert.equal(altered.held.versionOf(numberOf(key)) === undefined, isLost)
      }
      assert.equal(altered.held.versionOf(numberOf(secret(130))), 1)
      await assertAgrees(altered)
      await assertAgrees(await folders.reopen(altered, location))
    })
  }

  it('takes no version of a name that nobody has written', async () => {
    const location = await folders.make()
    const store = await folders.open(location)
    await store.beginSetup(one.identity, 0, [])
    await seal(store, one, 1, [secret(1)], 1)
    await store.close()
    await tamper(location, async (raw) => {
      await raw.put(PAYLOADS.encodeKey({ key: secret(1), version: 9 }), new Uint8Array(80))
      for (const { prefix } of [PAYLOADS, PLACES, SMALL_PAYLOADS]) {
        await raw.put(Uint8Array.of(prefix, 1, 2), new Uint8Array(80))
      }
      for (const pages of [PLACES, SMALL_PAYLOADS]) await raw.put(pages.encodePage(secret(200)), new Uint8Array(80))
    })
    const altered = await folders.open(location)
    await assertAgrees(altered)
    assert.equal(altered.held.versionOf(numberOf(secret(1))), 1)
  })

  it('does not follow a write that the disk refuses', async () => {
    const store = await folders.open(await folders.make())
    await store.beginSetup(one.identity, 0, [])
    await seal(store, one, 1, [secret(1)])
    const before = store.held.summary()
    await store.putPending({ key: secret(2), payload: payloadOf(secret(2)), confirmed: true })
    failOnce('batch')
    const want = wantOf(secret(2), { minimumVersion: 2, origin: 1 })
    await assert.rejects(store.applyBlock(2, [{ type: 'synced', want }], one.signHead))
    assert.deepEqual(store.held.summary(), before)
  })
})
