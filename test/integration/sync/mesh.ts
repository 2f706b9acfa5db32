import { setMaxListeners } from 'node:events'
import {
  type AccountId,
  type Clock,
  type ClusterId,
  type EnclaveSeat,
  pause,
  Registry,
  type ShareKey,
  SlotmeshError,
  shareKeyText,
} from '../../../src/domain/index.js'
import type { VerifiedRun } from '../../../src/provenance/index.js'
import { Admissions } from '../../../src/share/admission.js'
import type { Want } from '../../../src/store/index.js'
import { Fetcher } from '../../../src/sync/fetcher.js'
import type { SharePeers } from '../../../src/sync/index.js'
import { logger, SLOT, wantOf } from '../store/fixture.js'

/** Time that passes only when all have done what there is to do. */
export class ComputedClock implements Clock {
  #now = 1_000_000
  readonly #timers = new Map<() => void, number>()

  now(): number {
    return this.#now
  }

  after(ms: number, callback: () => void): () => void {
    const timer = () => callback()
    this.#timers.set(timer, this.#now + ms)
    return () => this.#timers.delete(timer)
  }

  /** Lets time pass until the condition holds, or up to a time. @returns whether it holds. */
  async pass(untilMs: number, condition: () => boolean): Promise<boolean> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      if (condition()) return true
      const at = Math.min(...this.#timers.values())
      if (at > untilMs) {
        this.#now = untilMs
        return false
      }
      this.#now = at
      for (const [timer, due] of this.#timers) {
        if (due > at) continue
        this.#timers.delete(timer)
        timer()
      }
    }
  }
}

/** What an exchange takes, and how long it is until one that is down is given up; ms. */
export const EXCHANGE_MS = 100
export const CONNECT_MS = 400

interface Node {
  readonly seat: EnclaveSeat
  readonly wants: Map<string, Want>
  readonly held: Set<string>
  readonly admissions: Admissions
  readonly fetcher: Fetcher
}

/**
 * The fetchers of one slot, one to a cluster, on a computed clock; what they fetch is kept in memory, and any of them
 * serves what it holds, as many as the share protocol lets in at a time.
 */
export class FetcherMesh {
  readonly clock = new ComputedClock()
  /** Those that cannot be reached. */
  readonly down = new Set<ClusterId>()
  /** Those that say that they hold nothing. */
  readonly liars = new Set<ClusterId>()
  /** All exchanges that were begun: who asked whom, for how many shares. */
  readonly exchanges: { from: ClusterId; to: ClusterId; shares: number; at: number }[] = []
  readonly refused: ClusterId[] = []
  readonly #nodes: Node[]
  readonly #stopping = new AbortController()
  readonly #runs: Promise<void>[]

  constructor(size: number) {
    const seats = Array.from({ length: size }, (_, cluster): EnclaveSeat => {
      const account = `0x${(cluster + 1).toString(16).padStart(64, '0')}` as const
      return { account, operator: account, cluster, slot: SLOT, apiUri: '' }
    })
    const registry = new Registry(seats.map((seat) => ({ id: seat.cluster, type: 'public', seats: [seat] })))
    // All wait on it.
    setMaxListeners(0, this.#stopping.signal)
    this.#nodes = seats.map((seat) => this.#node(seat, registry))
    this.#runs = this.#nodes.map(({ fetcher }) => fetcher.run(this.#stopping.signal))
  }

  /** A final block in which the shares of these origins are synced; each origin holds its own. */
  trigger(shares: readonly { key: ShareKey; origin: ClusterId }[]): void {
    for (const { key, origin } of shares) this.give(origin, key)
    for (const node of this.#nodes) {
      for (const { key, origin } of shares) {
        if (node.held.has(shareKeyText(key))) continue
        node.wants.set(shareKeyText(key), wantOf(key, { minimumVersion: 1, origin, since: this.clock.now() }))
      }
      node.fetcher.wake()
    }
  }

  give(cluster: ClusterId, key: ShareKey): void {
    this.#nodes[cluster]?.held.add(shareKeyText(key))
  }

  /** Lets time pass until all that are up hold all that they want. @returns how long it took, in ms. */
  async spread(withinMs = 60_000): Promise<number> {
    const began = this.clock.now()
    const isDone = () => this.lacking().length === 0
    if (await this.clock.pass(began + withinMs, isDone)) return this.clock.now() - began
    throw new Error(`After ${withinMs} ms clusters ${this.lacking().join(', ')} lack shares.`)
  }

  lacking(): ClusterId[] {
    const lacking = this.#nodes.filter(({ seat, wants }) => wants.size > 0 && !this.down.has(seat.cluster))
    return lacking.map(({ seat }) => seat.cluster)
  }

  /** How often a cluster was asked. */
  asked(cluster: ClusterId): number {
    return this.exchanges.filter(({ to }) => to === cluster).length
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#runs)
  }

  #node(seat: EnclaveSeat, registry: Registry): Node {
    const { clock } = this
    const wants = new Map<string, Want>()
    const held = new Set<string>()
    const silent = () => undefined
    const fetcher = new Fetcher({
      account: seat.account,
      chain: { registry: () => registry, finalised: () => ({ number: 1, hash: '0x' }) },
      takenIn: () => 1,
      store: {
        wantPages: async function* ({ skips = () => false } = {}) {
          for (const want of wants.values()) if (!skips(want.key)) yield [want]
        },
        wantsOf: async (keys) => keys.flatMap((key) => wants.get(shareKeyText(key)) ?? []),
        settleUnsure: async () => {
          throw new Error('No want is of a version that may not be the newest.')
        },
        putRun: async ({ shares }) => {
          const stored = shares.map(({ leaf: { kind, nftId } }): ShareKey => ({ kind, nftId }))
          const closed = stored.flatMap((key) => wants.get(shareKeyText(key)) ?? [])
          for (const key of stored) {
            held.add(shareKeyText(key))
            wants.delete(shareKeyText(key))
          }
          return { stored, closed, contradicted: [], wasSetBack: false }
        },
      },
      peers: { request: (provider, request) => this.#request(seat, provider, request) },
      listener: { shareStored: silent, exchangeDone: silent, exchangeFailed: silent },
      logger,
      clock,
      onSettled: async () => undefined,
    })
    return { seat, wants, held, admissions: new Admissions({ clock, isKnown: () => true }), fetcher }
  }

  async #request(
    { account, cluster }: EnclaveSeat,
    provider: AccountId,
    { wants, onRun, onNotHeld, signal }: Parameters<SharePeers['request']>[1],
  ): Promise<void> {
    const { clock } = this
    const node = this.#nodes.find(({ seat }) => seat.account === provider)
    if (node === undefined) throw new Error('There is no such enclave.')
    this.exchanges.push({ from: cluster, to: node.seat.cluster, shares: wants.length, at: clock.now() })
    const requireUp = async () => {
      if (!this.down.has(node.seat.cluster)) return
      await pause(CONNECT_MS, { clock, signal })
      throw new SlotmeshError('mesh/enclave-not-found', 'The peer is down.')
    }
    await requireUp()
    const admission = node.admissions.of(account)
    try {
      admission.admitHello(account)
      await admission.admitAccount(account, { signal })
      await pause(EXCHANGE_MS, { clock, signal })
      await requireUp()
      const isHeld = ({ key }: { key: ShareKey }) =>
        node.held.has(shareKeyText(key)) && !this.liars.has(node.seat.cluster)
      for (const want of wants.filter(isHeld)) {
        await onRun(runOf(want.key, want.origin ?? 0), { newestAsOf: 1_000, takenIn: 1_000 })
      }
      for (const want of wants.filter((each) => !isHeld(each))) onNotHeld(want.key)
    } catch (thrown) {
      if (thrown instanceof SlotmeshError && thrown.code === 'share/refusing') this.refused.push(node.seat.cluster)
      throw thrown
    } finally {
      admission.leave()
    }
  }
}

/** A run of one share, which nobody here verifies. */
export function runOf(key: ShareKey, cluster: ClusterId): VerifiedRun {
  const nothing = new Uint8Array()
  return {
    head: { account: '0x', incarnation: '0x', cluster, slot: SLOT, size: 1, root: nothing, signature: nothing },
    first: 0,
    shares: [{ leaf: { ...key, version: 1, payloadHash: nothing }, payload: nothing }],
    proof: { left: [], right: [] },
    nodes: [],
  }
}
