import type { AccountId, EnclaveSeat } from '../../src/domain/index.js'
import { Registry } from '../../src/domain/index.js'
import type { NodeEvent, NodeStatus, SlotPeer } from '../../src/node/index.js'

/** An enclave account with a number for a name. */
export function account(number: number): AccountId {
  return `0x${number.toString(16).padStart(2, '0').repeat(32)}`
}

export function madeUpStatus(changes: Partial<NodeStatus> = {}): NodeStatus {
  return {
    account: account(1),
    peerId: 'peer',
    multiaddrs: [],
    api: undefined,
    state: 'running',
    seat: { cluster: 0, slot: 1 },
    finalisedBlock: 122,
    chain: undefined,
    crawl: undefined,
    confirmationsOwed: { count: 0, oldestSince: undefined, lastOutcome: undefined },
    collateral: [],
    integrity: { state: 'whole', sequence: 1, dropped: 0, doubtful: 0 },
    comparison: undefined,
    reconciliation: { sessions: { requested: 0, served: 0, failed: 0 }, gaps: 0, last: undefined },
    problems: [],
    cursor: 121,
    syncedBlock: 120,
    shares: { secret: 16, capsule: 11 },
    wantsOpen: 0,
    wantsByAge: { minute: 0, 'ten-minutes': 0, hour: 0, day: 0, older: 0 },
    quotes: 59,
    dht: { lookups: 4, messages: 30 },
    exchanges: { requested: 19, served: 40, failed: 1 },
    refusals: { sent: { BUSY: 2, NOT_REGISTERED: 3 }, received: {} },
    offences: { byKind: {}, shut: 0, worst: [] },
    ...changes,
  }
}

export function madeUpChain(changes: Partial<NonNullable<NodeStatus['chain']>> = {}): NonNullable<NodeStatus['chain']> {
  return {
    state: 'connected',
    endpoint: 'ws://127.0.0.1:9944',
    since: 0,
    endpoints: [{ url: 'ws://127.0.0.1:9944', lastFailure: undefined }],
    finalised: { number: 122, hash: account(9), at: Date.now(), ageMs: 1_500 },
    specVersion: 1,
    unreadable: undefined,
    ...changes,
  }
}

/** Stands in for a node where only what it tells matters. */
export class MadeUpNode {
  readonly account = account(1)
  readonly peerId = 'peer'
  status = async (): Promise<NodeStatus> => this.shown
  shown = madeUpStatus()
  slotPeers: SlotPeer[] = []
  seats: EnclaveSeat[] = []
  readonly #listeners = new Set<(event: NodeEvent) => void>()

  peers(): readonly SlotPeer[] {
    return this.slotPeers
  }

  registry(): Registry {
    const ids = [...new Set(this.seats.map(({ cluster }) => cluster))]
    const seatsOf = (id: number) => this.seats.filter(({ cluster }) => cluster === id)
    return new Registry(ids.map((id) => ({ id, type: 'public', seats: seatsOf(id) })))
  }

  forks(): readonly Uint8Array[] {
    return []
  }

  subscribe(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get listeners(): number {
    return this.#listeners.size
  }

  tell(event: NodeEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}
