import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isIntact } from '../../../src/store/leveldb-files.js'
import { log, number } from './forged-files.js'

const MOST_TABLES = 262_144

describe('a list of tables', function () {
  this.timeout(60_000)
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slotmesh-list-'))
  })
  after(() => rm(folder, { recursive: true }))

  it('of more tables than any database has is not read to its end, though it be one change', async () => {
    // Added: level, number, size, and the names of the first and the last record.
    const added = (table: number) => Buffer.concat([7, 0, table, 0, 0, 0].map(number))
    const change = Buffer.concat(Array.from({ length: 2 * MOST_TABLES }, (_, at) => added(at + 1)))
    await writeFile(join(folder, 'MANIFEST-000002'), log(change))
    await writeFile(join(folder, 'CURRENT'), 'MANIFEST-000002\n')
    const { add } = Set.prototype
    let largest = 0
    Set.prototype.add = function (this: Set<unknown>, value: unknown) {
      add.call(this, value)
      largest = Math.max(largest, this.size)
      return this
    }
    try {
      assert.equal(await isIntact(folder), false)
    } finally {
      Set.prototype.add = add
    }
    assert.equal(largest, MOST_TABLES + 1)
  })
})
