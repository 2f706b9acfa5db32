import assert from 'node:assert/strict'
import { Lowest } from '../../../src/store/lowest.js'
import { Random } from '../../support/random.js'

describe('the lowest block', () => {
  it('is the lowest that has any, whatever comes and goes', () => {
    const random = new Random(7)
    const lowest = new Lowest()
    const counts = new Map<number, number>()
    for (let step = 0; step < 20_000; step += 1) {
      const block = random.below(50)
      const has = counts.get(block) ?? 0
      const change = has > 0 && random.chance(0.55) ? -1 : 1
      lowest.count(block, change)
      counts.set(block, has + change)
      if (random.chance(0.5)) continue
      const blocks = [...counts].flatMap(([each, count]) => (count > 0 ? [each] : []))
      assert.equal(lowest.get(), blocks.length === 0 ? undefined : Math.min(...blocks))
    }
    lowest.clear()
    assert.equal(lowest.get(), undefined)
  })

  it('keeps few blocks without any, though one below them stays', () => {
    const lowest = new Lowest()
    lowest.count(1, 1)
    let largest = 0
    for (let block = 2; block < 100_000; block += 1) {
      lowest.count(block, 1)
      if (block > 12) lowest.count(block - 10, -1)
      if (block % 3 === 0) assert.equal(lowest.get(), 1)
      largest = Math.max(largest, lowest.size)
    }
    assert.ok(largest <= 160, `${largest}`)
    lowest.count(1, -1)
    assert.equal(lowest.get(), 2)
  })
})
