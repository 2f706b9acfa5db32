import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { settingsOf } from '../../../src/cli/settings.js'
import { openingKeyOf } from '../../../src/cli/tee.js'
import type { Settings } from '../../../src/config/index.js'
import { openStore } from '../../../src/store/index.js'

const silent = () => undefined
const logger = { debug: silent, info: silent, warn: silent, error: silent }
const { signal } = new AbortController()

/** The key that `join` opens its folder with, where another one is to come. */
describe('the key of a folder that moves to a passphrase', function () {
  this.timeout(60_000)
  let scratch: string
  let settings: Settings

  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-opening-key-'))
    const [old, next] = [join(scratch, 'old'), join(scratch, 'passphrase')]
    await writeFile(old, randomBytes(32), { mode: 0o600 })
    await writeFile(next, 'correct horse battery staple', { mode: 0o600 })
    const [folder, sealing, nextSealing] = [join(scratch, 'store'), `file:${old}`, `passphrase:${next}`]
    settings = await settingsOf({ folder, sealing, nextSealing })
  })

  afterEach(() => rm(scratch, { recursive: true }))

  const saltFile = () => `${settings.folder}.sealing-salt.json`

  async function open(sealingKey: Uint8Array): Promise<void> {
    const store = await openStore({ location: settings.folder ?? '', sealingKey, logger })
    await store.close()
  }

  it('gets a salt while the folder is under the present key, and no other one after', async () => {
    await open(await readFile(join(scratch, 'old')))
    const key = await openingKeyOf(settings, signal)
    const made = await readFile(saltFile())
    await open(key)
    assert.deepEqual(await openingKeyOf(settings, signal), key)

    await rm(saltFile())
    await assert.rejects(openingKeyOf(settings, signal), { code: 'sealing-key/salt-gone' })
    await assert.rejects(readFile(saltFile()), { code: 'ENOENT' })
    await writeFile(saltFile(), made)
    await open(await openingKeyOf(settings, signal))
  })

  it('gets a salt where there is no folder yet', async () => {
    const key = await openingKeyOf(settings, signal)
    await open(key)
    assert.deepEqual(await openingKeyOf(settings, signal), key)
  })
})
