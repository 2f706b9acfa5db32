import {
  type AccountId,
  type BlockNumber,
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
import type { SharePeers, SyncListener } from './parts.js'
import { PeerBook } from './peer-book.js'
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
  readonly now: () => number
  /** After each exchange that went well: there may be nothing left to fetch. */
  readonly onSettled: () => Promise<void>
}

/**
 * Turns open wants into exchanges until none is open: asks the origin first, any other slot peer when the origin fails
 * or does not hold the share, several peers at once when there is much to fetch. Wants live in the store; whatever is
 * forgotten here is found again there.
 */
export class Fetcher {
  readonly #parts: FetcherParts
  readonly #book: PeerBook
  readonly #woken = new Signal()
  /** The exchanges under way, by peer. */
  readonly #running = new Map<AccountId, Promise<void>>()
  readonly #asked = new Set<string>()

  constructor(parts: FetcherParts) {
    this.#parts = parts
    this.#book = new PeerBook({ now: parts.now, peers: FETCH.peerBackOff, shares: FETCH.shareBackOff })
  }

  /** There may be new wants, or new peers. */
  wake(): void {
    this.#woken.raise()
  }

  /** Fetches until the signal aborts, then waits for the exchanges under way to end. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const nextTryAt = await this.#startExchanges(signal)
      await this.#woken.wait({ signal, timeoutMs: Math.max(1, nextTryAt - this.#parts.now()) })
    }
    await Promise.all(this.#running.values())
  }

  /** @returns when a want that cannot be asked for now can be; Unix ms, or infinity. */
  async #startExchanges(signal: AbortSignal): Promise<number> {
    const { registry, account, store } = this.#parts
    const peers = registry()
      .slotPeersOf(account)
      .filter((peer) => !this.#running.has(peer.account))
    let nextTryAt = Number.POSITIVE_INFINITY
    if (peers.length === 0 || this.#running.size >= FETCH.exchanges) return nextTryAt

    const askable: { want: Want; free: EnclaveSeat[] }[] = []
    for await (const want of store.wants()) {
      if (signal.aborted || askable.length === FETCH.wantsPerRound) break
      if (this.#asked.has(shareKeyText(want.key))) continue
      const free = peers.filter((peer) => this.#book.askableAt(peer.account, want.key) === 0)
      // Those that nobody has do not count, or enough of them would keep all others waiting.
      if (free.length > 0) askable.push({ want, free })
      else for (const peer of peers) nextTryAt = Math.min(nextTryAt, this.#book.askableAt(peer.account, want.key))
    }
    const work = new Map<AccountId, Want[]>()
    const spread = Math.min(peers.length, Math.ceil(askable.length / FETCH.wantsPerExchange))
    for (const [turn, { want, free }] of askable.entries()) {
      free.sort((one, other) => this.#book.failures(one.account) - this.#book.failures(other.account))
      const chosen = free.find(({ cluster }) => cluster === want.origin) ?? free[turn % Math.min(spread, free.length)]
      if (chosen === undefined) continue
      const wantsOfPeer = work.get(chosen.account) ?? []
      wantsOfPeer.push(want)
      work.set(chosen.account, wantsOfPeer)
    }
    for (const [peer, wantsOfPeer] of work) {
      if (this.#running.size >= FETCH.exchanges) break
      this.#running.set(peer, this.#exchange(peer, wantsOfPeer, signal))
    }
    return nextTryAt
  }

  async #exchange(peer: AccountId, wants: readonly Want[], signal: AbortSignal): Promise<void> {
    const { peers, listener, logger } = this.#parts
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

function retryAfter(thrown: unknown): number {
  const asked = thrown instanceof SlotmeshError && 'retryAfterMs' in thrown ? thrown.retryAfterMs : 0
  return typeof asked === 'number' ? Math.min(asked, FETCH.peerBackOff.longest) : 0
}
