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
})
