import { type AccountId, type ShareKey, shareKeyText } from '../domain/index.js'

/** Waits after the first failure, doubling up to the longest; ms. */
export interface BackOff {
  readonly first: number
  readonly longest: number
}

interface Patience {
  tries: number
  until: number
}

/**
 * Which peers to leave alone for now, and which of them said that they do not hold a share. In memory only: after a
 * restart everyone is asked afresh.
 */
export class PeerBook {
  readonly #now: () => number
  readonly #peers: BackOff
  readonly #shares: BackOff
  readonly #failing = new Map<AccountId, Patience>()
  readonly #lacking = new Map<string, Map<AccountId, Patience>>()

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
    const lackingPeers = this.#lacking.get(text) ?? new Map<AccountId, Patience>()
    lackingPeers.set(peer, this.#longer(lackingPeers.get(peer), this.#shares, 0))
    this.#lacking.set(text, lackingPeers)
  }

  /** Nobody needs to be asked for this share any more. */
  settled(key: ShareKey): void {
    this.#lacking.delete(shareKeyText(key))
  }

  /** When this peer may be asked for this share; 0 when it may at once. Unix ms. */
  askableAt(peer: AccountId, key: ShareKey): number {
    const failing = this.#failing.get(peer)?.until ?? 0
    const lacking = this.#lacking.get(shareKeyText(key))?.get(peer)?.until ?? 0
    const until = Math.max(failing, lacking)
    return until > this.#now() ? until : 0
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
