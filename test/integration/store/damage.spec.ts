import assert from 'node:assert/strict'
import { cp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repair } from '../../../src/store/damage.js'
import { resealStore } from '../../../src/store/index.js'
import { Sealer } from '../../../src/store/sealing.js'
import {
  collect,
  enclave,
  Folders,
  payloadOf,
  type RawDatabase,
  seal,
  sealingKey,
  secret,
  signal,
  tamper,
  wantOf,
} from './fixture.js'

const SEED = new Uint8Array(32).fill(9)
const OTHER_KEY = new Uint8Array(32).fill(0xa7)
const held = [1, 2, 3].map(secret)

/** A node whose folder was damaged a little goes on with what is left of it, and does not refuse for ever. */
describe('store whose folder is damaged', function () {
  this.timeout(60_000)
  const folders = new Folders()
  afterEach(() => folders.clear())
  const origin = enclave(1, 1)

  /** With three tables: one with the seeds, and two with shares. A fourth would have them put together. */
  async function filled(): Promise<string> {
    const location = join(await folders.make(), 'store')
    let store = await folders.open(location)
    await store.putSecret('account-seed', SEED)
    await store.beginSetup(origin.identity, 10, [wantOf(secret(70))])
    for (const [at, keys] of [held.slice(0, 2), held.slice(2)].entries()) {
      store = await folders.reopen(store, location)
      await seal(store, origin, 11 + at, keys)
    }
    // Moves what is last from the journal into a table, too.
    await (await folders.reopen(store, location)).close()
    return location
  }

  const filesOf = async (location: string, pattern: RegExp) =>
    (await readdir(location)).filter((name) => pattern.test(name)).map((name) => join(location, name))

  async function copyOf(location: string): Promise<string> {
    const copy = join(await folders.make(), 'store')
    await cp(location, copy, { recursive: true })
    return copy
  }

  /** Opens it twice; what is held must be true, and after a setup it is whole. */
  async function heldIn(location: string, key = sealingKey): Promise<{ state: string; held: number }> {
    const store = await folders.open(location, key)
    const { state } = store.integrity()
    assert.deepEqual(await store.secret('account-seed'), SEED)
    const places = await collect(store.places())
    for (const { kind, nftId } of places) {
      assert.deepEqual((await store.share({ kind, nftId }))?.payload, payloadOf({ kind, nftId }))
    }
    const incarnation = `0x${'ee'.repeat(16)}` as const
    if (state === 'altered') await store.beginSetup({ ...origin.identity, incarnation }, 20, [])
    await store.close()
    const again = await folders.open(location, key)
    assert.equal(again.integrity().state, 'whole')
    await again.close()
    assert.deepEqual(await filesOf(location, /lost|MENDED/), [])
    return { state, held: places.length }
  }

  it('loses nothing where its tables are whole', async () => {
    const location = await filled()
    const damages: [string, (folder: string) => Promise<unknown>][] = [
      ['CURRENT gone', (folder) => rm(join(folder, 'CURRENT'))],
      ['CURRENT empty', (folder) => truncate(join(folder, 'CURRENT'))],
      ['CURRENT wrong', (folder) => writeFile(join(folder, 'CURRENT'), 'MANIFEST-999999\n')],
      ['MANIFEST gone', async (folder) => rm((await filesOf(folder, /^MANIFEST/))[0] ?? '')],
    ]
    for (const [name, damage] of damages) {
      const copy = await copyOf(location)
      await damage(copy)
      assert.deepEqual(await heldIn(copy), { state: 'altered', held: held.length }, name)
    }
  })

  it('goes on without a table that is gone or cut off, unless it held the seeds', async () => {
    const location = await filled()
    const tables = await filesOf(location, /\.ldb$/)
    assert.equal(tables.length, 3, `${tables}`)
    let mended = 0
    for (const damage of [rm, (file: string) => truncate(file, 100)]) {
      for (const table of tables) {
        const copy = await copyOf(location)
        await damage(table.replace(location, copy))
        try {
          const { state, held: left } = await heldIn(copy)
          assert.equal(state, 'altered')
          assert.ok(left <= held.length)
          mended += 1
        } catch (thrown) {
          // The oldest has the header, without which nothing can be opened.
          const { code, message } = thrown as { code?: string; message: string }
          assert.equal(code, 'store/unreadable', message)
          assert.match(message, /its header is missing/)
          assert.equal(table, tables[0])
        }
      }
    }
    assert.equal(mended, 2 * (tables.length - 1))
  })

  it('is altered also when the mending was cut short, since what is left may be an older state', async () => {
    const location = await filled()
    // What the newest table held was the newest of everything, the manifest, too.
    await rm((await filesOf(location, /\.ldb$/)).at(-1) ?? '')
    await writeFile(join(location, 'MENDED'), '')
    await repair(location)
    assert.deepEqual(await heldIn(location), { state: 'altered', held: 2 })
  })

  it('makes no empty store where there was one', async () => {
    const location = await filled()
    for (const table of await filesOf(location, /\.(ldb|log)$/)) await truncate(table)
    await rm(join(location, 'CURRENT'))
    const before = await readdir(location)
    assert.ok(before.length > 0)
    // All is lost, but nobody knows that of a node that begins as a new one.
    await assert.rejects(folders.open(location), { code: 'store/unreadable' })
  })

  it('does not take any name beside the seeds for a seed', async () => {
    const location = await filled()
    for (const name of ['x', 'account-seed.', 'peer-key']) {
      const copy = await copyOf(location)
      await tamper(copy, (raw) => raw.put(Buffer.from(`\x01${name}`), Buffer.from('junk')))
      assert.deepEqual(await heldIn(copy), { state: 'altered', held: held.length }, name)
    }
    await tamper(location, (raw) => raw.put(Buffer.from('\x01account-seed'), Buffer.from('junk')))
    await assert.rejects(folders.open(location), { code: 'store/tampered', message: /secret\/account-seed/ })
  })

  describe('in its header', () => {
    const names = [Uint8Array.of(0, 0), Uint8Array.of(0, 1)] as const

    /** As the host has it, and with the id in it. */
    async function headers(location: string): Promise<string[]> {
      const found: string[] = []
      await tamper(location, async (raw) => {
        const sealer = new Sealer(sealingKey, new Uint8Array(16))
        for (const name of names) {
          const sealed = await raw.get(name)
          found.push(Buffer.from((sealed && sealer.open(name, sealed)) ?? []).toString('hex'))
        }
      })
      return found
    }

    it('writes a copy that is gone or wrong anew from the other', async () => {
      const location = await filled()
      const [id] = await headers(location)
      const foreign = await filled()
      let planted = new Uint8Array()
      await tamper(foreign, async (raw) => {
        planted = Uint8Array.from(await raw.get(names[0]))
      })
      for (const at of [0, 1] as const) {
        const damages: ((raw: RawDatabase) => Promise<void>)[] = [
          (raw) => raw.del(names[at]),
          (raw) => raw.put(names[at], Buffer.from('junk')),
        ]
        // Sealed by this very enclave, for another folder.
        if (at === 0) damages.push((raw) => raw.put(names[0], planted))
        for (const damage of damages) {
          const copy = await copyOf(location)
          await tamper(copy, damage)
          assert.deepEqual(await heldIn(copy), { state: 'whole', held: held.length })
          assert.deepEqual(await headers(copy), [id, id])
        }
      }
    })

    it('is refused with another folder’s, and leaves what it was told', async () => {
      const [location, foreign] = [await filled(), await filled()]
      const planted: Uint8Array[] = []
      await tamper(foreign, async (raw) => {
        for (const name of names) planted.push(await raw.get(name))
      })
      const [before] = [await headers(location)]
      await tamper(location, async (raw) => {
        await raw.put(names[0], planted[0] ?? new Uint8Array())
        await raw.put(names[1], Buffer.from('junk'))
      })
      await assert.rejects(folders.open(location), { code: 'store/tampered' })
      assert.notDeepEqual(await headers(location), before)
      assert.equal((await headers(location))[1], '')
    })
  })

  it('has a re-sealing succeed that was cut short after the new folder was whole', async () => {
    for (const step of ['between the renames', 'after them']) {
      const location = await filled()
      const fresh = await copyOf(location)
      await resealStore({ location: fresh, from: sealingKey, to: OTHER_KEY, signal })
      await writeFile(join(location, 'SEQUENCE'), '1\n')
      await rename(location, `${location}.replaced`)
      await rename(fresh, step === 'after them' ? location : `${location}.resealed`)
      await resealStore({ location, from: sealingKey, to: OTHER_KEY, signal })
      assert.deepEqual((await readdir(join(location, '..'))).sort(), ['store', 'store.lock'])
      await resealStore({ location, from: sealingKey, to: OTHER_KEY, signal })
      assert.deepEqual(await heldIn(location, OTHER_KEY), { state: 'whole', held: held.length })
      const stranger = new Uint8Array(32)
      await assert.rejects(resealStore({ location, from: sealingKey, to: stranger, signal }), {
        code: 'store/wrong-key',
      })
      assert.equal((await readFile(join(location, 'CURRENT'), 'utf8')).slice(0, 9), 'MANIFEST-')
    }
  })
})
