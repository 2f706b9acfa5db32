import assert from 'node:assert/strict'
import { access, cp, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { resealStore } from '../../../src/store/index.js'
import { EncryptedMount } from './encrypted-mount.js'
import { enclave, Folders, payloadOf, sealingKey, secret, signal } from './fixture.js'

const NEW_KEY = new Uint8Array(32).fill(0xa7)
const SEED = new Uint8Array(32).fill(9)
const origin = enclave(1, 1)

describe('store on an encrypted mount', function () {
  this.timeout(60_000)
  const folders = new Folders()
  let mount: EncryptedMount
  beforeEach(() => {
    mount = new EncryptedMount()
  })
  afterEach(async () => {
    mount.restore()
    await folders.clear()
  })

  async function filled(): Promise<string> {
    const location = join(await folders.make(), 'store')
    const store = await folders.open(location)
    await store.putSecret('account-seed', SEED)
    await store.beginSetup(origin.identity, 10, [])
    await store.putPending({ key: secret(1), payload: payloadOf(secret(1)), confirmed: true })
    await store.close()
    return location
  }

  async function requireAlteredOnce(location: string): Promise<void> {
    const store = await folders.open(location)
    assert.deepEqual([store.integrity().state, store.integrity().doubtful], ['altered', 1])
    assert.deepEqual(await store.secret('account-seed'), SEED)
    await store.beginSetup({ ...origin.identity, incarnation: `0x${'ee'.repeat(16)}` }, 20, [])
    await store.close()
    const again = await folders.open(location)
    assert.equal(again.integrity().state, 'whole')
  }

  it('starts although what was cut short has left a draft that does not open', async () => {
    const location = await filled()
    for (const name of ['WATERMARK.draft', 'MENDED.draft']) {
      const draft = join(location, name)
      await writeFile(draft, 'cut short')
      mount.broken.add(draft)
      const store = await folders.open(location)
      assert.equal(store.integrity().state, 'whole', name)
      await store.close()
      await assert.rejects(access(draft), name)
    }
  })

  it('is altered where its mark does not open, and once', async () => {
    const location = await filled()
    mount.broken.add(join(location, 'WATERMARK'))
    await requireAlteredOnce(location)
  })

  for (const [time, step] of ['begins', 'has copied', 'moves'].entries()) {
    it(`${time === 0 ? 'goes on mending' : 'takes nothing away'} when the power was cut while it wrote that it ${step}`, async () => {
      const location = await filled()
      await rm(join(location, 'CURRENT'))
      let written = 0
      mount.cuts = (place) => {
        if (!place.endsWith('MENDED')) return false
        written += 1
        return written === time + 1
      }
      await assert.rejects(folders.open(location))
      mount.cuts = () => false
      assert.equal(mount.broken.size, 1)
      if (time > 0) {
        // Which files are the damaged ones, and which those of the copy, is for an operator to find out.
        const before = (await readdir(location, { recursive: true })).sort()
        await assert.rejects(folders.open(location), { code: 'store/unreadable' })
        assert.deepEqual((await readdir(location, { recursive: true })).sort(), before)
        return
      }
      await requireAlteredOnce(location)
    })
  }

  it('mends a further damage although what says that all of the first was kept does not open', async () => {
    const location = await filled()
    for (const incarnation of [`0x${'e1'.repeat(16)}`, `0x${'e2'.repeat(16)}`] as const) {
      await rm(join(location, 'CURRENT'))
      const store = await folders.open(location)
      assert.equal(store.integrity().state, 'altered')
      await store.beginSetup({ ...origin.identity, incarnation }, 20, [])
      await store.close()
      mount.broken.add(join(`${location}.damaged`, 'WHOLE'))
    }
    const store = await folders.open(location)
    assert.deepEqual(await store.secret('account-seed'), SEED)
  })

  it('is sealed anew although a former time has left a number that does not open', async () => {
    const location = await filled()
    const number = join(location, 'SEQUENCE')
    await writeFile(number, '1')
    mount.broken.add(number)
    await resealStore({ location, from: sealingKey, to: NEW_KEY, signal })
    const store = await folders.open(location, NEW_KEY)
    assert.deepEqual([store.integrity().state, await store.secret('account-seed')], ['whole', SEED])
  })

  it('keeps what was replaced where it does not say how old it is', async () => {
    const location = await filled()
    const replaced = `${location}.replaced`
    await cp(location, replaced, { recursive: true })
    const number = join(replaced, 'SEQUENCE')
    await writeFile(number, '1')
    mount.broken.add(number)
    const store = await folders.open(location)
    assert.deepEqual([store.integrity().state, store.integrity().replaced], ['whole', replaced])
  })

  it('has nothing renamed that a loss of power would keep from being opened', async () => {
    const location = await filled()
    assert.deepEqual([...mount.unsynced], [])
    await resealStore({ location, from: sealingKey, to: NEW_KEY, signal })
    assert.deepEqual([...mount.unsynced], [], 'sealed anew')
    await rm(join(location, 'CURRENT'))
    const store = await folders.open(location, NEW_KEY)
    assert.equal(store.integrity().state, 'altered')
    // The operator's, who takes them away: the store does not read them any more.
    const own = [...mount.unsynced].filter((file) => !file.startsWith(`${location}.damaged/`))
    assert.deepEqual(own, [], 'mended')
  })
})
