import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { repair } from '../../../src/store/damage.js'
import { HEADER_NAMES } from '../../../src/store/header.js'
import { batch, block, entry, log, nameOf, table } from './forged-files.js'

const NAME = 'a record'
const OTHER = 'a record beside it'

describe('a database that is made anew from damaged files', () => {
  let folder = ''
  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'slotmesh-damage-')), 'store')
    await (await opened()).close()
    for (const file of ['CURRENT', 'MANIFEST-000002', '000003.log']) await rm(join(folder, file))
  })
  afterEach(() => rm(join(folder, '..'), { recursive: true }))

  async function opened(): Promise<Level<Uint8Array, Uint8Array>> {
    const level = new Level<Uint8Array, Uint8Array>(folder, { keyEncoding: 'view', valueEncoding: 'view' })
    await level.open()
    return level
  }

  type Version = readonly [name: string, sequence: number, value: string]

  const tableOf = (versions: readonly Version[]) =>
    table([block(versions.map(([name, sequence, value]) => entry(nameOf(name, sequence), Buffer.from(value))))])

  /** With a bit of some of its bytes flipped; `by` is counted from where they begin. */
  function flipped(file: Buffer, bytes: Uint8Array, by: number, bit: number): Buffer {
    const at = file.indexOf(bytes) + by
    assert.ok(at >= by)
    file[at] = (file[at] ?? 0) ^ bit
    return file
  }

  /** What the record is in the end. */
  async function mended(files: Record<string, Uint8Array>): Promise<string> {
    const headers = batch(90, [[HEADER_NAMES[0] ?? assert.fail(), Buffer.from('a header')]])
    await writeFile(join(folder, '000090.log'), log(headers))
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes)
    await repair(folder, false)
    const level = await opened()
    try {
      return Buffer.from(await level.get(Buffer.from(NAME))).toString()
    } finally {
      await level.close()
    }
  }

  const newest = tableOf([[NAME, 9, 'newest']])

  it('has the newest version though an older one has a higher number for a bit that is damaged', async () => {
    const older = tableOf([[NAME, 3, 'older']])
    // Behind the name the sort comes first, and then the number, its lowest byte first.
    for (const [byte, bit] of [
      [4, 1],
      [5, 1],
      [7, 0x80],
    ] as const) {
      const damaged = flipped(Buffer.from(older), nameOf(NAME, 3), NAME.length + byte, bit)
      assert.equal(await mended({ '000005.ldb': newest, '000006.ldb': damaged }), 'newest', `${byte}`)
    }
    const write = flipped(log(batch(3, [[Buffer.from(NAME), Buffer.from('older')]])), batch(3, []).subarray(0, 8), 5, 1)
    assert.equal(await mended({ '000005.ldb': newest, '000007.log': write }), 'newest', 'in a journal')
  })

  it('has the right one of two that have the same number, whichever comes first', async () => {
    const damaged = flipped(Buffer.from(newest), Buffer.from('newest'), 0, 1)
    assert.equal(await mended({ '000005.ldb': damaged, '000006.ldb': newest }), 'newest')
    assert.equal(await mended({ '000005.ldb': newest, '000006.ldb': damaged }), 'newest')
  })

  it('has the newest version though something beside it is damaged, and one that is older is not', async () => {
    const [older, own] = [tableOf([[NAME, 3, 'older']]), Buffer.from('beside')]
    const both = tableOf([
      [NAME, 9, 'newest'],
      [OTHER, 8, 'beside'],
    ])
    assert.equal(await mended({ '000005.ldb': older, '000006.ldb': flipped(both, own, 0, 1) }), 'newest')
    const write = log(
      batch(200, [
        [Buffer.from(NAME), Buffer.from('newest')],
        [Buffer.from(OTHER), own],
      ]),
    )
    assert.equal(await mended({ '000005.ldb': older, '000099.log': flipped(write, own, 0, 1) }), 'newest')
  })

  it('has a version that is damaged where there is no other', async () => {
    const damaged = flipped(Buffer.from(newest), nameOf(NAME, 9), NAME.length + 7, 0x80)
    assert.equal(await mended({ '000006.ldb': damaged }), 'newest')
  })
})
