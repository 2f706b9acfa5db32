import assert from 'node:assert/strict'
import { compare, comparisonText } from '../../../bench/harness/compare.js'
import type { Results } from '../../../bench/harness/results.js'
import { alone, madeUpContest, madeUpResults } from './made-up.js'

const CEILING = [1_000, 1_000, 1_000, 1_000, 1_000]
const BEFORE = [500, 510, 520, 530, 540]

function changesOf(one: Results, other: Results): Record<string, string> {
  return Object.fromEntries(compare(one, other).figures.map(({ name, change }) => [name, change]))
}

function beside(figures: readonly number[], ceiling: readonly number[] = CEILING): Results {
  return madeUpResults([madeUpContest(figures, ceiling)])
}

describe('two results of the bench, compared', () => {
  it('say what got worse and what got better when all runs are further apart than they spread', () => {
    const slower = BEFORE.map((figure) => figure * 0.8)
    const ratio = 'bootstrap, x of raw'
    assert.equal(changesOf(beside(BEFORE), beside(slower))[ratio], 'worse')
    assert.equal(changesOf(beside(slower), beside(BEFORE))[ratio], 'better')
    assert.equal(compare(beside(BEFORE), beside(slower)).isWorse, true)
    assert.equal(compare(beside(slower), beside(BEFORE)).isWorse, false)
  })

  it('take less for better where it is', () => {
    const [before, after] = [madeUpResults([alone(BEFORE)]), madeUpResults([alone(BEFORE.map((mb) => mb * 1.3))])]
    assert.deepEqual(changesOf(before, after), { 'idle, MB': 'worse' })
    assert.deepEqual(changesOf(after, before), { 'idle, MB': 'better' })
  })

  it('cannot tell when a part of the runs overlaps', () => {
    const noisy = [400, 410, 420, 430, 505]
    assert.equal(changesOf(beside(BEFORE), beside(noisy))['bootstrap, x of raw'], 'cannot tell')
  })

  it('cannot tell from fewer than five runs, however far they are apart', () => {
    const [few, slow] = [beside([500, 510, 520, 530], CEILING.slice(1)), beside([5, 5, 5, 5], CEILING.slice(1))]
    const { figures, isWorse } = compare(few, slow)
    assert.deepEqual(figures.at(-1)?.change, 'cannot tell')
    assert.match(figures.at(-1)?.because ?? '', /^4 runs are too few/)
    assert.equal(isWorse, false)
  })

  it('call it the same when it is too little to matter', () => {
    const little = [99, 99.1, 99.2, 99.3, 99.4]
    const more = little.map((figure) => figure * 1.02)
    assert.deepEqual(changesOf(madeUpResults([alone(little)]), madeUpResults([alone(more)])), {
      'idle, MB': 'the same',
    })
  })

  it('judge ratios where there are any: a slower machine slows both sides', () => {
    const half = (figures: readonly number[]) => figures.map((figure) => figure / 2)
    assert.deepEqual(changesOf(beside(BEFORE), beside(half(BEFORE), half(CEILING))), {
      'bootstrap, shares/s': 'not judged',
      'bootstrap, x of raw': 'the same',
    })
  })

  it('do not judge amounts of different machines', () => {
    const other = madeUpResults([alone(BEFORE.map((mb) => mb * 2))], { cores: 64 })
    const { figures, remarks } = compare(madeUpResults([alone(BEFORE)]), other)
    assert.equal(figures[0]?.change, 'not judged')
    assert.match(remarks[0] ?? '', /^They are of different machines/)
  })

  it('judge a ratio to itself only when it has lost its target: its base may have got better', () => {
    const itself = (base: number) => {
      const other = { name: 'few', role: 'itself', target: 'memory-requester-growth', setUp: 'Fewer.' } as const
      const others = [{ ...other, figures: BEFORE.map((figure) => figure / base) }]
      return madeUpResults([alone(BEFORE, { others, target: 'memory-requester' })])
    }
    assert.deepEqual(changesOf(itself(1), itself(1.2)), { 'idle, MB': 'the same', 'idle, x of few': 'not judged' })
    assert.deepEqual(changesOf(itself(1), itself(1.5)), { 'idle, MB': 'the same', 'idle, x of few': 'worse' })
  })

  it('name what is in one of them only', () => {
    const { remarks } = compare(beside(BEFORE), madeUpResults([alone(BEFORE)]))
    assert.deepEqual(remarks, ['In the first only: bootstrap.', 'In the second only: idle.'])
  })

  it('end with what got worse, and with how much cannot be told', () => {
    const [before, after] = [beside(BEFORE), beside(BEFORE.map((figure) => figure * 0.8))]
    assert.match(comparisonText(before, after, compare(before, after)), /\n\nWorse: bootstrap, x of raw\.$/)
    assert.match(comparisonText(before, before, compare(before, before)), /\n\nNothing got worse beyond noise\.$/)
    const [nothing, apart] = [madeUpResults([]), madeUpResults([])]
    assert.match(comparisonText(nothing, apart, compare(nothing, apart)), /There is nothing in both of them/)
    const few = beside([500], [1_000])
    assert.match(comparisonText(few, few, compare(few, few)), /beyond noise\. Of 1 of 2 figures that cannot be told/)
  })
})
