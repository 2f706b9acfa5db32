import { type AccountId, bounded, type Clock } from '../domain/index.js'
import { PROVIDER_LIMITS } from './protocol.js'
import { RefusalError } from './refusals.js'

/** Says, of one stream, whether its exchange is taken on (SPEC 8.3). */
export interface Admission {
  /**
   * Before anything of any cost is done for a peer that claims to be `account` and has proved nothing yet.
   * @throws RefusalError BUSY
   */
  admitHello(account: AccountId): void
  /**
   * When the account has proved itself by its signature: waits for a place, when all are taken.
   * @throws RefusalError BUSY, or the signal's reason.
   */
  admitAccount(account: AccountId, options: { signal: AbortSignal }): Promise<void>
}

export interface AdmissionsInit {
  readonly clock: Clock
  /** Whether this peer is known to be the account's, by a record that the account has signed. */
  readonly isKnown?: ((account: AccountId, peer: string) => boolean) | undefined
}

/** One who has a place, or waits for one. */
interface Guest {
  readonly peer: string
  readonly account: AccountId
}

interface Waiter extends Guest {
  readonly admit: () => void
}

/**
 * The provider's places, and who gets the next one. What strangers can do to it is bounded before they cost a signature
 * check; what registered accounts can do to each other is bounded by giving places in turn, by account.
 */
export class Admissions {
  readonly #clock: Clock
  readonly #isKnown: (account: AccountId, peer: string) => boolean
  readonly #hellos: RateLimit
  readonly #hellosOfUnknown: RateLimit
  readonly #exchanges: RateLimit
  readonly #guests = new Set<Guest>()
  readonly #waiting = new Set<Waiter>()
  /** The peer that an account has proved to be last: one, or else it could give standing to any number of PeerIds. */
  readonly #proved = new Recent<AccountId, string>()
  /** The turn in which an account was last given a place, the latest last. */
  readonly #turns = new Recent<AccountId, number>()
  #turn = 0

  constructor({ clock, isKnown = () => false }: AdmissionsInit) {
    this.#clock = clock
    this.#isKnown = isKnown
    const now = () => clock.now()
    const { hellosOfUnknown } = PROVIDER_LIMITS
    this.#hellos = new RateLimit(PROVIDER_LIMITS.hellosPerPeerPerMinute, now)
    this.#hellosOfUnknown = new RateLimit(hellosOfUnknown.perMinute, now, hellosOfUnknown.atOnce)
    this.#exchanges = new RateLimit(PROVIDER_LIMITS.exchangesPerAccountPerMinute, now)
  }

  /** How many wait for a place. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** For one stream of this peer; `leave` gives its place free, if it had one, to the next in line. */
  of(peer: string): Admission & { leave(): void } {
    let guest: Guest | undefined
    return {
      admitHello: (account) => {
        const isKnown = this.#proved.get(account) === peer || this.#isKnown(account, peer)
        if (!this.#hellos.take(peer)) throw this.#busy()
        if (!isKnown && !this.#hellosOfUnknown.take('')) throw this.#busy()
      },
      admitAccount: async (account, options) => {
        this.#proved.set(account, peer)
        guest = await this.#place({ peer, account }, options)
      },
      leave: () => {
        if (guest !== undefined && this.#guests.delete(guest)) this.#admitNext()
      },
    }
  }

  async #place(guest: Guest, { signal }: { signal: AbortSignal }): Promise<Guest> {
    // By account too: PeerIds cost nothing, so one account could else take all the places.
    const isSame = (other: Guest) => other.peer === guest.peer || other.account === guest.account
    const ownPlaces = [...this.#guests].filter(isSame).length
    const waits = [...this.#waiting].some(isSame)
    if (ownPlaces >= PROVIDER_LIMITS.exchangesPerPeer || waits) throw this.#busy()
    if (!this.#exchanges.take(guest.account)) throw this.#busy()
    if (this.#guests.size >= PROVIDER_LIMITS.exchanges) await this.#wait(guest, signal)
    else this.#take(guest)
    return guest
  }

  /** @throws RefusalError BUSY when there is no room to wait, or no place in time. */
  async #wait(guest: Guest, outer: AbortSignal): Promise<void> {
    if (this.#waiting.size >= PROVIDER_LIMITS.waiting) throw this.#busy()
    const timeoutMs = PROVIDER_LIMITS.waitMs
    await bounded({ signals: [outer], timeoutMs, clock: this.#clock }, async (signal) => {
      await new Promise<void>((resolve, reject) => {
        const waiter: Waiter = {
          ...guest,
          admit: () => {
            signal.removeEventListener('abort', leave)
            this.#waiting.delete(waiter)
            this.#take(guest)
            resolve()
          },
        }
        const leave = () => {
          this.#waiting.delete(waiter)
          reject(outer.aborted ? outer.reason : this.#busy())
        }
        if (signal.aborted) return leave()
        this.#waiting.add(waiter)
        signal.addEventListener('abort', leave, { once: true })
      })
    })
  }

  #take(guest: Guest): void {
    this.#guests.add(guest)
    this.#turn += 1
    this.#turns.set(guest.account, this.#turn)
  }

  /** Whose last turn is longest ago; of those, who came first. */
  #admitNext(): void {
    let next: Waiter | undefined
    const lastTurn = ({ account }: Waiter) => this.#turns.get(account) ?? 0
    for (const waiter of this.#waiting) if (next === undefined || lastTurn(waiter) < lastTurn(next)) next = waiter
    next?.admit()
  }

  /** The longer the line, the later it is worth to come back. */
  #busy(): RefusalError {
    const { retryAfterMs, exchanges } = PROVIDER_LIMITS
    return new RefusalError('BUSY', { retryAfterMs: Math.round(retryAfterMs * (1 + this.#waiting.size / exchanges)) })
  }
}

/** A map that forgets what was set longest ago, when there is too much. */
class Recent<Key, Value> {
  readonly #values = new Map<Key, Value>()

  get(key: Key): Value | undefined {
    return this.#values.get(key)
  }

  set(key: Key, value: Value): void {
    this.#values.delete(key)
    this.#values.set(key, value)
    for (const oldest of this.#values.keys()) {
      if (this.#values.size <= PROVIDER_LIMITS.remembered) break
      this.#values.delete(oldest)
    }
  }
}

/** So many per key and minute, `atOnce` of them (all, if absent), refilled steadily. */
class RateLimit {
  readonly #perMinute: number
  readonly #atOnce: number
  readonly #now: () => number
  readonly #buckets = new Recent<string, { tokens: number; at: number }>()

  constructor(perMinute: number, now: () => number, atOnce = perMinute) {
    this.#perMinute = perMinute
    this.#atOnce = atOnce
    this.#now = now
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
