import assert from 'node:assert/strict'
import { percentile } from '../../../../src/simulation/index.js'
import { LogHistogram } from '../../../../src/simulation/record/histogram.js'
import { Random } from '../../../support/random.js'

describe('the logarithmic histogram', () => {
  it('tells percentiles that are off by no more than 2.4 %, and the longest exactly', () => {
    const random = new Random(7)
    const samples = Array.from({ length: 5_000 }, () => 5 * Math.exp(random.fraction() * 12))
    const histogram = new LogHistogram()
    for (const sample of samples) histogram.add(sample)
    const { p50, p90, p99, max, count } = histogram.distribution
    assert.deepEqual([count, max], [samples.length, Math.max(...samples)])
    for (const [percent, told] of [
      [50, p50],
      [90, p90],
      [99, p99],
    ] as const) {
      const exact = percentile(samples, percent) ?? Number.NaN
      assert.ok(told >= exact * 0.999 && told <= exact * 1.024, `p${percent}: ${told} for ${exact}`)
    }
  })

  it('has bins of equal width on the scale, each sample in one of them', () => {
    const histogram = new LogHistogram()
    for (const ms of [0, 0.05, 1, 1.2, 999, 1_000, 1_001]) histogram.add(ms)
    const { bins } = histogram.distribution
    assert.equal(
      bins.reduce((sum, { count }) => sum + count, 0),
      7,
    )
    for (const [index, { upTo }] of bins.slice(1).entries()) {
      assert.ok(Math.abs(upTo / (bins[index]?.upTo ?? 0) - 10 ** 0.1) < 0.01)
    }
    assert.deepEqual(bins[0], { upTo: 0.1, count: 2 })
    assert.equal(bins.find(({ upTo }) => upTo === 1_000)?.count, 2)
    assert.equal(bins.at(-1)?.count, 1)
  })

  it('says nothing of nothing, and puts what is beyond all bounds into the last bin', () => {
    const histogram = new LogHistogram()
    assert.deepEqual(histogram.distribution, { count: 0, p50: 0, p90: 0, p99: 0, max: 0, bins: [] })
    histogram.add(1e15)
    assert.equal(histogram.distribution.bins.length, 1)
    assert.equal(histogram.distribution.max, 1e15)
  })
})
