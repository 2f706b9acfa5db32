import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Cluster, type EnclaveSeat, Registry, type SlotId } from '../../../src/domain/index.js'
import { RelayRing, relayRing } from '../../../src/sync/relay.js'

function seatAt(cluster: number, slot: SlotId = 0): EnclaveSeat {
  const account = `0x${(cluster * 8 + slot).toString(16).padStart(64, '0')}` as const
  return { account, operator: account, cluster, slot, apiUri: '' }
}

const clusterOf = ({ cluster }: EnclaveSeat) => cluster

/** For each cluster but the origin, whom it asks, up to the origin. */
function ways(ring: RelayRing, clusters: readonly number[], origin: number): Map<number, number[]> {
  return new Map(
    clusters
      .filter((cluster) => cluster !== origin)
      .map((cluster) => [cluster, ring.wayTo(cluster, origin)?.map(clusterOf) ?? []]),
  )
}

/** Clusters of a chain, with gaps, and one of them. */
const meshes = fc
  .uniqueArray(fc.integer({ min: 0, max: 5_000 }), { minLength: 2, maxLength: 300 })
  .chain((clusters) => fc.record({ clusters: fc.constant(clusters), origin: fc.constantFrom(...clusters) }))

const fanOuts = fc.integer({ min: 2, max: 16 })

describe('relay ring', () => {
  it('has everyone ask somebody who is a step nearer to the origin, and as few as can be ask each', () => {
    fc.assert(
      fc.property(meshes, fanOuts, ({ clusters, origin }, fanOut) => {
        const all = ways(
          new RelayRing(
            clusters.map((id) => seatAt(id)),
            fanOut,
          ),
          clusters,
          origin,
        )
        const askers = new Map<number, number>()
        for (const [cluster, way] of all) {
          const [asked] = way
          assert.ok(asked !== undefined && asked !== cluster)
          assert.equal(way.at(-1), origin)
          assert.deepEqual(asked === origin ? [] : all.get(asked), way.slice(1))
          askers.set(asked, (askers.get(asked) ?? 0) + 1)
        }
        assert.ok(Math.max(...askers.values()) <= fanOut)
        const steps = Math.max(...[...all.values()].map((way) => way.length))
        assert.ok(fanOut ** (steps - 1) < clusters.length, `${steps} steps for ${clusters.length} clusters`)
      }),
    )
  })

  it('has one enclave ask no more than a few, whatever the origin is', () => {
    fc.assert(
      fc.property(meshes, fanOuts, ({ clusters, origin: own }, fanOut) => {
        const ring = new RelayRing(
          clusters.map((id) => seatAt(id)),
          fanOut,
        )
        const asked = clusters.flatMap((origin) => ring.wayTo(own, origin)?.[0]?.cluster ?? [])
        const nearest = ring.nearest(own).map(clusterOf)
        const neighbours = nearest.slice(0, fanOut)
        assert.ok(new Set(asked).size <= fanOut)
        for (const cluster of asked) assert.ok(neighbours.includes(cluster))
        assert.deepEqual(
          nearest.toSorted((one, other) => one - other),
          clusters.filter((cluster) => cluster !== own).toSorted((one, other) => one - other),
        )
      }),
    )
  })

  it('is the same in whatever order the registry tells of the clusters', () => {
    const shuffled = meshes.chain(({ clusters, origin }) =>
      fc.record({
        clusters: fc.constant(clusters),
        origin: fc.constant(origin),
        other: fc.shuffledSubarray(clusters, { minLength: clusters.length }),
      }),
    )
    fc.assert(
      fc.property(shuffled, ({ clusters, origin, other }) => {
        const [one, two] = [clusters, other].map((ids) => new RelayRing(ids.map((id) => seatAt(id))))
        assert.ok(one && two)
        assert.deepEqual(ways(one, clusters, origin), ways(two, clusters, origin))
        assert.deepEqual(one.nearest(origin), two.nearest(origin))
      }),
    )
  })

  it('has all ask the origin in a small mesh', () => {
    for (let size = 2; size <= 8; size += 1) {
      const clusters = Array.from({ length: size }, (_, cluster) => cluster)
      for (const origin of clusters) {
        for (const way of ways(new RelayRing(clusters.map((id) => seatAt(id))), clusters, origin).values()) {
          assert.deepEqual(way, [origin])
        }
      }
    }
  })

  for (const { size, most, steps } of [
    { size: 5, most: 4, steps: 1 },
    { size: 50, most: 8, steps: 2 },
    { size: 200, most: 8, steps: 3 },
    { size: 1_000, most: 8, steps: 4 },
  ]) {
    it(`has the origin asked by ${most} of ${size}, and all reached in ${steps} steps`, () => {
      const clusters = Array.from({ length: size }, (_, cluster) => cluster)
      const all = [...ways(new RelayRing(clusters.map((id) => seatAt(id))), clusters, 3).values()]
      assert.equal(all.filter((way) => way.length === 1).length, most)
      assert.equal(Math.max(...all.map((way) => way.length)), steps)
    })
  }

  it('has the same cluster asked when another enclave sits in its slot', () => {
    const seats = Array.from({ length: 40 }, (_, cluster) => seatAt(cluster))
    const before = new RelayRing(seats)
    const after = new RelayRing(seats.map((seat) => (seat.cluster === 7 ? { ...seat, account: '0x77' } : seat)))
    for (const { cluster } of seats) {
      assert.deepEqual(before.wayTo(cluster, 3)?.map(clusterOf), after.wayTo(cluster, 3)?.map(clusterOf))
    }
  })

  it('knows no way from or to a cluster that is not in the registry, nor from one to itself', () => {
    const ring = new RelayRing([1, 2, 3].map((id) => seatAt(id)))
    assert.equal(ring.wayTo(4, 1), undefined)
    assert.equal(ring.wayTo(1, 4), undefined)
    assert.equal(ring.wayTo(1, 1), undefined)
    assert.deepEqual(ring.nearest(4), [])
  })

  it('consists of those who may exchange shares with each other', () => {
    const registry = new Registry([
      ...Array.from(
        { length: 12 },
        (_, id): Cluster => ({ id, type: 'public', seats: [0, 1].map((slot) => seatAt(id, slot)) }),
      ),
      { id: 12, type: 'public', seats: [seatAt(12, 1)] },
      { id: 13, type: 'private', seats: [seatAt(13)] },
    ])
    const ring = relayRing(registry, 0)
    assert.equal(ring, relayRing(registry, 0))
    const sorted = (seats: EnclaveSeat[]) => seats.toSorted((one, other) => one.cluster - other.cluster)
    assert.deepEqual(sorted(ring.nearest(4)), sorted(registry.slotPeersOf(seatAt(4).account)))
  })
})
