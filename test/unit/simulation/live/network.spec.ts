import assert from 'node:assert/strict'
import { Network } from '../../../../src/simulation/live/network.js'
import { PLAIN_LINK } from '../../../../src/simulation/live/shaping/index.js'

const LINK = { latency: 0, jitter: 0, loss: 0 }
const regions = { east: { first: 0, last: 1 }, west: { first: 2, last: 3 }, south: { first: 4, last: 4 } }
const links = [
  { ...LINK, latency: 2 },
  { ...LINK, latency: 45, bandwidth: 1_000, between: ['east', 'west'] as const },
  { ...LINK, latency: 90, between: ['south', '*'] as const },
]
const [east, alsoEast, west, south, nowhere] = [0, 1, 2, 4, 9].map((cluster) => ({ cluster, slot: 0 })) as [
  Named,
  Named,
  Named,
  Named,
  Named,
]
type Named = { cluster: number; slot: number }

describe('the network of a live stage', () => {
  it('takes the last link that fits, in either direction', () => {
    const network = new Network({ regions, links })
    assert.equal(network.between(east, alsoEast).latency, 2)
    assert.deepEqual(network.between(west, east), { ...PLAIN_LINK, latency: 45, bandwidth: 1_000 })
    assert.equal(network.between(nowhere, south).latency, 90)
    assert.deepEqual(new Network({ regions, links: [] }).between(east, west), PLAIN_LINK)
  })

  it('is cut between the two sides of a partition only, until it is healed', () => {
    const network = new Network({ regions, links })
    const isCut = (one: Named, other: Named) => network.between(one, other).isCut
    network.partition({ type: 'partition', one: ['east'], other: ['west'] })
    assert.deepEqual(
      [isCut(east, west), isCut(west, alsoEast), isCut(east, alsoEast), isCut(east, south)],
      [true, true, false, false],
    )
    network.heal()
    assert.equal(isCut(east, west), false)
    network.partition({ type: 'partition', one: ['east'], other: ['*'] })
    assert.deepEqual([isCut(east, nowhere), isCut(east, alsoEast), isCut(west, south)], [true, false, false])
  })

  it('is slow for one enclave and everybody who talks to it, until that is taken back', () => {
    const network = new Network({ regions, links })
    network.slow({ type: 'slow', enclave: west, latency: 500, bandwidth: 20 })
    assert.deepEqual(network.between(east, west), { ...PLAIN_LINK, latency: 545, bandwidth: 20 })
    assert.equal(network.between(east, { ...west, slot: 1 }).latency, 45)
    network.slow({ type: 'slow', enclave: west, latency: 0 })
    assert.equal(network.between(east, west).latency, 45)
  })

  it('knows a region for every cluster', () => {
    const network = new Network({ regions, links })
    assert.deepEqual(network.regions, ['east', 'west', 'south', 'elsewhere'])
    assert.equal(network.regionOf(9), 'elsewhere')
    assert.ok(network.isIn(9, '*') && network.isIn(4, 'south') && !network.isIn(4, 'east'))
  })
})
