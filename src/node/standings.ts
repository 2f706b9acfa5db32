import type { AccountId } from '../domain/index.js'
import type { NodeEvent, SlotPeer } from './types.js'

/** Enclaves that are remembered: more than a slot of a large mesh has. */
const REMEMBERED = 4_096

type Standing = Pick<SlotPeer, 'attestedAt' | 'lastExchange'>

const UNKNOWN: Standing = { attestedAt: undefined, lastExchange: undefined }

/** When each enclave has proved itself the last time, and what came of the last exchange with it; in memory only. */
export class Standings {
  /** The one that was heard of the longest time ago comes first. */
  readonly #standings = new Map<AccountId, Standing>()

  of(account: AccountId): Standing {
    return this.#standings.get(account) ?? UNKNOWN
  }

  /** Only enclaves that have proved to be who they say, or that were asked by their accounts, come up in these events. */
  heard(event: NodeEvent): void {
    switch (event.type) {
      case 'peer-attested':
        this.#put(event.peer, { attestedAt: event.at })
        break
      case 'exchange-done':
      case 'exchange-served': {
        const role = event.type === 'exchange-done' ? 'requester' : 'provider'
        const { peer, shares, bytes, at } = event
        this.#put(peer, { lastExchange: { role, code: undefined, shares, bytes, at } })
        break
      }
      case 'exchange-failed':
      case 'refusal-received': {
        const peer = event.type === 'exchange-failed' ? event.peer : event.from
        const { code, at } = event
        this.#put(peer, { lastExchange: { role: 'requester', code, shares: 0, bytes: 0, at } })
      }
    }
  }

  #put(account: AccountId, news: Partial<Standing>): void {
    const standing = { ...this.of(account), ...news }
    this.#standings.delete(account)
    this.#standings.set(account, standing)
    for (const oldest of this.#standings.keys()) {
      if (this.#standings.size <= REMEMBERED) break
      this.#standings.delete(oldest)
    }
  }
}
