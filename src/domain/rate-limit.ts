/** A map that forgets what was set longest ago, when there is too much. */
export class Recent<Key, Value> {
  readonly #most: number
  readonly #values = new Map<Key, Value>()

  constructor(most: number) {
    this.#most = most
  }

  get(key: Key): Value | undefined {
    return this.#values.get(key)
  }

  set(key: Key, value: Value): void {
    this.#values.delete(key)
    this.#values.set(key, value)
    for (const oldest of this.#values.keys()) {
      if (this.#values.size <= this.#most) break
      this.#values.delete(oldest)
    }
  }
}

export interface RateLimitInit {
  readonly perMinute: number
  /** How many of them at once; all, if absent. */
  readonly atOnce?: number
  /** Unix ms. */
  readonly now: () => number
  /** Of how many keys it is remembered what they have used up. */
  readonly remembered: number
}

/** So many per key and minute, `atOnce` of them, refilled steadily. */
export class RateLimit {
  readonly #perMinute: number
  readonly #atOnce: number
  readonly #now: () => number
  readonly #buckets: Recent<string, { tokens: number; at: number }>

  constructor({ perMinute, atOnce = perMinute, now, remembered }: RateLimitInit) {
    this.#perMinute = perMinute
    this.#atOnce = atOnce
    this.#now = now
    this.#buckets = new Recent(remembered)
  }

  take(key: string): boolean {
    const { tokens, at } = this.#refilled(key)
    const taken = tokens >= 1
    this.#buckets.set(key, { tokens: taken ? tokens - 1 : tokens, at })
    return taken
  }

  /** Takes away what was used, of which the amount is known only afterwards: nothing is left until more than that is refilled. */
  spend(key: string, amount: number): void {
    const { tokens, at } = this.#refilled(key)
    this.#buckets.set(key, { tokens: tokens - amount, at })
  }

  #refilled(key: string): { tokens: number; at: number } {
    const now = this.#now()
    const bucket = this.#buckets.get(key) ?? { tokens: this.#atOnce, at: now }
    // A clock that was set back takes nothing away: whoever came would have to wait until it has caught up.
    const elapsed = Math.max(0, now - bucket.at)
    const refilled = bucket.tokens + (elapsed * this.#perMinute) / 60_000
    return { tokens: Math.min(this.#atOnce, refilled), at: now }
  }
}
