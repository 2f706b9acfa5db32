import assert from 'node:assert/strict'
import { resultOf } from '../../../bench/harness/contest.js'
import { amountText, contestText, ratioText, spreadText } from '../../../bench/harness/text.js'
import { alone, madeUpContest } from './made-up.js'

describe('what the bench prints', () => {
  it('has medians, how far runs spread, the ratio with a spread of its own, and whether the target is met', () => {
    const lines = contestText(resultOf(madeUpContest([400, 480, 420], [1_000, 800, 1_050]))).split('\n')
    assert.deepEqual(lines, [
      'bootstrap, in shares/s',
      '  slotmesh  420 (400 to 480)',
      '            All of it.',
      '  raw       1,000 (800 to 1,050), a ceiling',
      '            0.40 (0.40 to 0.60) x of it; target at least 0.5 x: NOT met',
      '            The bytes alone.',
      '',
    ])
  })

  it('has an amount to keep to beside the figure itself', () => {
    assert.match(contestText(resultOf(alone([120]))), /\n {2}slotmesh {2}120; target at most 150 MB: met\n/)
  })

  it('rounds to what says something', () => {
    assert.deepEqual([0.04213, 0.4213, 4.213, 42.13, 421.3, 4_213].map(amountText), [
      '0.04',
      '0.42',
      '4.21',
      '42.1',
      '421',
      '4,213',
    ])
    assert.deepEqual([0, 0.00421, 0.04213, 0.4213, 42.13].map(ratioText), ['0.00', '0.0042', '0.042', '0.42', '42.1'])
  })

  it('says once what all runs came to', () => {
    assert.equal(spreadText({ minimum: 9.871, median: 9.872, maximum: 9.873 }, amountText), '9.87')
  })
})
