import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { settingsOf } from '../../../src/cli/settings.js'
import { folderOf, openingKeyOf } from '../../../src/cli/tee.js'
import { zero } from '../../../src/crypto/index.js'
import { silentLogger } from '../../../src/domain/index.js'
import { openStore } from '../../../src/store/index.js'

const { signal } = new AbortController()

/** As often as a node starts; that it is the same enclave then, test/e2e/join.spec.ts shows. */
describe('the key that a folder is opened with', () => {
  let scratch: string
  let config: string
  let old: string
  let next: string

  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-sealing-'))
    config = join(scratch, 'node.yaml')
    ;[old, next] = [join(scratch, 'old-key'), join(scratch, 'next-key')]
    for (const key of [old, next]) await writeFile(key, randomBytes(32), { mode: 0o600 })
  })

  afterEach(() => rm(scratch, { recursive: true }))

  const write = (...sealing: string[]) => writeFile(config, ['folder: moving', ...sealing].join('\n'))

  /** Opens the folder as `join` does. @returns the number of times that it was opened before. */
  async function opened(): Promise<number> {
    const settings = await settingsOf({ config })
    const sealingKey = await openingKeyOf(settings, signal)
    const store = await openStore({ location: folderOf(settings), sealingKey, logger: silentLogger })
    try {
      const seen = await store.secret('account-seed')
      const times = seen?.[0] ?? 0
      await store.putSecret('account-seed', new Uint8Array([times + 1]))
      return times
    } finally {
      zero(sealingKey)
      await store.close()
    }
  }

  it('is the next one that the file names, and the folder is sealed under it before, as often as it is opened', async () => {
    await write(`sealing: file:${old}`)
    assert.equal(await opened(), 0)
    await write(`sealing: file:${old}`, `nextSealing: file:${next}`)
    assert.equal(await opened(), 1)
    assert.equal(await opened(), 2)
    await write(`sealing: file:${old}`)
    await assert.rejects(opened(), { code: 'store/wrong-key' })
    await write(`sealing: file:${next}`)
    assert.equal(await opened(), 3)
  })

  it('is the next one of a folder that is none yet', async () => {
    await write(`sealing: file:${old}`, `nextSealing: file:${next}`)
    assert.equal(await opened(), 0)
    await write(`sealing: file:${next}`)
    assert.equal(await opened(), 1)
  })

  it('is refused when it is neither', async () => {
    await write(`sealing: file:${old}`, `nextSealing: file:${next}`)
    assert.equal(await opened(), 0)
    await writeFile(next, randomBytes(32))
    await assert.rejects(opened(), { code: 'store/wrong-key' })
  })
})
