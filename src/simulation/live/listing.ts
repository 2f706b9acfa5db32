import type { BlockNumber, ShareKey, ShareKind } from '../../domain/index.js'
import { type BlockTriggers, shareKeyText } from '../../domain/index.js'

type Counts = Readonly<Record<ShareKind, number>>

/** A share that the chain calls synced. */
export interface ListedShare {
  readonly key: ShareKey
  readonly origin: number
  readonly version: BlockNumber
}

/** What the chain lists as synced, block by block. */
export class Listing {
  readonly #shares = new Map<string, ListedShare>()
  /** After each block, by its number. */
  readonly #counts: Counts[] = [{ secret: 0, capsule: 0 }]

  /** How many there are by now. */
  get size(): number {
    return this.#shares.size
  }

  /** The last block that was taken in. */
  get block(): BlockNumber {
    return this.#counts.length - 1
  }

  /** How many of each kind there were after a block; undefined for one that was not taken in yet. */
  countsAt(block: BlockNumber): Counts | undefined {
    return this.#counts[block]
  }

  of(key: ShareKey): ListedShare | undefined {
    return this.#shares.get(shareKeyText(key))
  }

  /** Blocks come in order, none left out. */
  takeIn({ block, triggers }: BlockTriggers): void {
    for (const trigger of triggers) {
      if (trigger.type === 'key-update') continue
      const key = { kind: trigger.kind, nftId: trigger.nftId }
      if (trigger.type === 'removed') this.#shares.delete(shareKeyText(key))
      else this.#shares.set(shareKeyText(key), { key, origin: trigger.cluster, version: block.number })
    }
    const counts = { secret: 0, capsule: 0 }
    for (const { key } of this.#shares.values()) counts[key.kind] += 1
    this.#counts[block.number] = counts
  }
}
