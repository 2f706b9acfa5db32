import { createHash } from 'node:crypto'

/** What is to be replicated. */
export interface Records {
  readonly shares: number
  /** Of each. */
  readonly bytes: number
}

/** What a requester says of its run. */
export interface Replicated {
  /** From when it dials, or asks, until all is durable. */
  readonly seconds: number
  /** How many were there, each as it should be, when its storage was opened again. */
  readonly records: number
}

/** Different for each number, and the same each time. */
export function recordOf(at: number, bytes: number): Buffer {
  const seed = createHash('sha256').update(String(at)).digest()
  const filled = Buffer.alloc(bytes)
  for (let from = 0; from < bytes; from += seed.length) filled.set(seed.subarray(0, bytes - from), from)
  return filled
}

/** @param count of the records that come after `from`. */
export function recordsFrom(from: number, count: number, bytes: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => recordOf(from + index, bytes))
}
