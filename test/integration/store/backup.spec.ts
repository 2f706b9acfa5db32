import assert from 'node:assert/strict'
import { mkdir, readdir, rm, symlink, truncate, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { requireWholeCopy, restoreStore, type Store } from '../../../src/store/index.js'
import { Disk, isPowerCut } from './disk.js'
import { enclave, Folders, payloadOf, seal, secret, signal, wantOf } from './fixture.js'

describe('copies of a store', function () {
  this.timeout(60_000)
  const folders = new Folders()
  const origin = enclave(1, 1)
  let scratch: string
  let location: string
  let store: Store

  beforeEach(async () => {
    scratch = await folders.make()
    location = join(scratch, 'store')
    store = await folders.open(location)
    await store.putSecret('account-seed', new Uint8Array(32).fill(9))
    await store.beginSetup(origin.identity, 10, [wantOf(secret(9_999))])
  })

  afterEach(() => folders.clear())

  /** How many shares a copy holds, each of which opens; the copy must be as a node leaves its folder. */
  async function heldIn(copy: string): Promise<number> {
    const opened = await folders.open(copy)
    assert.equal(opened.integrity().state, 'whole')
    assert.deepEqual(await opened.secret('account-seed'), new Uint8Array(32).fill(9))
    const { secret: count } = opened.counts().shares
    for (let at = 0; at < count; at += 1)
      assert.deepEqual((await opened.share(secret(at)))?.payload, payloadOf(secret(at)))
    await opened.close()
    return count
  }

  it('are whole as of some moment, whatever is written while they are made', async () => {
    let isOver = false
    const writing = (async () => {
      let at = 0
      for (; !isOver; at += 1) await seal(store, origin, 11 + at, [secret(at)])
      return at
    })()
    const copies = [1, 2, 3, 4, 5].map((number) => join(scratch, `copy-${number}`))
    const counts: number[] = []
    for (const copy of copies) {
      await store.backUp(copy, { signal })
      counts.push(store.counts().shares.secret)
    }
    isOver = true
    await writing
    for (const [at, copy] of copies.entries()) {
      const held = await heldIn(copy)
      assert.ok(held <= (counts[at] ?? 0) && held >= (counts[at - 1] ?? 0) - 1, `${held} of ${counts}`)
    }
    assert.deepEqual(
      (await readdir(scratch)).filter((name) => name.endsWith('.copying')),
      [],
    )
  })

  it('are put back where nothing is, and nowhere else', async () => {
    await seal(store, origin, 11, [secret(0)])
    const copy = join(scratch, 'copy')
    await store.backUp(copy, { signal })
    await assert.rejects(store.backUp(copy, { signal }), { code: 'store/taken' })
    await store.close()
    await assert.rejects(restoreStore({ from: copy, location, signal }), { code: 'store/taken' })
    await rm(location, { recursive: true })
    await mkdir(location)
    await restoreStore({ from: copy, location, signal })
    assert.equal(await heldIn(location), 1)
    await assert.rejects(restoreStore({ from: scratch, location: join(scratch, 'x'), signal }), {
      code: 'store/absent',
    })
  })

  it('leave nothing where they are given up, and a former attempt is no hindrance', async () => {
    const copy = join(scratch, 'copy')
    await assert.rejects(store.backUp(copy, { signal: AbortSignal.abort(new Error('enough')) }), /enough/)
    assert.deepEqual((await readdir(scratch)).sort(), ['store', 'store.lock'])
    await mkdir(`${copy}.copying`)
    for (const name of ['SLOTMESH-COPYING', 'CURRENT']) await writeFile(join(`${copy}.copying`, name), 'half of it')
    await store.backUp(copy, { signal })
    assert.ok(!(await readdir(copy)).includes('SLOTMESH-COPYING'))
    // Whoever closes the file of a lock that the process has loses it.
    assert.ok(!(await readdir(copy)).includes('LOCK'))
    assert.equal(await heldIn(copy), 0)
  })

  it('take nothing away that stands in the place of a former attempt and is none', async () => {
    const [copy, elsewhere] = [join(scratch, 'copy'), join(scratch, 'elsewhere')]
    const draft = `${copy}.copying`
    const refused = () =>
      assert.rejects(store.backUp(copy, { signal }), { code: 'store/taken', message: /copy\.copying already/ })
    for (const place of [elsewhere, draft]) {
      await mkdir(place)
      await writeFile(join(place, 'CURRENT'), 'of somebody else')
    }
    await refused()
    assert.deepEqual(await readdir(draft), ['CURRENT'])
    await rm(draft, { recursive: true })
    await writeFile(join(elsewhere, 'SLOTMESH-COPYING'), '')
    await symlink(elsewhere, draft)
    await refused()
    assert.equal((await readdir(elsewhere)).length, 2)
    await rm(draft)
    await writeFile(draft, 'a file')
    await refused()
    await rm(draft)
    await mkdir(draft)
    await store.backUp(copy, { signal })
    assert.equal(await heldIn(copy), 0)
  })

  it('leave nothing where they cannot be put in their place', async () => {
    const copy = join(scratch, 'copy')
    await symlink('nowhere', copy)
    await assert.rejects(store.backUp(copy, { signal }), { code: 'store/cannot-copy', message: /ENOTDIR/ })
    assert.deepEqual((await readdir(scratch)).sort(), ['copy', 'store', 'store.lock'])
    await unlink(copy)
    await store.backUp(copy, { signal })
    assert.equal(await heldIn(copy), 0)
  })

  it('are whole, or can be made again, wherever the power is cut', async () => {
    let cuts = 0
    for (let isOver = false; !isOver; cuts += 1) {
      const copy = join(scratch, `copy-${cuts}`)
      const disk = new Disk(cuts, true)
      try {
        await store.backUp(copy, { signal })
        isOver = true
      } catch (thrown) {
        assert.ok(isPowerCut(thrown), String(thrown))
      } finally {
        disk.restore(true)
      }
      const isThere = (await readdir(scratch)).includes(`copy-${cuts}`)
      if (!isThere) await store.backUp(copy, { signal })
      assert.equal(await heldIn(copy), 0)
      assert.ok(!(await readdir(scratch)).includes(`copy-${cuts}.copying`))
    }
    assert.ok(cuts > 2, `${cuts}`)
  })

  it('are made of a store in which the mark of a copy was left', async () => {
    await store.close()
    await writeFile(join(location, 'SLOTMESH-COPYING'), '')
    store = await folders.open(location)
    const copy = join(scratch, 'copy')
    await store.backUp(copy, { signal })
    assert.ok(!(await readdir(copy)).includes('SLOTMESH-COPYING'))
    assert.equal(await heldIn(copy), 0)
  })

  it('are not begun in a folder that there is not', async () => {
    const nowhere = join(scratch, 'nowhere', 'copy')
    await assert.rejects(store.backUp(nowhere, { signal }), { code: 'store/cannot-copy', message: /in a container/ })
  })

  it('show when they are not there, or not whole', async () => {
    await seal(store, origin, 11, [secret(0)])
    const copy = join(scratch, 'copy')
    await assert.rejects(requireWholeCopy(copy), { code: 'store/absent' })
    await store.backUp(copy, { signal })
    await requireWholeCopy(copy)
    const [manifest = ''] = (await readdir(copy)).filter((name) => name.startsWith('MANIFEST-'))
    await truncate(join(copy, manifest), 10)
    await assert.rejects(requireWholeCopy(copy), { code: 'store/unreadable', message: /not whole/ })
  })
})
