import type { BlockList, Socket } from 'node:net'
import { networkOf, RateLimit, type SlotmeshError } from '../domain/index.js'
import { type ApiLimits, isIn } from './settings.js'

/** Of how many addresses it is remembered what they have used up. */
const REMEMBERED = 10_000

/** Why a request is not looked at. */
export type Refusal = 'too-many' | 'too-busy' | 'not-a-proxy'

/** Decides whom to listen to at all, before anything is read or verified. */
export class Guard {
  readonly #limits: Required<ApiLimits>
  readonly #proxies: BlockList | undefined
  readonly #each: RateLimit
  readonly #all: RateLimit
  readonly #connections = new Map<string, number>()
  #underWay = 0

  constructor(limits: Required<ApiLimits>, proxies: BlockList | undefined) {
    this.#limits = limits
    this.#proxies = proxies
    this.#each = new RateLimit({ perMinute: limits.requestsPerMinute, now: Date.now, remembered: REMEMBERED })
    this.#all = new RateLimit({ perMinute: limits.requestsPerMinuteInAll, now: Date.now, remembered: 1 })
  }

  isProxy(address: string): boolean {
    return this.#proxies !== undefined && isIn(this.#proxies, address)
  }

  /** @param address of whom a proxy says that it is asking, or of the connection. */
  refusal(address: string, connection: string | undefined): Refusal | undefined {
    if (this.#proxies !== undefined && !this.isProxy(connection ?? '')) return 'not-a-proxy'
    // One who asks too often does not use up what is there for all.
    if (!this.#each.take(networkOf(address))) return 'too-many'
    if (!this.#all.take('')) return 'too-busy'
    return this.#underWay >= this.#limits.atOnce ? 'too-busy' : undefined
  }

  begun(): void {
    this.#underWay += 1
  }

  ended(): void {
    this.#underWay -= 1
  }

  /** Counts a new connection; one too many of an address is closed. */
  admit(socket: Socket): void {
    const address = socket.remoteAddress ?? ''
    if (this.isProxy(address)) return
    const network = networkOf(address)
    const open = this.#connections.get(network) ?? 0
    if (open >= this.#limits.connectionsPerAddress) {
      socket.destroy()
      return
    }
    this.#connections.set(network, open + 1)
    socket.once('close', () => {
      const left = (this.#connections.get(network) ?? 1) - 1
      if (left > 0) this.#connections.set(network, left)
      else this.#connections.delete(network)
    })
  }
}

/** For logs: never the message of what is not known, which might quote a body. */
export function codeOf(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? (thrown as SlotmeshError).code : undefined
  return typeof code === 'string' ? code : thrown instanceof Error ? thrown.name : 'unknown'
}
