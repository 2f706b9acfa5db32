import type { BlockNumber, Hex } from '../../domain/index.js'

/** What a block changed: key to new value, or undefined where the entry was removed. */
export type Changes = ReadonlyMap<Hex, Uint8Array | undefined>

interface Version {
  readonly block: BlockNumber
  readonly value: Uint8Array | undefined
}

/** Characters of a storage key's pallet and item part (two 128-bit hashes), under which keys are filed. */
const ITEM_PREFIX_LENGTH = 2 + 64

/**
 * The chain's state as of every block: each key remembers its values and since which block each holds. Memory grows
 * with the number of changes, not with blocks times state.
 */
export class State {
  readonly #versions = new Map<Hex, Version[]>()
  readonly #items = new Map<string, SortedKeys>()

  /** Appends a block's changes; blocks come in order. */
  append(block: BlockNumber, changes: Changes): void {
    for (const [key, value] of changes) {
      const versions = this.#versions.get(key)
      if (versions !== undefined) versions.push({ block, value })
      else if (value !== undefined) {
        this.#versions.set(key, [{ block, value }])
        this.#keysOf(key).add(key)
      }
    }
  }

  get(key: Hex, at: BlockNumber): Uint8Array | undefined {
    const versions = this.#versions.get(key) ?? []
    const latest = versions.at(-1)
    if (latest === undefined || latest.block <= at) return latest?.value
    const later = firstIndex(versions.length, (index) => (versions[index]?.block ?? 0) > at)
    return versions[later - 1]?.value
  }

  /** Keys that exist at a block, behind `after`, in byte order. */
  keys(prefix: string, at: BlockNumber, count: number, after = ''): Hex[] {
    const found: Hex[] = []
    const items = [...this.#items.keys()].filter((item) => item.startsWith(prefix) || prefix.startsWith(item)).sort()
    for (const item of items) {
      for (const key of this.#items.get(item)?.from(prefix, after) ?? []) {
        if (found.length === count) return found
        if (this.get(key, at) !== undefined) found.push(key)
      }
    }
    return found
  }

  #keysOf(key: Hex): SortedKeys {
    const item = key.slice(0, ITEM_PREFIX_LENGTH)
    const known = this.#items.get(item)
    if (known !== undefined) return known
    const keys = new SortedKeys()
    this.#items.set(item, keys)
    return keys
  }
}

/** Keys in order; sorted when they are read, since most are written long before. */
class SortedKeys {
  readonly #keys: Hex[] = []
  #sorted = true

  add(key: Hex): void {
    this.#keys.push(key)
    this.#sorted = false
  }

  *from(prefix: string, after: string): Generator<Hex> {
    if (!this.#sorted) this.#keys.sort()
    this.#sorted = true
    const bound = after > prefix ? after : prefix
    const first = firstIndex(this.#keys.length, (index) => (this.#keys[index] ?? '') >= bound)
    for (let index = first; index < this.#keys.length; index++) {
      const key = this.#keys[index]
      if (key === undefined || !key.startsWith(prefix)) return
      if (key !== after) yield key
    }
  }
}

/** The first index for which a condition holds that, once true, stays true; `length` when it never is. */
function firstIndex(length: number, holds: (index: number) => boolean): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}
