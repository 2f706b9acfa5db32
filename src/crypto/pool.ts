/** A slab that small arrays are cut from; one that is larger than an eighth of it has its own memory. */
const SLAB_BYTES = 16_384

let slab = new Uint8Array(SLAB_BYTES)
let used = 0

/**
 * Zeroes of this length, for what is made by the million: memory of its own costs each small array, once any native code
 * has seen it, more than to hash it. The memory is shared with other arrays, so that `buffer` is to be left alone, and
 * it stays as long as one of them does. To zero one is to zero it for good: none of it is given out again.
 */
export function pooled(length: number): Uint8Array {
  if (length > SLAB_BYTES / 8) return new Uint8Array(length)
  if (used + length > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES)
    used = 0
  }
  const from = used
  used += length
  return slab.subarray(from, used)
}

/** A copy, as {@link pooled}. */
export function pooledCopy(bytes: Uint8Array): Uint8Array {
  const copy = pooled(bytes.length)
  copy.set(bytes)
  return copy
}
