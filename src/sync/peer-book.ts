import { type AccountId, type ShareKey, shareKeyText } from '../domain/index.js'

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
}

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

  constructor(options: { now: () => number; peers: BackOff; shares: BackOff }) {
    this.#now = options.now
    this.#peers = options.peers
    this.#shares = options.shares
  }

  /** The peer could not be reached, failed, or refused. @param atLeast ms that it asked for, if it did. */
  failed(peer: AccountId, atLeast = 0): void {
    this.#failing.set(peer, this.#longer(this.#failing.get(peer), this.#peers, atLeast))
  }

  answered(peer: AccountId): void {
    this.#failing.delete(peer)
  }

  /** The peer does not hold the share (yet), or not in the version that is wanted. */
  lacks(peer: AccountId, key: ShareKey): void {
    const text = shareKeyText(key)
    const lackingPeers = this.#lacking.get(text) ?? new Map<AccountId, Patience & Lack>()
    lackingPeers.set(peer, { ...this.#longer(lackingPeers.get(peer), this.#shares, 0), at: this.#now() })
    this.#lacking.set(text, lackingPeers)
  }

  /** Nobody needs to be asked for this share any more. */
  settled(key: ShareKey): void {
    this.#lacking.delete(shareKeyText(key))
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

  #longer(before: Patience | undefined, { first, longest }: BackOff, atLeast: number): Patience {
    const tries = (before?.tries ?? 0) + 1
    const wait = Math.max(atLeast, Math.min(longest, first * 2 ** (tries - 1)))
    return { tries, until: this.#now() + wait }
  }
}
