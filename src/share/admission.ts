import { type AccountId, bounded, type Clock, RateLimit, Recent, SlotmeshError } from '../domain/index.js'
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
  /** Whether an account is to get no place just now, whichever peer it comes by. */
  readonly isShut?: ((account: AccountId) => boolean) | undefined
}

/** The admission of one stream, as the one who serves it sees it. */
export interface Visit extends Admission {
  /** Whose enclave the peer has proved to be, if it has. */
  readonly proved: AccountId | undefined
  /** Gives its place free, if it had one, to the next in line. */
  leave(): void
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
  readonly #isShut: (account: AccountId) => boolean
  readonly #streams: RateLimit
  readonly #hellos: RateLimit
  readonly #hellosOfUnknown: RateLimit
  readonly #exchanges: RateLimit
  readonly #guests = new Set<Guest>()
  readonly #waiting = new Set<Waiter>()
  /** The peer that an account has proved to be last: one, or else it could give standing to any number of PeerIds. */
  readonly #proved = new Recent<AccountId, string>(PROVIDER_LIMITS.remembered)
  /** The turn in which an account was last given a place, the latest last. */
  readonly #turns = new Recent<AccountId, number>(PROVIDER_LIMITS.remembered)
  #turn = 0

  constructor({ clock, isKnown = () => false, isShut = () => false }: AdmissionsInit) {
    this.#clock = clock
    this.#isKnown = isKnown
    this.#isShut = isShut
    const now = () => clock.now()
    const { hellosPerPeerPerMinute, exchangesPerAccountPerMinute, hellosOfUnknown, remembered } = PROVIDER_LIMITS
    this.#streams = new RateLimit({ perMinute: PROVIDER_LIMITS.streamsPerPeerPerMinute, now, remembered })
    this.#hellos = new RateLimit({ perMinute: hellosPerPeerPerMinute, now, remembered })
    this.#hellosOfUnknown = new RateLimit({ ...hellosOfUnknown, now, remembered })
    this.#exchanges = new RateLimit({ perMinute: exchangesPerAccountPerMinute, now, remembered })
  }

  /** How many wait for a place. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Whether the peer may open one more stream. */
  admitsStream(peer: string): boolean {
    return this.#streams.take(peer)
  }

  /** For one stream of this peer. */
  of(peer: string): Visit {
    let guest: Guest | undefined
    let proved: AccountId | undefined
    return {
      get proved() {
        return proved
      },
      admitHello: (account) => {
        const isKnown = this.#proved.get(account) === peer || this.#isKnown(account, peer)
        if (!this.#hellos.take(peer)) throw this.#busy(flood())
        if (!isKnown && !this.#hellosOfUnknown.take('')) throw this.#busy()
      },
      admitAccount: async (account, options) => {
        proved = account
        this.#proved.set(account, peer)
        if (this.#isShut(account)) throw this.#busy()
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
    if (!this.#exchanges.take(guest.account)) throw this.#busy(flood())
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
  #busy(cause?: SlotmeshError): RefusalError {
    const { retryAfterMs, exchanges } = PROVIDER_LIMITS
    const longer = Math.round(retryAfterMs * (1 + this.#waiting.size / exchanges))
    return new RefusalError('BUSY', { retryAfterMs: longer, ...(cause && { cause }) })
  }
}

/** By itself it comes more often than anybody needs to, however busy this side is with others. */
function flood(): SlotmeshError {
  return new SlotmeshError('share/flood', 'The peer, or its account, begins more exchanges a minute than are allowed.')
}
