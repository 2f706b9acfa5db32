import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFolder } from '../../../src/simulation/folder.js'

describe('the folder of a simulation', () => {
  let parent: string

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'slotmesh-test-'))
  })

  afterEach(() => rm(parent, { recursive: true }))

  it('is a temporary one that can be removed', async () => {
    const folder = await openFolder(undefined)
    await writeFile(join(folder.path, 'file'), '')
    await folder.remove()
    await assert.rejects(stat(folder.path), { code: 'ENOENT' })
  })

  it('is made when it is absent, and taken when it is empty', async () => {
    const path = join(parent, 'new', 'deeper')
    assert.equal((await openFolder(path)).path, path)
    assert.equal((await openFolder(path)).path, path)
  })

  it('is refused when it has content or is no folder', async () => {
    const file = join(parent, 'file')
    await writeFile(file, '')
    await assert.rejects(openFolder(parent), { code: 'simulation/folder', message: /it is not empty/ })
    await assert.rejects(openFolder(file), { code: 'simulation/folder' })
  })
})
