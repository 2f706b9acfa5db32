import { keyOf, restingChain } from '../../src/cli/bench/world.js'
import type { BlockTriggers } from '../../src/domain/index.js'
import type { ChainView } from '../../src/share/index.js'
import type { SyncChain } from '../../src/sync/index.js'

export const SEALING_KEY = new Uint8Array(32).fill(9)

/** Of a plain stream. */
export const RAW_PROTOCOL = '/slotmesh/bench/raw'

/** As many as the chain lists in a page. */
const PAGE = 1_000

/** A chain at rest that lists so many shares. */
export function chainOf(shares: number): ChainView & SyncChain {
  return {
    ...restingChain(),
    nft: async () => undefined,
    confirm: async () => ({ outcome: 'confirmed' }),
    async *follow(_after, { signal }): AsyncGenerator<BlockTriggers> {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    },
    async *syncedShares() {
      for (let from = 0; from < shares; from += PAGE) {
        yield Array.from({ length: Math.min(PAGE, shares - from) }, (_, index) => keyOf(from + index))
      }
    },
  }
}
