import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Checksums, crc32c } from '../../../src/store/crc32c.js'
import { BatchReader } from '../../../src/store/leveldb-batch.js'
import { chainStart } from '../../../src/store/leveldb-chain.js'
import { isFileRight, statesOf } from '../../../src/store/leveldb-files.js'
import { logParts } from '../../../src/store/leveldb-log.js'
import { Random } from '../../support/random.js'
import { batch, log, number } from './forged-files.js'

const [KIB, MIB] = [1024, 1_048_576]

describe('a journal', function () {
  this.timeout(60_000)
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slotmesh-journal-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  async function written(bytes: Uint8Array): Promise<string> {
    const file = join(folder, '000003.log')
    await writeFile(file, bytes)
    return file
  }

  const named = (count: number, bytes: number) =>
    Array.from({ length: count }, (_, at) => [Buffer.from(`name-${at}`), new Uint8Array(bytes).fill(at)] as const)
  const textsOf = (states: readonly { readonly name: Uint8Array }[]) =>
    states.map(({ name }) => Buffer.from(name).toString())

  async function namesIn(): Promise<string[]> {
    const found: { readonly name: Uint8Array }[] = []
    for await (const state of statesOf(folder)) found.push(state)
    return textsOf(found)
  }

  it('gives what is left of a write of many pieces that is damaged in the middle', async () => {
    const bytes = log(batch(1, named(300, 1_000)), batch(301, [[Buffer.from('last'), new Uint8Array(40)]]))
    assert.equal(await isFileRight(await written(bytes)), true)
    assert.equal((await namesIn()).length, 301)
    // The length of a value, which is the larger for it.
    const at = bytes.indexOf('name-100') + 'name-100'.length
    bytes[at + 1] = 0x7f
    assert.equal(await isFileRight(await written(bytes)), false)
    const names = new Set(await namesIn())
    for (let kept = 0; kept < 300; kept += 1) assert.ok(names.has(`name-${kept}`) || kept === 100, `${kept}`)
    assert.ok(names.has('last'))
  })

  it('gives nothing of a write that is cut short: no half of one is to be kept', async () => {
    const bytes = log(batch(1, named(2, 100)), batch(3, named(200, 1_000)))
    assert.equal(await isFileRight(await written(bytes.subarray(0, 100_000))), true)
    assert.deepEqual(await namesIn(), ['name-0', 'name-1'])
  })

  it('is not right where a piece of the write that is cut short is damaged, or a write is not what its head says', async () => {
    const bytes = log(batch(1, named(2, 100)), batch(3, named(200, 1_000)))
    bytes[5_000] = 0xff
    assert.equal(await isFileRight(await written(bytes.subarray(0, 100_000))), false)
    const forged = batch(1, named(3, 40))
    forged.writeUInt32LE(2, 8)
    assert.equal(await isFileRight(await written(log(forged))), false)
  })

  it('has no write that is longer than any of this node’s', async () => {
    const file = await written(log(new Uint8Array(200 * KIB), new Uint8Array(10)))
    const ends: (string | undefined)[] = []
    let largest = 0
    for await (const { content, ended } of logParts(file, 100 * KIB)) {
      largest = Math.max(largest, content.length)
      if (ended !== undefined) ends.push(ended)
    }
    assert.ok(largest < 32 * KIB)
    assert.equal(ends[0], 'damaged')
    assert.equal(ends.at(-1), 'right')
  })

  it('that was made to cost much is looked through once', async () => {
    // At every third byte a piece could begin, and its checksum would be of half the block.
    const bytes = Buffer.alloc(150 * 32 * KIB, Uint8Array.of(0x04, 0x00, 0x40))
    await written(Buffer.concat([log(batch(1, named(1, 100))), bytes]))
    assert.equal((await namesIn())[0], 'name-0')
  })

  describe('of which one write is read as it comes', () => {
    it('is told from its lengths to be damaged, and then kept in memory for its last 8 MiB only', () => {
      const reader = new BatchReader()
      const records = named(30, MIB)
      const bytes = batch(7, records)
      const start = bytes.indexOf('name-3')
      // The value before it is of more bytes than any has.
      number(32 * MIB + 1).copy(bytes, start - 2 - MIB - 3)
      const read: ReturnType<BatchReader['push']> = []
      for (let at = 0; at < bytes.length; at += 32 * KIB) read.push(...reader.push(bytes.subarray(at, at + 32 * KIB)))
      assert.deepEqual(textsOf(read), ['name-0', 'name-1'])
      assert.equal(reader.isWhole, false)
      assert.deepEqual(
        textsOf([...reader.rest()]),
        records.slice(-8).map(([name]) => name.toString()),
      )
    })

    it('is read in whatever parts it comes', () => {
      const records = named(50, 3_000)
      const bytes = batch(7, records)
      for (const size of [1, 7, 100, 32 * KIB, bytes.length]) {
        const reader = new BatchReader()
        const states: ReturnType<BatchReader['push']> = []
        for (let at = 0; at < bytes.length; at += size) states.push(...reader.push(bytes.subarray(at, at + size)))
        assert.equal(reader.isWhole, true, `${size}`)
        assert.deepEqual(textsOf(states), textsOf(records.map(([name]) => ({ name }))))
        assert.deepEqual([states[0]?.sequence, states.at(-1)?.sequence], [7n, 56n])
      }
    })
  })

  it('finds where a chain begins with one look at each place', () => {
    const size = 100_000
    let looks = 0
    // Each place leads to the next: all of them would be followed to the end.
    const start = chainStart(5, size, (at) => {
      looks += 1
      return at + 1
    })
    assert.deepEqual([start, looks], [5, size - 5])
    assert.equal(
      chainStart(
        0,
        10,
        (at) => at + 3,
        (at) => at > 2,
      ),
      4,
    )
    assert.equal(
      chainStart(0, 10, () => undefined),
      undefined,
    )
    assert.equal(
      chainStart(0, -1, (at) => at),
      undefined,
    )
  })

  it('has checksums of any parts at one price', () => {
    const random = new Random(3)
    const bytes = Uint8Array.from({ length: 2_000 }, () => random.below(256))
    const sums = new Checksums(bytes)
    for (let round = 0; round < 500; round += 1) {
      const from = random.below(bytes.length)
      const to = from + random.below(bytes.length + 1 - from)
      assert.equal(sums.of(from, to), crc32c(bytes.subarray(from, to)), `${from} ${to}`)
    }
  })
})
