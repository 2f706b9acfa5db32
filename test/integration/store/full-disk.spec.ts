import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { enclave, Folders, failOnce, payloadOf, seal, secret } from './fixture.js'

const SEED = new Uint8Array(32).fill(9)
const FAILED = { code: 'store/failed' }

describe('store whose disk refuses a write', function () {
  this.timeout(60_000)
  const folders = new Folders()
  const origin = enclave(1, 1)
  afterEach(() => folders.clear())

  async function filled(location: string) {
    const store = await folders.open(location)
    await store.putSecret('account-seed', SEED)
    await store.beginSetup(origin.identity, 10, [])
    await seal(store, origin, 11, [secret(1)])
    return store
  }

  it('reads and writes nothing more until it is opened again, and has all then that was acknowledged', async () => {
    const location = join(await folders.make(), 'store')
    const store = await filled(location)
    assert.ok(!store.failed.aborted)
    failOnce('batch')
    const pending = { key: secret(2), payload: payloadOf(secret(2)), confirmed: false }
    await assert.rejects(store.putPending(pending), FAILED)
    assert.ok(store.failed.aborted)
    await assert.rejects(store.putPending(pending), FAILED)
    await assert.rejects(store.applyBlock(12, [], origin.signHead), FAILED)
    await assert.rejects(store.secret('account-seed'), FAILED)
    await assert.rejects(store.share(secret(1)), FAILED)
    await assert.rejects(store.places().next(), FAILED)
    await assert.rejects(store.eraseAll(), FAILED)
    const again = await folders.reopen(store, location)
    assert.equal(again.integrity().state, 'whole')
    assert.equal(await again.cursor(), 11)
    assert.deepEqual((await again.share(secret(1)))?.payload, payloadOf(secret(1)))
    assert.equal(await again.pending(secret(2)), undefined)
    await again.putPending(pending)
  })

  it('while it erases: the next start ends that', async () => {
    const location = join(await folders.make(), 'store')
    const store = await filled(location)
    failOnce('clear')
    await assert.rejects(store.eraseAll(), FAILED)
    await assert.rejects(store.identity(), FAILED)
    const again = await folders.reopen(store, location)
    assert.equal(await again.identity(), undefined)
    assert.deepEqual(await again.secret('account-seed'), SEED)
  })

  it('since it is full for a moment: nothing is acknowledged that the next start does not find', async function () {
    const disk = await folders.make()
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'slotmesh-test', disk])
    if (mounted.status !== 0) {
      process.stdout.write('      not tried: only root can make a disk that is full\n')
      this.skip()
    }
    try {
      const location = join(disk, 'folder', 'store')
      let store = await filled(location)
      const { bavail, bsize } = await statfs(disk)
      await writeFile(join(disk, 'filling'), new Uint8Array(bavail * bsize - 8_192))
      const put = (nftId: number) =>
        store.putPending({ key: secret(nftId), payload: payloadOf(secret(nftId)), confirmed: false })
      let acknowledged = 1
      await assert.rejects(async () => {
        for (; acknowledged < 1_000; acknowledged += 1) await put(acknowledged + 1)
      }, FAILED)
      await rm(join(disk, 'filling'))
      await assert.rejects(put(2_000), FAILED)
      store = await folders.reopen(store, location)
      assert.equal(store.integrity().state, 'whole')
      assert.ok(acknowledged > 1)
      for (let nftId = 2; nftId <= acknowledged; nftId += 1) {
        assert.deepEqual((await store.pending(secret(nftId)))?.payload, payloadOf(secret(nftId)))
      }
      await put(2_000)
      store = await folders.reopen(store, location)
      assert.ok(await store.pending(secret(2_000)))
      await store.close()
    } finally {
      spawnSync('umount', [disk])
    }
  })
})
