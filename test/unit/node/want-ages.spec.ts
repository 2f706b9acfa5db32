import assert from 'node:assert/strict'
import { byAge } from '../../../src/node/want-ages.js'

describe('open wants by age', () => {
  it('are counted up to a minute, ten, an hour, a day, and beyond', () => {
    const now = 1_000_000_000
    const since = new Map([
      [now, 1],
      [now - 59_999, 2],
      [now - 60_000, 4],
      [now - 599_999, 8],
      [now - 3_599_999, 16],
      [now - 86_399_999, 32],
      [now - 86_400_000, 64],
    ])
    assert.deepEqual(byAge(since, now), { minute: 3, 'ten-minutes': 12, hour: 16, day: 32, older: 64 })
  })

  it('are young when the clock was set back since', () => {
    assert.equal(byAge(new Map([[2_000, 3]]), 1_000).minute, 3)
  })
})
