import assert from 'node:assert/strict'
import { freshSeed, SeededRandom } from '../../../src/simulation/randomness.js'

describe('seeded randomness', () => {
  const seed = freshSeed()

  it('gives the same value for the same name, in any order', () => {
    const one = new SeededRandom(seed)
    const other = new SeededRandom(seed)
    const values = [one.bytes('a', 32), one.bytes('b', 32)]
    assert.deepEqual([other.bytes('b', 32), other.bytes('a', 32)], values.reverse())
    assert.notDeepEqual(values[0], values[1])
  })

  it('gives other values for another seed', () => {
    assert.notDeepEqual(new SeededRandom(freshSeed()).bytes('a', 32), new SeededRandom(seed).bytes('a', 32))
  })

  it('keeps whole numbers within their limits', () => {
    const random = new SeededRandom(seed)
    const values = new Set(Array.from({ length: 200 }, (_, index) => random.integer(`n${index}`, 3, 5)))
    assert.deepEqual([...values].sort(), [3, 4, 5])
  })
})
