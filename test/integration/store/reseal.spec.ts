import assert from 'node:assert/strict'
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs, { access, cp, lstat, mkdir, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Level } from 'level'
import type { ShareKey } from '../../../src/domain/index.js'
import { SealedDatabase } from '../../../src/store/database.js'
import { resealStore, type Store } from '../../../src/store/index.js'
import { SMALL_PAYLOADS } from '../../../src/store/records.js'
import { Random } from '../../support/random.js'
import { Disk, isPowerCut } from './disk.js'
import {
  capsule,
  collect,
  enclave,
  Folders,
  fetchRuns,
  payloadOf,
  seal,
  sealingKey,
  secret,
  signal,
  tamper,
  wantOf,
} from './fixture.js'

const NEW_KEY = new Uint8Array(32).fill(0xa7)
const RESEALING = fileURLToPath(new URL('./resealing-process.js', import.meta.url))
const OPENING = fileURLToPath(new URL('./opening-process.js', import.meta.url))
const held: ShareKey[] = [...Array.from({ length: 40 }, (_, at) => secret(at)), capsule(1)]

/** A node that starts now and then has the folder for a moment. */
async function untilUnlocked(work: () => Promise<void>): Promise<void> {
  for (let attempt = 0; attempt < 10_000; attempt += 1) {
    try {
      return await work()
    } catch (thrown) {
      if ((thrown as { code?: string }).code !== 'store/locked') throw thrown
    }
  }
  assert.fail('the folder was never free')
}

/** LevelDB takes files away that it has done with, also while they are being copied. */
async function copyWhole(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const before = await filesOf(from)
      await cp(from, to, { recursive: true })
      assert.deepEqual(await filesOf(from), before)
      return
    } catch (thrown) {
      if (attempt === 100 || !isOfCompaction(thrown)) throw thrown
      await rm(to, { recursive: true, force: true })
    }
  }
}

function isOfCompaction(thrown: unknown): boolean {
  return thrown instanceof assert.AssertionError || (thrown as { code?: string }).code === 'ENOENT'
}

/** With their sizes; LevelDB's own log apart. */
async function filesOf(folder: string): Promise<(readonly [string, number])[]> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('LOG')).sort()
  return Promise.all(names.map(async (name) => [name, (await stat(join(folder, name))).size] as const))
}

describe('sealing a store anew', function () {
  this.timeout(60_000)
  const folders = new Folders()
  const origin = enclave(1, 1)
  const models = new Folders()
  afterEach(() => folders.clear())
  after(() => models.clear())

  /** Made once, and copied for each test that wants one. */
  let model: Promise<string> | undefined

  async function filled(): Promise<string> {
    model ??= fill()
    const location = join(await folders.make(), 'store')
    await cp(await model, location, { recursive: true })
    return location
  }

  async function fill(): Promise<string> {
    const location = join(await models.make(), 'store')
    const store = await models.open(location)
    await store.putSecret('account-seed', new Uint8Array(32).fill(9))
    await store.putCollateralFloors('{"floors":1}')
    await store.beginSetup(origin.identity, 10, [wantOf(secret(70))])
    await seal(store, origin, 11, held)
    await store.putPending({ key: secret(80), payload: payloadOf(secret(80)), confirmed: true })
    await store.close()
    return location
  }

  async function requireWhole(store: Store): Promise<void> {
    assert.equal(store.integrity().state, 'whole')
    assert.deepEqual(await store.secret('account-seed'), new Uint8Array(32).fill(9))
    assert.equal(await store.collateralFloors(), '{"floors":1}')
    assert.deepEqual(await collect(store.wants()), [wantOf(secret(70))])
    assert.deepEqual((await store.pending(secret(80)))?.payload, payloadOf(secret(80)))
    const { runs, notHeld } = await fetchRuns(store, held)
    assert.deepEqual(notHeld, [])
    assert.equal(runs.flatMap(({ shares }) => shares).length, held.length)
    for (const key of held) assert.deepEqual((await store.share(key))?.payload, payloadOf(key))
  }

  /** Opens it with whichever key does, and only one does; all must be there. */
  async function keyOf(location: string): Promise<'old' | 'new'> {
    const opened: ('old' | 'new')[] = []
    for (const [name, key] of [
      ['old', sealingKey],
      ['new', NEW_KEY],
    ] as const) {
      try {
        const store = await folders.open(location, key)
        opened.push(name)
        await requireWhole(store)
        await store.close()
      } catch (thrown) {
        assert.equal((thrown as { code?: string }).code, 'store/wrong-key', String(thrown))
      }
    }
    const [only, ...more] = opened
    assert.ok(only !== undefined && more.length === 0, `${opened}`)
    return only
  }

  const reseal = (location: string, from = sealingKey, to = NEW_KEY) => resealStore({ location, from, to, signal })

  it('has everything under the new key, and nothing under the old one', async () => {
    const location = await filled()
    const before = await folders.open(location)
    const { sequence } = before.integrity()
    await before.close()
    await reseal(location)
    assert.equal(await keyOf(location), 'new')
    assert.deepEqual((await readdir(join(location, '..'))).sort(), ['store', 'store.lock'])
    const store = await folders.open(location, NEW_KEY)
    assert.ok(store.integrity().sequence > sequence)
    await seal(store, origin, 12, [secret(90)])
    await store.close()
    await reseal(location, NEW_KEY, sealingKey)
    const back = await folders.open(location)
    assert.deepEqual((await back.share(secret(90)))?.payload, payloadOf(secret(90)))
  })

  it('has everything of a seat that is not the folder’s first', async () => {
    const location = await filled()
    const store = await folders.open(location)
    await store.eraseAll()
    const other = enclave(1, 1, 4)
    await store.beginSetup(other.identity, 20, [wantOf(secret(71))])
    await seal(store, other, 21, held)
    await store.putPending({ key: secret(81), payload: payloadOf(secret(81)), confirmed: false })
    await store.close()
    await reseal(location)
    const resealed = await folders.open(location, NEW_KEY)
    assert.equal(resealed.integrity().state, 'whole')
    assert.deepEqual((await resealed.identity())?.seat, other.identity.seat)
    assert.deepEqual(await collect(resealed.wants()), [wantOf(secret(71))])
    assert.deepEqual((await resealed.pending(secret(81)))?.payload, payloadOf(secret(81)))
    for (const key of held) assert.deepEqual((await resealed.share(key))?.payload, payloadOf(key))
  })

  it('keeps the old folder where the last write of the new one is not on the disk', async () => {
    const { batch } = Level.prototype
    for (const [lost, left] of [
      [Number.POSITIVE_INFINITY, ['store', 'store.lock']],
      // Without that one no manifest agrees with its records: so the new one was found altered, too.
      [2, ['store', 'store.damaged', 'store.lock', 'store.replaced']],
    ] as const) {
      const location = await filled()
      const store = await folders.open(location)
      // More than goes into one write.
      for (const nftId of [80, 81]) {
        await store.putPending({ key: secret(nftId), payload: new Uint8Array(3_000_000), confirmed: true })
      }
      await store.close()
      let writes = 0
      Object.defineProperty(Level.prototype, 'batch', {
        configurable: true,
        async value(this: Level<Uint8Array, Uint8Array>, ...parameters: Parameters<typeof batch>) {
          if (writes++ !== lost) await batch.apply(this, parameters)
        },
      })
      try {
        await reseal(location)
      } finally {
        Reflect.deleteProperty(Level.prototype, 'batch')
      }
      if (lost > writes) assert.equal(writes, 3)
      assert.deepEqual((await readdir(join(location, '..'))).sort(), left)
    }
  })

  it('shows of a copy that ends after any of its writes but the last that it is not whole, and keeps the old folder', async () => {
    const { batch } = Level.prototype
    const location = await filled()
    const store = await folders.open(location)
    // More than goes into two writes.
    for (const nftId of [80, 81, 82, 83]) {
      await store.putPending({ key: secret(nftId), payload: new Uint8Array(3_000_000), confirmed: true })
    }
    const { sequence } = store.integrity()
    await store.close()
    const [source, copies] = [await folders.make(), await folders.make()]
    await cp(location, source, { recursive: true })
    let writes = 0
    Object.defineProperty(Level.prototype, 'batch', {
      configurable: true,
      async value(this: Level<Uint8Array, Uint8Array>, ...parameters: Parameters<typeof batch>) {
        await batch.apply(this, parameters)
        const isCopy = await access(`${location}.resealing`).then(
          () => true,
          () => false,
        )
        if (!isCopy) return
        await copyWhole(`${location}.resealing`, join(copies, `${writes}`))
        writes += 1
      },
    })
    try {
      await reseal(location)
    } finally {
      Reflect.deleteProperty(Level.prototype, 'batch')
    }
    // The first makes the copy, with nothing in it.
    assert.equal(writes, 4)
    for (let at = 0; at < writes; at += 1) {
      const copy = join(copies, `${at}`)
      const isLast: boolean = at === writes - 1
      await cp(source, `${copy}.replaced`, { recursive: true })
      // As if the source had been written to as few times as the copy was by then.
      await writeFile(join(`${copy}.replaced`, 'SEQUENCE'), `${isLast ? sequence + 1 : at}\n`)
      if (at === 0) {
        await assert.rejects(folders.open(copy, NEW_KEY), { code: 'store/unreadable', message: /what an earlier/ })
        await access(`${copy}.replaced`)
        continue
      }
      const opened = await folders.open(copy, NEW_KEY)
      const { state, replaced } = opened.integrity()
      assert.deepEqual([state, replaced !== undefined], isLast ? ['whole', false] : ['altered', true], `${at}`)
      await opened.close()
    }
  })

  describe('whose host shows it other records than when it was opened', () => {
    type Entries = [Uint8Array, Uint8Array][]

    /** What a re-sealing says when the entries that it reads were changed so. */
    async function copied(change: (entries: Entries) => Entries): Promise<string> {
      const source = await SealedDatabase.open(await filled(), sealingKey)
      const target = await SealedDatabase.open(join(await folders.make(), 'target'), NEW_KEY)
      const { iterator } = Level.prototype
      Object.defineProperty(Level.prototype, 'iterator', {
        configurable: true,
        value(this: Level<Uint8Array, Uint8Array>, options: object) {
          const made = iterator.call(this, options)
          const nextv = made.nextv.bind(made)
          return Object.assign(made, {
            nextv: async (size: number) => change((await nextv(size)) as unknown as Entries),
          })
        },
      })
      try {
        await source.copyTo(target, signal)
        return 'copied'
      } catch (thrown) {
        return (thrown as { code?: string }).code ?? String(thrown)
      } finally {
        Reflect.deleteProperty(Level.prototype, 'iterator')
        await source.close()
        await target.close()
      }
    }

    const isPayload = (name: Uint8Array | undefined) => name?.[0] === SMALL_PAYLOADS.prefix

    it('is refused when one is left out', async () => {
      assert.equal(await copied((entries) => entries), 'copied')
      let isLeftOut = false
      const withoutOne = await copied((entries) =>
        entries.filter(([name]) => {
          const isToGo = !isLeftOut && isPayload(name)
          isLeftOut ||= isToGo
          return !isToGo
        }),
      )
      assert.equal(withoutOne, 'store/unreadable')
    })

    it('is refused when one does not open, and skips none', async () => {
      let isSpoilt = false
      const spoilt = await copied((entries) =>
        entries.map(([name, sealed]) => {
          if (isSpoilt || !isPayload(name)) return [name, sealed]
          isSpoilt = true
          return [name, sealed.map((byte, at) => (at === 30 ? byte ^ 1 : byte))]
        }),
      )
      assert.equal(spoilt, 'store/tampered')
    })
  })

  it('seals what a link leads to, and leaves the link', async () => {
    const location = await filled()
    const link = join(await folders.make(), 'link')
    await symlink(location, link)
    await reseal(link)
    assert.equal(await keyOf(link), 'new')
    assert.equal(await keyOf(location), 'new')
    assert.ok((await lstat(link)).isSymbolicLink())
    assert.deepEqual((await readdir(join(location, '..'))).sort(), ['store', 'store.lock'])
  })

  it('is refused for the wrong key, a folder in use, and one that is not there', async () => {
    const location = await filled()
    await assert.rejects(reseal(location, NEW_KEY, new Uint8Array(32)), { code: 'store/wrong-key' })
    const store = await folders.open(location)
    await assert.rejects(reseal(location), { code: 'store/locked' })
    await store.close()
    await assert.rejects(reseal(join(location, 'absent')), { code: 'store/absent' })
    await assert.rejects(access(join(location, 'absent')))
    assert.equal(await keyOf(location), 'old')
  })

  it('is refused to another process for a folder in use, also after this one was refused a second time', async () => {
    const location = await filled()
    const store = await folders.open(location)
    await assert.rejects(folders.open(location), { code: 'store/locked' })
    await assert.rejects(reseal(location), { code: 'store/locked' })
    const keys = [sealingKey, NEW_KEY].map((key) => Buffer.from(key).toString('hex'))
    const child = fork(RESEALING, [location, ...keys], { silent: true })
    const [code] = await once(child, 'exit')
    assert.notEqual(code, 0)
    await store.close()
    assert.equal(await keyOf(location), 'old')
  })

  it('is refused where the folder is a mount point, and leaves it as it is', async function () {
    const disk = await folders.make()
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'slotmesh-test', disk]).status !== 0) {
      process.stdout.write('      not tried: only root can mount\n')
      this.skip()
    }
    try {
      const store = await folders.open(disk)
      await store.putSecret('account-seed', new Uint8Array(32).fill(9))
      await store.close()
      await assert.rejects(reseal(disk), { code: 'store/mount-point' })
      const again = await folders.open(disk)
      assert.ok(await again.secret('account-seed'))
      await again.close()
    } finally {
      spawnSync('umount', [disk])
    }
  })

  it('goes back when it is told to stop', async () => {
    const location = await filled()
    const stopped = AbortSignal.abort(new Error('enough'))
    await assert.rejects(resealStore({ location, from: sealingKey, to: NEW_KEY, signal: stopped }), /enough/)
    assert.equal(await keyOf(location), 'old')
  })

  it('takes nothing from a node that is started again and again meanwhile, and is not harmed by it', async () => {
    const child = fork(OPENING, [Buffer.from(sealingKey).toString('hex')], { execArgv: [] })
    const exited = once(child, 'exit')
    const told = async () => {
      const [message] = await Promise.race([once(child, 'message'), exited.then(() => assert.fail('it has ended'))])
      return message
    }
    try {
      for (let round = 0; round < 8; round += 1) {
        const location = await filled()
        child.send(location)
        assert.equal(await told(), 'begins')
        const end = told()
        // A failure before it is the one to be told.
        end.catch(() => undefined)
        await untilUnlocked(() => reseal(location))
        child.send('stop')
        assert.equal(await end, 'whole')
        assert.equal(await keyOf(location), 'new')
        assert.deepEqual((await readdir(join(location, '..'))).sort(), ['store', 'store.lock'])
      }
    } finally {
      child.kill('SIGKILL')
      await exited
    }
  })

  it('seals a folder of which the mending was cut short when nothing but its copy was left', async () => {
    const location = await filled()
    const copy = join(location, 'MENDING')
    const files = await readdir(location)
    await mkdir(copy)
    for (const file of files) await rename(join(location, file), join(copy, file))
    await writeFile(join(location, 'MENDED'), 'moving legible\n')
    await reseal(location)
    const store = await folders.open(location, NEW_KEY)
    assert.equal(store.integrity().state, 'altered')
    for (const key of held) assert.deepEqual((await store.share(key))?.payload, payloadOf(key))
    assert.deepEqual(await readdir(join(location, '..')), ['store', 'store.lock'])
  })

  it('lets nobody in by another name of the folder', async () => {
    const location = await filled()
    const [link, farther] = [join(await folders.make(), 'link'), join(await folders.make(), 'link')]
    await symlink(location, link)
    await symlink(link, farther)
    const ends = await Promise.allSettled([reseal(farther), folders.open(location), folders.open(link)])
    const refused = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason.code] : []))
    assert.deepEqual(refused, ['store/locked', 'store/locked'])
    for (const end of ends) if (end.status === 'fulfilled') await end.value?.close()
    await keyOf(location)
    assert.deepEqual((await readdir(join(location, '..'))).sort(), ['store', 'store.lock'])
  })

  describe('that was cut short', () => {
    const parts = (location: string) => ({
      resealing: `${location}.resealing`,
      resealed: `${location}.resealed`,
      replaced: `${location}.replaced`,
    })

    /** The folder under both keys, as the steps of a re-sealing leave it. */
    async function bothKeys(): Promise<{ location: string; fresh: string }> {
      const location = await filled()
      const fresh = join(await folders.make(), 'store')
      await cp(location, fresh, { recursive: true })
      await reseal(fresh)
      return { location, fresh }
    }

    /** As it is before the old folder is removed. */
    async function replace(location: string, fresh: string, sequence = '1\n'): Promise<void> {
      await writeFile(join(location, 'SEQUENCE'), sequence)
      await rename(location, parts(location).replaced)
      await rename(fresh, location)
    }

    it('while it was written: the old folder counts, and nothing of the new one is left', async () => {
      const { location, fresh } = await bothKeys()
      for (const leftover of [parts(location).resealing, parts(location).resealed]) {
        await cp(fresh, leftover, { recursive: true })
        assert.equal(await keyOf(location), 'old')
        assert.deepEqual((await readdir(join(location, '..'))).sort(), ['store', 'store.lock'])
      }
    })

    it('between the two renames: the new one counts', async () => {
      const { location, fresh } = await bothKeys()
      await replace(location, fresh)
      await rename(location, parts(location).resealed)
      assert.equal(await keyOf(location), 'new')
      assert.deepEqual((await readdir(join(location, '..'))).sort(), ['store', 'store.lock'])
    })

    it('before the old folder was removed: the new one counts, and the old one goes', async () => {
      const { location, fresh } = await bothKeys()
      await replace(location, fresh)
      assert.equal(await keyOf(location), 'new')
      assert.deepEqual((await readdir(join(location, '..'))).sort(), ['store', 'store.lock'])
    })

    it('before the old folder was removed: that one stays while the new one does not show that it has all of it', async () => {
      for (const says of ['999999\n', 'much\n', '']) {
        const { location, fresh } = await bothKeys()
        await replace(location, fresh, says)
        assert.equal(await keyOf(location), 'new')
        assert.deepEqual((await readdir(join(location, '..'))).sort(), ['store', 'store.lock', 'store.replaced'])
        await assert.rejects(reseal(location, NEW_KEY, sealingKey), { code: 'store/unreadable' })
        assert.equal(await keyOf(parts(location).replaced), 'old')
      }
    })

    it('before the old folder was removed: that one stays for ever when the new one was once found altered', async () => {
      const { location, fresh } = await bothKeys()
      await replace(location, fresh)
      await tamper(location, (raw) => raw.del(Uint8Array.of(0x05)))
      for (const state of ['altered', 'whole']) {
        const store = await folders.open(location, NEW_KEY)
        assert.equal(store.integrity().state, state)
        const { replaced } = store.integrity()
        assert.equal(replaced, parts(location).replaced)
        if (state === 'altered') {
          await store.beginSetup({ ...origin.identity, incarnation: `0x${'ee'.repeat(16)}` }, 20, [])
        }
        await store.close()
      }
      assert.equal(await keyOf(parts(location).replaced), 'old')
    })

    it('and whose folder is gone: no empty one is made beside what is left', async () => {
      for (const leftover of ['replaced', 'resealing'] as const) {
        const { location, fresh } = await bothKeys()
        for (const isEmpty of [false, true]) {
          if (isEmpty) await mkdir(location)
          else await rename(location, parts(location)[leftover])
          for (const key of [sealingKey, NEW_KEY]) {
            await assert.rejects(folders.open(location, key), { code: 'store/unreadable', message: /was left there/ })
          }
          await assert.rejects(reseal(location), { code: 'store/absent' })
        }
        assert.deepEqual(await readdir(location), [])
        assert.equal(await keyOf(parts(location)[leftover]), 'old')
        await rename(fresh, parts(location).resealed)
        assert.equal(await keyOf(location), 'new')
      }
    })

    it('can be run again from each of these', async () => {
      const { location, fresh } = await bothKeys()
      await cp(fresh, parts(location).resealed, { recursive: true })
      // Under the new key, too, so that it would open.
      await cp(fresh, parts(location).resealing, { recursive: true })
      await reseal(location)
      assert.equal(await keyOf(location), 'new')
    })

    it('and whose half-written folder is put back: it is not taken for the new one', async () => {
      const { location, fresh } = await bothKeys()
      const { resealing } = parts(location)
      await cp(fresh, resealing, { recursive: true })
      const { rm } = fs
      fs.rm = async (path, options) => (path === resealing ? undefined : rm(path, options))
      syncBuiltinESMExports()
      try {
        await assert.rejects(reseal(location), { code: 'store/unreadable', message: /by somebody else/ })
      } finally {
        fs.rm = rm
        syncBuiltinESMExports()
      }
      assert.equal(await keyOf(location), 'old')
    })

    it('after the new folder was whole: run again with the same keys it has nothing left to do', async () => {
      for (const step of ['between the renames', 'after them']) {
        const { location, fresh } = await bothKeys()
        await replace(location, fresh)
        if (step === 'between the renames') await rename(location, parts(location).resealed)
        await reseal(location)
        assert.deepEqual((await readdir(join(location, '..'))).sort(), ['store', 'store.lock'])
        await reseal(location)
        assert.equal(await keyOf(location), 'new')
        await assert.rejects(reseal(location, sealingKey, new Uint8Array(32)), { code: 'store/wrong-key' })
        assert.equal(await keyOf(location), 'new')
      }
    })

    for (const [place, canRenameFolders] of [
      ['where folders can be renamed', true],
      ['where only files can be renamed, as in Gramine', false],
    ] as const) {
      it(`before any change of the disk, ${place}`, async function () {
        this.timeout(240_000)
        const ends: string[] = []
        for (let steps = 0; !ends.includes('ended'); steps += 1) {
          const location = await filled()
          const disk = new Disk(steps, canRenameFolders)
          try {
            await reseal(location)
            ends.push('ended')
          } catch (thrown) {
            assert.ok(isPowerCut(thrown), String(thrown))
            disk.restore(canRenameFolders)
            ends.push(await keyOf(location))
          } finally {
            disk.restore(canRenameFolders)
          }
          try {
            await reseal(location)
            assert.equal(await keyOf(location), 'new')
            assert.deepEqual((await readdir(join(location, '..'))).sort(), ['store', 'store.lock'])
          } finally {
            disk.restore(true)
          }
        }
        // First the old one counts, from some step on the new one.
        assert.match(ends.join(' '), /^(old )+(new )+ended$/)
      })
    }

    it('by SIGKILL at any moment', async function () {
      this.timeout(240_000)
      const seed = Date.now() % 2 ** 31
      const random = new Random(seed)
      const ends = new Set<string>()
      for (let round = 0; round < 12; round += 1) {
        const location = await filled()
        const child = fork(
          RESEALING,
          [location, Buffer.from(sealingKey).toString('hex'), Buffer.from(NEW_KEY).toString('hex')],
          { execArgv: [] },
        )
        const exited = once(child, 'exit')
        await once(child, 'message')
        // In the thick of it: it takes some 30 ms.
        const kill = setTimeout(() => child.kill('SIGKILL'), random.below(45))
        const [code] = await exited
        clearTimeout(kill)
        ends.add(`${code === 0 ? 'ended' : 'killed'}, ${await keyOf(location)}`)
        if ((await keyOf(location)) === 'old') await reseal(location)
        assert.equal(await keyOf(location), 'new', `seed ${seed}`)
        assert.deepEqual((await readdir(join(location, '..'))).sort(), ['store', 'store.lock'], `seed ${seed}`)
      }
      assert.ok(!ends.has('ended, old'), [...ends].join('; '))
    })
  })
})
