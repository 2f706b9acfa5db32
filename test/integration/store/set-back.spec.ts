import assert from 'node:assert/strict'
import fs, { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import type { Store } from '../../../src/store/index.js'
import { MANIFEST } from '../../../src/store/records.js'
import { keepTablesSmall, SMALLEST_TABLE_BYTES } from '../../support/small-tables.js'
import { collect, enclave, Folders, payloadOf, seal, secret, tamper, wantOf } from './fixture.js'

const SEED = new Uint8Array(32).fill(9)
const origin = enclave(1, 1)

/** A file that ends early fits all checksums that are left of it. */
describe('store whose files end early, or are of before', function () {
  this.timeout(60_000)
  const folders = new Folders()
  afterEach(() => folders.clear())

  const filesOf = async (location: string, pattern: RegExp) =>
    (await readdir(location)).filter((name) => pattern.test(name)).map((name) => join(location, name))
  const fileOf = async (location: string, pattern: RegExp) => (await filesOf(location, pattern)).at(-1) ?? assert.fail()
  const journalOf = (location: string) => fileOf(location, /\.log$/)
  const watermarkOf = (location: string) => join(location, 'WATERMARK')

  async function copyOf(location: string): Promise<string> {
    const copy = join(await folders.make(), 'store')
    await cp(location, copy, { recursive: true })
    return copy
  }

  /** All of it is in its first journal. */
  async function young(): Promise<{ location: string; store: Store }> {
    const location = join(await folders.make(), 'store')
    const store = await folders.open(location)
    await store.putSecret('account-seed', SEED)
    await store.beginSetup(origin.identity, 10, [wantOf(secret(70))])
    await seal(store, origin, 11, [secret(1)])
    await store.putPending({ key: secret(2), payload: payloadOf(secret(2)), confirmed: true })
    await store.applyBlock(12, [], origin.signHead)
    return { location, store }
  }

  /** Where each record of one of LevelDB's logs of one block ends, and where the first begins. */
  async function endsIn(file: string): Promise<number[]> {
    const log = await readFile(file)
    const ends = [0]
    for (let at = 0; at + 7 <= log.length; ends.push(at)) at += 7 + log.readUInt16LE(at + 4)
    return ends
  }

  describe('a journal', () => {
    it('that is emptied in a young folder is no new store', async () => {
      const { location, store } = await young()
      await store.close()
      await truncate(await journalOf(location))
      for (let start = 0; start < 2; start += 1) {
        await assert.rejects(folders.open(location), { code: 'store/unreadable', message: /header is missing/ })
      }
    })

    it('that is emptied in a folder that was never written to is no new store either', async () => {
      const location = join(await folders.make(), 'store')
      await (await folders.open(location)).close()
      await truncate(await journalOf(location))
      await assert.rejects(folders.open(location), { code: 'store/unreadable' })
    })

    it('that is empty, beside a list of tables that are gone, is no new store', async () => {
      const { location, store } = await young()
      await (await folders.reopen(store, location)).close()
      for (const table of await filesOf(location, /\.ldb$/)) await rm(table)
      await rm(watermarkOf(location))
      for (const isNamed of [true, false]) {
        if (!isNamed) await rm(join(location, 'CURRENT'))
        for (let start = 0; start < 2; start += 1) {
          await assert.rejects(folders.open(location), { code: 'store/unreadable', message: /header is missing/ })
        }
        assert.equal((await filesOf(location, /^MANIFEST/)).length, 1)
      }
    })

    it('that ends after any of its writes is not whole, once the folder was closed', async () => {
      const { location, store } = await young()
      await store.close()
      const ends = await endsIn(await journalOf(location))
      assert.ok(ends.length > 6)
      for (const end of ends.slice(1, -1)) {
        const copy = await copyOf(location)
        await truncate(await journalOf(copy), end)
        const opened = await folders.open(copy)
        const { state, doubtful } = opened.integrity()
        assert.deepEqual([state, doubtful], ['altered', opened.counts().pending], `${end}`)
        // It is so once, and not at each start.
        await opened.beginSetup(origin.identity, 20, [])
        await opened.close()
        assert.equal((await folders.open(copy)).integrity().state, 'whole', `${end}`)
      }
    })

    it('that ends before a pending share, or a seed, is not whole, though the node was killed', async () => {
      const { location } = await young()
      const ends = await endsIn(await journalOf(location))
      const states: string[] = []
      for (const end of ends.slice(1)) {
        const copy = await copyOf(location)
        await truncate(await journalOf(copy), end)
        const opened = await folders.open(copy)
        states.push(opened.integrity().state)
        if (opened.integrity().state === 'whole') assert.ok(await opened.pending(secret(2)))
      }
      // The last write said of a block that nothing was in it: the next start takes it in again.
      assert.deepEqual(states.slice(-2), ['whole', 'whole'])
      assert.deepEqual(new Set(states.slice(0, -2)), new Set(['altered']))
    })

    it('that is emptied since the last start is missed', async () => {
      const { location, store } = await young()
      const again = await folders.reopen(store, location)
      await again.applyBlock(13, [], origin.signHead)
      const copy = await copyOf(location)
      await truncate(await journalOf(copy))
      const opened = await folders.open(copy)
      assert.deepEqual([opened.integrity().state, await opened.cursor()], ['altered', 12])
    })

    it('that was just begun behind another is no sign of anything', async () => {
      const { location } = await young()
      const copy = await copyOf(location)
      await writeFile(join(copy, '000099.log'), '')
      const opened = await folders.open(copy)
      assert.equal(opened.integrity().state, 'whole')
      assert.deepEqual((await collect(opened.pendingShares())).length, 1)
    })
  })

  it('begins anew where the power was cut while it was made', async () => {
    const made = join(await folders.make(), 'store')
    await (await folders.open(made)).close()
    const cuts: [string, (folder: string) => Promise<unknown>][] = [
      ['before its first write', async (folder) => truncate(await journalOf(folder))],
      ['in its first write', async (folder) => truncate(await journalOf(folder), 50)],
      ['before it had a journal', async (folder) => rm(await journalOf(folder))],
      [
        'before its list of tables was on the disk',
        async (folder) => {
          await rm(await journalOf(folder))
          await truncate(await fileOf(folder, /^MANIFEST/))
        },
      ],
      ['before its list of tables was named', async (folder) => rm(join(folder, 'CURRENT'))],
    ]
    for (const [name, cut] of cuts) {
      const copy = await copyOf(made)
      await rm(watermarkOf(copy))
      if (name.endsWith('named')) await rm(await journalOf(copy))
      await cut(copy)
      let store = await folders.open(copy)
      assert.equal(store.integrity().state, 'whole', name)
      await store.putSecret('account-seed', SEED)
      store = await folders.reopen(store, copy)
      assert.deepEqual([store.integrity().state, await store.secret('account-seed')], ['whole', SEED], name)
    }
  })

  it('is whole where the power was cut before its mark was on the disk, as after its first write', async () => {
    const location = join(await folders.make(), 'store')
    await (await folders.open(location)).close()
    await rm(watermarkOf(location))
    const opened = await folders.open(location)
    assert.equal(opened.integrity().state, 'whole')
    await opened.close()
    await readFile(watermarkOf(location))
  })

  it('is not whole without its mark, nor with another in its place', async () => {
    const { location, store } = await young()
    await store.close()
    const foreign = await young()
    await foreign.store.close()
    const damages: ((mark: string) => Promise<unknown>)[] = [
      (mark) => rm(mark),
      (mark) => truncate(mark),
      (mark) => cp(watermarkOf(foreign.location), mark),
    ]
    for (const damage of damages) {
      const copy = await copyOf(location)
      await damage(watermarkOf(copy))
      const opened = await folders.open(copy)
      assert.deepEqual([opened.integrity().state, opened.integrity().doubtful], ['altered', 1])
      await opened.beginSetup(origin.identity, 20, [])
      await opened.close()
      assert.equal((await folders.open(copy)).integrity().state, 'whole')
    }
  })

  it('is not whole where all of its records are those of before', async () => {
    const { location, store } = await young()
    await store.close()
    const former: [Uint8Array, Uint8Array][] = []
    await tamper(location, async (raw) => {
      former.push(...(await raw.iterator().all()))
    })
    const later = await folders.open(location)
    await later.putPending({ key: secret(2), payload: payloadOf(secret(2), 1), confirmed: true })
    await later.close()
    await tamper(location, async (raw) => {
      await raw.clear()
      for (const [name, sealed] of former) await raw.put(name, sealed)
      assert.ok(former.some(([name]) => name[0] === MANIFEST.prefix))
    })
    const opened = await folders.open(location)
    assert.deepEqual([opened.integrity().state, opened.integrity().doubtful], ['altered', 1])
  })

  it('acknowledges no write before its mark is on the disk', async () => {
    const { location, store } = await young()
    const { rename } = fs
    fs.rename = async (from, to) => {
      if (String(to).endsWith('WATERMARK')) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
      await rename(from, to)
    }
    syncBuiltinESMExports()
    try {
      const pending = { key: secret(3), payload: payloadOf(secret(3)), confirmed: false }
      await assert.rejects(store.putPending(pending), { code: 'store/failed' })
      await assert.rejects(store.putPending(pending), { code: 'store/failed' })
    } finally {
      fs.rename = rename
      syncBuiltinESMExports()
    }
    assert.equal((await folders.reopen(store, location)).integrity().state, 'whole')
  })

  it('has all that is in tables which its list does not come to', async () => {
    const location = join(await folders.make(), 'store')
    const store = await folders.open(location)
    await store.putSecret('account-seed', SEED)
    await store.beginSetup(origin.identity, 10, [])
    const asUsual = keepTablesSmall(SMALLEST_TABLE_BYTES)
    const again = await folders.reopen(store, location).finally(asUsual)
    // More than LevelDB keeps in a journal: it makes tables, and removes what it has made them of. The seventh has to
    // wait for the first table, and so for the list to have come to it.
    const keys = Array.from({ length: 8 }, (_, at) => secret(10 + at))
    for (const key of keys) await again.putPending({ key, payload: new Uint8Array(25_000), confirmed: true })
    await again.close()
    const ends = await endsIn(await fileOf(location, /^MANIFEST/))
    assert.ok(ends.length > 3, `${ends}`)
    for (const end of [...ends, ...ends.slice(1).map((each) => each - 3)]) {
      const copy = await copyOf(location)
      await truncate(await fileOf(copy, /^MANIFEST/), end)
      const opened = await folders.open(copy)
      assert.equal(opened.integrity().state, end === ends.at(-1) ? 'whole' : 'altered', `${end}`)
      assert.equal(opened.counts().pending, keys.length, `${end}`)
      assert.deepEqual(await opened.secret('account-seed'), SEED)
      await opened.close()
    }
  })
})
