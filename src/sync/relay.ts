import type { ClusterId, EnclaveSeat, Registry, SlotId } from '../domain/index.js'

/** How many enclaves ask one for the same share, when all goes well: half of the places that a provider has. */
export const FAN_OUT = 8

/**
 * Whom each enclave of a slot asks for a share, so that nobody is asked by all: the origin is asked by `fanOut` enclaves,
 * each of these by `fanOut` others, and so on. All compute it alike from the registry; nothing is said about it.
 *
 * The enclaves stand in a ring, in the order of their clusters, and the one at x is asked by those at
 * fanOut · x, …, fanOut · x + fanOut - 1 (modulo their number): a generalised de Bruijn graph. After k steps a share has
 * come to `fanOut`ᵏ neighbours in the ring, so to all of them in the least number of steps that there can be. The graph
 * is the same for all origins. So an enclave asks no more than `fanOut` others, whatever is synced where, keeps their
 * connections, and asks for the shares of many origins in one exchange.
 */
export class RelayRing {
  readonly #seats: readonly EnclaveSeat[]
  readonly #positions: ReadonlyMap<ClusterId, number>
  readonly #fanOut: number

  /** @param seats of one slot, one for each cluster, in any order. */
  constructor(seats: Iterable<EnclaveSeat>, fanOut = FAN_OUT) {
    this.#seats = [...seats].sort((one, other) => one.cluster - other.cluster)
    this.#positions = new Map(this.#seats.map(({ cluster }, position) => [cluster, position]))
    this.#fanOut = fanOut
  }

  get size(): number {
    return this.#seats.length
  }

  /**
   * The way that a share takes from its origin to a cluster, told backwards: whom to ask, whom that one asks, and so on;
   * the last one is the origin. Undefined when one of the two has no place in the ring, or they are the same.
   */
  wayTo(cluster: ClusterId, origin: ClusterId): EnclaveSeat[] | undefined {
    const end = this.#positions.get(cluster)
    const start = this.#positions.get(origin)
    if (end === undefined || start === undefined || end === start) return undefined
    // What is reached in so many steps is `width` places from the last of `firsts` on.
    const firsts = [start]
    let [first, width] = [start, 1]
    for (;;) {
      first = (first * this.#fanOut) % this.size
      width *= this.#fanOut
      const offset = (end - first + this.size) % this.size
      if (offset < width) return this.#backFrom(offset, firsts)
      firsts.push(first)
    }
  }

  /**
   * All others, those first that the cluster asks for one origin or another, then those that these ask, and so on; not
   * the same ones first for all clusters.
   */
  nearest(cluster: ClusterId): EnclaveSeat[] {
    const start = this.#positions.get(cluster)
    if (start === undefined) return []
    const found = new Set([start])
    for (const position of found) {
      for (let turn = 0; turn < this.#fanOut; turn += 1) {
        const lap = (start + turn) % this.#fanOut
        found.add(Math.floor((position + lap * this.size) / this.#fanOut))
      }
    }
    found.delete(start)
    return this.#at(...found)
  }

  #backFrom(offset: number, firsts: readonly number[]): EnclaveSeat[] {
    let rest = offset
    const positions = firsts.toReversed().map((first) => {
      rest = Math.floor(rest / this.#fanOut)
      return (first + rest) % this.size
    })
    return this.#at(...positions)
  }

  #at(...positions: number[]): EnclaveSeat[] {
    return positions.flatMap((position) => this.#seats[position] ?? [])
  }
}

const RINGS = new WeakMap<Registry, Map<SlotId, RelayRing>>()

/** The ring of a slot's enclaves that may exchange shares with each other; made once for each registry. */
export function relayRing(registry: Registry, slot: SlotId): RelayRing {
  const rings = RINGS.get(registry) ?? new Map<SlotId, RelayRing>()
  RINGS.set(registry, rings)
  const ring = rings.get(slot) ?? new RelayRing(seatsOf(registry, slot))
  rings.set(slot, ring)
  return ring
}

function seatsOf(registry: Registry, slot: SlotId): EnclaveSeat[] {
  const clusters = registry.clusters().filter(({ type }) => type === 'public')
  return clusters.flatMap(({ id }) => registry.seatAt(id, slot) ?? [])
}
