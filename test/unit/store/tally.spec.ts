import assert from 'node:assert/strict'
import { Tally } from '../../../src/store/tally.js'

describe('the tally', () => {
  it('knows since when wants are open, and nothing of those that are closed', () => {
    const tally = new Tally()
    const want = (since: number, step: 1 | -1) => tally.want({ minimumVersion: 7, since }, step)
    want(100, 1)
    want(100, 1)
    want(200, 1)
    assert.deepEqual(
      [...tally.wantsSince],
      [
        [100, 2],
        [200, 1],
      ],
    )
    want(100, -1)
    want(200, -1)
    assert.deepEqual([...tally.wantsSince], [[100, 1]])
    tally.clear()
    assert.equal(tally.wantsSince.size, 0)
  })
})
