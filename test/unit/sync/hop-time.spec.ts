import assert from 'node:assert/strict'
import { HopTime } from '../../../src/sync/hop-time.js'

describe('hop time', () => {
  it('comes to twice what exchanges take', () => {
    const hop = new HopTime()
    for (let times = 0; times < 60; times += 1) hop.observe(120)
    assert.ok(Math.abs(hop.expectedMs - 240) < 5, `${hop.expectedMs} ms`)
  })

  it('is not led far astray by one that stalls, nor by ones that take no time', () => {
    const hop = new HopTime()
    const before = hop.expectedMs
    hop.observe(3_600_000)
    assert.ok(hop.expectedMs < before + 2_000)
    for (let times = 0; times < 200; times += 1) hop.observe(0)
    assert.ok(hop.expectedMs >= 100)
  })
})
