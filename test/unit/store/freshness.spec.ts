import assert from 'node:assert/strict'
import { Freshness } from '../../../src/store/freshness.js'
import { TagTable } from '../../../src/store/tag-table.js'

/** Numbers that look random and are the same each time. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    yield state
  }
}

describe('table of tags', () => {
  it('answers as a map does, through growth and deletions', () => {
    const table = new TagTable()
    const map = new Map<bigint, bigint>()
    const random = numbers(7)
    const next = () => random.next().value ?? 0
    for (let step = 0; step < 60_000; step += 1) {
      // Few low halves, so that many stand in one another's way.
      const hash = (BigInt(next() % 40) << 32n) | BigInt((next() % 50) + 1)
      if (next() % 3 === 0) {
        table.delete(hash)
        map.delete(hash)
      } else {
        const tag = BigInt(next()) + 1n
        table.set(hash, tag)
        map.set(hash, tag)
      }
      const asked = (BigInt(next() % 40) << 32n) | BigInt((next() % 50) + 1)
      assert.equal(table.get(asked), map.get(asked) ?? 0n)
    }
    for (const [hash, tag] of map) assert.equal(table.get(hash), tag)
    assert.ok(map.size > 500)
  })

  it('has room for many', () => {
    const table = new TagTable()
    for (let at = 1n; at <= 100_000n; at += 1n) table.set((at * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn, at)
    assert.equal(table.get((5n * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn), 5n)
  })
})

describe('freshness', () => {
  const name = Uint8Array.of(0x21, 1)
  const other = Uint8Array.of(0x21, 2)
  const record = (edition: number) => new Uint8Array(40).fill(edition)
  const made = () => new Freshness((bytes) => BigInt(bytes.reduce((sum, byte) => sum * 256 + byte, 1)))

  it('knows the newest record from all others, and from none', () => {
    const freshness = made()
    freshness.load(name, record(1))
    freshness.write([{ name, after: record(2) }])(true)
    const reading = freshness.read()
    assert.equal(reading.isFresh(name, record(2)), true)
    for (const wrong of [record(1), undefined, new Uint8Array(7)]) assert.equal(reading.isFresh(name, wrong), false)
    assert.equal(reading.isFresh(other, undefined), true)
    assert.equal(reading.isFresh(other, record(2)), false)
    assert.deepEqual([reading.isThere(name), reading.isThere(other)], [true, false])
    assert.deepEqual([reading.isAll(0x21, 1), reading.isAll(0x21, 0), reading.isAll(0x21, 2)], [true, false, false])
  })

  it('takes what a record was since the reading began, and nothing older', () => {
    const freshness = made()
    freshness.load(name, record(1))
    freshness.write([{ name, after: record(2) }])(true)
    const reading = freshness.read()
    freshness.write([{ name, after: record(3) }])(true)
    freshness.write([{ name, after: undefined }])(true)
    for (const fresh of [record(2), record(3), undefined]) assert.equal(reading.isFresh(name, fresh), true)
    assert.equal(reading.isFresh(name, record(1)), false)
    assert.equal(freshness.read().isFresh(name, record(3)), false)
    assert.equal(reading.isThere(name), true)
    assert.equal(freshness.read().isThere(name), false)
  })

  it('takes what is before and after a write that is under way', () => {
    const freshness = made()
    freshness.load(name, record(1))
    const ended = freshness.write([
      { name, after: record(2) },
      { name: other, after: record(2) },
    ])
    const during = freshness.read()
    for (const fresh of [record(1), record(2)]) assert.equal(during.isFresh(name, fresh), true)
    assert.deepEqual([during.isAll(0x21, 1), during.isAll(0x21, 2), during.isAll(0x21, 3)], [true, true, false])
    ended(true)
    assert.equal(during.isFresh(name, record(1)), true)
    assert.equal(freshness.read().isFresh(name, record(1)), false)
  })

  it('forgets a write that the database has refused', () => {
    const freshness = made()
    freshness.load(name, record(1))
    freshness.write([
      { name, after: record(2) },
      { name: other, after: record(2) },
    ])(false)
    const reading = freshness.read()
    assert.equal(reading.isFresh(name, record(1)), true)
    assert.equal(reading.isFresh(name, record(2)), false)
    assert.equal(reading.isFresh(other, undefined), true)
    assert.equal(reading.isAll(0x21, 1), true)
  })

  it('keeps what outlives the seat', () => {
    const freshness = made()
    const secret = Uint8Array.of(1, 1)
    for (const each of [name, secret]) freshness.load(each, record(1))
    const before = freshness.read()
    freshness.eraseSeat()()
    assert.equal(before.isFresh(name, record(1)), true)
    const after = freshness.read()
    assert.deepEqual([after.isFresh(name, record(1)), after.isFresh(name, undefined)], [false, true])
    assert.equal(after.isFresh(secret, record(1)), true)
    assert.deepEqual([after.isAll(0x21, 0), after.isAll(1, 1)], [true, true])
  })
})
