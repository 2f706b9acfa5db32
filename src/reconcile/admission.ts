import { type AccountId, type Clock, RateLimit } from '../domain/index.js'
import { Pace } from './pacing.js'
import { PROVIDER_LIMITS } from './protocol.js'
import { RefusingError } from './refusals.js'

/** The places of a provider, and how often they are taken (SPEC 5.3). Nobody waits for one: there is time. */
export class Places {
  /** All that a provider sums up for others. */
  readonly pace: Pace
  readonly #taken = new Set<AccountId>()
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

  /** @returns gives the place free. @throws RefusingError BUSY */
  take(account: AccountId): () => void {
    const isFree = !this.#taken.has(account) && this.#taken.size < PROVIDER_LIMITS.sessions
    // In this order: one account that comes too often uses up nothing of the others.
    if (!isFree || !this.#ofAccount.take(account) || !this.#ofAll.take('')) throw new RefusingError('BUSY')
    this.#taken.add(account)
    return () => this.#taken.delete(account)
  }
}
