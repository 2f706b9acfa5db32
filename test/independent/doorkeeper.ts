import { Refused } from './outcomes.js'
import type { Door } from './provider.js'

/** Share 8.3, with the values that stand there; whoever finds no place is told to come back. */
export class Doorkeeper implements Door {
  readonly #isKnown: (peer: string, account: string) => boolean
  readonly #inside = new Set<{ readonly peer: string; readonly account: string }>()
  readonly #proved = new Map<string, string>()
  readonly #perPeer = new Rate(120, 120)
  readonly #ofStrangers = new Rate(600, 60)
  readonly #perAccount = new Rate(120, 120)

  constructor(isKnown: (peer: string, account: string) => boolean) {
    this.#isKnown = isKnown
  }

  hello(peer: string, account: string): void {
    const hasStanding = this.#proved.get(account) === peer || this.#isKnown(peer, account)
    if (!this.#perPeer.take(peer) || (!hasStanding && !this.#ofStrangers.take(''))) throw new Refused('BUSY', 500)
  }

  enter(peer: string, account: string): () => void {
    this.#proved.set(account, peer)
    const own = [...this.#inside].filter((guest) => guest.peer === peer || guest.account === account)
    const isFull = this.#inside.size >= 16 || own.length >= 2
    if (isFull || !this.#perAccount.take(account)) throw new Refused('BUSY', 500)
    const guest = { peer, account }
    this.#inside.add(guest)
    return () => this.#inside.delete(guest)
  }
}

class Rate {
  readonly #perMinute: number
  readonly #atOnce: number
  readonly #left = new Map<string, { tokens: number; at: number }>()

  constructor(perMinute: number, atOnce: number) {
    this.#perMinute = perMinute
    this.#atOnce = atOnce
  }

  take(key: string): boolean {
    const { tokens, at } = this.#left.get(key) ?? { tokens: this.#atOnce, at: Date.now() }
    const now = Math.min(this.#atOnce, tokens + ((Date.now() - at) * this.#perMinute) / 60_000)
    this.#left.set(key, { tokens: now >= 1 ? now - 1 : now, at: Date.now() })
    return now >= 1
  }
}
