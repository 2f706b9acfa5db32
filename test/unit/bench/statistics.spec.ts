import assert from 'node:assert/strict'
import { leastLikelihood, likelihoodOfChance, ratiosOf, spreadOf } from '../../../bench/harness/statistics.js'

describe('statistics of the bench', () => {
  it('have the middle one as the median, or the mean of the two in the middle', () => {
    assert.deepEqual(spreadOf([5, 1, 9]), { minimum: 1, median: 5, maximum: 9 })
    assert.deepEqual(spreadOf([4, 1, 10, 2]), { minimum: 1, median: 3, maximum: 10 })
  })

  it('take ratios run by run, so that a slow minute that met both does not show', () => {
    assert.deepEqual(ratiosOf([50, 5, 100], [100, 10, 200]), { minimum: 0.5, median: 0.5, maximum: 0.5 })
  })

  it('have the likelihoods of the tables of Mann and Whitney', () => {
    // Two of the 252 ways to deal ten ranks are as far apart as these.
    assert.equal(likelihoodOfChance([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]), 2 / 252)
    assert.equal(likelihoodOfChance([6, 7, 8, 9, 10], [1, 2, 3, 4, 5]), 2 / 252)
    // U = 1, 2 and 4 with five and five.
    assert.equal(likelihoodOfChance([1, 2, 3, 4, 6], [5, 7, 8, 9, 10]), 4 / 252)
    assert.equal(likelihoodOfChance([1, 2, 3, 4, 7], [5, 6, 8, 9, 10]), 8 / 252)
    assert.equal(likelihoodOfChance([1, 2, 3, 6, 7], [4, 5, 8, 9, 10]), 24 / 252)
    assert.equal(likelihoodOfChance([1, 4], [2, 3]), 1)
  })

  it('rank ties in the middle', () => {
    assert.equal(likelihoodOfChance([7, 7, 7, 7, 7], [7, 7, 7, 7, 7]), 1)
    assert.equal(likelihoodOfChance([7, 7, 7, 7, 7], [9, 9, 9, 9, 9]), 2 / 252)
    // Of 20 ways to choose three of {1, 2, 2, 2, 2, 3} four have the 1 and not the 3, and as many the reverse.
    assert.equal(likelihoodOfChance([1, 2, 2], [2, 2, 3]), 12 / 20)
    // The three twos are at rank 4 each: of 20 sums 8 are as far from the middle as 1.5 + 1.5 + 6.
    assert.equal(likelihoodOfChance([1, 1, 3], [2, 2, 2]), 8 / 20)
  })

  it('know the least likelihood that so many runs can have', () => {
    assert.equal(leastLikelihood(5, 5), 2 / 252)
    assert.equal(leastLikelihood(4, 6), 2 / 210)
    assert.equal(leastLikelihood(1, 1), 1)
  })
})
