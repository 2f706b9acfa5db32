import {
  type AccountId,
  abortable,
  type BlockNumber,
  type Clock,
  causeOf,
  type Logger,
  messageOf,
  type ShareKey,
  SlotmeshError,
  shareKeyText,
} from '../domain/index.js'
import { numberOf } from '../inventory/index.js'
import type { Store, Want } from '../store/index.js'
import { causesOf, type DifferenceCause, wordsOf } from './causes.js'
import { inTurn, Judge } from './judging.js'
import type { ReconcileChain, ReconcilePeers } from './parts.js'
import { Signal } from './signal.js'
import { untilFinal } from './until-final.js'

/** How often slot peers are compared with, and how many of them. */
export const RECONCILE = {
  /** With one peer each time; ms. */
  everyMs: 3_600_000,
  /** With what the chain lists: all of that is read; ms. */
  chainEveryMs: 86_400_000,
  /** Each wait is up to this part longer or shorter, so that enclaves that were started together do not ask together. */
  jitter: 1 / 4,
  /** Peers that are tried until one of them answers. */
  tries: 3,
  /** Peers that are compared with on demand. */
  onDemand: 8,
  /** Demands that may wait for their turn, or have it. */
  demands: 8,
  /** Differences that may be left out since the endpoint of the chain did not answer for them; more are no accident. */
  unjudged: 8,
  /** Of what a peer does not hold, so many are looked up on the chain: they may be gone. The chain's list shows the others. */
  lookedUp: 128,
} as const

/** @param random from 0 to below 1. */
export function jittered(ms: number, random: () => number): number {
  return ms * (1 + RECONCILE.jitter * (2 * random() - 1))
}

/** What a comparison with a slot peer came to. */
export interface Reconciled {
  readonly peer: AccountId
  /** Neither held nor wanted here, though the chain lists them: wanted now. */
  readonly missing: number
  /** Held here in an older version than the chain knows: the newer one is wanted now. */
  readonly outdated: number
  /** Held here, though there are no such shares any more: erased. */
  readonly erased: number
  /** Of the peer, told to nobody else: it finds out by itself. */
  readonly ofPeer: {
    /** Not held there, though the peer has come to their blocks. */
    readonly missing: number
    readonly outdated: number
    /** Held there, though the chain lists them no more. */
    readonly unlisted: number
    /** Held there in newer versions that the chain does not tell of here. */
    readonly disputed: number
  }
  readonly causes: readonly DifferenceCause[]
  /** Whether all was looked at that differs; the rest comes with the next comparisons. */
  readonly isComplete: boolean
  readonly questions: number
  /** Both ways. */
  readonly bytes: number
  readonly ms: number
}

export interface ReconciliationParts {
  readonly account: AccountId
  readonly chain: ReconcileChain
  readonly store: Pick<Store, 'held' | 'wantsOf' | 'openWants' | 'eraseShares' | 'integrity' | 'cursor'>
  readonly peers: ReconcilePeers
  /** Whether a seat is held and its setup complete: before that there is nothing to compare. */
  readonly isReady: () => boolean
  /** New wants of these shares are open. */
  readonly wanted: (keys: readonly ShareKey[]) => void
  /** More is missing here than one comparison brings: the chain's list is to be compared with. */
  readonly muchIsMissing: () => void
  readonly onReconciled: (reconciled: Reconciled) => void
  readonly onFailed: (peer: AccountId, thrown: unknown) => void
  readonly logger: Logger
  readonly clock: Clock
  /** From 0 to below 1. */
  readonly random: () => number
  /** ms; {@link RECONCILE}.everyMs by default. */
  readonly everyMs?: number | undefined
}

/**
 * Compares with slot peers what is held, one at each interval, another one each time; and when it is told to. What a peer
 * says is a hint: it opens a want only where the chain bears it out, and the share comes by an exchange like any other.
 */
export class Reconciliation {
  readonly #parts: ReconciliationParts
  /** The number of the last try with each peer. */
  readonly #lastTried = new Map<AccountId, number>()
  #tries = 0
  readonly #interval: Signal
  #working: Promise<unknown> = Promise.resolve()
  #demands = 0

  constructor(parts: ReconciliationParts) {
    this.#parts = parts
    this.#interval = new Signal(parts.clock)
  }

  /** Compares at intervals until the signal aborts; resolves then. @throws what the store throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { everyMs = RECONCILE.everyMs, random } = this.#parts
    for (;;) {
      await this.#interval.wait({ signal, timeoutMs: jittered(everyMs, random) })
      if (signal.aborted) return
      await this.#inTurn(1, signal)
    }
  }

  /**
   * Compares with slot peers, one after the other, those first that were compared with the longest ago. One that fails is
   * left out, and another is tried in its place.
   *
   * @param options.most with how many; {@link RECONCILE}.onDemand by default.
   * @returns what each came to; nothing when there is none, or the own setup is not complete.
   * @throws SlotmeshError `sync/busy` when many wait for their turn; the signal's reason.
   */
  async reconcile({
    most = RECONCILE.onDemand,
    signal,
  }: {
    most?: number
    signal: AbortSignal
  }): Promise<Reconciled[]> {
    if (this.#demands === RECONCILE.demands) throw busy()
    this.#demands += 1
    try {
      return await abortable(this.#inTurn(most, signal), signal)
    } finally {
      this.#demands -= 1
    }
  }

  #inTurn(most: number, signal: AbortSignal): Promise<Reconciled[]> {
    const work = this.#working.then(() => this.#reconcile(most, signal))
    this.#working = work.catch(() => undefined)
    return work
  }

  async #reconcile(most: number, signal: AbortSignal): Promise<Reconciled[]> {
    const { account, chain, logger, onFailed, onReconciled, random, isReady } = this.#parts
    const peers = chain
      .registry()
      .slotPeersOf(account)
      .map((seat) => seat.account)
    for (const known of this.#lastTried.keys()) if (!peers.includes(known)) this.#lastTried.delete(known)
    const done: Reconciled[] = []
    let failed = 0
    for (const peer of inTurn(peers, this.#lastTried, random())) {
      if (done.length === most || failed === RECONCILE.tries || signal.aborted || !isReady()) break
      if (this.#parts.peers.isShut?.(peer)) continue
      this.#tries += 1
      this.#lastTried.set(peer, this.#tries)
      try {
        const reconciled = await this.#compareWith(peer, signal)
        done.push(reconciled)
        this.#log(reconciled)
        onReconciled(reconciled)
      } catch (thrown) {
        if (signal.aborted) break
        if (isOfStore(thrown)) throw thrown
        failed += 1
        const code = thrown instanceof SlotmeshError ? thrown.code : 'unexpected'
        logger.info('a peer could not be compared with', { peer, code, reason: messageOf(thrown), ...causeOf(thrown) })
        onFailed(peer, thrown)
      }
    }
    return done
  }

  async #compareWith(peer: AccountId, signal: AbortSignal): Promise<Reconciled> {
    const { chain, store, clock, peers, random, wanted, muchIsMissing, logger } = this.#parts
    const begun = clock.now()
    const found = await peers.compare(peer, { held: store.held, turn: random(), signal })
    const judge = new Judge({ chain, store, now: () => clock.now(), signal })
    const block = chain.finalised().number
    this.#requireReady()
    const wants: Want[] = []
    let [missing, outdated, unlisted, disputed, unnamed, unjudged, early] = [0, 0, 0, 0, 0, 0, 0]
    for (const difference of found.ahead) {
      const verdict = await judge.judge(difference).catch((thrown: unknown) => {
        // What the endpoint cannot tell of one share is no reason to give up the others.
        if (!isOfChain(thrown) || unjudged === RECONCILE.unjudged) throw thrown
        logger.debug('a difference could not be judged', {
          share: shareKeyText(difference.key),
          reason: messageOf(thrown),
        })
        return undefined
      })
      if (verdict === undefined) {
        unjudged += 1
        continue
      }
      if (verdict.type === 'unlisted') unlisted += 1
      if (verdict.type === 'disputed') disputed += 1
      if (verdict.type === 'early') early += 1
      if (verdict.type !== 'gap') continue
      wants.push(verdict.want)
      if (difference.here === undefined) missing += 1
      else outdated += 1
      if (!verdict.isNamed) unnamed += 1
    }
    if (wants.length > 0) {
      this.#requireReady()
      await store.openWants(wants)
      try {
        await this.#withdrawRemoved(wants, { since: block, judge, signal })
      } finally {
        wanted(wants.map(({ key }) => key))
      }
    }
    const due = found.behind.filter(({ here = 0 }) => here <= found.takenIn)
    const notDue = found.behind.length - due.length
    const erased = await this.#eraseGone(
      due.flatMap(({ key, there }) => (there === undefined ? [key] : [])).slice(0, RECONCILE.lookedUp),
      judge,
    )
    // As long as the peer is borne out by the chain, so many more are worth a look at the whole list.
    if (!found.isComplete && missing > 0 && missing >= unlisted + disputed) muchIsMissing()
    const { lackingThere, olderThere } = found.counts
    const ofPeer = {
      missing: Math.max(0, lackingThere - notDue - erased),
      outdated: olderThere,
      unlisted,
      disputed,
    }
    const causes = causesOf({
      isAltered: store.integrity().state === 'altered',
      named: wants.length - unnamed,
      unnamed,
      erased,
      isPeerBehind: found.takenIn < block && notDue > 0,
      ofPeer,
    })
    const { questions, traffic } = found
    const isComplete = found.isComplete && unjudged + early === 0
    const ms = clock.now() - begun
    return { peer, missing, outdated, erased, ofPeer, causes, isComplete, questions, bytes: traffic.bytes, ms }
  }

  /** A block that was taken in meanwhile may have removed one of them: it found no want to close. */
  async #withdrawRemoved(
    wants: readonly Want[],
    { since, judge, signal }: { readonly since: BlockNumber; readonly judge: Judge; readonly signal: AbortSignal },
  ): Promise<void> {
    const takenIn = await this.#takenIn()
    if (takenIn <= since) return
    await untilFinal(this.#parts.chain, takenIn, { signal })
    await this.#eraseGone(
      wants.map(({ key }) => key),
      judge,
    )
  }

  /** Erases what the chain has no more. @returns how many there were. */
  async #eraseGone(keys: readonly ShareKey[], judge: Judge): Promise<number> {
    const { chain, store, logger } = this.#parts
    let erased = 0
    for (const key of keys) {
      const takenIn = await this.#takenIn()
      const { number } = chain.finalised()
      // A chain that is behind what was taken in does not know of what was synced since.
      if (number < takenIn || !(await judge.isGone(key))) continue
      this.#requireReady()
      const isHeld = store.held.versionOf(numberOf(key)) !== undefined
      await store.eraseShares(number, [key])
      if (!isHeld) continue
      erased += 1
      logger.warn('a share is held that there is no more: it is erased', { share: shareKeyText(key) })
    }
    return erased
  }

  /** As the store has it: what the engine tells comes some time after the changes of a block. */
  async #takenIn(): Promise<BlockNumber> {
    return (await this.#parts.store.cursor()) ?? -1
  }

  /** @throws SlotmeshError `sync/seat-lost`: what was compared is of a former seat. */
  #requireReady(): void {
    if (this.#parts.isReady()) return
    throw new SlotmeshError('sync/seat-lost', 'The seat was lost or changed while this enclave was compared.')
  }

  #log({ peer, missing, outdated, erased, ofPeer, causes, isComplete, bytes, ms }: Reconciled): void {
    const { logger } = this.#parts
    const there = {
      peerMissing: ofPeer.missing,
      peerOutdated: ofPeer.outdated,
      peerUnlisted: ofPeer.unlisted,
      peerDisputed: ofPeer.disputed,
    }
    const fields = { peer, missing, outdated, erased, ...there, isComplete, bytes, ms, cause: wordsOf(causes) }
    if (missing + outdated > 0) logger.warn('a peer holds what is missing or older here: fetching it', fields)
    else if (erased + ofPeer.disputed > 0) logger.warn('a comparison with a peer has shown an anomaly', fields)
    else if (causes.length > 0) logger.info('a peer does not hold what is held here', fields)
    else logger.debug('a comparison with a peer has shown no gap', fields)
  }
}

function busy(): SlotmeshError {
  return new SlotmeshError('sync/busy', 'Many comparisons wait for their turn already; ask again when they have ended.')
}

function isOfChain(thrown: unknown): boolean {
  return thrown instanceof SlotmeshError && thrown.code.startsWith('chain/')
}

/** The store itself cannot go on; that it has no seat any more is no failure. */
function isOfStore(thrown: unknown): boolean {
  return thrown instanceof SlotmeshError && thrown.code.startsWith('store/') && thrown.code !== 'store/no-seat'
}
