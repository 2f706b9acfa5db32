import assert from 'node:assert/strict'
import { Series } from '../../../../src/simulation/record/series.js'

describe('a series of points', () => {
  it('keeps all of a few', () => {
    const series = new Series<number>(10)
    for (let at = 0; at < 10; at += 1) series.push(at)
    assert.deepEqual(series.points, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('keeps some of many, evenly spread, and always the latest', () => {
    const series = new Series<number>(10)
    for (let at = 0; at <= 1_001; at += 1) series.push(at)
    const { points } = series
    assert.ok(points.length <= 11, String(points.length))
    assert.equal(points[0], 0)
    assert.equal(points.at(-1), 1_001)
    const gaps = new Set(points.slice(1, -1).map((point, index) => point - (points[index] ?? 0)))
    assert.equal(gaps.size, 1)
  })
})
