import { type AccountId, type Clock, RateLimit, Recent } from '../domain/index.js'
import { Pace } from './pacing.js'
import { PROVIDER_LIMITS } from './protocol.js'
import { RefusingError } from './refusals.js'

/** One who has a place. */
interface Guest {
  readonly account: AccountId
  /** Whether it had one not long before. */
  readonly isBack: boolean
  readonly leaving: AbortController
}

/** A place, for one session. */
export interface Place {
  /** Aborts with RefusingError BUSY when another one needs it more. */
  readonly signal: AbortSignal
  /** Gives it free. */
  leave(): void
}

/** The places of a provider, and how often they are taken (SPEC 5.3). Nobody waits for one: there is time. */
export class Places {
  /** All that a provider sums up for others. */
  readonly pace: Pace
  readonly #clock: Clock
  readonly #guests = new Set<Guest>()
  /** When an account last had a place; Unix ms. */
  readonly #last = new Recent<AccountId, number>(PROVIDER_LIMITS.remembered)
  readonly #ofAccount: RateLimit
  readonly #ofAll: RateLimit
  readonly #lookUps: RateLimit
  readonly #streams: RateLimit
  readonly #streamsOfStrangers: RateLimit
  /** In ms of the processor. */
  readonly #work: RateLimit

  /** @param tick ms, of a clock that does not jump. */
  constructor(clock: Clock, tick?: () => number) {
    const { sessionsPerAccountPerMinute, sessionsPerMinute, lookUpsPerMinute, remembered } = PROVIDER_LIMITS
    this.#clock = clock
    this.pace = new Pace(clock, tick)
    const now = () => clock.now()
    this.#ofAccount = new RateLimit({ perMinute: sessionsPerAccountPerMinute, now, remembered })
    this.#ofAll = new RateLimit({ perMinute: sessionsPerMinute, now, remembered: 1 })
    this.#lookUps = new RateLimit({ perMinute: lookUpsPerMinute, now, remembered: 1 })
    const { streamsPerPeerPerMinute, streamsOfStrangersPerMinute } = PROVIDER_LIMITS
    this.#streams = new RateLimit({ perMinute: streamsPerPeerPerMinute, now, remembered })
    this.#streamsOfStrangers = new RateLimit({ perMinute: streamsOfStrangersPerMinute, now, remembered: 1 })
    this.#work = new RateLimit({ perMinute: PROVIDER_LIMITS.workPerAccountPerMinute, now, remembered })
  }

  /**
   * Before anything is read of a stream.
   *
   * @returns undefined when it is taken; else whether it is the peer itself that comes too often, or all strangers do.
   */
  turnsAway(peer: string, { isStranger }: { isStranger: boolean }): 'peer' | 'strangers' | undefined {
    if (!this.#streams.take(peer)) return 'peer'
    return isStranger && !this.#streamsOfStrangers.take('') ? 'strangers' : undefined
  }

  /** Whether one more record may be looked for. */
  mayLookUp(): boolean {
    return this.#lookUps.take('')
  }

  /** Whether anything more is summed up for an account. */
  mayWork(account: AccountId): boolean {
    return this.#work.take(account)
  }

  /** What was done for an account; ms. */
  worked(account: AccountId, ms: number): void {
    this.#work.spend(account, ms)
  }

  /**
   * When all are taken, who comes for the first time in a while takes that of one who is back sooner: some accounts that
   * come again and again could else keep all the others out.
   *
   * @throws RefusingError BUSY
   */
  take(account: AccountId): Place {
    const guests = [...this.#guests]
    const last = this.#last.get(account)
    const isBack = last !== undefined && this.#clock.now() - last < PROVIDER_LIMITS.backMs
    const isFull = guests.length >= PROVIDER_LIMITS.sessions
    const leaver = isFull && !isBack ? guests.find((guest) => guest.isBack) : undefined
    const isFree = !guests.some((guest) => guest.account === account) && (!isFull || leaver !== undefined)
    // In this order: one account that comes too often uses up nothing of the others.
    if (!isFree || !this.#ofAccount.take(account) || !this.#ofAll.take('')) throw new RefusingError('BUSY')
    if (leaver !== undefined) {
      this.#leave(leaver)
      leaver.leaving.abort(new RefusingError('BUSY'))
    }
    const guest = { account, isBack, leaving: new AbortController() }
    this.#guests.add(guest)
    return { signal: guest.leaving.signal, leave: () => this.#leave(guest) }
  }

  #leave(guest: Guest): void {
    if (this.#guests.delete(guest)) this.#last.set(guest.account, this.#clock.now())
  }
}
