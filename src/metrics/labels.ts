/** What a code, or the name of anything else that is counted, looks like; whatever does not is `other`. */
const NAME = /^[\w.:/ -]{1,64}$/

/** Values of one label, at most: each costs a series, here and with whoever stores them. */
const MOST = 64

const OTHER = 'other'

/** PeerIds cost nothing: they are never told apart. */
const PEER_ID = /^(12D3Koo|16Uiu2HA|Qm)[1-9A-HJ-NP-Za-km-z]{30,}$/

/**
 * Keeps the values of a label few, whatever peers bring about: what does not look like a name, and every value after the
 * first {@link MOST}, is counted as `other`.
 */
export class BoundedLabel {
  readonly #known = new Set<string>()

  of(value: string): string {
    if (PEER_ID.test(value)) return 'peer'
    if (this.#known.has(value)) return value
    if (this.#known.size >= MOST || !NAME.test(value)) return OTHER
    this.#known.add(value)
    return value
  }
}

/** Values of a label that names clusters: more of them are in the sums only. */
export const MOST_CLUSTERS = 1_024
