import {
  type AccountId,
  type BlockNumber,
  type Clock,
  type ClusterId,
  causeOf,
  type EnclaveSeat,
  type Logger,
  messageOf,
  type Registry,
  type ShareKey,
  SlotmeshError,
  shareKeyText,
} from '../domain/index.js'
import type { VerifiedRun } from '../provenance/index.js'
import type { Store, Want } from '../store/index.js'
import { HopTime } from './hop-time.js'
import type { SharePeers, SyncListener } from './parts.js'
import { PeerBook } from './peer-book.js'
import { FAN_OUT, type RelayRing, relayRing } from './relay.js'
import { RelayPlan } from './relay-plan.js'
import { Signal } from './signal.js'

/** How the fetcher divides its work. */
export const FETCH = {
  /** Wants taken on in one round, and so the most of one exchange; the rest waits in the store. */
  wantsPerRound: 16_384,
  /** Exchanges under way at once: each holds about one batch in memory on either side. */
  exchanges: 4,
  /** Below this many wants one peer is asked for all: an exchange costs each side two quotes. */
  wantsPerExchange: 64,
  /** A peer that does not answer or refuses is left alone this long, in ms. */
  peerBackOff: { first: 500, longest: 60_000 },
  /** A peer that does not hold a share is asked for it again after this long: it may be a block behind. In ms. */
  shareBackOff: { first: 250, longest: 30_000 },
} as const

export interface FetcherParts {
  readonly account: AccountId
  readonly store: Pick<Store, 'wants' | 'putRun'>
  readonly registry: () => Registry
  readonly peers: SharePeers
  readonly listener: Pick<SyncListener, 'shareStored' | 'exchangeDone' | 'exchangeFailed'>
  readonly logger: Logger
  readonly clock: Clock
  /** After each exchange that went well: there may be nothing left to fetch. */
  readonly onSettled: () => Promise<void>
}

/** Who may be asked, and how they stand to each other. */
interface Mesh {
  readonly ring: RelayRing
  readonly cluster: ClusterId
  readonly peers: readonly EnclaveSeat[]
}

/** The peers with which no exchange is under way; of them, those that do not fail, the best first. */
interface Idle {
  readonly peers: readonly EnclaveSeat[]
  readonly usable: readonly EnclaveSeat[]
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
  readonly #asked = new Set<string>()
  #mesh: Mesh | undefined

  constructor(parts: FetcherParts) {
    this.#parts = parts
    this.#woken = new Signal(parts.clock)
    this.#book = new PeerBook({ now: () => parts.clock.now(), peers: FETCH.peerBackOff, shares: FETCH.shareBackOff })
  }

  /** There may be new wants, or new peers. */
  wake(): void {
    this.#woken.raise()
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
    const { store, clock } = this.#parts
    const mesh = this.#meshNow()
    let nextTryAt = Number.POSITIVE_INFINITY
    if (mesh === undefined || this.#running.size >= FETCH.exchanges) return nextTryAt

    const plan = this.#relayPlan(mesh)
    const work = new Map<AccountId, Want[]>()
    const unplanned: Unplanned[] = []
    let idle: Idle | undefined
    let taken = 0
    for await (const want of store.wants()) {
      if (signal.aborted || taken === FETCH.wantsPerRound) break
      if (this.#asked.has(shareKeyText(want.key))) continue
      // Those that nobody has do not count, or enough of them would keep all others waiting.
      if (plan !== undefined && want.origin !== undefined) {
        const turn = plan.turnOf(want)
        if (turn.peer === undefined) nextTryAt = Math.min(nextTryAt, turn.at)
        else {
          assign(work, turn.peer, want)
          taken += 1
        }
        continue
      }
      idle ??= this.#idle(mesh)
      const { peers, usable } = idle
      const isLacking = this.#book.lacking(want.key).size > 0
      const askable = isLacking ? usable.filter((peer) => this.#book.askableAt(peer.account, want.key) === 0) : usable
      if (askable.length > 0) {
        unplanned.push({ want, askable })
        taken += 1
      } else for (const peer of peers) nextTryAt = Math.min(nextTryAt, this.#book.askableAt(peer.account, want.key))
    }
    if (idle !== undefined) spread(unplanned, idle.peers.length, work)
    for (const [peer, wants] of work) {
      if (this.#running.size >= FETCH.exchanges) break
      this.#running.set(peer, { since: clock.now(), ended: this.#exchange(peer, wants, signal) })
    }
    return nextTryAt
  }

  #meshNow(): Mesh | undefined {
    const registry = this.#parts.registry()
    const seat = registry.seatOf(this.#parts.account)
    if (seat === undefined) return undefined
    const ring = relayRing(registry, seat.slot)
    if (this.#mesh?.ring !== ring || this.#mesh.cluster !== seat.cluster) {
      this.#mesh = { ring, cluster: seat.cluster, peers: ring.nearest(seat.cluster) }
    }
    return this.#mesh
  }

  #idle({ peers: all }: Mesh): Idle {
    const peers = all.filter(({ account }) => !this.#running.has(account))
    const usable = peers
      .filter(({ account }) => this.#book.failingUntil(account) === 0)
      .sort((one, other) => this.#book.failures(one.account) - this.#book.failures(other.account))
    return { peers, usable }
  }

  /** Undefined in a mesh that is small enough for all to ask the origin. */
  #relayPlan({ ring, cluster, peers: others }: Mesh): RelayPlan | undefined {
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
    const open = new Map<string, Want>(wants.map((want) => [shareKeyText(want.key), want]))
    // What the peer leaves out because it stops early is not lacking.
    const answered = new Set<string>()
    for (const text of open.keys()) this.#asked.add(text)
    try {
      await peers.request(peer, {
        wants,
        signal,
        onRun: async (run, syncedBlock) => {
          const { stored, closed } = await this.#put(run, syncedBlock)
          const storedKeys = new Set(stored.map(shareKeyText))
          for (const { leaf } of run.shares) {
            answered.add(shareKeyText(leaf))
            const since = open.get(shareKeyText(leaf))?.since
            if (since === undefined || !storedKeys.has(shareKeyText(leaf))) continue
            const { kind, nftId, version } = leaf
            listener.shareStored({ key: { kind, nftId }, version, from: peer, origin: run.head.cluster, since })
          }
          for (const { key } of closed) {
            open.delete(shareKeyText(key))
            this.#book.settled(key)
          }
        },
        onNotHeld: (key) => answered.add(shareKeyText(key)),
      })
      // One that stops before anything was said is left alone for a while.
      if (answered.size > 0) this.#book.answered(peer)
      else this.#book.failed(peer, 0)
      // What is fetched in bulk at the setup takes a time that says nothing of a share that has just been synced.
      if (open.size < wants.length && wants.every(({ origin }) => origin !== undefined)) {
        this.#hop.observe(clock.now() - begun)
      }
      for (const [text, { key }] of open) if (answered.has(text)) this.#book.lacks(peer, key)
      listener.exchangeDone(peer)
      await this.#parts.onSettled()
    } catch (thrown) {
      if (signal.aborted) return
      this.#book.failed(peer, retryAfter(thrown))
      const code = thrown instanceof SlotmeshError ? thrown.code : 'unexpected'
      logger.info('a peer could not be used', { peer, code, reason: messageOf(thrown), ...causeOf(thrown) })
      listener.exchangeFailed(peer, thrown)
    } finally {
      for (const want of wants) this.#asked.delete(shareKeyText(want.key))
      this.#running.delete(peer)
      this.#woken.raise()
    }
  }

  /** A log that contradicts itself is its origin's doing: the other shares that this peer sends are good. */
  async #put(run: VerifiedRun, syncedBlock: BlockNumber): Promise<{ stored: ShareKey[]; closed: Want[] }> {
    const { store, logger } = this.#parts
    const { account, size } = run.head
    try {
      const done = await store.putRun(run, { syncedBlock })
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
      return done
    } catch (thrown) {
      if (!(thrown instanceof SlotmeshError && thrown.code === 'store/fork')) throw thrown
      logger.error('shares are not taken', { code: thrown.code, account, size, reason: thrown.message })
      return { stored: [], closed: [] }
    }
  }
}

/** A want that is not planned, and who may be asked, best first. */
interface Unplanned {
  readonly want: Want
  readonly askable: readonly EnclaveSeat[]
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

function retryAfter(thrown: unknown): number {
  const asked = thrown instanceof SlotmeshError && 'retryAfterMs' in thrown ? thrown.retryAfterMs : 0
  return typeof asked === 'number' ? Math.min(asked, FETCH.peerBackOff.longest) : 0
}
