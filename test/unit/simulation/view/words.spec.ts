import assert from 'node:assert/strict'
import { bytes, count, duration, moment, percent } from '../../../../src/web/page/words.js'

describe('numbers as people read them', () => {
  it('tells durations in the unit that fits', () => {
    const told = [0, 0.25, 950, 999.9, 1_000, 12_340, 90_000, 5_400_000, 86_400_000].map(duration)
    assert.deepEqual(told, ['0 ms', '0.25 ms', '950 ms', '1 s', '1 s', '12.3 s', '1.5 min', '1.5 h', '1 d'])
  })

  it('tells moments of a run', () => {
    const told = [0, 42_999, 725_000, 11_229_000, 97_629_000].map(moment)
    assert.deepEqual(told, ['0:00', '0:42', '12:05', '3:07:09', '1 d 3:07:09'])
  })

  it('tells bytes and counts', () => {
    assert.deepEqual([0, 740, 1_234, 5_600_000].map(bytes), ['0 bytes', '740 bytes', '1.2 kB', '5.6 MB'])
    assert.deepEqual([7, 48_420, 1_234_567, 0.333].map(count), ['7', '48\u202f420', '1\u202f234\u202f567', '0.33'])
  })

  it('never calls it all when something is missing', () => {
    assert.deepEqual(
      [percent(1, 3), percent(99_999, 100_000), percent(5, 5), percent(0, 5), percent(0, 0)],
      ['33.3 %', '99.9 %', '100 %', '0 %', '–'],
    )
  })
})
