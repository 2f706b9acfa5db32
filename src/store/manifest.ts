/** What a folder holds, in three numbers that change with each write; see {@link ManifestSum}. */
export interface Manifest {
  /** How many writes there were since the folder was made. */
  readonly sequence: number
  /** How many records there are. */
  readonly count: number
  /** 32 bytes: the fingerprints of all records, added bit by bit. */
  readonly sum: Uint8Array
}

export const EMPTY_MANIFEST: Manifest = { sequence: 0, count: 0, sum: new Uint8Array(32) }

/**
 * Adds records to a manifest, and takes them away, in any order.
 *
 * Fingerprints are pseudo-random to whoever has not the key, and so is their sum, which is sealed: a host that takes
 * records away, or brings old ones back, would have to find a set with the same sum without seeing any of it. (Sums of
 * what a host can see, such as the tags, could be made to fit by solving linear equations.) A set has each name once,
 * so that nothing cancels itself.
 */
export class ManifestSum {
  #count: number
  readonly #sum: Uint8Array

  constructor({ count, sum }: Pick<Manifest, 'count' | 'sum'> = EMPTY_MANIFEST) {
    this.#count = count
    this.#sum = sum.slice()
  }

  add(fingerprint: Uint8Array): void {
    this.#count += 1
    this.#mix(fingerprint)
  }

  take(fingerprint: Uint8Array): void {
    this.#count -= 1
    this.#mix(fingerprint)
  }

  manifest(sequence: number): Manifest {
    return { sequence, count: this.#count, sum: this.#sum.slice() }
  }

  #mix(fingerprint: Uint8Array): void {
    for (let at = 0; at < this.#sum.length; at += 1) this.#sum[at] = (this.#sum[at] ?? 0) ^ (fingerprint[at] ?? 0)
  }
}
