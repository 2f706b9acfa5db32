import type { BlockNumber } from '../domain/index.js'

/** Counts things by block and knows the lowest block that has any, without a look at all of them; steps are +1 and -1. */
export class Lowest {
  readonly #counts = new Map<BlockNumber, number>()
  /** Every block of `#counts` once, as a binary heap; one without any goes when it has come to the top. */
  readonly #heap: BlockNumber[] = []

  count(block: BlockNumber, step: 1 | -1): void {
    const before = this.#counts.get(block)
    if (before === undefined) this.#push(block)
    this.#counts.set(block, (before ?? 0) + step)
  }

  /** Undefined when there are none. */
  get(): BlockNumber | undefined {
    for (;;) {
      const [block] = this.#heap
      if (block === undefined || (this.#counts.get(block) ?? 0) > 0) return block
      this.#counts.delete(block)
      this.#pop()
    }
  }

  clear(): void {
    this.#counts.clear()
    this.#heap.length = 0
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
