import { type AccountId, type BlockNumber, type ShareKey, shareKeyText } from '../domain/index.js'

/** That a peer lacked a share. */
export interface Lack {
  /** How often in a row. */
  readonly tries: number
  /** When it said so the last time; Unix ms. */
  readonly at: number
  /** Until when it is not asked for this share again; Unix ms. */
  readonly until: number
  /**
   * The `asOf` of the want, when the peer has given a version that is held here and did not end it, and has taken in the
   * chain up to there: this peer knows of none that is newer and was synced by then.
   */
  readonly gaveAsOf?: BlockNumber | undefined
}

/** A share of which all answers were forgotten, and when the first of its peers could have been asked again; Unix ms. */
export interface Forgotten {
  readonly key: ShareKey
  readonly until: number
}

interface Entry {
  readonly key: ShareKey
  readonly lacks: Map<AccountId, Lack>
}

const NONE: ReadonlyMap<AccountId, Lack> = new Map()

/**
 * Which peers lacked which shares: so many answers and no more. Where there is no room for another one, all that is known
 * of one share goes: whether all peers have been asked for a share is only told by their answers together.
 *
 * Those go first of which somebody was asked a second time, the one that has been so longest before the others: all who
 * could be asked have been, in vain. Then the newest, so that however many there are the oldest of them come to an end.
 */
export class LackMemory {
  readonly #most: number
  readonly #entries = new Map<string, Entry>()
  /** Those of which somebody was asked more than once, in that order. */
  readonly #again = new Set<Entry>()
  /** All others in the order in which they came, and some that are gone or were asked for again since. */
  #begun: Entry[] = []
  #size = 0

  /** @param most answers, of some 200 bytes each. */
  constructor(most: number) {
    this.#most = most
  }

  of(key: ShareKey): ReadonlyMap<AccountId, Lack> {
    // Nearly always, and this is asked for each of many wants.
    if (this.#entries.size === 0) return NONE
    return this.#entries.get(shareKeyText(key))?.lacks ?? NONE
  }

  /** @returns what was forgotten for it; the share itself where it alone takes up all the room. */
  put(key: ShareKey, peer: AccountId, lack: Lack): Forgotten[] {
    const text = shareKeyText(key)
    const entry = this.#entries.get(text) ?? this.#begin(key)
    if (!entry.lacks.has(peer)) this.#size += 1
    entry.lacks.set(peer, lack)
    if (lack.tries > 1) this.#again.add(entry)
    const forgotten: Forgotten[] = []
    while (this.#size > this.#most) {
      const { key: least, lacks } = this.#least(entry)
      forgotten.push({ key: least, until: Math.min(...[...lacks.values()].map(({ until }) => until)) })
      this.delete(least)
    }
    return forgotten
  }

  get isFull(): boolean {
    return this.#size >= this.#most
  }

  /** Forgets the shares of which nobody has said anything since then; Unix ms. */
  forgetBefore(time: number): void {
    for (const { key, lacks } of this.#entries.values()) {
      if (Math.max(...[...lacks.values()].map(({ at }) => at)) < time) this.delete(key)
    }
  }

  delete(key: ShareKey): void {
    if (this.#entries.size === 0) return
    const text = shareKeyText(key)
    const entry = this.#entries.get(text)
    if (entry === undefined) return
    this.#entries.delete(text)
    this.#again.delete(entry)
    this.#size -= entry.lacks.size
    // It may stand in `#begun` for a while.
    entry.lacks.clear()
  }

  #begin(key: ShareKey): Entry {
    const entry = { key, lacks: new Map<AccountId, Lack>() }
    this.#entries.set(shareKeyText(key), entry)
    if (this.#begun.length > 2 * this.#entries.size)
      this.#begun = this.#begun.filter((each) => this.#isFirstRound(each))
    this.#begun.push(entry)
    return entry
  }

  /** Whose answers are of the least use, but for those of one that has just come. */
  #least(kept: Entry): Entry {
    for (const entry of this.#again) if (entry !== kept) return entry
    let isKeptNewest = false
    for (let newest = this.#begun.pop(); newest !== undefined; newest = this.#begun.pop()) {
      if (newest === kept) isKeptNewest = this.#isFirstRound(kept)
      else if (this.#isFirstRound(newest)) {
        this.#begun.push(newest)
        if (isKeptNewest) this.#begun.push(kept)
        return newest
      }
    }
    return kept
  }

  #isFirstRound(entry: Entry): boolean {
    return this.#entries.get(shareKeyText(entry.key)) === entry && !this.#again.has(entry)
  }
}
