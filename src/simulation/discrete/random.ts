import type { SeededRandom } from '../randomness.js'

/**
 * A fast generator for what is drawn millions of times in a run (xoshiro128**, Blackman and Vigna); its state comes from
 * the run's seed, and its values from the order in which they are drawn, which is the same in each run.
 */
export class Stream {
  readonly #state: Uint32Array

  constructor(random: SeededRandom, name: string) {
    const bytes = random.bytes(name, 16)
    this.#state = new Uint32Array(bytes.buffer, 0, 4)
    // All zeroes is the one state that it never leaves.
    this.#state[0] = (this.#state[0] ?? 0) | 1
  }

  /** A whole number below 2^32. */
  word(): number {
    const state = this.#state
    const [a = 0, b = 0, c = 0, d = 0] = state
    const result = Math.imul(rotated(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    const [e, f] = [c ^ a, d ^ b]
    state[1] = b ^ e
    state[0] = a ^ f
    state[2] = e ^ shifted
    state[3] = rotated(f, 11)
    return result
  }

  /** In [0, 1). */
  fraction(): number {
    return this.word() / 2 ** 32
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += 4) {
      const word = this.word()
      for (let byte = 0; byte < 4 && at + byte < length; byte += 1) bytes[at + byte] = word >>> (8 * byte)
    }
    return bytes
  }
}

function rotated(word: number, by: number): number {
  return ((word << by) | (word >>> (32 - by))) >>> 0
}
