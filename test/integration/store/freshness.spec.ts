import assert from 'node:assert/strict'
import { open as openFile, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { equalBytes } from '../../../src/crypto/index.js'
import type { BlockChange, Store } from '../../../src/store/index.js'
import {
  NEWEST,
  NODES,
  PAYLOADS,
  PENDING,
  PLACES,
  PROGRESS,
  SMALL_PAYLOADS,
  WANTS,
} from '../../../src/store/records.js'
import {
  capsule,
  collect,
  enclave,
  Folders,
  fetchRuns,
  largePayloadOf,
  payloadOf,
  type RawDatabase,
  seal,
  secret,
  tamper,
  wantOf,
} from './fixture.js'
import { transplant } from './leveldb.js'

type Records = [Uint8Array, Uint8Array][]

/** What a host gains that forges LevelDB's own files, so that a record looks one way in order and another when asked for. */
describe('store and a host that forges its database', () => {
  const folders = new Folders()
  afterEach(() => folders.clear())

  const origin = enclave(1, 1)
  const syncedBy = (block: number, key: ReturnType<typeof secret>): BlockChange => ({
    type: 'synced',
    want: wantOf(key, { minimumVersion: block, origin: 1 }),
  })

  async function begun(): Promise<{ folder: string; store: Store }> {
    const folder = await folders.make()
    const store = await folders.open(folder)
    await store.putSecret('account-seed', new Uint8Array(32).fill(9))
    await store.beginSetup(origin.identity, 10, [])
    return { folder, store }
  }

  /** Every record of a closed folder. */
  async function recordsOf(folder: string): Promise<Records> {
    let records: Records = []
    await tamper(folder, async (raw) => {
      records = await raw.iterator().all()
    })
    return records
  }

  const nothing = async (_raw: RawDatabase) => undefined

  /** Has single reads of a closed folder answered from these old records; in order it shows what it did. */
  async function hideBehind(folder: string, old: Records): Promise<void> {
    const donor = await folders.make()
    await tamper(donor, async (raw) => {
      for (const [name, sealed] of old) await raw.put(name, sealed)
    })
    // What is in a log is written into a table when it is opened.
    for (const each of [donor, folder]) await tamper(each, nothing)
    await transplant(folder, donor)
    await tamper(folder, async (raw) => {
      const [[name, sealed] = []] = old
      assert.ok(name && sealed)
      assert.deepEqual(await raw.get(name), sealed)
      const [inOrder] = await raw.values({ gte: name, lte: name }).all()
      assert.notDeepEqual(inOrder, sealed)
    })
  }

  for (const [what, textOf, { prefix }] of [
    ['sealed with its neighbours', payloadOf, SMALL_PAYLOADS],
    ['sealed by itself', largePayloadOf, PAYLOADS],
  ] as const) {
    it(`is served the newest version, ${what}, and told, when an old one is put before it`, async () => {
      const { folder, store } = await begun()
      await seal(store, origin, 11, [capsule(7)], 1, textOf)
      await store.close()
      const old = (await recordsOf(folder)).filter(([name]) => name[0] === PLACES.prefix || name[0] === prefix)
      assert.equal(old.length, 2)
      const later = await folders.open(folder)
      await seal(later, origin, 12, [capsule(7)], 2, textOf)
      await seal(later, origin, 13, [capsule(7)], 3, textOf)
      await later.close()
      await hideBehind(folder, old)
      for (const state of ['altered', 'altered']) {
        const opened = await folders.open(folder)
        assert.equal(opened.integrity().state, state)
        assert.equal((await opened.place(capsule(7)))?.version, 13)
        assert.deepEqual((await opened.share(capsule(7)))?.payload, textOf(capsule(7), 3))
        await opened.close()
      }
    })
  }

  it('cannot have a second history of the log signed', async () => {
    const { folder, store } = await begun()
    await seal(store, origin, 11, [secret(1)])
    await store.close()
    const old = (await recordsOf(folder)).filter(([name]) => name[0] === PROGRESS.prefix || name[0] === NEWEST.prefix)
    const later = await folders.open(folder)
    await seal(later, origin, 12, [secret(2)])
    await seal(later, origin, 13, [secret(3)])
    await later.close()
    await hideBehind(folder, old)
    const opened = await folders.open(folder)
    assert.equal(opened.integrity().state, 'altered')
    assert.equal(await opened.cursor(), 13)
    assert.equal((await opened.head(origin.log))?.size, 3)
    await assert.rejects(opened.applyBlock(12, [syncedBy(12, secret(2))], origin.signHead), { code: 'store/cursor' })
  })

  it('cannot bring a pending share back from the dead', async () => {
    const { folder, store } = await begun()
    await store.putPending({ key: secret(1), payload: payloadOf(secret(1)), confirmed: true })
    await store.close()
    const old = (await recordsOf(folder)).filter(([name]) => name[0] === PENDING.prefix)
    const later = await folders.open(folder)
    await later.dropPending(secret(1))
    await later.close()
    await hideBehind(folder, old)
    const opened = await folders.open(folder)
    assert.deepEqual(await collect(opened.pendingShares()), [])
    // Of what there is none the database is not even asked.
    assert.equal(await opened.pending(secret(1)), undefined)
    const { missingOwn } = await opened.applyBlock(11, [syncedBy(11, secret(1))], origin.signHead)
    assert.deepEqual(missingOwn, [secret(1)])
    assert.equal(await opened.place(secret(1)), undefined)
  })

  it('cannot write into a table that is open', async () => {
    const { folder, store } = await begun()
    const key = capsule(7)
    await store.putPending({ key, payload: payloadOf(key, 1), confirmed: true })
    await store.close()
    const find = (records: Records) => records.find(([name]) => name[0] === PENDING.prefix)?.[1] ?? new Uint8Array(0)
    const old = find(await recordsOf(folder))
    const later = await folders.open(folder)
    await later.putPending({ key, payload: payloadOf(key, 2), confirmed: true })
    await later.close()
    const newest = find(await recordsOf(folder))
    await tamper(folder, nothing)

    const opened = await folders.open(folder)
    assert.equal(opened.integrity().state, 'whole')
    let patched = 0
    for (const name of (await readdir(folder)).filter((each) => each.endsWith('.ldb'))) {
      const at = (await readFile(join(folder, name))).indexOf(newest)
      if (at < 0) continue
      const file = await openFile(join(folder, name), 'r+')
      await file.write(old, 0, old.length, at)
      await file.close()
      patched += 1
    }
    assert.equal(patched, 1)
    await assert.rejects(opened.pending(key), { code: 'store/tampered' })
    await assert.rejects(collect(opened.pendingShares()), { code: 'store/tampered' })
    await assert.rejects(opened.applyBlock(11, [syncedBy(11, key)], origin.signHead), { code: 'store/tampered' })
    await opened.close()
    assert.equal((await folders.open(folder)).integrity().state, 'altered')
  })

  /** What the host shows of one record from then on, however it is asked; it is asked for nothing else. */
  function show(name: Uint8Array, shown: Uint8Array | undefined): () => void {
    const { getMany, iterator } = Level.prototype
    const isIt = (other: Uint8Array) => equalBytes(other, name)
    Object.defineProperty(Level.prototype, 'getMany', {
      configurable: true,
      async value(this: RawDatabase, names: Uint8Array[], options: object) {
        const found = await Reflect.apply(getMany, this, [names, options])
        return found.map((sealed: Uint8Array | undefined, at: number) =>
          isIt(names[at] ?? new Uint8Array(0)) ? shown : sealed,
        )
      },
    })
    Object.defineProperty(Level.prototype, 'iterator', {
      configurable: true,
      value(this: RawDatabase, options: object) {
        const made = Reflect.apply(iterator, this, [options])
        const nextv = made.nextv.bind(made)
        return Object.assign(made, {
          nextv: async (size: number) =>
            (await nextv(size)).flatMap(([each, sealed]: [Uint8Array, Uint8Array]) => {
              if (!isIt(each)) return [[each, sealed]]
              return shown === undefined ? [] : [[each, shown]]
            }),
        })
      },
    })
    return () => {
      for (const method of ['getMany', 'iterator']) Reflect.deleteProperty(Level.prototype, method)
    }
  }

  describe('of a page, while the node runs', () => {
    const find = (records: Records, name: Uint8Array) =>
      records.find(([each]) => equalBytes(each, name))?.[1] ?? assert.fail()
    /** Each with its neighbour, which is on the next page. */
    const pages = {
      wants: [WANTS.encodePage(secret(1)), WANTS.encodePage(secret(64))],
      places: [PLACES.encodePage(secret(1)), PLACES.encodePage(secret(64))],
      payloads: [SMALL_PAYLOADS.encodePage(secret(1)), SMALL_PAYLOADS.encodePage(secret(64))],
      nodes: [64, 0].map((index) => NODES.encodePage({ log: origin.log, at: { level: 0, index } })),
    } as const
    /** What each is read by. */
    const reads: Record<keyof typeof pages, ((store: Store) => Promise<unknown>)[]> = {
      wants: [(store) => store.want(secret(1)), (store) => collect(store.wants())],
      places: [(store) => store.place(secret(1)), (store) => collect(store.places())],
      payloads: [(store) => store.share(secret(1)), (store) => fetchRuns(store, [secret(1)])],
      nodes: [(store) => fetchRuns(store, [secret(1)])],
    }
    const shows: Record<string, (old: Uint8Array, newest: Uint8Array, other: Uint8Array) => Uint8Array | undefined> = {
      'an older one': (old) => old,
      none: () => undefined,
      'its neighbour': (_, __, other) => other,
      'one with a bit that is another': (_, newest) => newest.map((byte, at) => (at === 30 ? byte ^ 1 : byte)),
      'one that is cut short': (_, newest) => newest.subarray(0, -1),
      nothing: () => new Uint8Array(0),
    }
    for (const [what, shown] of Object.entries(shows)) {
      it(`has no use for ${what} in its place: it is read no more, and nothing of it is sealed anew`, async () => {
        const { folder, store } = await begun()
        await store.openWants([wantOf(secret(2)), wantOf(secret(90)), wantOf(secret(91))])
        await seal(
          store,
          origin,
          11,
          Array.from({ length: 70 }, (_, at) => secret(at + 3)),
        )
        await store.close()
        const old = await recordsOf(folder)
        const later = await folders.open(folder)
        await later.openWants([wantOf(secret(1)), wantOf(secret(2), { asOf: 5 })])
        await seal(later, origin, 12, [secret(0), secret(2)])
        await seal(later, origin, 13, [secret(1)])
        await later.openWants([wantOf(secret(0), { asOf: 200, minimumVersion: 100 })])
        await later.close()
        const newest = await recordsOf(folder)

        const opened = await folders.open(folder)
        assert.equal(opened.integrity().state, 'whole')
        for (const [table, [name, other]] of Object.entries(pages)) {
          assert.ok(name && other)
          const unshow = show(name, shown(find(old, name), find(newest, name), find(newest, other)))
          try {
            for (const read of reads[table as keyof typeof pages]) {
              await assert.rejects(read(opened), { code: 'store/tampered' }, table)
            }
            const key = secret(10)
            await opened.putPending({ key, payload: payloadOf(key, 1), confirmed: true }).catch(() => undefined)
            const synced = opened.applyBlock(14, [syncedBy(14, key)], origin.signHead)
            await assert.rejects(synced, { code: 'store/tampered' }, table)
          } finally {
            unshow()
          }
        }
        await opened.close()
        const left = await recordsOf(folder)
        for (const [name] of Object.values(pages)) assert.ok(name && equalBytes(find(left, name), find(newest, name)))
        const again = await folders.open(folder)
        assert.equal(again.integrity().state, 'whole')
        assert.deepEqual((await again.share(secret(1)))?.payload, payloadOf(secret(1)))
      })
    }
  })

  it('is not asked for what was just written, and what is kept of that goes with the seat', async () => {
    const { store } = await begun()
    await seal(store, origin, 11, [secret(1)])
    const unshow = show(PLACES.encodePage(secret(1)), undefined)
    try {
      assert.equal((await store.place(secret(1)))?.version, 11)
      await seal(store, origin, 12, [secret(2)])
      assert.equal((await store.place(secret(2)))?.version, 12)
    } finally {
      unshow()
    }
    await store.eraseAll()
    await store.beginSetup(origin.identity, 20, [])
    assert.equal(await store.place(secret(1)), undefined)
    await seal(store, origin, 21, [secret(2)])
    assert.deepEqual(
      (await collect(store.places())).map(({ nftId, version }) => [nftId, version]),
      [[2, 21]],
    )
  })

  it('is told of no forgery by a store that is closed while it is read', async () => {
    const { store } = await begun()
    for (const nftId of [1, 2]) {
      await store.putPending({ key: secret(nftId), payload: payloadOf(secret(nftId)), confirmed: false })
    }
    const slow = store.pendingShares()
    await slow.next()
    await store.close()
    await assert.rejects(slow.next(), { code: 'store/closed' })
  })

  it('is told of no forgery by reads and writes that cross', async () => {
    const { store } = await begun()
    const keys = Array.from({ length: 40 }, (_, nftId) => secret(nftId))
    for (const key of keys) await store.putPending({ key, payload: payloadOf(key), confirmed: false })
    const slow = store.pendingShares()
    assert.equal((await slow.next()).done, false)
    const crossing = keys.map(async (key) => {
      const reads = [store.pending(key), collect(store.pendingShares()), store.cursor()]
      const write = key.nftId % 2 === 0 ? store.dropPending(key) : store.markConfirmed(key)
      await Promise.all([...reads, write, store.pending(key), collect(store.pendingShares())])
    })
    await Promise.all(crossing)
    assert.equal((await collect(slow)).length, 39)
    assert.equal((await collect(store.pendingShares())).length, 20)
    const erasing = store.eraseAll()
    const during = [store.cursor(), store.place(secret(1)), collect(store.wants())]
    await Promise.all([erasing, ...during])
    assert.equal(await store.cursor(), undefined)
  })
})
