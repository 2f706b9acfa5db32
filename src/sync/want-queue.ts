import type { Clock, ShareKey } from '../domain/index.js'
import { keyOf, NUMBERS, numberOf } from '../inventory/index.js'
import type { Store, Want } from '../store/index.js'

/** How much is kept in memory of wants that wait; of more, the rest is found again in the store. */
export const WANT_QUEUE = {
  /** Some 40 bytes each. */
  remembered: 262_144,
  /** How long those that are not remembered wait until all are looked at; ms. */
  lookAgainAfter: 60_000,
  /** None is to wait longer than this, or the clock was set back; ms. */
  longestRest: 900_000,
} as const

/** Wants that are read from the store in one go. */
const READ_AT_ONCE = 256

/**
 * Which open wants are to be looked at: each once, and then again when it has been added, when its rest is over, or (of
 * those that are behind an exchange) when an exchange has ended. So no look reads wants of which nothing can have changed.
 */
export class WantQueue {
  readonly #store: Pick<Store, 'wantPages' | 'wantsOf'>
  readonly #clock: Pick<Clock, 'now'>
  readonly #remembered: number
  /** To be looked at for the first time, beside those of the scan; shares are numbers here. */
  readonly #fresh = new Set<number>()
  /** To be looked at again. */
  readonly #ready = new Set<number>()
  /** Until when each of them is left alone; Unix ms, or infinity. */
  readonly #resting = new Map<number, number>()
  readonly #behind = new Set<number>()
  /** What was given out in this look, and is not to be come upon once more. */
  readonly #given = new Set<number>()
  /** How far the store has been gone through; undefined when all of it has been. */
  #scan: Scan | undefined = { from: undefined }
  #restEnds = Number.POSITIVE_INFINITY
  #scanAgainAt = Number.POSITIVE_INFINITY

  constructor(
    store: Pick<Store, 'wantPages' | 'wantsOf'>,
    clock: Pick<Clock, 'now'>,
    remembered: number = WANT_QUEUE.remembered,
  ) {
    this.#store = store
    this.#clock = clock
    this.#remembered = remembered
  }

  /** Every want is to be looked at. */
  addAll(): void {
    this.#fresh.clear()
    this.#ready.clear()
    this.#resting.clear()
    this.#behind.clear()
    this.#restEnds = Number.POSITIVE_INFINITY
    this.#scanAgainAt = Number.POSITIVE_INFINITY
    this.#scan = { from: undefined }
  }

  /** The wants of these shares are to be looked at before all others, where there are such. */
  add(keys: Iterable<ShareKey>): void {
    for (const key of keys) {
      const share = numberOf(key)
      this.#forget(share)
      // What is new does not wait for what has waited in vain.
      if (this.#isFull()) this.#dropOne()
      this.#fresh.add(share)
    }
  }

  /** The wants of these shares are to be looked at again. */
  addAgain(keys: Iterable<ShareKey>): void {
    for (const key of keys) {
      const share = numberOf(key)
      this.#forget(share)
      if (this.#isFull()) this.#mustScanAgain()
      else this.#ready.add(share)
    }
  }

  /** The want is left alone until then (Unix ms, or infinity), or until an exchange ends when it is behind one. */
  rest(key: ShareKey, until: number, { isBehind }: { isBehind: boolean }): void {
    const share = numberOf(key)
    this.#forget(share)
    if (this.#isFull()) {
      this.#mustScanAgain()
      return
    }
    this.#resting.set(share, until)
    if (isBehind) this.#behind.add(share)
    this.#restEnds = Math.min(this.#restEnds, until)
  }

  /** An exchange has ended. */
  freed(): void {
    for (const share of this.#behind) {
      this.#resting.delete(share)
      this.#ready.add(share)
    }
    this.#behind.clear()
  }

  /** When there will be something to look at; Unix ms, or infinity. */
  get nextAt(): number {
    if (this.#fresh.size > 0 || this.#ready.size > 0 || this.#scan !== undefined) return this.#clock.now()
    return Math.min(this.#restEnds, this.#scanAgainAt)
  }

  /**
   * What is to be looked at, at most so many, some at a time; each is to be added or put to rest again where it stays open.
   *
   * @param isAsked whether the share is being asked for: it is left alone until an exchange has ended.
   */
  async *look(most: number, isAsked: (key: ShareKey) => boolean): AsyncGenerator<Want[]> {
    this.#endRests()
    this.#given.clear()
    let left = most - (yield* this.#take(this.#fresh, most, isAsked))
    // Neither those that have waited in vain nor the many of a setup keep the others waiting.
    left -= yield* this.#take(this.#ready, this.#scan === undefined ? left : Math.ceil(left / 2), isAsked)
    if (this.#scan === undefined || left <= 0) return
    if (yield* this.#scanOn(this.#scan, left, isAsked)) this.#scan = undefined
  }

  /** @returns how many there were. */
  async *#take(shares: Set<number>, most: number, isAsked: (key: ShareKey) => boolean): AsyncGenerator<Want[], number> {
    let taken = 0
    while (shares.size > 0 && taken < most) {
      const keys: ShareKey[] = []
      for (const share of shares) {
        if (keys.length === Math.min(READ_AT_ONCE, most - taken)) break
        shares.delete(share)
        if (this.#scan !== undefined) this.#given.add(share)
        const key = keyOf(share)
        if (isAsked(key)) this.rest(key, Number.POSITIVE_INFINITY, { isBehind: true })
        else keys.push(key)
      }
      taken += keys.length
      yield await this.#store.wantsOf(keys)
    }
    return taken
  }

  /** @returns whether the store has been gone through, and no other scan was begun meanwhile. */
  async *#scanOn(scan: Scan, most: number, isAsked: (key: ShareKey) => boolean): AsyncGenerator<Want[], boolean> {
    const skips = (key: ShareKey) => {
      const share = numberOf(key)
      if (this.#resting.has(share) || this.#fresh.has(share) || this.#ready.has(share)) return true
      if (this.#given.has(share)) return true
      if (!isAsked(key)) return false
      this.rest(key, Number.POSITIVE_INFINITY, { isBehind: true })
      return true
    }
    let left = most
    for await (const page of this.#store.wantPages({ from: scan.from, skips })) {
      const wants = page.slice(0, left)
      const last = wants.at(-1)
      if (last === undefined) continue
      scan.from = keyOf(Math.min(numberOf(last.key) + 1, NUMBERS - 1))
      yield wants
      left -= wants.length
      if (left === 0) return false
    }
    return this.#scan === scan
  }

  #endRests(): void {
    const now = this.#clock.now()
    if (this.#scanAgainAt <= now) {
      this.#scanAgainAt = Number.POSITIVE_INFINITY
      this.#scan = { from: undefined }
    }
    if (this.#restEnds > now && this.#restEnds - now < WANT_QUEUE.longestRest) return
    this.#restEnds = Number.POSITIVE_INFINITY
    for (const [share, until] of this.#resting) {
      const isOver = until <= now || (Number.isFinite(until) && until - now > WANT_QUEUE.longestRest)
      if (isOver) {
        this.#forget(share)
        this.#ready.add(share)
      } else this.#restEnds = Math.min(this.#restEnds, until)
    }
  }

  #isFull(): boolean {
    return this.#fresh.size + this.#ready.size + this.#resting.size >= this.#remembered
  }

  #forget(share: number): void {
    this.#fresh.delete(share)
    this.#ready.delete(share)
    this.#resting.delete(share)
    this.#behind.delete(share)
  }

  #dropOne(): void {
    const [resting] = this.#resting.keys()
    const [ready = this.#fresh.values().next().value] = this.#ready
    const dropped = resting ?? ready
    if (dropped !== undefined) this.#forget(dropped)
    this.#mustScanAgain()
  }

  #mustScanAgain(): void {
    this.#scanAgainAt = Math.min(this.#scanAgainAt, this.#clock.now() + WANT_QUEUE.lookAgainAfter)
  }
}

interface Scan {
  from: ShareKey | undefined
}
