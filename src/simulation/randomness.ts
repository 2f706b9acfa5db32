import { hkdfSync, randomBytes } from 'node:crypto'
import { fromHex, toHex } from '../crypto/index.js'
import type { Hex } from '../domain/index.js'

/** A fresh seed of a simulation: 32 bytes. */
export function freshSeed(): Hex {
  return toHex(randomBytes(32))
}

/**
 * All of a run's choices, from one seed. Each value has a name of its own instead of a place in a sequence, so it does
 * not matter in which order concurrent parts ask.
 */
export class SeededRandom {
  readonly #seed: Uint8Array

  constructor(seed: Hex) {
    this.#seed = fromHex(seed)
  }

  bytes(name: string, length: number): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', this.#seed, new Uint8Array(0), `slotmesh/simulation/${name}`, length))
  }

  /** A whole number from `minimum` to `maximum`, both included. */
  integer(name: string, minimum: number, maximum: number): number {
    const value = new DataView(this.bytes(name, 4).buffer).getUint32(0)
    return minimum + (value % (maximum - minimum + 1))
  }
}
