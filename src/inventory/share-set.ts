import type { ShareKey } from '../domain/index.js'

/** Ids that stand together in one part. */
const PART_IDS = 4_096

/** Very many shares by their names: a bit for each id of a part that has any, so that a million take some 130 kB. */
export class ShareSet {
  readonly #parts: Readonly<Record<ShareKey['kind'], Map<number, Uint8Array>>> = {
    secret: new Map(),
    capsule: new Map(),
  }

  add({ kind, nftId }: ShareKey): void {
    const parts = this.#parts[kind]
    const at = Math.floor(nftId / PART_IDS)
    const part = parts.get(at) ?? new Uint8Array(PART_IDS / 8)
    parts.set(at, part)
    const bit = nftId % PART_IDS
    part[bit >>> 3] = (part[bit >>> 3] ?? 0) | (1 << (bit & 7))
  }

  /** In the order of kinds and NFT ids, whatever the order in which they came. */
  *keys(): Generator<ShareKey> {
    for (const kind of ['secret', 'capsule'] as const) {
      const parts = [...this.#parts[kind]].sort(([one], [other]) => one - other)
      for (const [at, part] of parts) {
        for (let bit = 0; bit < PART_IDS; bit += 1) {
          if (((part[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0) yield { kind, nftId: at * PART_IDS + bit }
        }
      }
    }
  }

  has({ kind, nftId }: ShareKey): boolean {
    const bit = nftId % PART_IDS
    const byte = this.#parts[kind].get(Math.floor(nftId / PART_IDS))?.[bit >>> 3] ?? 0
    return (byte & (1 << (bit & 7))) !== 0
  }
}
