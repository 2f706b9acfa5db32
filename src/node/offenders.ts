import type { AccountId, Logger, Offence, OffenceKind } from '../domain/index.js'

/** How heavy each offence is. What an honest peer can come to do in a bad minute is light. */
const WEIGHTS: Readonly<Record<OffenceKind, number>> = {
  malformed: 4,
  oversized: 4,
  crumbs: 4,
  'bad-signature': 4,
  'bad-quote': 4,
  'bad-provenance': 4,
  'bad-seal': 4,
  unasked: 4,
  miscounted: 4,
  endless: 4,
  // A slow line has both time out twice in a minute, and then more and more seldom. Who is asked is waited for in any case.
  stall: 2,
  slow: 1,
  // Its own checks let it through, at another block or before the chain has said whose it is.
  doubtful: 1,
  flood: 1,
  // A chain that is behind, a seat that has just changed, a line that is down: whoever then waits as it should is let be.
  'bad-token': 1,
  'no-right': 1,
  silence: 1,
}

/** What is put up with, and for how long nothing is done for who goes beyond it (docs/decisions/0019-offenders.md). */
export const PATIENCE = {
  /** The sum of weights at which a peer is shut out: the third heavy offence within a minute, or so. */
  limit: 10,
  /** Half of what it has done is forgotten after this long, ms. */
  halfLifeMs: 60_000,
  /** How long it is shut out, ms; each time for twice as long, until it has been let be for the longest. */
  shutMs: { first: 60_000, longest: 960_000 },
  /** Offenders that are remembered, of accounts and of PeerIds each; some 500 bytes for one. */
  remembered: 4_096,
  /** PeerIds of one account: by no more of them is it known who it is. */
  peersOfAccount: 8,
  /** Offenders that a status names, the worst first. */
  named: 16,
  /** Lines in the log each minute: PeerIds cost nothing, so that a flood of them would flood it as well. */
  linesPerMinute: 30,
} as const

/** Who has offended, and what it did. */
export interface Offender {
  /** The account where it has proved itself, or else the PeerId. */
  readonly who: string
  /** By which PeerIds, the latest last. */
  readonly peers: readonly string[]
  /** What it did, and how often. */
  readonly offences: Readonly<Partial<Record<OffenceKind, number>>>
  /** Until when nothing is done for it; Unix ms; undefined when it is not shut out. */
  readonly shutUntil: number | undefined
}

/** What peers have done that no honest one does. */
export interface OffenderStatus {
  /** All offences since the start. */
  readonly byKind: Readonly<Partial<Record<OffenceKind, number>>>
  /** How many are shut out now. */
  readonly shut: number
  /** The worst first; a few of them, when there are many. */
  readonly worst: readonly Offender[]
}

/** Told when an offender is shut out: by which PeerIds it came, for how long it is, ms, and for what the last time. */
export type ShutOut = Pick<Offender, 'who' | 'peers'> & { readonly kind: OffenceKind; readonly forMs: number }

interface OffendersInit {
  readonly now: () => number
  readonly logger: Logger
  readonly onShut: (shut: ShutOut) => void
  /** Whether anybody is shut out at all; what they do is counted in any case. */
  readonly isShutting?: boolean | undefined
}

interface Entry {
  readonly who: string
  readonly peers: Set<string>
  readonly offences: Map<OffenceKind, number>
  score: number
  /** When the score was as it is. */
  at: number
  shutUntil: number
  /** How often it was shut out, without having been let be for long in between. */
  times: number
}

/**
 * What peers did that no honest one does, by account where that has proved itself, and else by PeerId, so that nobody is
 * blamed for what another does in its name. Whoever does too much of it is shut out for a while. In memory only.
 */
export class Offenders {
  readonly #init: OffendersInit
  /** Apart: strangers, who are as many as they like, make nobody forget what an account has done. */
  readonly #accounts = new Map<string, Entry>()
  readonly #peers = new Map<string, Entry>()
  /** PeerIds by which accounts came that are shut out, and until when they are; apart from strangers, too. */
  readonly #peersOfShut = new Map<string, number>()
  readonly #byKind = new Map<OffenceKind, number>()
  #lines = { since: Number.NEGATIVE_INFINITY, written: 0, left: 0 }

  constructor(init: OffendersInit) {
    this.#init = init
  }

  offended({ kind, peer, account }: Offence): void {
    const now = this.#init.now()
    count(this.#byKind, kind)
    const entry = this.#entry(account === undefined ? this.#peers : this.#accounts, account ?? peer, now)
    count(entry.offences, kind)
    entry.peers.delete(peer)
    entry.peers.add(peer)
    for (const oldest of entry.peers) if (entry.peers.size > PATIENCE.peersOfAccount) entry.peers.delete(oldest)
    entry.score = scoreAt(entry, now) + WEIGHTS[kind]
    entry.at = now
    if (entry.score < PATIENCE.limit || isAhead(entry.shutUntil, now) || this.#init.isShutting === false) return
    this.#shutOut(entry, kind, now)
  }

  /** Whether nothing is to be done for this PeerId, or account, now. */
  isShut(who: string | AccountId): boolean {
    const now = this.#init.now()
    const itself = this.#accounts.get(who) ?? this.#peers.get(who)
    return [itself?.shutUntil, this.#peersOfShut.get(who)].some((until = 0) => isAhead(until, now))
  }

  status(): OffenderStatus {
    const now = this.#init.now()
    const all = [...this.#accounts.values(), ...this.#peers.values()]
    const gravity = (entry: Entry) => (isAhead(entry.shutUntil, now) ? Number.MAX_VALUE : scoreAt(entry, now))
    const worst = all.sort((one, other) => gravity(other) - gravity(one)).slice(0, PATIENCE.named)
    return {
      byKind: Object.fromEntries(this.#byKind),
      shut: all.filter(({ shutUntil }) => isAhead(shutUntil, now)).length,
      worst: worst.map(({ who, peers, offences, shutUntil }) => ({
        who,
        peers: [...peers],
        offences: Object.fromEntries(offences),
        shutUntil: isAhead(shutUntil, now) ? shutUntil : undefined,
      })),
    }
  }

  #entry(entries: Map<string, Entry>, who: string, now: number): Entry {
    const fresh = { who, peers: new Set<string>(), offences: new Map<OffenceKind, number>(), shutUntil: 0, times: 0 }
    const entry = entries.get(who) ?? { ...fresh, score: 0, at: now }
    // The one that has not offended for the longest time is the one to forget.
    entries.delete(who)
    entries.set(who, entry)
    for (const oldest of entries.keys()) {
      if (entries.size <= PATIENCE.remembered) break
      entries.delete(oldest)
    }
    return entry
  }

  #shutOut(entry: Entry, kind: OffenceKind, now: number): void {
    const { first, longest } = PATIENCE.shutMs
    entry.times = now - entry.shutUntil > longest ? 1 : entry.times + 1
    const forMs = Math.min(longest, first * 2 ** (entry.times - 1))
    entry.shutUntil = now + forMs
    // It begins anew afterwards, and is shut out for longer if it goes on.
    entry.score = 0
    const peers = [...entry.peers]
    if (this.#accounts.get(entry.who) === entry) this.#keepOut(peers, entry.shutUntil, now)
    this.#log({ who: entry.who, peers, kind, forMs }, entry, now)
    this.#init.onShut({ who: entry.who, peers, kind, forMs })
  }

  #keepOut(peers: readonly string[], until: number, now: number): void {
    for (const [peer, itsUntil] of this.#peersOfShut) if (!isAhead(itsUntil, now)) this.#peersOfShut.delete(peer)
    for (const peer of peers) this.#peersOfShut.set(peer, Math.max(until, this.#peersOfShut.get(peer) ?? until))
    for (const oldest of this.#peersOfShut.keys()) {
      if (this.#peersOfShut.size <= PATIENCE.remembered * PATIENCE.peersOfAccount) break
      this.#peersOfShut.delete(oldest)
    }
  }

  #log({ who, peers, kind, forMs }: ShutOut, { offences }: Entry, now: number): void {
    const { since, left } = this.#lines
    if (now < since || now - since >= 60_000) this.#lines = { since: now, written: 0, left }
    if (this.#lines.written >= PATIENCE.linesPerMinute) {
      this.#lines.left += 1
      return
    }
    const did = [...offences].map(([each, times]) => `${each} ${times}`).join(', ')
    const unsaid = this.#lines.left
    this.#lines.written += 1
    this.#lines.left = 0
    const fields = { who, peers: peers.join(), offence: kind, did, forMs, ...(unsaid > 0 && { unsaid }) }
    this.#init.logger.warn('a peer has offended too often and is shut out for a while', fields)
  }
}

/** What is further off than anything can be was set by a clock that has been set back since: it is over. */
function isAhead(until: number, now: number): boolean {
  return until > now && until - now <= PATIENCE.shutMs.longest
}

function scoreAt({ score, at }: Entry, now: number): number {
  return score * 2 ** -(Math.max(0, now - at) / PATIENCE.halfLifeMs)
}

function count(counts: Map<OffenceKind, number>, kind: OffenceKind): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1)
}
