import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isTableRight, tableStates } from '../../../src/store/leveldb-table.js'
import { Random } from '../../support/random.js'
import { block, entry, nameOf, table } from './forged-files.js'

describe('a table', function () {
  this.timeout(60_000)
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slotmesh-table-'))
  })
  after(() => rm(folder, { recursive: true }))

  async function written(bytes: Uint8Array): Promise<string> {
    const file = join(folder, '000005.ldb')
    await writeFile(file, bytes)
    return file
  }

  async function namesIn(file: string): Promise<string[]> {
    const names: string[] = []
    for await (const { name } of tableStates(file)) names.push(Buffer.from(name).toString())
    return names
  }

  /** Blocks of twenty sealed values each. */
  function blocksOf(count: number): { names: string[][]; blocks: Buffer[] } {
    const random = new Random(5)
    const names = Array.from({ length: count }, (_, at) =>
      Array.from({ length: 20 }, (_, of) => `${String(at).padStart(4, '0')}-${String(of).padStart(2, '0')}`),
    )
    const value = () => Uint8Array.from({ length: 150 }, () => random.below(256))
    return { names, blocks: names.map((of) => block(of.map((name) => entry(nameOf(name), value())))) }
  }

  it('is right as it was written, and not when it is of blocks that overlap, or in another order', async () => {
    const { blocks, names } = blocksOf(4)
    assert.equal(await isTableRight(await written(table(blocks))), true)
    assert.deepEqual(await namesIn(await written(table(blocks))), names.flat())
    for (const list of [
      ([first, ...others]: readonly { offset: number; size: number }[]) =>
        first ? [first, { ...first, size: 5 }, ...others] : [],
      (placed: readonly { offset: number; size: number }[]) => placed.toReversed(),
    ]) {
      const file = await written(table(blocks, list))
      assert.equal(await isTableRight(file), false)
      // Its blocks are found without it.
      assert.deepEqual(await namesIn(file), names.flat())
    }
  })

  it('gives all whole blocks where its index is damaged, wherever else there is damage', async () => {
    const { blocks, names } = blocksOf(60)
    const sizes = blocks.map(({ length }) => length + 5)
    const startOf = (at: number) => sizes.slice(0, at).reduce((sum, size) => sum + size, 0)
    for (const damaged of [[0], [0, 1, 2], [7, 30, 31, 58, 59], [...blocks.keys()].filter((at) => at % 2 === 0)]) {
      for (const spot of [0, 1, 700, (blocks[0]?.length ?? 0) - 4, blocks[0]?.length ?? 0, (sizes[0] ?? 0) - 1]) {
        const bytes = table(blocks)
        bytes.fill(0xff, bytes.length - 8)
        for (const at of damaged) {
          const byte = startOf(at) + spot
          bytes[byte] = (bytes[byte] ?? 0) ^ 0x55
        }
        const left = names.filter((_, at) => !damaged.includes(at)).flat()
        assert.deepEqual(await namesIn(await written(bytes)), left, `${damaged} ${spot}`)
      }
    }
  })

  it('gives them also behind bytes that are missing, and others that were put in', async () => {
    const { blocks, names } = blocksOf(20)
    const bytes = table(blocks)
    const size = (blocks[0]?.length ?? 0) + 5
    const parts = [bytes.subarray(0, 3 * size), new Uint8Array(777), bytes.subarray(3 * size, 8 * size + 100)]
    const file = await written(Buffer.concat([...parts, bytes.subarray(9 * size + 200, bytes.length - 60)]))
    assert.deepEqual(await namesIn(file), names.filter((_, at) => at !== 8 && at !== 9).flat())
  })

  describe('that was made to cost much', () => {
    /** At each entry a block can begin, and none of them has an end. */
    const endless = Buffer.concat(Array(120_000).fill(entry(nameOf('a'), new Uint8Array(0))))

    it('is looked through no longer than its size allows', async () => {
      const { blocks, names } = blocksOf(3)
      const file = await written(Buffer.concat([table(blocks).subarray(0, -60), endless]))
      assert.deepEqual(await namesIn(file), names.flat())
    })

    it('by names that grow from entry to entry is none of this node’s', async () => {
      const growing = [entry(nameOf('a'), new Uint8Array(40))]
      for (let shared = 9; shared < 60_000; shared += 1)
        growing.push(entry(Uint8Array.of(1), new Uint8Array(0), shared))
      const file = await written(table([block(growing)]))
      assert.equal(await isTableRight(file), false)
      assert.ok((await namesIn(file)).every(({ length }) => length <= 256))
    })

    it('by one block that is listed often is not right, and is read once', async () => {
      const large = block([entry(nameOf('a'), new Uint8Array(1_000_000))])
      const file = await written(table([large], ([placed]) => (placed ? Array(200_000).fill(placed) : [])))
      assert.equal(await isTableRight(file), false)
      assert.deepEqual(await namesIn(file), ['a'])
    })

    it('by a damaged block of which any entry could lead to its end', async () => {
      const bytes = table([block([endless, entry(nameOf('b'), new Uint8Array(40))])])
      bytes[0] = 1
      const names = await namesIn(await written(bytes))
      assert.equal(names.length, 120_000)
      assert.equal(names.at(-1), 'b')
    })

    it('by a value that no write has is not right', async () => {
      const file = await written(table([block([entry(nameOf('a'), new Uint8Array(33_554_433))])]))
      assert.equal(await isTableRight(file), false)
      assert.deepEqual(await namesIn(file), [])
    })
  })
})
