/** Before anything is known, and as far as one exchange is believed: a peer that stalls is not the rule. In ms. */
const HOP_MS = { first: 500, shortest: 50, longest: 5_000 } as const

/** How much the latest exchange counts beside all before it. */
const WEIGHT = 1 / 8

/**
 * How long a share takes from one enclave to the next, as this one's own exchanges tell: all have much the same to do.
 */
export class HopTime {
  #meanMs: number = HOP_MS.first

  /** @param ms that an exchange took, from the decision to ask until its shares were stored. */
  observe(ms: number): void {
    const believed = Math.min(HOP_MS.longest, Math.max(HOP_MS.shortest, ms))
    this.#meanMs += (believed - this.#meanMs) * WEIGHT
  }

  /** What nearly all need, so that seldom one is asked too early; ms. */
  get expectedMs(): number {
    return 2 * this.#meanMs
  }
}
