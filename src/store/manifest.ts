/**
 * The parts of a folder that are summed up each by itself, so that damage to one does not throw doubt on another:
 * lasting is what outlives the seat; pending what owners have handed over; seat all else.
 */
export const PARTS = ['lasting', 'pending', 'seat'] as const

export type Part = (typeof PARTS)[number]

export interface PartSum {
  /** How many records there are. */
  readonly count: number
  /** 32 bytes: the fingerprints of all records, added bit by bit. */
  readonly sum: Uint8Array
}

/** What a folder holds, in a few numbers that change with each write; see {@link ManifestSum}. */
export type Manifest = Readonly<Record<Part, PartSum>> & {
  /** How many writes there were since the folder was made. */
  readonly sequence: number
}

const EMPTY: PartSum = { count: 0, sum: new Uint8Array(32) }

export const EMPTY_MANIFEST: Manifest = { sequence: 0, lasting: EMPTY, pending: EMPTY, seat: EMPTY }

/**
 * Adds records to a manifest, and takes them away, in any order.
 *
 * Fingerprints are pseudo-random to whoever has not the key, and so is their sum, which is sealed: a host that takes
 * records away, or brings old ones back, would have to find a set with the same sum without seeing any of it. (Sums of
 * what a host can see, such as the tags, could be made to fit by solving linear equations.) A set has each name once,
 * so that nothing cancels itself.
 */
export class ManifestSum {
  readonly #counts: Record<Part, number>
  readonly #sums: Readonly<Record<Part, Uint8Array>>

  constructor({ lasting, pending, seat }: Omit<Manifest, 'sequence'> = EMPTY_MANIFEST) {
    this.#counts = { lasting: lasting.count, pending: pending.count, seat: seat.count }
    this.#sums = { lasting: lasting.sum.slice(), pending: pending.sum.slice(), seat: seat.sum.slice() }
  }

  add(part: Part, fingerprint: Uint8Array): void {
    this.#counts[part] += 1
    mix(this.#sums[part], fingerprint)
  }

  take(part: Part, fingerprint: Uint8Array): void {
    this.#counts[part] -= 1
    mix(this.#sums[part], fingerprint)
  }

  manifest(sequence: number): Manifest {
    return { sequence, lasting: this.#part('lasting'), pending: this.#part('pending'), seat: this.#part('seat') }
  }

  #part(part: Part): PartSum {
    return { count: this.#counts[part], sum: this.#sums[part].slice() }
  }
}

function mix(sum: Uint8Array, fingerprint: Uint8Array): void {
  for (let at = 0; at < sum.length; at += 1) sum[at] = (sum[at] ?? 0) ^ (fingerprint[at] ?? 0)
}
