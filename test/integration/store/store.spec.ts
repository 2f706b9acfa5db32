import assert from 'node:assert/strict'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { toHex } from '../../../src/crypto/index.js'
import { verifyFork } from '../../../src/provenance/index.js'
import type { BlockChange, Want } from '../../../src/store/index.js'
import {
  capsule,
  collect,
  enclave,
  Folders,
  fetchRuns,
  genesisHash,
  payloadOf,
  replicate,
  seal,
  secret,
  signal,
  verify,
  wantOf,
} from './fixture.js'

describe('store', () => {
  const folders = new Folders()
  afterEach(() => folders.clear())

  const origin = enclave(1, 1)
  const replica = enclave(2, 2)
  const third = enclave(3, 3)

  async function begun(of = origin, wants: Want[] = [], cursor = 10) {
    const folder = await folders.make()
    const store = await folders.open(folder)
    await store.beginSetup(of.identity, cursor, wants)
    return { folder, store }
  }

  describe('folder', () => {
    it('begins empty, with no seat', async () => {
      const store = await folders.open(await folders.make())
      assert.equal(await store.secret('account-seed'), undefined)
      assert.equal(await store.identity(), undefined)
      assert.equal(await store.cursor(), undefined)
      assert.equal(await store.isSetupDone(), false)
      assert.equal(store.lowestWanted(), undefined)
      assert.deepEqual(store.counts(), { shares: { secret: 0, capsule: 0 }, wants: 0, pending: 0 })
      await assert.rejects(store.putPending({ key: secret(1), payload: payloadOf(secret(1)), confirmed: false }), {
        code: 'store/no-seat',
      })
      await assert.rejects(store.applyBlock(1, [], origin.signHead), { code: 'store/no-seat' })
    })

    it('keeps everything over a restart', async () => {
      const { folder, store } = await begun()
      await store.markSetupDone()
      await store.openWants([wantOf(secret(9), { minimumVersion: 4, asOf: 10, origin: 3 })])
      await store.putSecret('account-seed', new Uint8Array(32).fill(1))
      await store.putSecret('peer-key-seed', new Uint8Array(32).fill(2))
      await seal(store, origin, 11, [secret(1), capsule(1)])
      await store.putPending({ key: capsule(8), payload: payloadOf(capsule(8)), confirmed: false })
      await store.putPending({ key: secret(8), payload: payloadOf(secret(8)), confirmed: false })
      await store.markConfirmed(capsule(8))

      const everything = async (of: typeof store) => ({
        secrets: [await of.secret('account-seed'), await of.secret('peer-key-seed')],
        identity: await of.identity(),
        cursor: await of.cursor(),
        isSetupDone: await of.isSetupDone(),
        wants: await collect(of.wants()),
        places: await collect(of.places()),
        shares: [await of.share(secret(1)), await of.share(capsule(1))],
        pending: await collect(of.pendingShares()),
        payload: await of.pending(capsule(8)),
        counts: of.counts(),
        lowestWanted: of.lowestWanted(),
        head: await of.head(origin.log),
      })
      const before = await everything(store)
      await store.close()
      const after = await everything(await folders.open(folder))
      assert.deepEqual(after, before)

      assert.deepEqual(after.identity, origin.identity)
      assert.equal(after.cursor, 11)
      assert.equal(after.isSetupDone, true)
      assert.deepEqual(after.secrets, [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)])
      assert.deepEqual(after.shares[0]?.payload, payloadOf(secret(1)))
      assert.deepEqual(after.pending, [
        { key: secret(8), confirmed: false, isDoubtful: false },
        { key: capsule(8), confirmed: true, isDoubtful: false },
      ])
      assert.deepEqual(after.payload?.payload, payloadOf(capsule(8)))
      assert.deepEqual(after.counts, { shares: { secret: 1, capsule: 1 }, wants: 1, pending: 2 })
      assert.equal(after.lowestWanted, 4)
    })

    it('takes no record that its next start would take for damage', async () => {
      const { store } = await begun()
      const tooLarge = { key: secret(1), payload: new Uint8Array(33_554_432), confirmed: false }
      await assert.rejects(store.putPending(tooLarge), RangeError)
      assert.equal(store.failed.aborted, false)
      await store.putPending({ ...tooLarge, payload: payloadOf(secret(1)) })
      assert.deepEqual((await store.pending(secret(1)))?.payload, payloadOf(secret(1)))
    })

    it('is for one node at a time', async () => {
      const { folder, store } = await begun()
      await assert.rejects(folders.open(folder), (error: Error & { code: string }) => {
        assert.equal(error.code, 'store/locked')
        assert.match(error.message, /in use by another node/)
        return true
      })
      await store.close()
      await store.close()
      await assert.rejects(store.cursor(), { code: 'store/closed' })
      assert.equal(await (await folders.open(folder)).cursor(), 10)
    })

    it('keeps the collateral of some dozens of platforms, that which was kept the longest ago least', async () => {
      const { folder, store } = await begun()
      for (let platform = 0; platform < 64; platform += 1) {
        await store.putCollateral(`sgx/${platform}`, `${platform}`, platform === 40 ? 0 : 1_000 + platform)
      }
      await store.putCollateral('sgx/0', 'refreshed', 2_000)
      await store.putCollateral('sgx/new', 'new', 2_001)
      await store.putCollateral('sgx/newer', 'newer', 2_002)
      const again = await folders.reopen(store, folder)
      const kept = await Promise.all(
        ['0', '1', '2', '40', '63', 'new', 'newer'].map((of) => again.collateral(`sgx/${of}`)),
      )
      assert.deepEqual(kept, ['refreshed', undefined, '2', undefined, '63', 'new', 'newer'])
    })

    it('begins a setup of many wants in several writes, and none before the last of them', async function () {
      this.timeout(120_000)
      const { batch } = Level.prototype
      const many = Array.from({ length: 4_200 }, (_, nftId) => wantOf(secret(nftId), { asOf: 20 }))
      for (const hasSeat of [false, true]) {
        const folder = await folders.make()
        let store = await folders.open(folder)
        const kept = [
          wantOf(secret(3), { minimumVersion: 7, asOf: 10, origin: 3 }),
          wantOf(secret(90_000), { asOf: 10 }),
        ]
        if (hasSeat) await store.beginSetup(replica.identity, 10, kept)
        const before = [await store.identity(), await store.cursor()]
        let writes = 0
        Object.defineProperty(Level.prototype, 'batch', {
          configurable: true,
          async value(this: Level<Uint8Array, Uint8Array>, ...parameters: Parameters<typeof batch>) {
            writes += 1
            if (writes > 1) throw new Error('the power is cut')
            await batch.apply(this, parameters)
          },
        })
        try {
          await assert.rejects(store.beginSetup(replica.identity, 20, many), { code: 'store/failed' })
        } finally {
          Reflect.deleteProperty(Level.prototype, 'batch')
        }
        assert.equal(writes, 2)
        store = await folders.reopen(store, folder)
        assert.deepEqual([await store.identity(), await store.cursor()], before)
        assert.equal(store.integrity().state, 'whole')
        assert.equal(store.counts().wants, 4_096 + (hasSeat ? 1 : 0))
        const few = [wantOf(secret(3), { asOf: 30 }), wantOf(secret(80_000), { asOf: 30 })]
        await store.beginSetup(replica.identity, 30, few)
        assert.deepEqual([await store.identity(), await store.cursor()], [replica.identity, 30])
        // What is known of the block in which it was synced stays.
        const known = hasSeat ? { minimumVersion: 7, origin: 3 } : {}
        assert.deepEqual(await collect(store.wants()), [{ ...few[0], ...known }, few[1]])
        assert.equal(store.counts().wants, 2)
        await store.close()
      }
    })

    it('erases everything but the secrets and what is known of collateral', async () => {
      const { folder, store } = await begun(origin, [wantOf(secret(9))])
      await store.putSecret('account-seed', new Uint8Array(32).fill(1))
      await store.putCollateralFloors('{}')
      await seal(store, origin, 11, [secret(1)])
      await assert.rejects(store.beginSetup(enclave(1, 4).identity, 11, []), { code: 'store/other-seat' })
      await store.eraseAll()
      for (const open of [async () => store, () => folders.reopen(store, folder)]) {
        const erased = await open()
        assert.equal(await erased.collateralFloors(), '{}')
        assert.equal(await erased.identity(), undefined)
        assert.equal(await erased.share(secret(1)), undefined)
        assert.equal(await erased.head(origin.log), undefined)
        assert.deepEqual(await collect(erased.wants()), [])
        assert.deepEqual(erased.counts(), { shares: { secret: 0, capsule: 0 }, wants: 0, pending: 0 })
        assert.equal(erased.lowestWanted(), undefined)
      }
    })
  })

  describe('blocks', () => {
    it('goes forward only', async () => {
      const { store } = await begun()
      await store.applyBlock(12, [], origin.signHead)
      for (const block of [11, 12]) {
        await assert.rejects(store.applyBlock(block, [], origin.signHead), { code: 'store/cursor' })
      }
      assert.equal(await store.cursor(), 12)
    })

    it('changes nothing at all when it is interrupted', async () => {
      const { folder, store } = await begun(origin, [wantOf(secret(7))])
      await seal(store, origin, 11, [secret(1)])
      await store.putPending({ key: secret(2), payload: payloadOf(secret(2)), confirmed: true })
      const power = new Error('power cut')
      const interrupted = store.applyBlock(
        12,
        [
          { type: 'synced', want: wantOf(secret(3), { minimumVersion: 12, origin: 2 }) },
          { type: 'removed', key: secret(1) },
          { type: 'removed', key: secret(7) },
          { type: 'synced', want: wantOf(secret(2), { minimumVersion: 12, origin: 1 }) },
        ],
        () => {
          throw power
        },
      )
      await assert.rejects(interrupted, power)
      for (const open of [async () => store, () => folders.reopen(store, folder)]) {
        const unchanged = await open()
        assert.equal(await unchanged.cursor(), 11)
        assert.deepEqual(
          (await collect(unchanged.wants())).map(({ key }) => key),
          [secret(7)],
        )
        assert.ok(await unchanged.share(secret(1)))
        assert.ok(await unchanged.pending(secret(2)))
        assert.equal((await unchanged.head(origin.log))?.size, 1)
        assert.deepEqual(unchanged.counts(), { shares: { secret: 1, capsule: 0 }, wants: 1, pending: 1 })
      }
    })

    it('keeps the order of events within a block', async () => {
      const { store } = await begun()
      await store.putPending({ key: capsule(1), payload: payloadOf(capsule(1)), confirmed: true })
      const synced = (key = capsule(1), cluster = 1) =>
        ({ type: 'synced', want: wantOf(key, { minimumVersion: 11, origin: cluster }) }) as const
      await store.applyBlock(
        11,
        [
          synced(),
          { type: 'removed', key: capsule(1) },
          synced(capsule(2), 2),
          { type: 'removed', key: capsule(2) },
          { type: 'removed', key: capsule(3) },
          synced(capsule(3), 2),
        ],
        origin.signHead,
      )
      assert.equal(await store.share(capsule(1)), undefined)
      assert.equal((await store.head(origin.log))?.size, 1)
      assert.deepEqual(
        (await collect(store.wants())).map(({ key }) => key),
        [capsule(3)],
      )
      assert.deepEqual(store.counts(), { shares: { secret: 0, capsule: 0 }, wants: 1, pending: 0 })
    })

    it('wants and reports an own share that nobody handed over', async () => {
      const { store } = await begun()
      const want = wantOf(secret(5), { minimumVersion: 11, asOf: 11, origin: 1 })
      assert.deepEqual(await store.applyBlock(11, [{ type: 'synced', want }], origin.signHead), {
        missingOwn: [secret(5)],
      })
      assert.deepEqual(await collect(store.wants()), [want])
    })

    it('places every own share under the head that the block leaves', async () => {
      const { store } = await begun()
      await seal(store, origin, 11, [secret(3), secret(1)])
      await seal(store, origin, 12, [secret(2)])
      assert.deepEqual(
        (await collect(store.places())).map(({ nftId, index, size }) => [nftId, index, size]),
        [
          [1, 1, 2],
          [2, 2, 3],
          [3, 0, 2],
        ],
      )
    })

    it('has its log signed by its own account only', async () => {
      const { store } = await begun()
      await assert.rejects(seal(store, { ...origin, signHead: replica.signHead }, 11, [secret(1)]), {
        code: 'store/other-account',
      })
    })

    it('replaces a capsule that is synced again', async () => {
      const { store } = await begun()
      await seal(store, origin, 11, [capsule(1)])
      await seal(store, origin, 14, [capsule(1)], 1)
      const share = await store.share(capsule(1))
      assert.deepEqual(share?.payload, payloadOf(capsule(1), 1))
      assert.equal(share?.leaf.version, 14)
      assert.equal(share?.place.index, 1)
      assert.deepEqual(store.counts().shares, { secret: 0, capsule: 1 })
    })

    it('runs writers one after another', async () => {
      const { store } = await begun()
      const keys = Array.from({ length: 20 }, (_, nftId) => secret(nftId))
      await Promise.all([
        ...keys.map((key) => store.putPending({ key, payload: payloadOf(key), confirmed: false })),
        ...keys.map((key, at) =>
          store.applyBlock(
            11 + at,
            [{ type: 'synced', want: wantOf(key, { minimumVersion: 11 + at, origin: 1 }) }],
            origin.signHead,
          ),
        ),
      ])
      assert.deepEqual(store.counts(), { shares: { secret: 20, capsule: 0 }, wants: 0, pending: 0 })
      assert.equal((await fetchRuns(store, keys)).runs.length, 1)
    })
  })

  it('takes no setup for complete while a want is open', async () => {
    const { store } = await begun(origin, [wantOf(secret(1))])
    assert.equal(await store.markSetupDone(), false)
    assert.equal(await store.isSetupDone(), false)
    await store.eraseShares(10, [secret(1)])
    assert.equal(await store.markSetupDone(), true)
    assert.equal(await store.isSetupDone(), true)
  })

  describe('shares of others', () => {
    async function sealed(blocks: Record<number, ReturnType<typeof secret>[]>) {
      const { store } = await begun()
      for (const [block, keys] of Object.entries(blocks)) await seal(store, origin, Number(block), keys)
      return store
    }

    it('are of a round that has ended, also where no block has told the origin that it was its own', async () => {
      const { store: provider } = await begun()
      await seal(provider, origin, 11, [secret(5)])
      const other = { ...origin.identity, incarnation: toHex(new Uint8Array(16).fill(9)) }
      const lives = await folders.open(await folders.make())
      await lives.beginSetup(other, 10, [])
      await lives.putPending({ key: secret(5), payload: payloadOf(secret(5)), confirmed: true })
      await lives.applyBlock(20, [], origin.signHead)
      await lives.putPending({ key: secret(6), payload: payloadOf(secret(6)), confirmed: true })
      await lives.openWants([wantOf(secret(5), { minimumVersion: 11, origin: 1 })])
      assert.deepEqual((await replicate(provider, lives, [secret(5)])).stored, [secret(5)])
      assert.equal(await lives.pending(secret(5)), undefined)
      assert.equal(lives.counts().pending, 1)
      const given = await lives.runs([{ key: secret(5), minimumVersion: 11 }], {
        maximumBytes: 1_000,
        signal,
        newestAsOf: 20,
      })
      assert.equal((await given.next()).done, false)
    })

    it('go from the origin over a replica to a third, proved all the way', async () => {
      const keys = [secret(3), capsule(3), secret(1), secret(4), capsule(9)]
      const source = await sealed({ 11: keys.slice(0, 2), 12: keys.slice(2, 3), 15: keys.slice(3) })
      const { store: copy } = await begun(
        replica,
        keys.map((key) => wantOf(key)),
      )
      const { store: copyOfCopy } = await begun(
        third,
        keys.map((key) => wantOf(key)),
      )
      assert.equal((await replicate(source, copy, keys)).stored.length, keys.length)
      await source.close()
      assert.equal((await replicate(copy, copyOfCopy, keys)).closed.length, keys.length)
      for (const key of keys) {
        const share = await copyOfCopy.share(key)
        assert.deepEqual(share?.payload, payloadOf(key))
        assert.equal(share?.place.origin, 1)
        assert.deepEqual(share?.place.log, origin.log)
      }
      assert.deepEqual(copyOfCopy.counts(), { shares: { secret: 3, capsule: 2 }, wants: 0, pending: 0 })
      assert.deepEqual(await copyOfCopy.head(origin.log), await copy.head(origin.log))
    })

    it('arriving one by one under growing heads are served as one run under the newest', async () => {
      const { store: source } = await begun()
      const keys = Array.from({ length: 13 }, (_, nftId) => secret(nftId))
      const { store: copy } = await begun(
        replica,
        keys.map((key) => wantOf(key)),
      )
      for (const [at, key] of keys.entries()) {
        await seal(source, origin, 11 + at, [key])
        await replicate(source, copy, [key])
      }
      const { runs } = await fetchRuns(copy, keys)
      assert.deepEqual(
        runs.map(({ first, shares, head }) => [first, shares.length, head.size]),
        [[0, 13, 13]],
      )
    })

    it('are proved under the head they were verified with where nodes of the newest are not held', async () => {
      const { store: source } = await begun()
      const { store: copy } = await begun(replica, [wantOf(secret(0)), wantOf(secret(3))])
      await seal(source, origin, 11, [secret(0)])
      await replicate(source, copy, [secret(0)])
      await seal(source, origin, 12, [secret(1), secret(2), secret(3)])
      await replicate(source, copy, [secret(3)])
      const { runs } = await fetchRuns(copy, [secret(0), secret(3), secret(1)])
      assert.deepEqual(
        runs.map(({ first, head }) => [first, head.size]),
        [
          [0, 1],
          [3, 4],
        ],
      )
    })

    it('are not stored when nobody asked for them', async () => {
      const source = await sealed({ 11: [secret(1), secret(2)] })
      const { store } = await begun(replica, [wantOf(secret(1))])
      const { runs } = await fetchRuns(source, [secret(1), secret(2)])
      const [run] = runs
      assert.ok(run)
      assert.deepEqual((await store.putRun(run, { newestAsOf: 11 })).stored, [secret(1)])
      assert.equal(await store.share(secret(2)), undefined)
      assert.deepEqual(store.counts().shares, { secret: 1, capsule: 0 })
    })

    it('are not stored below the wanted version, nor from another cluster than synced it', async () => {
      const source = await sealed({ 11: [capsule(1), capsule(2)] })
      const { store } = await begun(replica, [
        wantOf(capsule(1), { minimumVersion: 12 }),
        wantOf(capsule(2), { minimumVersion: 11, origin: 3 }),
      ])
      assert.deepEqual(await replicate(source, store, [capsule(1), capsule(2)]), { stored: [], closed: [] })
      assert.equal(store.counts().wants, 2)
      assert.equal(await store.head(origin.log), undefined)
    })

    it('are not stored when they are of another slot', async () => {
      const source = await sealed({ 11: [secret(1)] })
      const { store } = await begun(enclave(2, 2, 3), [wantOf(secret(1))])
      await assert.rejects(replicate(source, store, [secret(1)]), { code: 'store/wrong-slot' })
    })

    it('replace older versions, and are not rolled back', async () => {
      const { store: source } = await begun()
      const { store } = await begun(replica, [wantOf(capsule(1))])
      await seal(source, origin, 11, [capsule(1)])
      const { runs: old } = await fetchRuns(source, [capsule(1)])
      await replicate(source, store, [capsule(1)])
      await seal(source, origin, 20, [capsule(1)], 1)
      assert.deepEqual((await replicate(source, store, [capsule(1)])).stored, [capsule(1)], 'newer, though not wanted')

      await store.applyBlock(
        21,
        [{ type: 'synced', want: wantOf(capsule(1), { minimumVersion: 11 }) }],
        replica.signHead,
      )
      const [oldRun] = old
      assert.ok(oldRun)
      assert.deepEqual((await store.putRun(oldRun, { newestAsOf: 99 })).stored, [])
      assert.deepEqual((await store.share(capsule(1)))?.payload, payloadOf(capsule(1), 1))
      assert.deepEqual((await replicate(source, store, [capsule(1)])).stored, [], 'equal version')
    })

    it('close a want when nothing newer can exist as of its block', async () => {
      const source = await sealed({ 11: [secret(1), capsule(1), capsule(2), capsule(3)] })
      const keys = [secret(1), capsule(1), capsule(2), capsule(3)]
      const { store } = await begun(replica, [
        wantOf(secret(1), { asOf: 50 }),
        wantOf(capsule(1), { asOf: 50 }),
        wantOf(capsule(2), { minimumVersion: 11, asOf: 11 }),
        wantOf(capsule(3), { asOf: 30 }),
      ])
      const behind = await replicate(source, store, keys, { newestAsOf: 10 })
      assert.deepEqual(behind.stored, keys)
      assert.deepEqual(
        behind.closed.map(({ key }) => key),
        [secret(1), capsule(2)],
      )
      assert.deepEqual(store.counts().wants, 2)
      assert.equal(store.lowestUnsure(), 11)
      const further = await replicate(source, store, keys, { newestAsOf: 49 })
      assert.deepEqual(further.stored, [])
      assert.deepEqual(
        further.closed.map(({ key }) => key),
        [capsule(3)],
      )
      const synced = await replicate(source, store, keys, { newestAsOf: 50 })
      assert.deepEqual(
        synced.closed.map(({ key, asOf }) => [key, asOf]),
        [[capsule(1), 50]],
      )
      assert.equal(store.lowestWanted(), undefined)
      assert.equal(store.lowestUnsure(), undefined)
    })

    it('know which is the oldest of those that may not be the newest, whatever becomes of them, and after a restart', async () => {
      const source = await sealed({ 11: [capsule(1)], 12: [capsule(2)], 13: [capsule(3)], 14: [capsule(4)] })
      const keys = [1, 2, 3, 4].map(capsule)
      const { folder, ...opened } = await begun(
        replica,
        keys.map((key) => wantOf(key, { asOf: 50 })),
      )
      let { store } = opened
      assert.equal(store.lowestUnsure(), undefined)
      await replicate(source, store, keys, { newestAsOf: 10 })
      assert.equal(store.lowestUnsure(), 11)
      // Of one a newer one is known, one is removed, and of one it is found out.
      const newer = wantOf(capsule(1), { minimumVersion: 60, origin: 9 })
      await store.applyBlock(60, [{ type: 'synced', want: newer }], replica.signHead)
      assert.equal(store.lowestUnsure(), 12)
      await store.applyBlock(61, [{ type: 'removed', key: capsule(2) }], replica.signHead)
      assert.equal(store.lowestUnsure(), 13)
      const want = wantOf(capsule(3), { asOf: 50 })
      assert.deepEqual(await store.settleUnsure([{ ...want, asOf: 49 }, newer, wantOf(capsule(2))]), [])
      assert.equal(await store.newest(capsule(3)), undefined)
      assert.equal(await store.newest(capsule(3), { unsureOf: 2 }), undefined)
      assert.equal((await store.newest(capsule(3), { unsureOf: 1 }))?.place.version, 13)
      assert.deepEqual(await store.settleUnsure([want]), [want])
      assert.equal(store.lowestUnsure(), 14)
      store = await folders.reopen(store, folder)
      assert.equal(store.lowestUnsure(), 14)
      await store.eraseAll()
      assert.equal(store.lowestUnsure(), undefined)
    })

    it('are wanted in the newest version that anybody has named, as of the last block that anybody has asked for', async () => {
      const { store } = await begun(replica)
      const snapshot = wantOf(capsule(1), { asOf: 100, since: 1 })
      const named = wantOf(capsule(1), { minimumVersion: 10, origin: 1, since: 2 })
      for (const wants of [
        [snapshot, named],
        [named, snapshot],
      ]) {
        await store.openWants(wants)
        assert.deepEqual(await store.want(capsule(1)), { ...named, asOf: 100 })
        await store.eraseShares(1_000, [capsule(1)])
      }
      await store.openWants([wantOf(capsule(1), { minimumVersion: 20, origin: 3, asOf: 90 }), snapshot])
      const { minimumVersion, origin, asOf } = (await store.want(capsule(1))) ?? {}
      assert.deepEqual([minimumVersion, origin, asOf], [20, 3, 100])
    })

    it('are given as they are when it is their turn, whatever they were when the first was given', async () => {
      const keys = Array.from({ length: 300 }, (_, nftId) => secret(nftId))
      const { store } = await begun(
        replica,
        keys.map((key) => wantOf(key)),
      )
      const pages = store.wantPages({ from: secret(10), skips: ({ nftId }) => nftId % 2 === 1 })
      const given = [...((await pages.next()).value ?? [])]
      assert.ok(given.length < 100)
      await store.eraseShares(100, [secret(200), secret(299)])
      await store.openWants([wantOf(secret(298), { minimumVersion: 7, asOf: 7 })])
      for await (const page of pages) given.push(...page)
      const ids = given.map(({ key }) => key.nftId)
      const even = keys.map(({ nftId }) => nftId).filter((nftId) => nftId >= 10 && nftId % 2 === 0)
      assert.deepEqual(
        ids,
        even.filter((nftId) => nftId !== 200),
      )
      assert.equal(given.at(-1)?.minimumVersion, 7)
    })

    it('are none any more when the seat is erased while they are looked through', async () => {
      const keys = Array.from({ length: 2_000 }, (_, nftId) => secret(nftId))
      const { store } = await begun(
        replica,
        keys.map((key) => wantOf(key)),
      )
      const pages = store.wantPages()
      assert.ok(((await pages.next()).value ?? []).length > 0)
      await store.eraseAll()
      assert.deepEqual((await collect(pages)).flat(), [])
    })

    it('already held are not wanted again', async () => {
      const source = await sealed({ 11: [secret(1)], 12: [capsule(1)] })
      const { store } = await begun(replica, [wantOf(secret(1)), wantOf(capsule(1))])
      await replicate(source, store, [secret(1), capsule(1)])
      const want = (minimumVersion: number) => wantOf(capsule(1), { minimumVersion, asOf: minimumVersion, origin: 1 })
      await store.applyBlock(12, [{ type: 'synced', want: want(12) }], replica.signHead)
      assert.equal(store.counts().wants, 0)
      await store.applyBlock(13, [{ type: 'synced', want: want(13) }], replica.signHead)
      assert.equal(store.counts().wants, 1)
      await store.beginSetup(replica.identity, 14, [wantOf(secret(1), { asOf: 14 }), wantOf(capsule(1), { asOf: 14 })])
      assert.deepEqual(
        (await collect(store.wants())).map(({ key }) => key),
        [capsule(1)],
      )
      assert.ok(await store.share(secret(1)))
    })

    it('of which a newer one is known are not given after a setup either, that begins anew', async () => {
      const source = await sealed({ 11: [capsule(1)] })
      const { store } = await begun(replica, [wantOf(capsule(1))])
      await replicate(source, store, [capsule(1)])
      const newer = wantOf(capsule(1), { minimumVersion: 50, asOf: 50, origin: 9 })
      await store.applyBlock(50, [{ type: 'synced', want: newer }], replica.signHead)
      await store.beginSetup(replica.identity, 60, [wantOf(capsule(1), { asOf: 60 })])
      const [want, ...others] = await collect(store.wants())
      assert.deepEqual([want?.minimumVersion, want?.origin, want?.asOf, others], [50, 9, 60, []])
      assert.equal(store.lowestUnsure(), undefined, 'what is held is known to be old')
    })

    for (const [what, further] of [
      ['of the same size', []],
      ['that has grown', [secret(4), secret(5)]],
    ] as const) {
      it(`of a forked log ${what} are refused`, async () => {
        const { store: one } = await begun()
        const { store: other } = await begun()
        await seal(one, origin, 11, [secret(1), secret(2)])
        await seal(other, origin, 11, [secret(1), secret(3), ...further])
        const { store, folder } = await begun(replica, [wantOf(secret(1)), wantOf(secret(3))])
        await replicate(one, store, [secret(1)])
        await assert.rejects(replicate(other, store, [secret(3)]), { code: 'store/fork' })
        assert.equal(await store.share(secret(3)), undefined)
        const [evidence, ...more] = store.forks()
        assert.ok(evidence && more.length === 0)
        verifyFork(genesisHash, evidence)
        assert.equal(evidence.branches[0].head.account, origin.identity.account)
        await store.eraseAll()
        const again = await folders.reopen(store, folder)
        assert.deepEqual(again.forks(), [evidence], 'it is kept, whatever becomes of the seat')
      })
    }

    it('of logs that one account forks over and over leave room for the evidence against others', async () => {
      const { store } = await begun(
        replica,
        Array.from({ length: 20 }, (_, nftId) => wantOf(secret(nftId))),
      )
      for (let fork = 0; fork < 9; fork += 1) {
        const incarnation = toHex(new Uint8Array(16).fill(100 + fork))
        const again = { ...origin, identity: { ...origin.identity, incarnation } }
        const [{ store: one }, { store: other }] = [await begun(again), await begun(again)]
        await seal(one, origin, 11, [secret(2 * fork)])
        await seal(other, origin, 11, [secret(2 * fork + 1)])
        await replicate(one, store, [secret(2 * fork)])
        await assert.rejects(replicate(other, store, [secret(2 * fork + 1)]), { code: 'store/fork' })
      }
      assert.equal(store.forks().length, 8)
    })

    it('of a forked log are taken on where they agree with what is held', async () => {
      const { store: one } = await begun()
      const { store: other } = await begun()
      await seal(one, origin, 11, [secret(1), secret(2)])
      await seal(other, origin, 11, [secret(1), secret(3)])
      const { store } = await begun(
        replica,
        [secret(1), secret(2), secret(3)].map((key) => wantOf(key)),
      )
      await replicate(one, store, [secret(1)])
      await assert.rejects(replicate(other, store, [secret(3)]), { code: 'store/fork' })
      await replicate(one, store, [secret(2)])
      assert.ok(await store.share(secret(2)))
    })

    it('of the own log reveal that the folder was set back: they are taken, and a new log is begun', async () => {
      const { store: lost } = await begun()
      await seal(lost, origin, 11, [secret(1), secret(2)])
      const { store: setBack } = await begun(origin, [wantOf(secret(2))])
      await replicate(lost, setBack, [secret(2)])
      assert.ok(await setBack.share(secret(2)))
      assert.deepEqual(setBack.forks(), [])
      assert.notEqual((await setBack.identity())?.incarnation, origin.identity.incarnation)
      await seal(setBack, origin, 12, [secret(3)])
      const { store: third } = await begun(
        replica,
        [secret(2), secret(3)].map((key) => wantOf(key)),
      )
      await replicate(setBack, third, [secret(2), secret(3)])
      assert.ok((await third.share(secret(2))) && (await third.share(secret(3))))
    })

    for (const [what, before] of [
      ['to an older log', [secret(1)]],
      ['to before its log', []],
    ] as const) {
      it(`set back ${what} is noticed by what the chain calls synced, before the log is forked`, async () => {
        const { store: lost } = await begun()
        const { store: setBack } = await begun()
        for (const store of [lost, setBack]) await seal(store, origin, 11, before)
        await seal(lost, origin, 12, [secret(2)])
        const { store: peer } = await begun(replica, [wantOf(secret(2)), wantOf(secret(3))])
        await replicate(lost, peer, [secret(2)])

        const want = wantOf(secret(2), { minimumVersion: 12, asOf: 12, origin: 1 })
        await setBack.putPending({ key: secret(3), payload: payloadOf(secret(3)), confirmed: true })
        const other = wantOf(secret(3), { minimumVersion: 12, asOf: 12, origin: 1 })
        await setBack.applyBlock(
          12,
          [
            { type: 'synced', want: other },
            { type: 'synced', want },
          ],
          origin.signHead,
        )
        await replicate(setBack, peer, [secret(3)])
        assert.ok(await peer.share(secret(3)))
        await replicate(peer, setBack, [secret(2)])
        assert.ok(await setBack.share(secret(2)))
        assert.deepEqual([...peer.forks(), ...setBack.forks()], [])
      })
    }

    it('set back to where another share was pending for the same NFT is no fork', async () => {
      const folder = await folders.make()
      const setBack = join(await folders.make(), 'copy')
      const synced: BlockChange[] = [{ type: 'synced', want: wantOf(secret(7), { minimumVersion: 11, origin: 1 }) }]
      const store = await folders.open(folder)
      await store.beginSetup(origin.identity, 10, [])
      await store.putPending({ key: secret(7), payload: payloadOf(secret(7), 1), confirmed: false })
      await store.close()
      await cp(folder, setBack, { recursive: true })
      const lost = await folders.open(folder)
      await lost.putPending({ key: secret(7), payload: payloadOf(secret(7), 2), confirmed: true })
      await lost.applyBlock(11, synced, origin.signHead)
      const again = await folders.open(setBack)
      await again.applyBlock(11, synced, origin.signHead)
      const logs = await Promise.all([lost, again].map(async (each) => (await each.place(secret(7)))?.log.incarnation))
      assert.equal(new Set([origin.identity.incarnation, ...logs]).size, 3)
      // What is handed over from then on goes into the same log.
      await seal(again, origin, 12, [secret(8)])
      assert.equal((await again.place(secret(8)))?.log.incarnation, logs[1])
      assert.equal((await again.place(secret(8)))?.index, 1)
    })

    it('of the own log, as old as it is or older, are no reason to begin a new one', async () => {
      const { store } = await begun()
      await seal(store, origin, 11, [secret(1)])
      const { runs: older } = await fetchRuns(store, [secret(1)])
      await seal(store, origin, 12, [secret(2)])
      const { runs: newest } = await fetchRuns(store, [secret(1), secret(2)])
      for (const run of [...older, ...newest]) {
        assert.equal((await store.putRun(run, { newestAsOf: 12 })).wasSetBack, false)
      }
      assert.deepEqual(await store.identity(), origin.identity)
    })

    it('of the own log that was forked after it was set back are evidence, and a new log is begun', async () => {
      const { store: lost } = await begun()
      await seal(lost, origin, 11, [secret(1), secret(2)])
      const { store: setBack } = await begun(origin, [wantOf(secret(2))])
      await seal(setBack, origin, 12, [secret(3)])
      await assert.rejects(replicate(lost, setBack, [secret(2)]), { code: 'store/fork' })
      assert.equal(setBack.forks().length, 1)
      assert.notEqual((await setBack.identity())?.incarnation, origin.identity.incarnation)
      await seal(setBack, origin, 13, [secret(4)])
      assert.equal((await setBack.place(secret(4)))?.index, 0)
    })
  })

  describe('serving', () => {
    it('cuts runs at the limit, at gaps, and at the end of a log', async () => {
      const { store } = await begun()
      const keys = Array.from({ length: 10 }, (_, nftId) => secret(nftId))
      await seal(store, origin, 11, keys)
      const asked = [...keys.slice(0, 4), ...keys.slice(5)].reverse()
      const { runs, notHeld } = await fetchRuns(store, [...asked, secret(99)], 120)
      assert.deepEqual(
        runs.map(({ first, shares }) => [first, shares.length]),
        [
          [0, 3],
          [3, 1],
          [5, 3],
          [8, 2],
        ],
      )
      assert.deepEqual(notHeld, [secret(99)])
      assert.equal((await fetchRuns(store, keys.slice(0, 2), 1)).runs.length, 2, 'a single share always fits')
    })

    it('gives only what is new enough', async () => {
      const { store } = await begun()
      await seal(store, origin, 11, [capsule(1), capsule(2)])
      const stream = store.runs(
        [
          { key: capsule(1), minimumVersion: 11 },
          { key: capsule(2), minimumVersion: 12 },
        ],
        { maximumBytes: 1000, signal },
      )
      const first = await stream.next()
      assert.ok(!first.done)
      assert.equal(first.value.shares.length, 1)
      assert.deepEqual(await stream.next(), { done: true, value: { notHeld: [capsule(2)] } })
    })

    it('leaves out what is erased meanwhile, gives what is replaced anew, and proves their neighbours', async () => {
      const { store } = await begun()
      const keys = [capsule(0), capsule(1), capsule(2), capsule(3), capsule(4)]
      await seal(store, origin, 11, keys)
      const stream = store.runs(
        keys.map((key) => ({ key, minimumVersion: 0 })),
        { maximumBytes: 40, signal },
      )
      const first = await stream.next()
      assert.ok(!first.done)
      await store.applyBlock(12, [{ type: 'removed', key: capsule(2) }], origin.signHead)
      await seal(store, origin, 13, [capsule(4)], 1)
      const rest: number[] = []
      for (;;) {
        const next = await stream.next()
        if (next.done) {
          assert.deepEqual(next.value.notHeld, [capsule(2)])
          break
        }
        verify(next.value)
        for (const { leaf, payload } of next.value.shares) {
          rest.push(leaf.nftId)
          assert.deepEqual(payload, payloadOf(capsule(leaf.nftId), leaf.nftId === 4 ? 1 : 0))
        }
      }
      assert.deepEqual(rest, [1, 3, 4])
    })

    it('serves nothing of a burned NFT, and its neighbours as before', async () => {
      const { store } = await begun()
      const keys = [secret(0), secret(1), secret(2)]
      await seal(store, origin, 11, keys)
      await store.applyBlock(12, [{ type: 'removed', key: secret(1) }], origin.signHead)
      assert.equal(await store.share(secret(1)), undefined)
      assert.equal(await store.place(secret(1)), undefined)
      const { runs, notHeld } = await fetchRuns(store, keys)
      assert.deepEqual(
        runs.map(({ first, shares }) => [first, shares.length]),
        [
          [0, 1],
          [2, 1],
        ],
      )
      assert.deepEqual(notHeld, [secret(1)])
    })

    it('stops when it is told to', async () => {
      const { store } = await begun()
      await seal(store, origin, 11, [secret(0), secret(1)])
      const controller = new AbortController()
      const stream = store.runs(
        [secret(0), secret(1)].map((key) => ({ key, minimumVersion: 0 })),
        { maximumBytes: 1, signal: controller.signal },
      )
      await stream.next()
      controller.abort(new Error('enough'))
      await assert.rejects(stream.next(), /enough/)
    })
  })
})
