const FIRST_SLOTS = 64

/** Filled further than this, searches become long. */
const FULLEST = 3 / 4

/**
 * A map from 64-bit hashes to 64-bit tags, neither of which is 0, in 16 bytes a slot: open addressing, linear probing.
 * From three eighths to three quarters of the slots are in use, so that a million entries cost 32 MiB (48 while the
 * table grows), and none more than 43 bytes.
 */
export class TagTable {
  #hashes = new BigUint64Array(FIRST_SLOTS)
  #tags = new BigUint64Array(FIRST_SLOTS)
  #size = 0

  /** @returns 0 when there is none. */
  get(hash: bigint): bigint {
    return this.#tags[this.#slotOf(hash)] ?? 0n
  }

  set(hash: bigint, tag: bigint): void {
    const slot = this.#slotOf(hash)
    if (this.#hashes[slot] === 0n) {
      this.#size += 1
      if (this.#size > this.#hashes.length * FULLEST) {
        this.#grow()
        this.#put(this.#slotOf(hash), hash, tag)
        return
      }
    }
    this.#put(slot, hash, tag)
  }

  delete(hash: bigint): void {
    const slots = this.#hashes.length
    let gap = this.#slotOf(hash)
    if (this.#hashes[gap] === 0n) return
    this.#size -= 1
    // What follows moves up, as far as it may, so that no search ends at the gap.
    for (let next = (gap + 1) % slots; ; next = (next + 1) % slots) {
      const following = this.#hashes[next] ?? 0n
      if (following === 0n) break
      const distance = (next - this.#firstSlot(following) + slots) % slots
      if (distance < (next - gap + slots) % slots) continue
      this.#put(gap, following, this.#tags[next] ?? 0n)
      gap = next
    }
    this.#put(gap, 0n, 0n)
  }

  #put(slot: number, hash: bigint, tag: bigint): void {
    this.#hashes[slot] = hash
    this.#tags[slot] = tag
  }

  /** Where it is, or else where it would be put. */
  #slotOf(hash: bigint): number {
    const slots = this.#hashes.length
    let slot = this.#firstSlot(hash)
    while (this.#hashes[slot] !== 0n && this.#hashes[slot] !== hash) slot = (slot + 1) % slots
    return slot
  }

  /** The number of slots is a power of two. */
  #firstSlot(hash: bigint): number {
    return Number(hash & 0xffffffffn) & (this.#hashes.length - 1)
  }

  #grow(): void {
    const [hashes, tags] = [this.#hashes, this.#tags]
    this.#hashes = new BigUint64Array(2 * hashes.length)
    this.#tags = new BigUint64Array(2 * tags.length)
    for (const [at, hash] of hashes.entries()) if (hash !== 0n) this.#put(this.#slotOf(hash), hash, tags[at] ?? 0n)
  }
}
