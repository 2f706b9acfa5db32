import { createHash } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'

/**
 * Kademlia's k-buckets, as a rule of whom to take into the routing table: of each half, quarter, eighth and so on of
 * the mesh that one is not in oneself, no more than `size` peers. So what a node keeps up grows with the logarithm of
 * the mesh. kad-dht's own tree splits everywhere, and a node would connect to every peer that it hears of.
 */
export class Neighbourhood {
  readonly #self: Uint8Array
  readonly #size: number
  /** The members of the table by the number of leading bits that they share with this node. */
  readonly #buckets = new Map<number, Map<string, PeerId>>()

  constructor(self: PeerId, size: number) {
    this.#self = position(self)
    this.#size = size
  }

  /** @param isAlive members that are not are no reason to turn another away. */
  admits(peer: PeerId, isAlive: (member: PeerId) => boolean): boolean {
    const bucket = this.#bucketOf(peer)
    return bucket.has(peer.toString()) || [...bucket.values()].filter(isAlive).length < this.#size
  }

  add(peer: PeerId): void {
    this.#bucketOf(peer).set(peer.toString(), peer)
  }

  remove(peer: PeerId): void {
    this.#bucketOf(peer).delete(peer.toString())
  }

  #bucketOf(peer: PeerId): Map<string, PeerId> {
    const shared = sharedBits(this.#self, position(peer))
    const bucket = this.#buckets.get(shared) ?? new Map<string, PeerId>()
    this.#buckets.set(shared, bucket)
    return bucket
  }
}

/** Where a peer is in the DHT's space of keys (libp2p's kad-dht specification). */
function position(peer: PeerId): Uint8Array {
  return createHash('sha256').update(peer.toMultihash().bytes).digest()
}

function sharedBits(one: Uint8Array, other: Uint8Array): number {
  for (const [index, byte] of one.entries()) {
    const difference = byte ^ (other[index] ?? 0)
    if (difference !== 0) return 8 * index + Math.clz32(difference) - 24
  }
  return 8 * one.length
}
