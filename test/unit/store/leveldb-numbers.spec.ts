import assert from 'node:assert/strict'
import { readNumber } from '../../../src/store/leveldb-numbers.js'

describe('numbers in the files of a database', () => {
  it('are read seven bits at a time, up to the longest that there is', () => {
    assert.deepEqual(readNumber(Uint8Array.of(9, 0x96, 0x01), 1), { value: 150, end: 3 })
    const longest = Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 15)
    assert.deepEqual(readNumber(longest, 0), { value: Number.MAX_SAFE_INTEGER, end: 8 })
  })

  it('are none when they do not end, or are too large, whoever made them', () => {
    for (const bytes of [[], [0x80], [255, 255, 255, 255, 255, 255, 255, 16], Array(200).fill(0x80)]) {
      assert.equal(readNumber(Uint8Array.from(bytes), 0), undefined, String(bytes))
    }
    assert.equal(readNumber(Uint8Array.from([...Array(200).fill(0x80), 1]), 0), undefined)
  })
})
