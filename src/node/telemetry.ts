import { AttestationError } from '../attestation/index.js'
import {
  type AccountId,
  type BlockNumber,
  type Logger,
  messageOf,
  SlotmeshError,
  type Trigger,
} from '../domain/index.js'
import { RefusalError, RefusedError } from '../share/index.js'
import type { Comparison, Reconciled, SyncListener } from '../sync/index.js'
import type { ShutOut } from './offenders.js'
import type { NodeEvent, NodeEventOf, NodeStatus, ReconciliationHealth } from './types.js'

type Listener = (event: NodeEvent) => void

interface Served {
  readonly account: AccountId
  readonly sent: number
  readonly traffic: { readonly bytes: number; readonly messages: number }
  readonly ms: number
}

/** What a node has seen since it started: counts for its status, events for whoever listens. */
export class Telemetry implements SyncListener {
  readonly #listeners = new Set<Listener>()
  readonly #now: () => number
  readonly #logger: Logger
  readonly #exchanges = { requested: 0, served: 0, failed: 0 }
  readonly #refusalsSent = new Map<string, number>()
  readonly #refusalsReceived = new Map<string, number>()
  /** When the exchange with a peer was begun; there is one at a time. */
  readonly #begunAt = new Map<AccountId, number>()
  readonly #sessions = { requested: 0, served: 0, failed: 0 }
  #quotes = 0
  #gaps = 0
  #lastReconciled: ReconciliationHealth['last']

  constructor(now: () => number, logger: Logger) {
    this.#now = now
    this.#logger = logger
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  on<Type extends NodeEvent['type']>(type: Type, listener: (event: NodeEventOf<Type>) => void): () => void {
    return this.subscribe((event) => {
      if (isOf(event, type)) listener(event)
    })
  }

  counts(): Pick<NodeStatus, 'exchanges' | 'quotes' | 'refusals'> {
    return {
      quotes: this.#quotes,
      exchanges: { ...this.#exchanges },
      refusals: {
        sent: Object.fromEntries(this.#refusalsSent),
        received: Object.fromEntries(this.#refusalsReceived),
      },
    }
  }

  reconciliation(): ReconciliationHealth {
    return { sessions: { ...this.#sessions }, gaps: this.#gaps, last: this.#lastReconciled }
  }

  reconciled(reconciled: Reconciled): void {
    const at = this.#now()
    this.#sessions.requested += 1
    this.#gaps += reconciled.missing + reconciled.outdated
    this.#lastReconciled = { ...reconciled, at }
    this.#emit({ type: 'reconciled', ...reconciled, at })
  }

  reconciliationServed(): void {
    this.#sessions.served += 1
  }

  reconciliationFailed(): void {
    this.#sessions.failed += 1
  }

  compared(comparison: Comparison): void {
    this.#emit({ type: 'compared', ...comparison, at: this.#now() })
  }

  stateChanged(state: NodeStatus['state']): void {
    this.#emit({ type: 'state', state, at: this.#now() })
  }

  seatChanged(change: Extract<NodeEvent, { type: 'seat' }>['change']): void {
    this.#emit({ type: 'seat', change, at: this.#now() })
  }

  problemsChanged(problems: NodeStatus['problems']): void {
    this.#emit({ type: 'problems', problems, at: this.#now() })
  }

  shareStored({ key, version, from, origin, since }: Parameters<SyncListener['shareStored']>[0]): void {
    this.#emit({ type: 'share-stored', key, version, from, origin, triggeredAt: since, at: this.#now() })
  }

  quoteMade(): void {
    this.#quotes += 1
  }

  exchangeBegun(peer: AccountId): void {
    this.#begunAt.set(peer, this.#now())
  }

  exchangeEnded(peer: AccountId, cost: { shares: number; bytes: number; messages: number }): void {
    const { shares, bytes, messages } = cost
    this.#emit({ type: 'exchange-done', peer, shares, bytes, messages, ...this.#sinceBegun(peer) })
  }

  exchangeDone(): void {
    this.#exchanges.requested += 1
  }

  exchangeServed(served: Served): void {
    this.#exchanges.served += 1
    const { account: peer, sent: shares, ms } = served
    this.#emit({ type: 'exchange-served', peer, shares, ...served.traffic, ms, at: this.#now() })
  }

  servingFailed(thrown: unknown): void {
    this.#emit({ type: 'serving-failed', code: codeOf(thrown), at: this.#now() })
  }

  peerAttested(peer: AccountId): void {
    this.#emit({ type: 'peer-attested', peer, at: this.#now() })
  }

  handshakeDone({ role, ms }: { role: 'requester' | 'provider'; ms: number }): void {
    this.#emit({ type: 'handshake', role, ms, at: this.#now() })
  }

  /** Tells how long the look at a quote takes, and what it comes to. */
  async verifying<T>(work: () => Promise<T>): Promise<T> {
    const since = this.#now()
    const verified = (outcome: Extract<NodeEvent, { type: 'quote-verified' }>['outcome']) => {
      const at = this.#now()
      this.#emit({ type: 'quote-verified', outcome, ms: at - since, at })
    }
    try {
      const done = await work()
      verified('admitted')
      return done
    } catch (thrown) {
      verified(thrown instanceof AttestationError ? thrown.code : 'failed')
      throw thrown
    }
  }

  triggersTaken(block: BlockNumber, triggers: readonly Trigger[]): void {
    this.#emit({ type: 'triggers', block, triggers, at: this.#now() })
  }

  exchangeFailed(peer: Parameters<SyncListener['exchangeFailed']>[0], thrown: unknown): void {
    this.#exchanges.failed += 1
    const times = this.#sinceBegun(peer)
    if (thrown instanceof RefusedError) {
      count(this.#refusalsReceived, thrown.refusal)
      this.#emit({ type: 'refusal-received', code: thrown.refusal, from: peer, ...times })
    } else if (thrown instanceof RefusalError) {
      this.refusalSent(thrown.refusal, 'requester')
    } else {
      this.#emit({ type: 'exchange-failed', peer, code: codeOf(thrown), ...times })
    }
  }

  refusalSent(code: string, role: 'requester' | 'provider' = 'provider'): void {
    count(this.#refusalsSent, code)
    this.#emit({ type: 'refusal-sent', code, role, at: this.#now() })
  }

  peerShutOut(shut: ShutOut): void {
    this.#emit({ type: 'peer-shut-out', ...shut, at: this.#now() })
  }

  #sinceBegun(peer: AccountId): { ms: number; at: number } {
    const at = this.#now()
    const ms = at - (this.#begunAt.get(peer) ?? at)
    this.#begunAt.delete(peer)
    return { ms, at }
  }

  #emit(event: NodeEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (thrown) {
        // What an embedding program does with an event must not stop synchronisation.
        this.#logger.error('a listener failed', { event: event.type, reason: messageOf(thrown) })
      }
    }
  }
}

function isOf<Type extends NodeEvent['type']>(event: NodeEvent, type: Type): event is NodeEventOf<Type> {
  return event.type === type
}

/** What peers can bring about that has no code of its own is told by its message. */
function codeOf(thrown: unknown): string {
  if (thrown instanceof RefusedError) return thrown.refusal
  return thrown instanceof SlotmeshError ? thrown.code : messageOf(thrown)
}

function count(counts: Map<string, number>, code: string): void {
  counts.set(code, (counts.get(code) ?? 0) + 1)
}
