import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, chown, cp, mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { toHex } from '../../../src/crypto/index.js'
import { repair } from '../../../src/store/damage.js'
import { HEADER, HEADER_COPY, PENDING } from '../../../src/store/records.js'
import { Sealer } from '../../../src/store/sealing.js'
import { Disk, isPowerCut } from './disk.js'
import {
  collect,
  enclave,
  Folders,
  payloadOf,
  type RawDatabase,
  seal,
  sealingKey,
  secret,
  tamper,
  wantOf,
} from './fixture.js'

const SEED = new Uint8Array(32).fill(9)
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
  async function heldIn(location: string): Promise<{ state: string; held: number }> {
    const store = await folders.open(location)
    const { state } = store.integrity()
    assert.deepEqual(await store.secret('account-seed'), SEED)
    const places = await collect(store.places())
    for (const { kind, nftId } of places) {
      assert.deepEqual((await store.share({ kind, nftId }))?.payload, payloadOf({ kind, nftId }))
    }
    const incarnation = `0x${'ee'.repeat(16)}` as const
    if (state === 'altered') await store.beginSetup({ ...origin.identity, incarnation }, 20, [])
    await store.close()
    const again = await folders.open(location)
    assert.equal(again.integrity().state, 'whole')
    await again.close()
    assert.deepEqual(await filesOf(location, /lost|MEND/), [])
    return { state, held: places.length }
  }

  it('loses nothing where its tables are whole', async () => {
    const location = await filled()
    const damages: [string, (folder: string) => Promise<unknown>][] = [
      ['CURRENT gone', (folder) => rm(join(folder, 'CURRENT'))],
      ['CURRENT empty', (folder) => truncate(join(folder, 'CURRENT'))],
      ['CURRENT of another form', (folder) => writeFile(join(folder, 'CURRENT'), 'MANIGEST-000001\n')],
      ['CURRENT too large to be read', (folder) => truncate(join(folder, 'CURRENT'), 2 ** 33)],
      ['WATERMARK too large to be read', (folder) => truncate(join(folder, 'WATERMARK'), 2 ** 33)],
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

  /** Runs `work` as somebody for whom permissions count. */
  async function withoutPrivileges(work: () => Promise<unknown>): Promise<void> {
    const nobody = 65_534
    if (process.geteuid?.() !== 0) return void (await work())
    process.seteuid?.(nobody)
    try {
      await work()
    } finally {
      process.seteuid?.(0)
    }
  }

  it('tells of a file that cannot be read, mends nothing, and goes on without it once it was removed', async () => {
    // As an encrypted mount answers for a file that does not verify: it may be altered, or the mount's key another one.
    const location = await filled()
    for (const pattern of [/^CURRENT$/, /^MANIFEST/, /\.ldb$/, /\.log$/]) {
      const copy = await copyOf(location)
      const file = (await filesOf(copy, pattern)).at(-1) ?? ''
      for (const path of [join(copy, '..'), copy, ...(await filesOf(copy, /./))]) await chown(path, 65_534, 65_534)
      await chmod(file, 0)
      const kept = async () => (await filesOf(copy, /\.ldb$|MEND|lost/)).sort()
      const before = await kept()
      await withoutPrivileges(async () => {
        for (let start = 0; start < 2; start += 1) {
          const { code, message } = await folders.open(copy).then(
            () => assert.fail(`${file} was not missed`),
            (thrown) => thrown,
          )
          assert.equal(code, 'store/unreadable', `${file}: ${message}`)
          assert.match(message, /permission denied/i)
          assert.ok(message.includes(basename(file)), message)
        }
      })
      assert.deepEqual(await kept(), before)
      await rm(file)
      assert.equal((await heldIn(copy)).state, 'altered', file)
    }
  })

  it('does not wait for a pipe in the place of one of its files, and tells of what is none', async () => {
    const location = await filled()
    for (const pattern of [
      /^WATERMARK$/,
      /^CURRENT$/,
      /^MANIFEST/,
      /\.ldb$/,
      /\.log$/,
      /^MENDED$/,
      /^[A-Z]+\.draft$/,
    ]) {
      for (const kind of ['a pipe', 'a folder']) {
        const copy = await copyOf(location)
        if (`${pattern}`.includes('MENDED')) await writeFile(join(copy, 'MENDED'), 'copying\n')
        if (`${pattern}`.includes('draft')) await writeFile(join(copy, 'WATERMARK.draft'), '')
        const [file = ''] = await filesOf(copy, pattern)
        await rename(file, `${copy}.kept`)
        if (kind === 'a folder') await mkdir(file)
        else await promisify(execFile)('mkfifo', [file])
        // A draft is not read, but taken away.
        if (kind === 'a pipe' && file.endsWith('draft')) await (await folders.open(copy)).close()
        else await assert.rejects(folders.open(copy), { code: 'store/unreadable' }, `${kind} ${file}`)
        await rm(file, { recursive: true, force: true })
        await rename(`${copy}.kept`, file)
        assert.equal((await heldIn(copy)).held, held.length, `${kind} ${file}`)
      }
    }
  })

  it('is altered also when the mending was cut short, since what is left may be an older state', async () => {
    const location = await filled()
    // What the newest table held was the newest of everything, the manifest, too.
    await rm((await filesOf(location, /\.ldb$/)).at(-1) ?? '')
    await repair(location, false)
    assert.deepEqual(await heldIn(location), { state: 'altered', held: 2 })
  })

  it('doubts a pending share when a table is gone, since a newer one may have been in it', async () => {
    const location = join(await folders.make(), 'store')
    const key = secret(1)
    let store = await folders.open(location)
    await store.beginSetup(origin.identity, 10, [])
    await store.putPending({ key, payload: payloadOf(key), confirmed: true })
    store = await folders.reopen(store, location)
    await store.putPending({ key, payload: payloadOf(key, 1), confirmed: true })
    await (await folders.reopen(store, location)).close()
    // With it went the newest manifest: what is left agrees.
    await rm((await filesOf(location, /\.ldb$/)).at(-1) ?? '')
    const opened = await folders.open(location)
    assert.deepEqual([opened.integrity().state, opened.integrity().doubtful], ['altered', 1])
    assert.deepEqual((await opened.pending(key))?.payload, payloadOf(key))
  })

  it('doubts a pending share also when the database was mended already, and no more', async () => {
    const location = await filled()
    const store = await folders.open(location)
    await store.putPending({ key: secret(80), payload: payloadOf(secret(80)), confirmed: true })
    await store.close()
    for (const [mark, doubtful] of [
      ['copying\n', 1],
      ['', 1],
      ['copying legible\n', 0],
    ] as const) {
      const copy = await copyOf(location)
      await tamper(copy, (raw) => raw.del(Uint8Array.of(0x11)))
      await writeFile(join(copy, 'MENDED'), mark)
      const opened = await folders.open(copy)
      assert.deepEqual([opened.integrity().state, opened.integrity().doubtful], ['altered', doubtful], mark)
    }
  })

  it('is mended although that was cut short before any change of the disk', async () => {
    const damaged = await filled()
    await rm(join(damaged, 'CURRENT'))
    let ends = ''
    for (let steps = 0; ends !== 'ended'; steps += 1) {
      const location = await copyOf(damaged)
      const disk = new Disk(steps, steps % 2 === 0)
      try {
        await (await folders.open(location)).close()
        ends = 'ended'
      } catch (thrown) {
        assert.ok(isPowerCut(thrown), String(thrown))
      } finally {
        disk.restore(true)
      }
      assert.deepEqual(await heldIn(location), { state: 'altered', held: held.length }, `${steps}`)
      assert.ok(steps < 100)
    }
  })

  it('takes nothing away where a mark says nothing beside a whole copy: nobody can tell which files are of which', async () => {
    const damaged = await filled()
    await rm(join(damaged, 'CURRENT'))
    const marks = new Set<string>()
    for (let [steps, isOver] = [0, false]; !isOver; steps += 1) {
      const location = await copyOf(damaged)
      const disk = new Disk(steps, false)
      try {
        await (await folders.open(location)).close()
        isOver = true
      } catch (thrown) {
        assert.ok(isPowerCut(thrown), String(thrown))
      } finally {
        disk.restore(true)
      }
      const files = async () =>
        (await readdir(location, { recursive: true })).filter((name) => name !== 'MENDED.draft').sort()
      const mark = join(location, 'MENDED')
      const before = await files()
      const isWhole = before.includes('MENDING') && !before.includes('MENDING.order')
      if (isOver || !isWhole || !before.includes('MENDED')) continue
      marks.add(`${await readFile(mark)}`)
      await writeFile(mark, 'cop')
      await assert.rejects(folders.open(location), { code: 'store/unreadable' })
      assert.deepEqual(await files(), before)
    }
    assert.ok(marks.has('copied\n') && marks.has('moving\n'))
  })

  describe('in one bit of a table', () => {
    /** Where the database's own name for a record ends, in the one table that has it: 8 bytes of its own, and then the value. */
    async function spotOf(location: string, sealed: Uint8Array): Promise<{ file: string; end: number }> {
      for (const file of await filesOf(location, /\.ldb$/)) {
        const end = (await readFile(file)).indexOf(sealed)
        if (end >= 0) return { file, end }
      }
      return assert.fail('it is in no table')
    }

    async function flipped(location: string, sealed: Uint8Array, back: number, bit: number): Promise<string> {
      const copy = await copyOf(location)
      const { file, end } = await spotOf(copy, sealed)
      const bytes = await readFile(file)
      bytes[end - back] = (bytes[end - back] ?? 0) ^ bit
      await writeFile(file, bytes)
      return copy
    }

    async function recordsOf(location: string): Promise<[Uint8Array, Uint8Array][]> {
      const all: [Uint8Array, Uint8Array][] = []
      await tamper(location, async (raw) => {
        for (const [name, sealed] of await raw.iterator().all()) all.push([Uint8Array.from(name), sealed])
      })
      return all
    }

    it('loses that record, whether its name is damaged or what the database adds to it', async () => {
      const location = await filled()
      const all = await recordsOf(location)
      for (const [name, sealed] of all) {
        for (const [back, bit] of [
          [8, 0x40],
          [9, 0x80],
        ] as const) {
          const { state, held: left } = await heldIn(await flipped(location, sealed, back, bit))
          assert.deepEqual([state, left >= held.length - 2], ['altered', true], toHex(name))
        }
      }
    })

    it('loses no more than that where one name is damaged', async () => {
      const location = join(await folders.make(), 'store')
      const pending = [1, 2, 3, 4, 5].map(secret)
      const store = await folders.open(location)
      await store.beginSetup(origin.identity, 10, [])
      for (const key of pending) await store.putPending({ key, payload: payloadOf(key), confirmed: true })
      await (await folders.reopen(store, location)).close()
      const [, first] = (await recordsOf(location)).find(([name]) => name[0] === PENDING.prefix) ?? []
      const opened = await folders.open(await flipped(location, first ?? assert.fail(), 9, 0x80))
      const left = (await collect(opened.pendingShares())).map(({ key }) => key)
      assert.deepEqual(left, pending.slice(1))
    })

    it('loses no header: the two are at the ends of the database', async () => {
      const location = await filled()
      const all = await recordsOf(location)
      const [first, last] = [all.at(0), all.at(-1)]
      assert.deepEqual(first?.[0], HEADER.encodeKey(undefined))
      assert.deepEqual(last?.[0], HEADER_COPY.encodeKey(undefined))
      for (const [, sealed = new Uint8Array()] of [first ?? [], last ?? []]) {
        for (let back = 1; back <= 8; back += 1) {
          assert.equal(
            (await heldIn(await flipped(location, sealed, back, 1 << (back % 8)))).held,
            held.length,
            `${back}`,
          )
        }
      }
    })
  })

  it('leaves what it cannot read where that is all there is', async () => {
    const location = join(await folders.make(), 'store')
    const store = await folders.open(location)
    await store.putSecret('account-seed', SEED)
    await (await folders.reopen(store, location)).close()
    const [table = '', ...others] = await filesOf(location, /\.ldb$/)
    assert.deepEqual(others, [])
    const bytes = (await readFile(table)).fill(0x5a)
    await writeFile(table, bytes)
    for (let start = 0; start < 3; start += 1) {
      await assert.rejects(folders.open(location), { code: 'store/unreadable' })
    }
    assert.deepEqual(await readFile(table), bytes)
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
    for (const [at, prefix] of ['01', 'fe'].entries()) {
      const name = Buffer.concat([Buffer.from(prefix, 'hex'), Buffer.from('account-seed')])
      await tamper(location, (raw) => raw.put(name, new Uint8Array(72)))
      // One of the two is enough; `heldIn` looks for the seed.
      if (at === 0) assert.deepEqual(await heldIn(await copyOf(location)), { state: 'altered', held: held.length })
    }
    await assert.rejects(folders.open(location), { code: 'store/tampered', message: /secret\/account-seed/ })
  })

  describe('in its header', () => {
    const names = [Uint8Array.of(0), Uint8Array.of(0xff)] as const

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

    it('is told from the one of an older format', async () => {
      const location = await filled()
      await tamper(location, async (raw) => {
        for (const name of names) await raw.del(name)
        await raw.put(Uint8Array.of(0, 1), new Uint8Array(56))
      })
      await assert.rejects(folders.open(location), { code: 'store/older-format' })
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
})
