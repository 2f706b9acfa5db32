import assert from 'node:assert/strict'
import { systemClock } from '../../../src/domain/index.js'
import { ChainComparison } from '../../../src/sync/chain-comparison.js'
import { logger } from '../../integration/store/fixture.js'

const HOUR_MS = 3_600_000

async function* none<Value>(): AsyncGenerator<Value> {
  yield* []
}

describe('when what is held is compared with the chain', () => {
  let now: number
  let comparison: ChainComparison

  function begin(waitMs?: () => number): void {
    now = 1_700_000_000_000
    comparison = new ChainComparison({
      chain: { nft: async () => undefined, syncedShares: none },
      store: {
        places: none,
        wants: none,
        compare: async () => ({ lacking: [], held: 0 }),
        openWants: async () => undefined,
        eraseShares: async () => undefined,
        counts: () => ({ shares: { secret: 0, capsule: 0 }, wants: 0, pending: 0 }),
      },
      wanted: () => undefined,
      logger,
      clock: { ...systemClock, now: () => now },
      ...(waitMs && { waitMs, onCompared: () => undefined }),
    })
  }

  it('is due when the wait is over, and anew after each', async () => {
    begin(() => HOUR_MS)
    assert.equal(comparison.isDue, false)
    now += HOUR_MS
    assert.equal(comparison.isDue, true)
    await comparison.compare({ number: 1, hash: '0x00' }, new AbortController().signal)
    assert.equal(comparison.isDue, false)
    comparison.demand()
    assert.equal(comparison.isDue, true)
  })

  it('is due when the clock is set back, as nobody knows how long it is until then', () => {
    begin(() => HOUR_MS)
    now -= 24 * HOUR_MS
    assert.equal(comparison.isDue, true)
    begin(() => HOUR_MS)
    comparison.demand()
    now -= 24 * HOUR_MS
    assert.equal(comparison.isDue, true)
  })

  it('is never due where there is no interval, whatever the clock says', () => {
    begin()
    for (const step of [24 * HOUR_MS, -48 * HOUR_MS]) {
      now += step
      assert.equal(comparison.isDue, false)
    }
  })
})
