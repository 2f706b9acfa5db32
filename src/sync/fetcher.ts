import {
  type AccountId,
  type BlockNumber,
  type Clock,
  type ClusterId,
  causeOf,
  type EnclaveSeat,
  type Logger,
  messageOf,
  type ShareKey,
  SlotmeshError,
  shareKeyText,
} from '../domain/index.js'
import { numberOf } from '../inventory/index.js'
import type { VerifiedRun } from '../provenance/index.js'
import type { Knowledge } from '../share/index.js'
import type { Store, Want } from '../store/index.js'
import { HopTime } from './hop-time.js'
import type { Forgotten } from './lack-memory.js'
import type { SharePeers, SyncChain, SyncListener } from './parts.js'
import { PeerBook } from './peer-book.js'
import { FAN_OUT, type RelayRing, relayRing } from './relay.js'
import { RelayPlan } from './relay-plan.js'
import { Signal } from './signal.js'
import { WantQueue } from './want-queue.js'

/** How the fetcher divides its work. */
export const FETCH = {
  /** Wants taken on in one round, and so the most of one exchange; the rest waits in the store. */
  wantsPerRound: 32_768,
  /** Exchanges under way at once: each holds about one batch in memory on either side. */
  exchanges: 4,
  /** Below this many wants one peer is asked for all: an exchange costs each side two quotes. */
  wantsPerExchange: 64,
  /** A peer that does not answer or refuses is left alone this long, in ms. */
  peerBackOff: { first: 500, longest: 60_000 },
  /** A peer that does not hold a share is asked for it again after this long: it may be a block behind. In ms. */
  shareBackOff: { first: 250, longest: 30_000 },
  /**
   * A peer that gives a version which may not be the newest is asked for the share again after this long: each time it is
   * sent, and what the peer knows of it seldom changes. In ms.
   */
  versionBackOff: { first: 1_000, longest: 600_000 },
  /** An exchange that takes this long and brings less is slow; in ms and shares. */
  slow: { afterMs: 20_000, sharesPerSecond: 1 },
  /** Exchanges at once with peers whose last one was slow: the rest is for others. */
  slowExchanges: 2,
} as const

/** Multiples of it, modulo 1, come near to everything soon, and so do those of any multiple of it. */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2

export interface FetcherParts {
  readonly account: AccountId
  readonly store: Pick<Store, 'wantPages' | 'wantsOf' | 'putRun' | 'settleUnsure'>
  /** `registry()` is as of `finalised()`. */
  readonly chain: Pick<SyncChain, 'finalised' | 'registry'>
  /** Up to which block the chain is taken in here; below 0 when no seat is held. */
  readonly takenIn: () => BlockNumber
  readonly peers: SharePeers
  readonly listener: Pick<SyncListener, 'shareStored' | 'exchangeDone' | 'exchangeFailed'>
  readonly logger: Logger
  readonly clock: Clock
  /** After each exchange that went well, and wants that were ended without one: there may be nothing left to fetch. */
  readonly onSettled: () => Promise<void>
  /** How many answers of peers that lack a share are remembered, if not as many as usual. */
  readonly lacksRemembered?: number | undefined
}

/** Who may be asked, and how they stand to each other, as of a final block. */
interface Mesh {
  readonly block: BlockNumber
  readonly ring: RelayRing
  readonly cluster: ClusterId
  readonly peers: readonly EnclaveSeat[]
  /** Nobody may be asked, but others have this slot: their clusters, or the own one, are not public just now. */
  readonly isShutOff: boolean
}

/** A want that is not planned, and who may be asked, best first. */
interface Unplanned {
  readonly want: Want
  readonly askable: readonly EnclaveSeat[]
}

/**
 * Turns open wants into exchanges until none is open: asks the origin first, or in a large mesh one to which the share
 * has come from there; any other slot peer when that one fails or does not hold the share; several peers at once when
 * there is much to fetch. Wants live in the store; whatever is forgotten here is found again there.
 */
export class Fetcher {
  readonly #parts: FetcherParts
  readonly #book: PeerBook
  readonly #woken: Signal
  readonly #hop = new HopTime()
  /** The exchanges under way, by peer. */
  readonly #running = new Map<AccountId, { readonly since: number; readonly ended: Promise<void> }>()
  readonly #asked = new Set<number>()
  readonly #queue: WantQueue
  /** When an exchange with a peer was begun the last time. */
  readonly #lastBegun = new Map<AccountId, number>()
  /** How far round all peers the first one to ask is by now; from 0 to below 1. */
  #turn = 0
  #mesh: Mesh | undefined
  /** The lowest block that a want waits for which nothing else keeps open. */
  #awaited = Number.POSITIVE_INFINITY

  constructor(parts: FetcherParts) {
    this.#parts = parts
    this.#woken = new Signal(parts.clock)
    const { peerBackOff: peers, shareBackOff: shares, versionBackOff: versions } = FETCH
    this.#book = new PeerBook({
      now: () => parts.clock.now(),
      peers,
      shares,
      versions,
      lacksRemembered: parts.lacksRemembered,
    })
    this.#queue = new WantQueue(parts.store, parts.clock)
  }

  /** There may be new wants of these shares, or of any where none are given; or new peers. */
  wake(keys?: Iterable<ShareKey>): void {
    if (keys === undefined) this.#queue.addAll()
    else this.#queue.add(keys)
    this.#woken.raise()
  }

  /** The chain has been taken in up to this block: what has only waited for that is to be looked at. */
  reached(block: BlockNumber): void {
    if (block < this.#awaited) return
    this.#awaited = Number.POSITIVE_INFINITY
    this.wake()
  }

  /** Fetches until the signal aborts, then waits for the exchanges under way to end. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const nextTryAt = await this.#startExchanges(signal)
      await this.#woken.wait({ signal, timeoutMs: Math.max(1, nextTryAt - this.#parts.clock.now()) })
    }
    await Promise.all([...this.#running.values()].map(({ ended }) => ended))
  }

  /** @returns when a want that cannot be asked for now can be; Unix ms, or infinity. */
  async #startExchanges(signal: AbortSignal): Promise<number> {
    // Before the seat is taken what is wanted is nobody's: it is left of a setup that was cut short, or is only being listed.
    if (this.#parts.takenIn() < 0) {
      this.#awaited = 0
      return Number.POSITIVE_INFINITY
    }
    const mesh = this.#meshNow()
    if (mesh === undefined || this.#running.size >= FETCH.exchanges) return Number.POSITIVE_INFINITY
    const others = this.#inTurn(mesh)
    const usable = this.#usable(others)
    if (usable.length === 0 && mesh.peers.length > 0) return this.#nextUsableAt(mesh)

    const plan = this.#relayPlan(mesh, others)
    const work = new Map<AccountId, Want[]>()
    const unplanned: Unplanned[] = []
    const answered: Want[] = []
    const isAsked = (key: ShareKey) => this.#asked.has(numberOf(key))
    for await (const wants of this.#queue.look(FETCH.wantsPerRound, isAsked)) {
      if (signal.aborted) break
      for (const want of wants) {
        if (this.#isSettled(want, mesh)) {
          answered.push(want)
        } else if (plan !== undefined && want.origin !== undefined) {
          const turn = plan.turnOf(want)
          if (turn.peer === undefined) this.#queue.rest(want.key, turn.at, turn)
          else assign(work, turn.peer, want)
        } else {
          const askable = this.#askable(want, usable)
          if (askable.length > 0) unplanned.push({ want, askable })
          else this.#rest(want, mesh)
        }
      }
    }
    await this.#settle(answered)
    spread(unplanned, usable.length, work)
    this.#begin(work, signal)
    return this.#queue.nextAt
  }

  /** Those first that were not asked for the longest time, so that no one peer comes before others again and again. */
  #begin(work: ReadonlyMap<AccountId, readonly Want[]>, signal: AbortSignal): void {
    const { clock } = this.#parts
    const lastBegun = (peer: AccountId) => this.#lastBegun.get(peer) ?? 0
    for (const [peer, wants] of [...work].sort(([one], [other]) => lastBegun(one) - lastBegun(other))) {
      if (this.#running.size < FETCH.exchanges && this.#hasRoomFor(peer)) {
        this.#lastBegun.set(peer, clock.now())
        this.#running.set(peer, { since: clock.now(), ended: this.#exchange(peer, wants, signal) })
      } else for (const { key } of wants) this.#queue.rest(key, Number.POSITIVE_INFINITY, { isBehind: true })
    }
  }

  #hasRoomFor(peer: AccountId): boolean {
    if (!this.#book.isSlow(peer)) return true
    const slow = [...this.#running.keys()].filter((other) => this.#book.isSlow(other))
    return slow.length < FETCH.slowExchanges
  }

  /**
   * The origin when it can be asked, and else those that were asked for it the least often, and of these those that fail the
   * least: the other way round one that has failed once might never have its turn.
   */
  #askable({ key, origin }: Want, usable: readonly EnclaveSeat[]): readonly EnclaveSeat[] {
    const lacking = this.#book.lacking(key)
    if (lacking.size === 0) return usable
    const askable = usable.filter(({ account }) => this.#book.askableAt(account, key) === 0)
    if (askable.some(({ cluster }) => cluster === origin)) return askable
    const least = (seats: readonly EnclaveSeat[], of: (seat: EnclaveSeat) => number) => {
      const lowest = seats.reduce((sofar, seat) => Math.min(sofar, of(seat)), Number.POSITIVE_INFINITY)
      return seats.filter((seat) => of(seat) === lowest)
    }
    const seldom = least(askable, ({ account }) => lacking.get(account)?.tries ?? 0)
    return least(seldom, ({ account }) => this.#book.failures(account))
  }

  /** Nobody can be asked for it now. */
  #rest({ key }: Want, { peers }: Mesh): void {
    let until = Number.POSITIVE_INFINITY
    let isBehind = false
    for (const { account } of peers) {
      const at = this.#book.askableAt(account, key)
      if (at === 0) isBehind = true
      else until = Math.min(until, at)
    }
    this.#queue.rest(key, until, { isBehind })
  }

  /** As nothing tells any more who has been asked for it, it would be asked for without a pause. */
  #restForgotten({ key, until }: Forgotten): void {
    const soonest = this.#parts.clock.now() + FETCH.shareBackOff.longest
    this.#queue.rest(key, Math.max(soonest, until), { isBehind: false })
  }

  /**
   * Whether each slot peer that there is has given a version since the want was opened, and none of them was sure that it
   * is the newest: so nobody knows of a newer one. Two enclaves whose folders were altered would else wait for each other.
   * Whoever has not come to the block that the want speaks of, this enclave among them, may not know yet; and in a registry
   * from before that block one may be missing who does.
   */
  #isSettled({ key, asOf }: Want, { block, peers, isShutOff }: Mesh): boolean {
    // Who may not be asked just now may know better.
    if (asOf === 0 || isShutOff) return false
    const lacking = this.#book.lacking(key)
    if (!peers.every(({ account }) => lacking.get(account)?.gaveAsOf === asOf)) return false
    const isReached = Math.min(block, this.#parts.takenIn()) >= asOf
    if (!isReached) this.#awaited = Math.min(this.#awaited, asOf)
    return isReached
  }

  async #settle(answered: readonly Want[]): Promise<void> {
    // While the wants were read somebody may have joined, or this enclave may have lost its seat.
    const mesh = this.#meshNow()
    const wants: Want[] = []
    for (const want of answered) {
      if (mesh !== undefined && this.#isSettled(want, mesh)) wants.push(want)
      else this.#queue.addAgain([want.key])
    }
    if (mesh === undefined || wants.length === 0) return
    const { store, logger, clock, onSettled } = this.#parts
    const closed = await store.settleUnsure(wants)
    const left = new Map(wants.map(({ key }) => [shareKeyText(key), key] as const))
    for (const { key } of closed) {
      this.#book.settled(key)
      left.delete(shareKeyText(key))
    }
    const until = mesh.peers.length === 0 ? Number.POSITIVE_INFINITY : clock.now() + FETCH.shareBackOff.longest
    for (const key of left.values()) this.#queue.rest(key, until, { isBehind: false })
    if (closed.length === 0) return
    logger.info('no slot peer knows of newer versions: what is held is kept', { shares: closed.length })
    await onSettled()
  }

  #meshNow(): Mesh | undefined {
    const { chain, account } = this.#parts
    const [registry, { number: block }] = [chain.registry(), chain.finalised()]
    const seat = registry.seatOf(account)
    if (seat === undefined) return undefined
    const ring = relayRing(registry, seat.slot)
    if (this.#mesh?.ring === ring && this.#mesh.cluster === seat.cluster) {
      this.#mesh = { ...this.#mesh, block }
      return this.#mesh
    }
    const { peers: before = [], isShutOff: wasShutOff } = this.#mesh ?? {}
    const peers = ring.nearest(seat.cluster)
    const isShutOff = registry.isShutOff(account)
    this.#mesh = { block, ring, cluster: seat.cluster, peers, isShutOff }
    // Whoever has come may hold what all others lack; whoever has gone need not be waited for.
    const isOther = isShutOff !== (wasShutOff ?? false) || peers.length !== before.length
    if (isOther || peers.some(({ account }, at) => before[at]?.account !== account)) {
      this.#queue.addAll()
      this.#lastBegun.clear()
    }
    return this.#mesh
  }

  /**
   * The nearest first; but another one first each time when it is not known any more who has been asked for what, so that
   * each comes first before long, whatever is looked at in between.
   */
  #inTurn({ peers }: Mesh): readonly EnclaveSeat[] {
    if (!this.#book.hasForgotten) return peers
    this.#turn = (this.#turn + GOLDEN_RATIO) % 1
    const first = Math.floor(this.#turn * peers.length)
    return [...peers.slice(first), ...peers.slice(0, first)]
  }

  /** Those with whom an exchange may be begun, the best first. */
  #usable(others: readonly EnclaveSeat[]): EnclaveSeat[] {
    return others
      .filter(({ account }) => !this.#running.has(account) && this.#book.failingUntil(account) === 0)
      .filter(({ account }) => this.#hasRoomFor(account))
      .sort((one, other) => this.#book.failures(one.account) - this.#book.failures(other.account))
  }

  /** Unix ms; infinity when that is for an exchange under way to end. */
  #nextUsableAt({ peers }: Mesh): number {
    const idle = peers.filter(({ account }) => !this.#running.has(account))
    return Math.min(...idle.map(({ account }) => this.#book.failingUntil(account) || Number.POSITIVE_INFINITY))
  }

  /** Undefined in a mesh that is small enough for all to ask the origin. */
  #relayPlan({ ring, cluster }: Mesh, others: readonly EnclaveSeat[]): RelayPlan | undefined {
    if (others.length < FAN_OUT) return undefined
    return new RelayPlan({
      ring,
      cluster,
      others,
      book: this.#book,
      underWaySince: (peer) => this.#running.get(peer)?.since,
      hopMs: this.#hop.expectedMs,
      backOff: FETCH.shareBackOff,
      now: this.#parts.clock.now(),
    })
  }

  async #exchange(peer: AccountId, wants: readonly Want[], signal: AbortSignal): Promise<void> {
    const { peers, listener, logger, clock } = this.#parts
    const begun = clock.now()
    const open = new Map<number, Want>(wants.map((want) => [numberOf(want.key), want]))
    // What the peer leaves out because it stops early is not lacking.
    const answered = new Set<number>()
    const given = new Map<number, Knowledge>()
    for (const share of open.keys()) this.#asked.add(share)
    try {
      await peers.request(peer, {
        wants,
        signal,
        onRun: async (run, provider) => {
          const { stored, closed, isTaken } = await this.#put(run, provider)
          // As a rule all of it is.
          const storedShares = stored.length === run.shares.length ? undefined : new Set(stored.map(numberOf))
          for (const { leaf } of run.shares) {
            const share = numberOf(leaf)
            answered.add(share)
            const since = open.get(share)?.since
            if (since === undefined || storedShares?.has(share) === false) continue
            const { kind, nftId, version } = leaf
            listener.shareStored({ key: { kind, nftId }, version, from: peer, origin: run.head.cluster, since })
          }
          for (const { key } of closed) {
            open.delete(numberOf(key))
            this.#book.settled(key)
          }
          if (!isTaken || closed.length === run.shares.length) return
          for (const { leaf } of run.shares) if (open.has(numberOf(leaf))) given.set(numberOf(leaf), provider)
        },
        onNotHeld: (key) => answered.add(numberOf(key)),
      })
      // One that stops before anything was said is left alone for a while, and so is one that takes its time over it.
      if (answered.size > 0 && !isSlow(answered.size, clock.now() - begun)) this.#book.answered(peer)
      else this.#book.failed(peer, 0)
      // What is fetched in bulk at the setup takes a time that says nothing of a share that has just been synced.
      if (open.size < wants.length && wants.every(({ origin }) => origin !== undefined)) {
        this.#hop.observe(clock.now() - begun)
      }
      for (const [share, { key, asOf }] of open) {
        if (!answered.has(share)) continue
        const provider = given.get(share)
        for (const forgotten of this.#book.lacks(peer, key, provider && { asOf, takenIn: provider.takenIn })) {
          this.#restForgotten(forgotten)
          open.delete(numberOf(forgotten.key))
        }
      }
      listener.exchangeDone(peer)
      await this.#parts.onSettled()
    } catch (thrown) {
      if (signal.aborted) return
      this.#book.failed(peer, retryAfter(thrown))
      const code = thrown instanceof SlotmeshError ? thrown.code : 'unexpected'
      logger.info('a peer could not be used', { peer, code, reason: messageOf(thrown), ...causeOf(thrown) })
      listener.exchangeFailed(peer, thrown)
    } finally {
      this.#book.wasSlow(peer, isSlow(answered.size, clock.now() - begun))
      for (const want of wants) this.#asked.delete(numberOf(want.key))
      this.#running.delete(peer)
      this.#queue.addAgain([...open.values()].map(({ key }) => key))
      this.#queue.freed()
      this.#woken.raise()
    }
  }

  /** A log that contradicts itself is its origin's doing: the other shares that this peer sends are good. */
  async #put(run: VerifiedRun, provider: Knowledge): Promise<{ stored: ShareKey[]; closed: Want[]; isTaken: boolean }> {
    const { store, logger } = this.#parts
    const { account, size } = run.head
    try {
      const done = await store.putRun(run, provider)
      if (done.wasSetBack) {
        logger.error('others know more of the own log than is held here: the folder was set back; a new log is begun', {
          size,
        })
      }
      if (done.contradicted.length > 0) {
        const shares = done.contradicted.map(shareKeyText)
        logger.error('a peer proves another share than is held in the same version: what is held is kept', {
          account,
          shares: shares.join(),
        })
      }
      return { ...done, isTaken: true }
    } catch (thrown) {
      if (!(thrown instanceof SlotmeshError && thrown.code === 'store/fork')) throw thrown
      logger.error('shares are not taken', { code: thrown.code, account, size, reason: thrown.message })
      return { stored: [], closed: [], isTaken: false }
    }
  }
}

/** Divides wants between peers: the origin is asked first, where it is known, and else several when there is much. */
function spread(wants: readonly Unplanned[], peers: number, work: Map<AccountId, Want[]>): void {
  const width = Math.min(peers, Math.ceil(wants.length / FETCH.wantsPerExchange))
  for (const [turn, { want, askable }] of wants.entries()) {
    const origin = askable.find(({ cluster }) => cluster === want.origin)
    const chosen = origin ?? askable[turn % Math.min(width, askable.length)]
    if (chosen !== undefined) assign(work, chosen.account, want)
  }
}

function assign(work: Map<AccountId, Want[]>, peer: AccountId, want: Want): void {
  const wants = work.get(peer)
  if (wants === undefined) work.set(peer, [want])
  else wants.push(want)
}

function isSlow(answers: number, ms: number): boolean {
  const { afterMs, sharesPerSecond } = FETCH.slow
  return ms >= afterMs && answers * 1_000 < ms * sharesPerSecond
}

function retryAfter(thrown: unknown): number {
  const asked = thrown instanceof SlotmeshError && 'retryAfterMs' in thrown ? thrown.retryAfterMs : 0
  return typeof asked === 'number' ? Math.min(asked, FETCH.peerBackOff.longest) : 0
}
