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
    const now = this.#now()
    const bucket = this.#buckets.get(key) ?? { tokens: this.#atOnce, at: now }
    // A clock that was set back takes nothing away: whoever came would have to wait until it has caught up.
    const elapsed = Math.max(0, now - bucket.at)
    const refilled = bucket.tokens + (elapsed * this.#perMinute) / 60_000
    const tokens = Math.min(this.#atOnce, refilled)
    const taken = tokens >= 1
    this.#buckets.set(key, { tokens: taken ? tokens - 1 : tokens, at: now })
    return taken
  }
}
