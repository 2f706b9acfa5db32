import type { AccountId, ClusterId, EnclaveSeat } from '../domain/index.js'
import type { Want } from '../store/index.js'
import type { Lack } from './lack-memory.js'
import type { BackOff, PeerBook } from './peer-book.js'
import { FAN_OUT, type RelayRing } from './relay.js'

/**
 * How often one that answers is asked before the next one on the way is, for each step that it is away from the origin
 * itself: it may be a moment late, and later if it has to go round another in its turn.
 */
const CHANCES_PER_STEP = 2

/** For so many hops an exchange that is under way with the one to ask is waited for; after that it is a long one. */
const HOPS_WAITED_FOR = 2

export interface RelayPlanParts {
  readonly ring: RelayRing
  /** That of the enclave which asks. */
  readonly cluster: ClusterId
  /** All others of the ring, in the order in which they are asked when those on the way are of no use. */
  readonly others: readonly EnclaveSeat[]
  readonly book: Pick<PeerBook, 'failingUntil' | 'lacking'>
  /** Since when an exchange with a peer is under way; Unix ms. */
  readonly underWaySince: (peer: AccountId) => number | undefined
  /** How long a share takes from one enclave to the next; ms. */
  readonly hopMs: number
  /** How long a share is left alone after somebody lacked it; ms. */
  readonly backOff: BackOff
  /** Unix ms. */
  readonly now: number
}

/**
 * Whom to ask now; or else when to look again, Unix ms or infinity. `isBehind`: also when an exchange that is under way
 * has ended.
 */
export type Turn =
  | { readonly peer: AccountId }
  | { readonly peer?: never; readonly at: number; readonly isBehind: boolean }

/**
 * Whom to ask for shares of a known origin, at one moment, in a mesh where not all can ask the origin.
 *
 * First those on the way from the origin to here, from the time on at which the nearest of them can be expected to hold
 * the share; the next of them when one fails, or has lacked it several times. Then, when all of them are of no use, anybody else,
 * those first that are asked for shares of other origins: if any of them holds the share, it spreads from there. Who fails
 * is left out at once; after each that lacks the share there is a pause, which grows after a while, so that a share that
 * nobody holds costs little.
 */
export class RelayPlan {
  readonly #parts: RelayPlanParts
  readonly #ways = new Map<ClusterId | undefined, Way>()

  constructor(parts: RelayPlanParts) {
    this.#parts = parts
  }

  turnOf({ key, origin, since }: Pick<Want, 'key' | 'origin' | 'since'>): Turn {
    const { book, hopMs, now, others } = this.#parts
    const way = this.#wayFrom(origin)
    // A clock that was set back must not keep a want waiting until it has caught up.
    const start = since > now ? now : since + Math.max(0, way.seats.length - 1) * hopMs
    if (start > now) return { at: start, isBehind: false }

    const lacking = book.lacking(key)
    const chancesOf = (peer: AccountId) => way.chances.get(peer) ?? 0
    const allChances = [...way.chances.values()].reduce((sum, chances) => sum + chances, 0)
    const first = this.#among(way.seats, only(lacking, way.chances, true), allChances, chancesOf)
    const isHopeful = ({ account }: EnclaveSeat) =>
      this.#isUsable(account) && (lacking.get(account)?.tries ?? 0) < chancesOf(account)
    if (first.peer !== undefined || way.seats.some(isHopeful)) return first
    const second = this.#among(without(others, way), only(lacking, way.chances, false), FAN_OUT, () => 0)
    if (second.peer !== undefined) return second
    return { at: Math.min(first.at, second.at), isBehind: first.isBehind || second.isBehind }
  }

  /** Each as often as it has chances, in this order; then one after the other, in pauses that grow after so many tries. */
  #among(
    seats: Iterable<EnclaveSeat>,
    lacking: ReadonlyMap<AccountId, Lack>,
    quickTries: number,
    chancesOf: (peer: AccountId) => number,
  ): Turn {
    const { book, underWaySince, hopMs, now } = this.#parts
    const pauseEnds = this.#pauseEnds([...lacking.values()], quickTries)
    if (pauseEnds > now) return { at: pauseEnds, isBehind: false }
    let chosen: { readonly peer: AccountId; readonly rounds: number } | undefined
    let at = Number.POSITIVE_INFINITY
    let isBehind = false
    for (const { account: peer } of seats) {
      const rounds = Math.max(0, (lacking.get(peer)?.tries ?? 0) - Math.max(0, chancesOf(peer) - 1))
      if (this.#isUsable(peer) && rounds < (chosen?.rounds ?? Number.POSITIVE_INFINITY)) chosen = { peer, rounds }
      if (chosen?.rounds === 0) break
      at = Math.min(at, book.failingUntil(peer) || Number.POSITIVE_INFINITY)
      isBehind ||= underWaySince(peer) !== undefined
    }
    if (chosen === undefined) return { at, isBehind }
    const since = underWaySince(chosen.peer)
    return since === undefined ? { peer: chosen.peer } : { at: since + HOPS_WAITED_FOR * hopMs, isBehind: true }
  }

  /** As long as a share takes to come by, so that there may be news; after so many tries it doubles each time. */
  #pauseEnds(lacks: readonly Lack[], quickTries: number): number {
    const { backOff, hopMs, now } = this.#parts
    const latest = Math.max(...lacks.map(({ at }) => at))
    // As above: what was said after now was said before the clock was set back.
    if (lacks.length === 0 || latest > now) return 0
    const tries = lacks.reduce((sum, lack) => sum + lack.tries, 0)
    const pauseMs = Math.max(backOff.first, hopMs) * 2 ** Math.max(0, tries - quickTries)
    return latest + Math.min(backOff.longest, pauseMs)
  }

  /** Not while it fails, nor while a long exchange with it is under way. */
  #isUsable(peer: AccountId): boolean {
    const { book, underWaySince, hopMs, now } = this.#parts
    const since = underWaySince(peer) ?? now
    return book.failingUntil(peer) === 0 && now - since < HOPS_WAITED_FOR * hopMs
  }

  #wayFrom(origin: ClusterId | undefined): Way {
    const known = this.#ways.get(origin)
    if (known !== undefined) return known
    const { ring, cluster } = this.#parts
    const seats = origin === undefined ? [] : (ring.wayTo(cluster, origin) ?? [])
    const steps = seats.length - 1
    const chances = new Map(
      seats.map(({ account }, at) => [account, CHANCES_PER_STEP * Math.max(1, steps - at)] as const),
    )
    this.#ways.set(origin, { seats, chances })
    return { seats, chances }
  }
}

/** Who is on the way from an origin, the nearest first, and how often each is asked before the next one is. */
interface Way {
  readonly seats: readonly EnclaveSeat[]
  readonly chances: ReadonlyMap<AccountId, number>
}

function* without(seats: readonly EnclaveSeat[], { chances }: Way): Generator<EnclaveSeat> {
  for (const seat of seats) if (!chances.has(seat.account)) yield seat
}

function only(
  lacking: ReadonlyMap<AccountId, Lack>,
  onWay: ReadonlyMap<AccountId, number>,
  isOnWay: boolean,
): ReadonlyMap<AccountId, Lack> {
  if (lacking.size === 0) return lacking
  return new Map([...lacking].filter(([peer]) => onWay.has(peer) === isOnWay))
}
