import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import fs, { appendFile, cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { basename, join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { resealStore } from '../../../src/store/index.js'
import { collect, enclave, Folders, payloadOf, seal, sealingKey, secret, signal } from './fixture.js'

const SEEDS = { 'account-seed': new Uint8Array(32).fill(1), 'peer-key-seed': new Uint8Array(32).fill(2) } as const
const origin = enclave(1, 1)
const pending = Array.from({ length: 40 }, (_, at) => secret(100 + at))

/** What a disk does to the files of a closed folder, or of one whose process was killed. */
describe('store whose files do not fit their checksums', function () {
  this.timeout(120_000)
  const folders = new Folders()
  afterEach(() => folders.clear())

  const filesOf = async (location: string, pattern: RegExp) =>
    (await readdir(location)).filter((name) => pattern.test(name)).map((name) => join(location, name))

  async function copyOf(location: string): Promise<string> {
    const copy = join(await folders.make(), 'store')
    await cp(location, copy, { recursive: true })
    return copy
  }

  async function flip(file: string, byte: number, bit = 1): Promise<Buffer> {
    const bytes = await readFile(file)
    bytes[byte] = (bytes[byte] ?? 0) ^ bit
    await writeFile(file, bytes)
    return bytes
  }

  /** As after a kill: what was acknowledged last is in the journal alone. */
  async function killed(): Promise<string> {
    const location = join(await folders.make(), 'store')
    let store = await folders.open(location)
    for (const name of ['account-seed', 'peer-key-seed'] as const) await store.putSecret(name, SEEDS[name])
    await store.beginSetup(origin.identity, 10, [])
    store = await folders.reopen(store, location)
    for (const key of pending) await store.putPending({ key, payload: payloadOf(key), confirmed: true })
    return copyOf(location)
  }

  /** All that was acknowledged, in one table. */
  async function compacted(): Promise<string> {
    const location = join(await folders.make(), 'store')
    const store = await folders.open(location)
    for (const name of ['account-seed', 'peer-key-seed'] as const) await store.putSecret(name, SEEDS[name])
    await store.beginSetup(origin.identity, 10, [])
    await seal(store, origin, 21, [secret(1), secret(2)])
    for (const key of pending.slice(0, 6)) await store.putPending({ key, payload: payloadOf(key), confirmed: true })
    await store.close()
    const raw = new ClassicLevel(location, { compression: false })
    await raw.open()
    await raw.compactRange('\x00', '\xff')
    await raw.close()
    return location
  }

  const journalOf = async (location: string) => (await filesOf(location, /\.log$/)).at(-1) ?? assert.fail()

  describe('in a journal', () => {
    it('tells of one flipped bit, and keeps what was written behind it, and the file', async () => {
      const location = await killed()
      const damaged = await flip(await journalOf(location), 30)
      const store = await folders.open(location)
      const { state, doubtful, damaged: aside = '' } = store.integrity()
      assert.deepEqual([state, doubtful], ['altered', store.counts().pending])
      assert.ok(store.counts().pending >= pending.length - 1, `${store.counts().pending}`)
      assert.equal(aside, `${location}.damaged`)
      assert.deepEqual(await readFile(join(aside, basename(await journalOf(aside)))), damaged)
    })

    it('tells that one is gone: where it held all there was, no new store is made, and else it is a folder that was altered', async () => {
      const young = await folders.make()
      await (await folders.open(young)).close()
      await rm(await journalOf(young))
      await assert.rejects(folders.open(young), { code: 'store/unreadable' })
      await assert.rejects(folders.open(young), { code: 'store/unreadable' }, 'nor at the next start')

      const location = await killed()
      await (await folders.open(location)).close()
      await rm(await journalOf(location))
      const store = await folders.open(location)
      assert.equal(store.integrity().state, 'altered')
    })

    it('takes what is cut short at the end for what was never acknowledged', async () => {
      const location = await killed()
      const journal = await readFile(await journalOf(location))
      const ends: [string, Uint8Array][] = [
        ['in its content', journal.subarray(0, 60)],
        ['in its head', journal.subarray(0, 3)],
        ['room for it alone', new Uint8Array(100)],
      ]
      for (const [name, end] of ends) {
        const copy = await copyOf(location)
        await appendFile(await journalOf(copy), end)
        const store = await folders.open(copy)
        assert.deepEqual([store.integrity().state, store.counts().pending], ['whole', pending.length], name)
        assert.equal(store.integrity().damaged, undefined)
      }
    })

    it('tells of a length that only looks as if the record were cut short', async () => {
      const location = await killed()
      // The length of the first: in the last block of the file it goes on behind the end.
      await flip(await journalOf(location), 5, 0x40)
      const store = await folders.open(location)
      assert.equal(store.integrity().state, 'altered')
      assert.ok(store.counts().pending >= pending.length - 1)
    })
  })

  it('tells of one flipped bit in the list of tables', async () => {
    const location = await compacted()
    const [list = ''] = await filesOf(location, /^MANIFEST/)
    await flip(list, 20)
    const store = await folders.open(location)
    assert.equal(store.integrity().state, 'altered')
    assert.equal(store.counts().pending, 6)
    assert.deepEqual(await store.secret('account-seed'), SEEDS['account-seed'])
  })

  it('keeps what cannot be read at a second damage, too, and no copy of all else', async () => {
    const location = await killed()
    const first = await flip(await journalOf(location), 30)
    const aside = `${location}.damaged`
    const files = async () => (await readdir(aside)).filter((name) => name !== 'WHOLE')
    await (await folders.open(location)).close()
    const before = await files()
    const [table = ''] = await filesOf(location, /\.ldb$/)
    const second = await flip(table, 30)
    const store = await folders.open(location)
    assert.equal(store.integrity().damaged, aside)
    const added = (await files()).filter((name) => !before.includes(name))
    assert.equal(added.length, 1, `${added}`)
    assert.deepEqual(await readFile(join(aside, added[0] ?? '')), second)
    assert.ok((await Promise.all(before.map((name) => readFile(join(aside, name))))).some((each) => each.equals(first)))
  })

  it('keeps the files in the folder where nothing can be moved out of it, as out of a mount', async () => {
    const location = await killed()
    await flip(await journalOf(location), 30)
    const { rename } = fs
    fs.rename = async (from, to) => {
      if (String(to).startsWith(`${location}.`)) throw Object.assign(new Error('EXDEV'), { code: 'EXDEV' })
      await rename(from, to)
    }
    syncBuiltinESMExports()
    try {
      const store = await folders.open(location)
      assert.equal(store.integrity().damaged, join(location, 'DAMAGED'))
      assert.ok(store.counts().pending >= pending.length - 1)
      await store.close()
      // What is in the folder would go with it.
      const keys = { from: sealingKey, to: new Uint8Array(32).fill(3), signal }
      await assert.rejects(resealStore({ location, ...keys }), { code: 'store/unreadable', message: /DAMAGED/ })
    } finally {
      fs.rename = rename
      syncBuiltinESMExports()
    }
    assert.equal(existsSync(`${location}.damaged`), false)
  })

  it('makes no new store where only the files of a damaged one are left', async () => {
    const location = await killed()
    await flip(await journalOf(location), 30)
    await (await folders.open(location)).close()
    await rm(location, { recursive: true })
    await assert.rejects(folders.open(location), { code: 'store/unreadable', message: /\.damaged was left there/ })
  })

  it('does not take a folder that another process has open for a damaged one', async () => {
    const location = await killed()
    const child = fork(new URL('./holding-process.js', import.meta.url), [location], { timeout: 60_000 })
    try {
      await once(child, 'message')
      // What is being written does not look right before it is all there.
      await flip(await journalOf(location), 30)
      const before = await readdir(location)
      await assert.rejects(folders.open(location), { code: 'store/locked' })
      assert.deepEqual(
        await filesOf(location, /^(?!LOG)/),
        before.filter((name) => !/^LOG/.test(name)).map((name) => join(location, name)),
      )
    } finally {
      child.disconnect()
      await once(child, 'exit')
    }
    assert.equal(existsSync(`${location}.damaged`), false)
  })

  it('opens after any one flipped bit, with its seeds', async () => {
    const location = await compacted()
    const jobs: [string, number][] = []
    for (const file of await filesOf(location, /^(CURRENT|MANIFEST-\d+|\d+\.(ldb|log))$/)) {
      const { length } = await readFile(file)
      const isTable = file.endsWith('.ldb')
      // There the header and the seeds are.
      for (let byte = 0; isTable && byte < 400; byte += 7) jobs.push([basename(file), byte * 8 + (byte % 8)])
      for (let at = 0; at < Math.min(length, isTable ? 60 : 25); at += 1) {
        // By chance, but the same at each run; in a table's last bytes is where its index is.
        const drawn = createHash('sha256')
          .update(`${basename(file).replace(/\d+/, '')}/${at}`)
          .digest()
        const byte = at % 3 === 0 ? length - 1 - (at % Math.min(48, length)) : drawn.readUInt32LE(0) % length
        jobs.push([basename(file), byte * 8 + ((drawn[4] ?? 0) % 8)])
      }
    }
    const ends = await openedElsewhere(location, jobs)
    assert.equal(ends.length, jobs.length)
    assert.deepEqual([...new Set(ends.filter((end) => !/^(whole|altered) seeds$/.test(end)))], [])
    assert.ok(ends.filter((end) => end.startsWith('altered')).length > jobs.length / 2)
  })

  /** In a process of its own, since what is looked for here ends the process. */
  async function openedElsewhere(location: string, jobs: readonly [string, number][]): Promise<string[]> {
    const child = fork(new URL('./flipping-process.js', import.meta.url), [], { timeout: 100_000 })
    const ends: string[] = []
    child.on('message', (end: string) => ends.push(end))
    const exited = once(child, 'exit')
    child.send({ location, place: await folders.make(), jobs, seeds: Object.values(SEEDS).map((seed) => [...seed]) })
    const [code, signal] = await exited
    assert.deepEqual([code, signal], [0, null], `after ${ends.length}: ${JSON.stringify(jobs[ends.length])}`)
    return ends
  }

  it('finds no damage in what it has written itself', async () => {
    const location = await killed()
    let store = await folders.open(location)
    assert.equal(store.integrity().state, 'whole')
    assert.deepEqual((await collect(store.pendingShares())).length, pending.length)
    await seal(store, origin, 21, pending)
    store = await folders.reopen(store, location)
    assert.equal(store.integrity().state, 'whole')
    assert.equal(store.integrity().damaged, undefined)
  })
})
