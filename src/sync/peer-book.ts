import { type AccountId, type BlockNumber, type ShareKey, shareKeyText } from '../domain/index.js'

/** Waits after the first failure, doubling up to the longest; ms. */
export interface BackOff {
  readonly first: number
  readonly longest: number
}

interface Patience {
  readonly tries: number
  readonly until: number
}

/** How often in a row a peer lacked a share, and when it said so the last time; Unix ms. */
export interface Lack {
  readonly tries: number
  readonly at: number
  /**
   * The `asOf` of the want, when the peer has given a version that is held here and did not end it, and has taken in the
   * chain up to there: this peer knows of none that is newer and was synced by then.
   */
  readonly gaveAsOf?: BlockNumber | undefined
}

/** So many answers of peers that lack a share are remembered, of some 200 bytes each. */
const LACKS_REMEMBERED = 262_144

const NOBODY: ReadonlyMap<AccountId, Lack> = new Map()

/**
 * Which peers to leave alone for now, and which of them said that they do not hold a share. In memory only: after a
 * restart everyone is asked afresh.
 */
export class PeerBook {
  readonly #now: () => number
  readonly #peers: BackOff
  readonly #shares: BackOff
  readonly #failing = new Map<AccountId, Patience>()
  readonly #lacking = new Map<string, Map<AccountId, Patience & Lack>>()
  readonly #versions: BackOff
  readonly #slow = new Set<AccountId>()
  readonly #lacksRemembered: number
  #lacks = 0
  #clearedAt = Number.NEGATIVE_INFINITY

  /** @param options.versions for what a peer gives again and again and does not end the want. */
  constructor(options: {
    now: () => number
    peers: BackOff
    shares: BackOff
    versions: BackOff
    lacksRemembered?: number
  }) {
    this.#now = options.now
    this.#peers = options.peers
    this.#shares = options.shares
    this.#versions = options.versions
    this.#lacksRemembered = options.lacksRemembered ?? LACKS_REMEMBERED
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
   * @returns false when there are too many to remember another one.
   */
  lacks(peer: AccountId, key: ShareKey, gave?: { readonly asOf: BlockNumber; readonly takenIn: BlockNumber }): boolean {
    const text = shareKeyText(key)
    const before = this.#lacking.get(text)?.get(peer)
    if (before === undefined && this.#lacks >= this.#lacksRemembered) this.#forgetOld()
    if (before === undefined && this.#lacks >= this.#lacksRemembered) return false
    const backOff = gave === undefined ? this.#shares : this.#versions
    const gaveAsOf = gave !== undefined && gave.takenIn >= gave.asOf ? gave.asOf : undefined
    const lackingPeers = this.#lacking.get(text) ?? new Map<AccountId, Patience & Lack>()
    lackingPeers.set(peer, { ...this.#longer(before, backOff, 0), at: this.#now(), gaveAsOf })
    this.#lacking.set(text, lackingPeers)
    if (before === undefined) this.#lacks += 1
    return true
  }

  /** Nobody needs to be asked for this share any more. */
  settled(key: ShareKey): void {
    const text = shareKeyText(key)
    this.#lacks -= this.#lacking.get(text)?.size ?? 0
    this.#lacking.delete(text)
  }

  /** When this peer may be asked for this share; 0 when it may at once. Unix ms. */
  askableAt(peer: AccountId, key: ShareKey): number {
    const lacking = this.#lacking.get(shareKeyText(key))?.get(peer)?.until ?? 0
    return Math.max(this.failingUntil(peer), lacking > this.#now() ? lacking : 0)
  }

  /** When this peer may be asked for anything; 0 when it may at once. Unix ms. */
  failingUntil(peer: AccountId): number {
    const until = this.#failing.get(peer)?.until ?? 0
    return until > this.#now() ? until : 0
  }

  /** Who lacked this share. */
  lacking(key: ShareKey): ReadonlyMap<AccountId, Lack> {
    return this.#lacking.get(shareKeyText(key)) ?? NOBODY
  }

  /** Fewer is better. */
  failures(peer: AccountId): number {
    return this.#failing.get(peer)?.tries ?? 0
  }

  /** What nobody has asked for in a long time is wanted no more: the chain has removed it. */
  #forgetOld(): void {
    const [now, longest] = [this.#now(), Math.max(this.#shares.longest, this.#versions.longest)]
    if (now - this.#clearedAt < this.#shares.longest) return
    this.#clearedAt = now
    for (const [text, lackingPeers] of this.#lacking) {
      const latest = Math.max(...[...lackingPeers.values()].map(({ at }) => at))
      if (now - latest <= 2 * longest) continue
      this.#lacks -= lackingPeers.size
      this.#lacking.delete(text)
    }
  }

  #longer(before: Patience | undefined, { first, longest }: BackOff, atLeast: number): Patience {
    const tries = (before?.tries ?? 0) + 1
    const wait = Math.max(atLeast, Math.min(longest, first * 2 ** (tries - 1)))
    return { tries, until: this.#now() + wait }
  }
}
