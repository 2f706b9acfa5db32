import assert from 'node:assert/strict'
import { Line, PLAIN_LINK } from '../../../../src/simulation/live/shaping/link.js'

/** Chances in the order in which they are asked for, then none. */
function chances(...values: number[]): () => number {
  return () => values.shift() ?? 0.999
}

describe('one direction of a link', () => {
  it('takes no time when it is plain', () => {
    assert.equal(new Line(chances()).arrival(1_000_000, PLAIN_LINK, 7), 7)
  })

  it('adds latency, and jitter by chance', () => {
    const line = new Line(chances(0.5))
    assert.equal(line.arrival(100, { ...PLAIN_LINK, latency: 40, jitter: 10 }, 1_000), 1_045)
  })

  it('lets pieces queue for the bandwidth', () => {
    const line = new Line(chances())
    const narrow = { ...PLAIN_LINK, latency: 10, bandwidth: 100 }
    assert.deepEqual(
      [line.arrival(1_000, narrow, 0), line.arrival(1_000, narrow, 0), line.arrival(1_000, narrow, 500)],
      [20, 30, 520],
    )
  })

  it('sends a lost segment again after twice the round trip, but no sooner than 200 ms', () => {
    const lossy = { ...PLAIN_LINK, loss: 0.5 }
    // Two segments: the first is lost once, the second twice.
    const twoSegments = () => new Line(chances(0.1, 0.9, 0.1, 0.1, 0.9))
    assert.equal(twoSegments().arrival(2_000, { ...lossy, latency: 10 }, 0), 10 + 3 * 200)
    assert.equal(twoSegments().arrival(2_000, { ...lossy, latency: 100 }, 0), 100 + 3 * 400)
  })

  it('keeps the order: what comes after a lost piece waits for it', () => {
    const line = new Line(chances(0.1, 0.9))
    const lossy = { ...PLAIN_LINK, latency: 5, loss: 0.5 }
    assert.equal(line.arrival(100, lossy, 0), 205)
    assert.equal(line.arrival(100, lossy, 50), 205)
    assert.equal(line.arrival(100, lossy, 300), 305)
  })

  it('does not send without end where everything is lost', () => {
    assert.ok(Number.isFinite(new Line(() => 0).arrival(1, { ...PLAIN_LINK, loss: 1 }, 0)))
  })
})
