import type { BlockNumber } from '../domain/index.js'

/** Blocks without any that are kept in any case: to look for them has its price. */
const FEWEST_EMPTY = 64

/**
 * Counts things by block and knows the lowest block that has any, without a look at all of them; steps are +1 and -1. It
 * keeps no more than twice as many blocks as have any, and some dozens.
 */
export class Lowest {
  readonly #counts = new Map<BlockNumber, number>()
  /** Every block of `#counts` once, as a binary heap; one without any goes when it has come to the top. */
  #heap: BlockNumber[] = []
  /** Of `#counts`, those without any: above one that stays they would never come to the top. */
  #empty = 0

  count(block: BlockNumber, step: 1 | -1): void {
    const before = this.#counts.get(block)
    const after = (before ?? 0) + step
    if (before === undefined) this.#push(block)
    this.#counts.set(block, after)
    this.#empty += Number(after <= 0) - Number(before !== undefined && before <= 0)
    if (this.#empty > FEWEST_EMPTY && 2 * this.#empty > this.#counts.size) this.#forgetEmpty()
  }

  /** Blocks that are kept, whether they have any or not. */
  get size(): number {
    return this.#heap.length
  }

  /** Undefined when there are none. */
  get(): BlockNumber | undefined {
    for (;;) {
      const [block] = this.#heap
      if (block === undefined || (this.#counts.get(block) ?? 0) > 0) return block
      this.#counts.delete(block)
      this.#empty -= 1
      this.#pop()
    }
  }

  clear(): void {
    this.#counts.clear()
    this.#heap = []
    this.#empty = 0
  }

  #forgetEmpty(): void {
    for (const [block, count] of this.#counts) if (count <= 0) this.#counts.delete(block)
    // What is in order is a heap.
    this.#heap = [...this.#counts.keys()].sort((one, other) => one - other)
    this.#empty = 0
  }

  #push(block: BlockNumber): void {
    const heap = this.#heap
    let at = heap.push(block) - 1
    while (at > 0) {
      const above = (at - 1) >>> 1
      const parent = heap[above] ?? block
      if (parent <= block) break
      heap[at] = parent
      at = above
    }
    heap[at] = block
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      const child = (heap[right] ?? Number.POSITIVE_INFINITY) < (heap[left] ?? Number.POSITIVE_INFINITY) ? right : left
      const lower = heap[child]
      if (lower === undefined || lower >= last) break
      heap[at] = lower
      at = child
    }
    heap[at] = last
  }
}
