import assert from 'node:assert/strict'
import { combinations } from '../../../src/simulation/combinations.js'

describe('combinations', () => {
  it('are all found', () => {
    assert.deepEqual(combinations([1, 2, 3], 2), [
      [1, 2],
      [1, 3],
      [2, 3],
    ])
    assert.equal(combinations([1, 2, 3, 4, 5], 3).length, 10)
    assert.deepEqual(combinations([1], 2), [])
  })
})
