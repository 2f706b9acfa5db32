import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { ShareKey } from '../../../src/domain/index.js'
import type { NodeStatus } from '../../../src/node/index.js'
import type { StoreRequest } from '../../../src/owner/index.js'
import { Owners, type Taker } from '../../crash/owners.js'
import { Random } from '../../support/random.js'
import type { ChainWorld } from '../chain/fixture.js'

/** One of two slot peers, wherever it runs. */
export interface Peer {
  status(): Promise<NodeStatus>
  store(kind: 'secret' | 'capsule', request: StoreRequest): Promise<unknown>
}

/** Once what was cut is healed, everything is where it belongs within this; ms. */
const RESUMES_WITHIN_MS = 30_000

const LOOK_EVERY_MS = 50
const PATIENCE_MS = 60_000

/** Two slot peers, of cluster 0 and 1, and the owners who hand shares to either. */
export class Pair {
  readonly #owners: Owners
  /** By cluster. One that is started anew takes the place of the former. */
  readonly #peers: Peer[]

  constructor(owners: Owners, ...peers: Peer[]) {
    this.#owners = owners
    this.#peers = peers
  }

  static of(world: ChainWorld, seed: number, ...peers: Peer[]): Pair {
    return new Pair(new Owners(world, new Random(seed)), ...peers)
  }

  /** The same owners, and another one in the place of the first peer. */
  withAnother(first: Peer): Pair {
    const [, ...others] = this.#peers
    return new Pair(this.#owners, first, ...others)
  }

  peer(cluster: number): Peer {
    const peer = this.#peers[cluster]
    assert.ok(peer)
    return peer
  }

  replace(cluster: number, peer: Peer): void {
    this.#peers[cluster] = peer
  }

  /** Resolves with their names when the chain calls so many new shares synced, by this cluster. */
  give(cluster: number, count: number): Promise<ShareKey[]> {
    const taker: Taker = {
      cluster,
      status: () => this.peer(cluster).status(),
      store: async (kind, request) => {
        await this.peer(cluster).store(kind, request)
      },
    }
    return this.#owners.give(taker, count, { signal: AbortSignal.timeout(PATIENCE_MS) })
  }

  /** Waits until a peer's status is as it is to be. */
  async until(cluster: number, what: string, isSo: (status: NodeStatus) => boolean, withinMs = PATIENCE_MS) {
    const end = performance.now() + withinMs
    for (;;) {
      const status = await this.peer(cluster).status()
      if (isSo(status)) return
      const { wantsOpen, cursor, shares } = status
      const seen = JSON.stringify({ wantsOpen, cursor, shares, given: this.#owners.given.size })
      assert.ok(performance.now() < end, `cluster ${cluster}: ${what} did not come within ${withinMs} ms: ${seen}`)
      await pause(LOOK_EVERY_MS)
    }
  }

  /** Both hold every share that was ever given. @returns after how many ms. */
  async untilWhole(withinMs = RESUMES_WITHIN_MS): Promise<number> {
    const begun = performance.now()
    const isWhole = ({ shares, wantsOpen }: NodeStatus) =>
      shares.secret + shares.capsule === this.#owners.given.size && wantsOpen === 0
    await Promise.all([0, 1].map((cluster) => this.until(cluster, 'all shares', isWhole, withinMs)))
    return Math.round(performance.now() - begun)
  }
}
