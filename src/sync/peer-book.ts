import type { AccountId, BlockNumber, ShareKey } from '../domain/index.js'
import { type Forgotten, type Lack, LackMemory } from './lack-memory.js'

/** Waits after the first failure, doubling up to the longest; ms. */
export interface BackOff {
  readonly first: number
  readonly longest: number
}

interface Patience {
  readonly tries: number
  /** When it was needed the last time; Unix ms. */
  readonly at: number
  readonly until: number
}

/** So many answers of peers that lack a share are remembered, of some 200 bytes each. */
const LACKS_REMEMBERED = 262_144

/**
 * Which peers to leave alone for now, and which of them said that they do not hold a share. In memory only: after a
 * restart everyone is asked afresh.
 */
export class PeerBook {
  readonly #now: () => number
  readonly #peers: BackOff
  readonly #shares: BackOff
  readonly #failing = new Map<AccountId, Patience>()
  readonly #lacks: LackMemory
  readonly #versions: BackOff
  readonly #slow = new Set<AccountId>()
  #hasForgotten = false
  #clearedAt = Number.NEGATIVE_INFINITY

  /** @param options.versions for what a peer gives again and again and does not end the want. */
  constructor(options: {
    now: () => number
    peers: BackOff
    shares: BackOff
    versions: BackOff
    lacksRemembered?: number | undefined
  }) {
    this.#now = options.now
    this.#peers = options.peers
    this.#shares = options.shares
    this.#versions = options.versions
    this.#lacks = new LackMemory(options.lacksRemembered ?? LACKS_REMEMBERED)
  }

  /** The peer could not be reached, failed, or refused. @param atLeast ms that it asked for, if it did. */
  failed(peer: AccountId, atLeast = 0): void {
    this.#failing.set(peer, this.#longer(this.#failing.get(peer), this.#peers, atLeast))
  }

  answered(peer: AccountId): void {
    this.#failing.delete(peer)
  }

  /** Its last exchange has brought next to nothing in a long time, or it has brought more. */
  wasSlow(peer: AccountId, isSlow: boolean): void {
    if (isSlow) this.#slow.add(peer)
    else this.#slow.delete(peer)
  }

  isSlow(peer: AccountId): boolean {
    return this.#slow.has(peer)
  }

  /**
   * The peer does not hold the share (yet), or not in the version that is wanted.
   *
   * @param gave when it has given a version that does not end the want: up to where the want asks (`asOf`) and the peer has
   * taken in the chain (`takenIn`). One that has not come to that block may know of nothing newer only since it is behind.
   * @returns the shares of which all answers were forgotten, as there are too many to remember all: nothing keeps these
   * from being asked for at once any more.
   */
  lacks(
    peer: AccountId,
    key: ShareKey,
    gave?: { readonly asOf: BlockNumber; readonly takenIn: BlockNumber },
  ): Forgotten[] {
    const backOff = gave === undefined ? this.#shares : this.#versions
    const gaveAsOf = gave !== undefined && gave.takenIn >= gave.asOf ? gave.asOf : undefined
    if (this.#lacks.isFull) this.#forgetOld()
    const patience = this.#longer(this.lacking(key).get(peer), backOff, 0)
    const forgotten = this.#lacks.put(key, peer, { ...patience, gaveAsOf })
    this.#hasForgotten ||= forgotten.length > 0
    return forgotten
  }

  /** Whether it has ever been too much to remember all answers: who has been asked is not always known since. */
  get hasForgotten(): boolean {
    return this.#hasForgotten
  }

  /** Nobody needs to be asked for this share any more. */
  settled(key: ShareKey): void {
    this.#lacks.delete(key)
  }

  /** When this peer may be asked for this share; 0 when it may at once. Unix ms. */
  askableAt(peer: AccountId, key: ShareKey): number {
    return Math.max(this.failingUntil(peer), this.#endOf(this.lacking(key).get(peer)))
  }

  /** When this peer may be asked for anything; 0 when it may at once. Unix ms. */
  failingUntil(peer: AccountId): number {
    return this.#endOf(this.#failing.get(peer))
  }

  /** Who lacked this share. */
  lacking(key: ShareKey): ReadonlyMap<AccountId, Lack> {
    return this.#lacks.of(key)
  }

  /** Fewer is better. */
  failures(peer: AccountId): number {
    return this.#failing.get(peer)?.tries ?? 0
  }

  /** What nobody has asked for in a long time is wanted no more: the chain has removed it. */
  #forgetOld(): void {
    const now = this.#now()
    if (this.#clearedAt <= now && now - this.#clearedAt < this.#shares.longest) return
    this.#clearedAt = now
    this.#lacks.forgetBefore(now - 2 * Math.max(this.#shares.longest, this.#versions.longest))
  }

  /** A clock that was set back must not make the wait longer, perhaps by hours. */
  #endOf(patience: Patience | undefined): number {
    const now = this.#now()
    return patience !== undefined && patience.at <= now && now < patience.until ? patience.until : 0
  }

  #longer(before: Patience | undefined, { first, longest }: BackOff, atLeast: number): Patience {
    const tries = (before?.tries ?? 0) + 1
    const wait = Math.max(atLeast, Math.min(longest, first * 2 ** (tries - 1)))
    const at = this.#now()
    return { tries, at, until: at + wait }
  }
}
