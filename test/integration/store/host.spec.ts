import assert from 'node:assert/strict'
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { equalBytes, fromHex, toHex } from '../../../src/crypto/index.js'
import type { ShareKey } from '../../../src/domain/index.js'
import { SealedDatabase } from '../../../src/store/database.js'
import type { BlockChange, PendingShare, Store } from '../../../src/store/index.js'
import { ManifestSum } from '../../../src/store/manifest.js'
import {
  ERASING,
  HEADER,
  HEADER_COPY,
  HEADS,
  IDENTITY,
  IDENTITY_COPY,
  MANIFEST,
  NODES,
  PAYLOADS,
  PENDING,
  PLACES,
  PROGRESS,
  SEAT_TIME,
  SEAT_TIME_COPY,
  SECRETS,
  SECRETS_COPY,
  SMALL_PAYLOADS,
  WANTS,
} from '../../../src/store/records.js'
import { Sealer } from '../../../src/store/sealing.js'
import {
  capsule,
  collect,
  enclave,
  Folders,
  fetchRuns,
  largePayloadOf,
  payloadOf,
  type RawDatabase,
  replicate,
  seal,
  sealingKey,
  secret,
  tamper,
  wantOf,
} from './fixture.js'

/** What the host of an enclave can do to its folder, and what it gets. */
describe('store and its host', () => {
  const folders = new Folders()
  afterEach(() => folders.clear())

  const origin = enclave(1, 1)

  /** Of what a folder is filled with, one share is small, and two are sealed by themselves. */
  const textOf = (key: ShareKey, edition = 0) =>
    key.kind === 'secret' && key.nftId === 1 ? payloadOf(key, edition) : largePayloadOf(key, edition)

  /** A closed folder with secrets, shares, wants and a pending share in it. */
  async function filled(by = origin): Promise<string> {
    const folder = await folders.make()
    const store = await folders.open(folder)
    await store.putSecret('account-seed', new Uint8Array(Buffer.from('the seed of an enclave account..')))
    await store.putSecret('peer-key-seed', new Uint8Array(Buffer.from('the seed of the key of a peer...')))
    await store.putCollateralFloors('{}')
    await store.beginSetup(by.identity, 10, [])
    await store.markSetupDone()
    await store.openWants([wantOf(secret(70)), wantOf(capsule(71))])
    await seal(store, by, 11, [secret(1), secret(2), capsule(1)], 0, textOf)
    await seal(store, by, 12, [capsule(1)], 1, textOf)
    await store.putPending({ key: secret(80), payload: payloadOf(secret(80)), confirmed: true })
    await store.close()
    return folder
  }

  /** A copy of the folder with its database altered. */
  async function altered(folder: string, work: (raw: RawDatabase) => Promise<void>): Promise<string> {
    const copy = await folders.make()
    await cp(folder, copy, { recursive: true })
    await tamper(copy, work)
    return copy
  }

  async function records(folder: string): Promise<[Uint8Array, Uint8Array][]> {
    const entries: [Uint8Array, Uint8Array][] = []
    await tamper(folder, async (raw) => {
      entries.push(...(await raw.iterator().all()))
    })
    return entries
  }

  /** Reads everything that a store can be asked for, and appends to its log; what it answers must be the truth. */
  async function useAll(store: Store): Promise<void> {
    assert.equal(Buffer.from((await store.secret('account-seed')) ?? []).toString(), 'the seed of an enclave account..')
    assert.equal(
      Buffer.from((await store.secret('peer-key-seed')) ?? []).toString(),
      'the seed of the key of a peer...',
    )
    assert.deepEqual(await store.identity(), origin.identity)
    assert.equal(await store.cursor(), 12)
    assert.equal(await store.isSetupDone(), true)
    assert.deepEqual(await collect(store.wants()), [wantOf(secret(70)), wantOf(capsule(71))])
    assert.deepEqual(await collect(store.pendingShares()), [{ key: secret(80), confirmed: true, isDoubtful: false }])
    const held: [ShareKey, number][] = [
      [secret(1), 0],
      [secret(2), 0],
      [capsule(1), 1],
    ]
    assert.deepEqual(
      (await collect(store.places())).map(({ kind, nftId }) => ({ kind, nftId })),
      held.map(([key]) => key),
    )
    for (const [key, edition] of held) {
      assert.deepEqual((await store.share(key))?.payload, textOf(key, edition))
      const { runs } = await fetchRuns(store, [key])
      assert.deepEqual(runs[0]?.shares[0]?.payload, textOf(key, edition))
    }
    assert.equal((await store.head(origin.log, 3))?.size, 3)
    await seal(store, origin, 13, [secret(90)])
  }

  async function openAndUseAll(folder: string): Promise<void> {
    const store = await folders.open(folder)
    try {
      await useAll(store)
    } finally {
      await store.close()
    }
  }

  /** Of an altered folder: what is left of it must be true, and it must go on from there. */
  async function useWhatIsLeft(folder: string): Promise<{ held: ShareKey[]; dropped: number }> {
    const store = await folders.open(folder)
    try {
      const { state, dropped } = store.integrity()
      assert.equal(state, 'altered')
      const truth = new Map(
        [
          [secret(1), 0],
          [secret(2), 0],
          [capsule(1), 1],
        ].map(([key, edition]) => [JSON.stringify(key), edition] as [string, number]),
      )
      const held = (await collect(store.places())).map(({ kind, nftId }): ShareKey => ({ kind, nftId }))
      for (const key of held) {
        const edition = truth.get(JSON.stringify(key))
        assert.ok(edition !== undefined, JSON.stringify(key))
        assert.deepEqual((await store.share(key))?.payload, textOf(key, edition))
      }
      assert.equal(
        Buffer.from((await store.secret('account-seed')) ?? []).toString(),
        'the seed of an enclave account..',
      )
      const identity = await store.identity()
      assert.equal(await store.isAltered(), true)
      if (identity === undefined) assert.deepEqual(held, [])

      // The engine begins the setup anew, in a log of its own.
      const incarnation = `0x${'ee'.repeat(16)}` as const
      const wants = [1, 2].map((nftId) => wantOf(secret(nftId)))
      const anew = { ...origin.identity, incarnation }
      await store.vouchAnew(anew, 20, origin.signHead)
      await store.beginSetup(anew, 20, wants)
      for (const key of held) {
        const { runs } = await fetchRuns(store, [key])
        assert.deepEqual(runs[0]?.shares[0]?.payload, textOf(key, truth.get(JSON.stringify(key))))
      }
      assert.equal(await store.isAltered(), false)
      assert.equal(await store.isSetupDone(), false)
      const wanted = (await collect(store.wants())).map(({ key }) => key)
      const heldSecrets = held.filter(({ kind }) => kind === 'secret')
      assert.equal(wanted.length + heldSecrets.length, 2)
      await seal(store, { ...origin, log: { ...origin.log, incarnation } }, 21, [secret(90)])
      await store.close()
      const again = await folders.open(folder)
      assert.equal(again.integrity().state, 'whole')
      await again.close()
      return { held, dropped }
    } finally {
      await store.close()
    }
  }

  function isTampered(error: Error & { code?: string }): true {
    assert.equal(error.code, 'store/tampered', error.stack)
    assert.match(
      error.message,
      /^The record (nodes below )?[a-z-]+(\/[\w-]+)*( to \d+)? of the store in \S+ is not what this node sealed there/,
    )
    return true
  }

  it('finds neither shares nor seeds in any file', async () => {
    const folder = await filled()
    await openAndUseAll(folder)
    let scanned = 0
    for (const file of await readdir(folder)) {
      const content = await readFile(join(folder, file))
      scanned += content.length
      for (const text of ['a share of', 'edition', 'the seed of']) {
        assert.equal(content.includes(text), false, `'${text}' in ${file}`)
      }
      assert.equal(content.includes(Buffer.from(sealingKey)), false)
    }
    assert.ok(scanned > 2000)
  })

  it('has what is broken let go at the next start, when the mending was cut short', async () => {
    const folder = await filled()
    const copy = await altered(folder, (raw) =>
      raw.del(
        Uint8Array.of(0x31, ...fromHex(origin.identity.account), ...fromHex(origin.identity.incarnation), 0, 0, 0, 4),
      ),
    )
    // The first half: what cannot be read is gone, and the mark stands.
    await (await SealedDatabase.open(copy, sealingKey)).close()
    const { held, dropped } = await useWhatIsLeft(copy)
    assert.equal(dropped, 0)
    assert.equal(held.length, 3)
  })

  it('counts the writes on through an erasure that was cut short', async () => {
    const folder = await filled()
    const store = await folders.open(folder)
    const { sequence } = store.integrity()
    await store.eraseAll()
    await store.close()
    const again = await folders.open(folder)
    assert.ok(again.integrity().sequence > sequence)
  })

  it('cannot bring back the shares of a seat that was erased', async () => {
    const folder = await filled()
    const former = await records(folder)
    const store = await folders.open(folder)
    await store.eraseAll()
    const other = { ...origin.identity, seat: { cluster: 1, slot: 4 } }
    await store.beginSetup(other, 30, [])
    await store.close()
    const all = new Set((await records(folder)).map(([name]) => toHex(name)))
    const copy = await altered(folder, async (raw) => {
      // All that does not stand in the way of the new seat.
      for (const [name, sealed] of former) if (!all.has(toHex(name))) await raw.put(name, sealed)
    })
    const opened = await folders.open(copy)
    assert.equal(opened.integrity().state, 'altered')
    assert.deepEqual(await opened.identity(), other)
    assert.deepEqual(await collect(opened.places()), [])
    assert.equal(await opened.pending(secret(80)), undefined)
    await opened.close()
  })

  it('is told that the folder is whole when it is', async () => {
    const folder = await filled()
    const store = await folders.open(folder)
    const { state, sequence, dropped } = store.integrity()
    assert.deepEqual([state, dropped], ['whole', 0])
    assert.ok(sequence >= 8)
    await store.putSecret('peer-key-seed', new Uint8Array(32))
    await store.close()
    const again = await folders.open(folder)
    assert.deepEqual(again.integrity(), { state: 'whole', sequence: sequence + 1, dropped: 0, doubtful: 0 })
  })

  it('cannot alter or take away a record unnoticed; both records of a seed are fatal, the rest is let go and what is left is true', async () => {
    const folder = await filled()
    const all = await records(folder)
    assert.ok(all.length > 20)
    for (const [at, [name, sealed]] of all.entries()) {
      const flipped = sealed.slice()
      flipped[30] = (flipped[30] ?? 0) ^ 1
      const values = [flipped, sealed.slice(0, -1), new Uint8Array(0), undefined]
      const value = values[at % values.length]
      const copy = await altered(folder, (raw) => (value === undefined ? raw.del(name) : raw.put(name, value)))
      // Of the header there is another copy.
      if (name[0] === 0x00 || name[0] === 0xff) await openAndUseAll(copy)
      else await useWhatIsLeft(copy)
      if (name[0] !== SECRETS.prefix || value === undefined) continue
      const other = Uint8Array.from(name).fill(SECRETS_COPY.prefix, 0, 1)
      const both = await altered(copy, (raw) => raw.batch([name, other].map((key) => ({ type: 'put', key, value }))))
      await assert.rejects(folders.open(both), isTampered)
    }
  })

  it('cannot have another enclave made of the folder by taking its seeds away: it is told at every start', async () => {
    const folder = await filled()
    const seeds = Uint8Array.of(SECRETS.prefix)
    const clearSeeds = async (raw: RawDatabase) => {
      for (const { prefix } of [SECRETS, SECRETS_COPY]) {
        await raw.clear({ gte: Uint8Array.of(prefix), lt: Uint8Array.of(prefix + 1) })
      }
    }
    for (const take of [
      clearSeeds,
      (raw: RawDatabase) => raw.clear({ gte: seeds }),
      async (raw: RawDatabase) => {
        await clearSeeds(raw)
        for (const each of [IDENTITY, IDENTITY_COPY]) await raw.del(each.encodeKey(undefined))
      },
    ]) {
      const copy = await altered(folder, take)
      for (let start = 0; start < 3; start += 1) {
        const store = await folders.open(copy)
        assert.equal(await store.secret('account-seed'), undefined)
        assert.equal(store.integrity().state, 'altered')
        await store.close()
      }
    }
  })

  it('cannot have everything erased by taking the identity away, unless it takes both copies', async () => {
    const folder = await filled()
    for (const taken of [[IDENTITY], [IDENTITY_COPY], [IDENTITY, IDENTITY_COPY]]) {
      const copy = await altered(folder, async (raw) => {
        for (const each of taken) await raw.del(each.encodeKey(undefined))
      })
      const store = await folders.open(copy)
      const isLeft = taken.length < 2
      assert.deepEqual(await store.identity(), isLeft ? origin.identity : undefined)
      assert.equal(store.counts().pending, isLeft ? 1 : 0)
      await store.close()
      assert.equal((await useWhatIsLeft(copy)).held.length, isLeft ? 3 : 0)
    }
  })

  it('cannot bring back an older record, or page, unnoticed, and has none of it given as if it were the newest', async () => {
    const folder = await filled()
    const former = await folders.open(folder)
    await seal(former, origin, 13, [capsule(5)], 13)
    await former.close()
    const older = new Map((await records(folder)).map(([name, sealed]) => [toHex(name), sealed]))
    const store = await folders.open(folder)
    await seal(store, origin, 14, [capsule(5)], 14)
    await seal(store, origin, 15, [capsule(1)], 15, textOf)
    await store.putPending({ key: secret(80), payload: payloadOf(secret(80)), confirmed: false })
    await store.close()
    const textsOf = ({ kind, nftId }: ShareKey, version: number) =>
      nftId === 5 ? payloadOf({ kind, nftId }, version) : textOf({ kind, nftId }, [0, 1, 0, 0, 15][version - 11])
    const tried = new Set<number | undefined>()
    for (const [name, sealed] of await records(folder)) {
      const before = older.get(toHex(name))
      if (before === undefined || equalBytes(before, sealed)) continue
      const copy = await altered(folder, (raw) => raw.put(name, before))
      const opened = await folders.open(copy)
      assert.equal(opened.integrity().state, 'altered', toHex(name))
      // The place of an older version points to a payload that is gone, and an older payload is not the one of its place.
      for await (const { kind, nftId, version } of opened.places()) {
        assert.ok(version >= 11)
        assert.deepEqual((await opened.share({ kind, nftId }))?.payload, textsOf({ kind, nftId }, version))
      }
      await opened.close()
      tried.add(name[0])
    }
    for (const { prefix } of [PENDING, PLACES, SMALL_PAYLOADS, PROGRESS]) assert.ok(tried.has(prefix), `${prefix}`)
  })

  describe('that brings back an older pending share', () => {
    const syncedBy = (block: number, key: ShareKey): BlockChange => ({
      type: 'synced',
      want: wantOf(key, { minimumVersion: block, origin: 1 }),
    })

    /** A folder in which the first payload stands in the place of the second; `between` is what happened meanwhile. */
    async function broughtBack(key: ShareKey, between: (store: Store) => Promise<unknown>): Promise<Store> {
      const folder = await folders.make()
      const store = await folders.open(folder)
      await store.beginSetup(origin.identity, 10, [])
      await store.putPending({ key, payload: payloadOf(key, 1), confirmed: true })
      await store.close()
      const [first] = (await records(folder)).filter(([name]) => name[0] === PENDING.prefix)
      assert.ok(first)
      const later = await folders.open(folder)
      await between(later)
      await later.putPending({ key, payload: payloadOf(key, 2), confirmed: true })
      await later.close()
      await tamper(folder, (raw) => raw.put(...first))
      const opened = await folders.open(folder)
      assert.deepEqual([opened.integrity().state, opened.integrity().doubtful], ['altered', 1])
      assert.equal((await opened.pending(key))?.isDoubtful, true)
      return opened
    }

    it('cannot have it vouched for as the newest version', async () => {
      const key = capsule(7)
      const store = await broughtBack(key, (each) => each.applyBlock(11, [syncedBy(11, key)], origin.signHead))
      await store.beginSetup(origin.identity, 15, [])
      const { missingOwn } = await store.applyBlock(20, [syncedBy(20, key)], origin.signHead)
      assert.deepEqual(missingOwn, [key])
      assert.equal((await store.place(key))?.version, 11)
      // It is of a round that has ended long ago.
      assert.equal(await store.pending(key), undefined)
      assert.equal(store.integrity().doubtful, 0)
    })

    it('cannot have it vouched for in the same round; it is kept, until the right one comes or it is handed over again', async () => {
      const key = secret(7)
      const store = await broughtBack(key, async () => undefined)
      await store.beginSetup(origin.identity, 10, [])
      await store.applyBlock(11, [syncedBy(11, key)], origin.signHead)
      assert.equal(await store.place(key), undefined)
      assert.deepEqual((await store.pending(key))?.payload, payloadOf(key, 1))
      assert.equal(store.counts().wants, 1)

      const provider = await folders.open(await folders.make())
      await provider.beginSetup(origin.identity, 10, [])
      await provider.putPending({ key, payload: payloadOf(key, 2), confirmed: true })
      await provider.applyBlock(11, [syncedBy(11, key)], origin.signHead)
      await replicate(provider, store, [key])
      assert.deepEqual((await store.share(key))?.payload, payloadOf(key, 2))
      assert.equal(await store.pending(key), undefined)
      assert.equal(store.integrity().doubtful, 0)
    })

    it('cannot have it vouched for with the manifest of its time: more writes than that one counts were acknowledged', async () => {
      const key = secret(7)
      const folder = await folders.make()
      const store = await folders.open(folder)
      await store.beginSetup(origin.identity, 10, [])
      await store.putPending({ key, payload: payloadOf(key, 1), confirmed: false })
      await store.close()
      const former = (await records(folder)).filter(([name]) =>
        [PENDING.prefix, MANIFEST.prefix].includes(name[0] ?? 0),
      )
      assert.equal(former.length, 2)
      const later = await folders.open(folder)
      await later.putPending({ key, payload: payloadOf(key, 2), confirmed: true })
      await later.close()
      await tamper(folder, async (raw) => {
        for (const record of former) await raw.put(...record)
      })
      const opened = await folders.open(folder)
      assert.deepEqual([opened.integrity().state, opened.integrity().doubtful], ['altered', 1])
      await opened.beginSetup(origin.identity, 10, [])
      const { missingOwn } = await opened.applyBlock(11, [syncedBy(11, key)], origin.signHead)
      assert.deepEqual(missingOwn, [key])
      assert.equal(await opened.place(key), undefined)
    })

    /** A copy of a whole folder with a share that is pending, and the folder itself, which goes on. */
    const setAside = async (pending: PendingShare) => {
      const folder = await folders.make()
      const store = await folders.open(folder)
      await store.beginSetup(origin.identity, 10, [])
      await store.putPending(pending)
      await store.close()
      const former = join(await folders.make(), 'former')
      await cp(folder, former, { recursive: true })
      return { former, later: await folders.open(folder) }
    }

    it('has it vouched for, in a new log, with the whole folder of its time: nothing in it tells of what came after', async () => {
      const key = secret(7)
      const { former, later } = await setAside({ key, payload: payloadOf(key, 1), confirmed: false })
      await later.putPending({ key, payload: payloadOf(key, 2), confirmed: true })
      await later.close()
      const opened = await folders.open(former)
      assert.deepEqual([opened.integrity().state, opened.integrity().doubtful], ['whole', 0])
      // As the chain says, to whom the second one was confirmed.
      await opened.markConfirmed(key)
      await opened.applyBlock(11, [syncedBy(11, key)], origin.signHead)
      assert.deepEqual((await opened.share(key))?.payload, payloadOf(key, 1))
      assert.notEqual((await opened.place(key))?.log.incarnation, origin.identity.incarnation)
    })

    it('has nothing of an earlier round vouched for with the whole folder of that time', async () => {
      const key = capsule(7)
      const { former, later } = await setAside({ key, payload: payloadOf(key, 1), confirmed: true })
      await later.applyBlock(11, [syncedBy(11, key)], origin.signHead)
      await later.putPending({ key, payload: payloadOf(key, 2), confirmed: true })
      await later.close()
      const opened = await folders.open(former)
      await opened.applyBlock(11, [syncedBy(11, key)], origin.signHead)
      const { missingOwn } = await opened.applyBlock(20, [syncedBy(20, key)], origin.signHead)
      assert.deepEqual(missingOwn, [key])
      const place = await opened.place(key)
      assert.deepEqual([place?.version, (await opened.want(key))?.minimumVersion], [11, 20])
      assert.deepEqual((await opened.share(key))?.payload, payloadOf(key, 1))
    })

    it('does not keep its owner from handing it over again', async () => {
      const key = secret(7)
      const store = await broughtBack(key, async () => undefined)
      await store.beginSetup(origin.identity, 10, [])
      await store.putPending({ key, payload: payloadOf(key, 2), confirmed: true })
      assert.equal(store.integrity().doubtful, 0)
      await store.applyBlock(11, [syncedBy(11, key)], origin.signHead)
      assert.deepEqual((await store.share(key))?.payload, payloadOf(key, 2))
    })
  })

  it('cannot put a record, or a page, in the place of another', async () => {
    const folder = await folders.make()
    const store = await folders.open(folder)
    await store.beginSetup(origin.identity, 10, [])
    await store.openWants([wantOf(secret(200)), wantOf(capsule(201))])
    const small = Array.from({ length: 70 }, (_, nftId) => secret(nftId))
    const large = [secret(80), secret(81)]
    await seal(store, origin, 11, small)
    await seal(store, origin, 12, large, 0, largePayloadOf)
    await store.close()
    const texts = new Map([
      ...small.map((key) => [key.nftId, payloadOf(key)] as const),
      ...large.map((key) => [key.nftId, largePayloadOf(key)] as const),
    ])
    const all = await records(folder)
    for (const [{ prefix }, count, left] of [
      [WANTS, 2, 72],
      // Of the places and payloads of 72 shares the first 64 stand on one page.
      [PLACES, 2, 0],
      [PAYLOADS, 2, 70],
      [SMALL_PAYLOADS, 2, 2],
      [NODES, 3, 72],
      [HEADS, 2, 72],
    ] as const) {
      const table = all.filter(([name]) => name[0] === prefix)
      assert.equal(table.length, count, `${prefix}`)
      const [[one, ones] = [], [other, others] = []] = table
      assert.ok(one && ones && other && others)
      const copy = await altered(folder, async (raw) => {
        await raw.put(one, others)
        await raw.put(other, ones)
      })
      const opened = await folders.open(copy)
      const { state, dropped } = opened.integrity()
      assert.deepEqual([state, dropped], ['altered', 2])
      const places = await collect(opened.places())
      assert.equal(places.length, left, `${prefix}`)
      for (const { kind, nftId } of places) {
        assert.deepEqual((await opened.share({ kind, nftId }))?.payload, texts.get(nftId))
      }
      await opened.close()
    }
  })

  it('cannot bring a record over from another folder of the same enclave', async () => {
    const folder = await filled()
    const others = await records(await filled())
    for (const table of [PLACES, PAYLOADS, SMALL_PAYLOADS, NODES, PROGRESS]) {
      const foreign = others.filter(([name]) => name[0] === table.prefix)
      assert.ok(foreign.length > 0)
      for (const record of foreign) {
        const copy = await altered(folder, (raw) => raw.put(...record))
        assert.equal((await useWhatIsLeft(copy)).dropped, 1)
      }
    }
  })

  describe('that brings over records from another folder that is sealed under the same key', () => {
    /** Puts every record of the other folder in the place of the one of the same name. */
    async function swapped(folder: string, other: string, isToSwap: (name: Uint8Array) => boolean) {
      const foreign = new Map((await records(other)).map(([name, sealed]) => [toHex(name), sealed]))
      let count = 0
      const copy = await altered(folder, async (raw) => {
        for (const [name] of await raw.iterator().all()) {
          const sealed = foreign.get(toHex(name))
          if (sealed === undefined || !isToSwap(name)) continue
          await raw.put(name, sealed)
          count += 1
        }
      })
      return { copy, count }
    }

    const isOfSeat = (name: Uint8Array) =>
      (name[0] ?? 0) > 0x10 && (name[0] ?? 0) < SECRETS_COPY.prefix && name[0] !== IDENTITY_COPY.prefix

    for (const [whose, other] of [
      ['of another account', enclave(2, 1)],
      [
        'of the same account in another seat',
        { ...origin, identity: { ...origin.identity, seat: { cluster: 1, slot: 4 } } },
      ],
    ] as const) {
      it(`${whose}: none of them opens here`, async () => {
        const folder = await filled()
        const { copy, count } = await swapped(folder, await filled(other), isOfSeat)
        assert.ok(count >= 10, `${count}`)
        const { held, dropped } = await useWhatIsLeft(copy)
        assert.deepEqual([held, dropped], [[], count])
        const seeds = await swapped(folder, await filled(other), (name) =>
          [SECRETS.prefix, SECRETS_COPY.prefix].includes(name[0] ?? 0),
        )
        assert.equal(seeds.count, 4)
        await assert.rejects(folders.open(seeds.copy), isTampered)
      })
    }

    it('of the same folder before its seat was erased, and another one taken: none of them opens any more', async () => {
      const folder = await filled()
      const former = await altered(folder, async () => undefined)
      const store = await folders.open(folder)
      await store.eraseAll()
      const identity = { ...origin.identity, seat: { cluster: 1, slot: 4 } }
      await store.beginSetup(identity, 10, [wantOf(secret(70))])
      await seal(store, { ...origin, identity }, 11, [secret(1), secret(2), capsule(1)], 0, textOf)
      await store.close()
      const { copy, count } = await swapped(folder, former, isOfSeat)
      assert.ok(count >= 6, `${count}`)
      const opened = await folders.open(copy)
      assert.deepEqual([opened.integrity().state, opened.integrity().dropped], ['altered', count])
      assert.deepEqual(await collect(opened.places()), [])
      assert.deepEqual(await collect(opened.wants()), [])
    })
  })

  it('cannot have the seat erased by one of the two records of its time', async () => {
    const folder = await filled()
    const store = await folders.open(folder)
    await store.eraseAll()
    const former = await altered(folder, async () => undefined)
    await store.eraseAll()
    await store.beginSetup(origin.identity, 10, [wantOf(secret(70))])
    await seal(store, origin, 11, [secret(1)])
    await store.close()
    const names = [SEAT_TIME, SEAT_TIME_COPY].map((table) => table.encodeKey(undefined))
    const older = new Map((await records(former)).map(([name, sealed]) => [toHex(name), sealed]))
    for (const name of names) {
      const old = older.get(toHex(name)) ?? assert.fail()
      for (const damage of [
        (raw: RawDatabase) => raw.del(name),
        (raw: RawDatabase) => raw.put(name, Buffer.from('junk')),
        (raw: RawDatabase) => raw.put(name, old),
      ]) {
        const copy = await altered(folder, damage)
        for (const state of ['altered', 'whole']) {
          const opened = await folders.open(copy)
          assert.equal(opened.integrity().state, state)
          assert.deepEqual((await opened.share(secret(1)))?.payload, payloadOf(secret(1)))
          if (state === 'altered') await opened.beginSetup(origin.identity, 20, [])
          await opened.close()
        }
        assert.equal((await records(copy)).filter(([each]) => names.some((one) => equalBytes(one, each))).length, 2)
      }
    }
    const copy = await altered(folder, async (raw) => {
      for (const name of names) await raw.put(name, Buffer.from('junk'))
    })
    await assert.rejects(folders.open(copy), isTampered)
  })

  it('cannot have a new store made of a folder of which it shows nothing', async () => {
    const copy = await altered(await filled(), (raw) => raw.clear())
    for (let start = 0; start < 2; start += 1) {
      await assert.rejects(folders.open(copy), { code: 'store/unreadable', message: /header is missing/ })
    }
  })

  it('cannot plant a record', async () => {
    const folder = await filled()
    for (const name of [
      Uint8Array.of(0x22, 1, 0, 0, 0, 50),
      Uint8Array.of(0x22, 7, 0, 0, 0, 50),
      Uint8Array.of(0x20, 2, 0, 0, 0, 50),
      Uint8Array.of(0x02),
      Uint8Array.of(0x77),
    ]) {
      const copy = await altered(folder, (raw) => raw.put(name, new Uint8Array(120)))
      assert.deepEqual(await useWhatIsLeft(copy), { held: [secret(1), secret(2), capsule(1)], dropped: 1 })
    }
  })

  it('cannot move a record out of reach under a longer name', async () => {
    const folder = await filled()
    const store = await folders.open(folder)
    await store.putPending({ key: secret(81), payload: new Uint8Array(300), confirmed: true })
    await store.close()
    const copy = await altered(folder, async (raw) => {
      const name = PENDING.encodeKey(secret(81))
      const sealed = await raw.get(name)
      assert.ok(sealed)
      await raw.del(name)
      // A length of one byte would be the same as before.
      await raw.put(new Uint8Array([...name, ...sealed.subarray(0, 256)]), sealed.subarray(256))
    })
    // No record of this node's has such a name: it is not even copied.
    assert.deepEqual(await useWhatIsLeft(copy), { held: [secret(1), secret(2), capsule(1)], dropped: 0 })
  })

  it('has payloads that are gone fetched again, and those of which only the proof is gone vouched for anew', async () => {
    const folder = await filled()
    const all = await records(folder)
    for (const [prefixes, left] of [
      [[0x23], 1],
      [[0x25], 2],
      [[0x23, 0x25], 0],
      [[0x30], 3],
      [[0x31], 3],
      [[0x32], 3],
      [[0x30, 0x31, 0x32], 3],
    ] as const) {
      const isTaken = (name: Uint8Array) => prefixes.some((prefix) => prefix === name[0])
      const copy = await altered(folder, async (raw) => {
        for (const [name] of all) if (isTaken(name)) await raw.del(name)
      })
      assert.equal((await useWhatIsLeft(copy)).held.length, left, `${prefixes}`)
    }
    const unproved = await folders.open(
      await altered(folder, (raw) => raw.clear({ gte: Uint8Array.of(0x31), lt: Uint8Array.of(0x32) })),
    )
    // What is sealed in one time in a seat is of one seat and one account.
    for (const seat of [{ cluster: 1, slot: 4 }, origin.identity.seat]) {
      const vouched = unproved.vouchAnew(
        { ...origin.identity, seat, incarnation: `0x${'ee'.repeat(16)}` },
        20,
        origin.signHead,
      )
      if (seat.slot === 4) await assert.rejects(vouched, { code: 'store/other-seat' })
      else assert.equal(await vouched, 3)
    }
    await unproved.close()
    const [newest] = all.findLast(([name]) => name[0] === 0x31) ?? []
    assert.ok(newest)
    assert.equal((await useWhatIsLeft(await altered(folder, (raw) => raw.del(newest)))).held.length, 3)
  })

  it('has replicas of which only the proof is gone proved again by others, who are not served from them meanwhile', async () => {
    const provider = await folders.open(await folders.make())
    await provider.beginSetup(origin.identity, 10, [])
    await seal(provider, origin, 11, [secret(1), secret(2), capsule(3)])
    const replica = enclave(2, 5)
    const keys = [secret(1), secret(2), capsule(3)]
    const wants = (asOf: number) => keys.map((key) => wantOf(key, { asOf }))
    const folder = await folders.make()
    const store = await folders.open(folder)
    await store.beginSetup(replica.identity, 20, wants(20))
    await replicate(provider, store, keys)
    await store.close()
    await tamper(folder, (raw) => raw.clear({ gte: Uint8Array.of(0x30), lt: Uint8Array.of(0x32) }))

    const opened = await folders.open(folder)
    assert.deepEqual(opened.counts().shares, { secret: 2, capsule: 1 })
    assert.deepEqual(await fetchRuns(opened, keys), { runs: [], notHeld: keys })
    const anew = { ...replica.identity, incarnation: `0x${'ee'.repeat(16)}` as const }
    assert.equal(await opened.vouchAnew(anew, 20, replica.signHead), 0)
    await opened.beginSetup(anew, 20, wants(20))
    assert.deepEqual(opened.counts(), { shares: { secret: 2, capsule: 1 }, wants: 3, pending: 0 })
    assert.ok(await opened.share(secret(1)))
    // Of an origin that was set back, and has vouched for another one in the very version.
    const other = { ...origin, identity: { ...origin.identity, incarnation: `0x${'77'.repeat(16)}` as const } }
    const setBack = await folders.open(await folders.make())
    await setBack.beginSetup(other.identity, 10, [])
    await seal(setBack, other, 11, [secret(1)], 1)
    const [run] = (await fetchRuns(setBack, [secret(1)])).runs
    assert.ok(run !== undefined)
    const put = await opened.putRun(run, { newestAsOf: 20 })
    assert.deepEqual(put, { stored: [], closed: [], contradicted: [secret(1)], wasSetBack: false })
    assert.ok(await opened.want(secret(1)))
    assert.deepEqual((await opened.share(secret(1)))?.payload, payloadOf(secret(1)))
    // A peer that is behind proves what is held, but a capsule may be newer.
    const { closed } = await replicate(provider, opened, keys, { newestAsOf: 15 })
    assert.equal(closed.length, 2)
    assert.equal((await fetchRuns(opened, keys)).runs.length, 1)
    await replicate(provider, opened, keys, { newestAsOf: 20 })
    assert.equal(opened.counts().wants, 0)
    assert.deepEqual((await opened.share(capsule(3)))?.payload, payloadOf(capsule(3)))
  })

  it('cannot have a version pass for the newest by taking its proof, where a newer one is known', async () => {
    const provider = await folders.open(await folders.make())
    await provider.beginSetup(origin.identity, 10, [])
    await seal(provider, origin, 11, [capsule(3)])
    const replica = enclave(2, 5)
    const folder = await folders.make()
    const store = await folders.open(folder)
    await store.beginSetup(replica.identity, 20, [wantOf(capsule(3), { asOf: 20 })])
    await replicate(provider, store, [capsule(3)])
    const newer = wantOf(capsule(3), { minimumVersion: 50, asOf: 50, origin: 9 })
    await store.applyBlock(50, [{ type: 'synced', want: newer }], replica.signHead)
    await store.close()
    await tamper(folder, (raw) => raw.clear({ gte: Uint8Array.of(0x30), lt: Uint8Array.of(0x32) }))

    const opened = await folders.open(folder)
    const anew = { ...replica.identity, incarnation: `0x${'ee'.repeat(16)}` as const }
    assert.equal(await opened.vouchAnew(anew, 50, replica.signHead), 0)
    await opened.beginSetup(anew, 50, [wantOf(capsule(3), { asOf: 60 })])
    const want = await opened.want(capsule(3))
    assert.deepEqual([want?.minimumVersion, want?.origin, want?.asOf], [50, 9, 60])
    assert.equal(await opened.newest(capsule(3)), undefined)
  })

  it('cannot alter what is read while the node runs', async () => {
    const folder = await filled()
    const store = await folders.open(folder)
    await store.close()
    const database = await SealedDatabase.open(folder, sealingKey)
    try {
      const read = async (name: Uint8Array) => {
        const [sealed] = await database.sealed([name])
        assert.ok(sealed)
        sealed[30] = (sealed[30] ?? 0) ^ 1
        return sealed
      }
      const key = { key: secret(2), version: 11 }
      const name = PAYLOADS.encodeKey(key)
      const sealed = await read(name)
      assert.throws(() => database.open(PAYLOADS, key, name, sealed), isTampered)
      for (const pages of [PLACES, SMALL_PAYLOADS]) {
        const page = pages.encodePage(secret(1))
        const sealedPage = await read(page)
        assert.throws(() => database.openPage(pages, page, sealedPage), isTampered)
      }
      const node = NODES.encodePage({ log: origin.log, at: { level: 0, index: 0 } })
      const sealedNodes = await read(node)
      assert.throws(() => database.openPage(NODES, node, sealedNodes), isTampered)
    } finally {
      await database.close()
    }
  })

  it('is told by the node that a folder is under another key', async () => {
    const folder = await filled()
    await assert.rejects(folders.open(folder, new Uint8Array(32).fill(1)), (error: Error & { code: string }) => {
      assert.equal(error.code, 'store/wrong-key')
      assert.match(error.message, /another machine, enclave measurement or passphrase/)
      return true
    })
    await openAndUseAll(folder)
    await assert.rejects(folders.open(folder, new Uint8Array(31)), RangeError)
  })

  it('is told which folder is damaged', async () => {
    const damages: ((folder: string) => Promise<unknown>)[] = [
      (folder) =>
        tamper(folder, async (raw) => {
          for (const header of [HEADER, HEADER_COPY]) await raw.del(header.encodeKey(undefined))
        }),
      async (folder) => {
        await rm(folder, { recursive: true })
        await writeFile(folder, 'not a folder')
      },
    ]
    for (const damage of damages) {
      const folder = await filled()
      await damage(folder)
      await assert.rejects(folders.open(folder), (error: Error & { code: string }) => {
        assert.equal(error.code, 'store/unreadable')
        assert.ok(error.message.includes(folder), error.message)
        return true
      })
    }
  })

  /** As the erasure of a seat leaves the folder when it is cut short, by the records that it has. */
  async function eraseHalf(raw: RawDatabase): Promise<void> {
    const header = HEADER.encodeKey(undefined)
    const id = new Sealer(sealingKey, new Uint8Array(16)).open(header, (await raw.get(header)) ?? new Uint8Array(0))
    assert.ok(id)
    const sealer = new Sealer(sealingKey, id)
    const [mark, manifest] = [ERASING.encodeKey(undefined), MANIFEST.encodeKey(undefined)]
    const before = sealer.open(manifest, (await raw.get(manifest)) ?? new Uint8Array(0))
    assert.ok(before)
    const sealedMark = sealer.seal(mark, ERASING.encode(sealer.seatTime))
    const sum = new ManifestSum(MANIFEST.decode(before))
    sum.add('lasting', sealer.fingerprint(mark, sealedMark))
    await raw.put(mark, sealedMark)
    await raw.put(manifest, sealer.seal(manifest, MANIFEST.encode(sum.manifest(100))))
    await raw.del(IDENTITY.encodeKey(undefined))
  }

  it('has an erasure that was cut short ended at the next start', async () => {
    const folder = await filled()
    await tamper(folder, eraseHalf)
    const store = await folders.open(folder)
    assert.equal(store.integrity().state, 'whole')
    assert.equal(store.integrity().sequence, 101)
    assert.ok(await store.secret('account-seed'))
    assert.deepEqual(store.counts(), { shares: { secret: 0, capsule: 0 }, wants: 0, pending: 0 })
    await store.close()
    assert.deepEqual(
      (await records(folder)).map(([name]) => name[0]),
      [0, 1, 1, 5, 6, 8, 0x0f, 0xfe, 0xfe, 0xff],
    )
  })

  it('cannot hide behind an erasure what it took away', async () => {
    const folder = await filled()
    await tamper(folder, eraseHalf)
    const copy = await altered(folder, (raw) => raw.del(SECRETS.encodeKey('peer-key-seed')))
    const store = await folders.open(copy)
    assert.equal(store.integrity().state, 'altered')
    assert.equal(await store.identity(), undefined)
    assert.equal(await store.isAltered(), true)
  })

  it('cannot have a seat erased by the mark of an erasure that has ended', async () => {
    const folder = await filled()
    let former: [Uint8Array, Uint8Array][] = []
    await tamper(folder, async (raw) => {
      await eraseHalf(raw)
      former = await raw.iterator({ gte: Uint8Array.of(2), lt: Uint8Array.of(7) }).all()
    })
    const store = await folders.open(folder)
    await store.beginSetup(origin.identity, 10, [])
    await seal(store, origin, 11, [secret(1)])
    await store.close()
    const mark = former.filter(([name]) => name[0] === ERASING.prefix)
    for (const [what, brought] of [
      ['the mark', mark],
      ['the mark and the manifest', former.filter(([name]) => name[0] !== SEAT_TIME.prefix)],
    ] as const) {
      for (const taken of [[], [MANIFEST.encodeKey(undefined)]]) {
        const copy = await altered(folder, async (raw) => {
          for (const name of taken) await raw.del(name)
          for (const [name, sealed] of brought) await raw.put(name, sealed)
        })
        const opened = await folders.open(copy)
        assert.equal(opened.integrity().state, 'altered', what)
        assert.ok(await opened.share(secret(1)), what)
        assert.ok(opened.integrity().sequence > 100, what)
        await opened.close()
        assert.equal((await records(copy)).filter(([name]) => name[0] === ERASING.prefix).length, 0)
      }
    }
  })
})
