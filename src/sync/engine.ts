import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { type AccountSigner, toHex } from '../crypto/index.js'
import {
  type BlockNumber,
  type BlockRef,
  type BlockTriggers,
  bounded,
  type Clock,
  type EnclaveSeat,
  type Logger,
  messageOf,
  type ShareKey,
  type Trigger,
} from '../domain/index.js'
import { ShareSet } from '../inventory/index.js'
import { signHead } from '../provenance/index.js'
import type { BlockChange, Identity, Store, Want } from '../store/index.js'
import { ChainComparison, type Comparison, type ComparisonTimes, seatLost } from './chain-comparison.js'
import { Fetcher } from './fetcher.js'
import { type ArrowName, LifeCycle } from './life-cycle.js'
import type { SharePeers, SyncChain, SyncListener, SyncState } from './parts.js'
import { type Reconciled, Reconciliation, type ReconciliationParts } from './reconciliation.js'
import { untilFinal } from './until-final.js'

/** How the engine compares what is held while it runs. */
export interface EngineReconciliation
  extends Pick<ReconciliationParts, 'chain' | 'store' | 'peers' | 'onReconciled' | 'onFailed' | 'random' | 'everyMs'> {
  /** With what the chain lists. */
  readonly chainComparison: ComparisonTimes
}

export interface EngineParts {
  readonly signer: AccountSigner
  readonly chain: SyncChain
  readonly store: SyncStore
  readonly peers: SharePeers
  readonly listener: SyncListener
  readonly logger: Logger
  readonly clock: Clock
  /** Without it what is held is compared with the chain at a start, and never else. */
  readonly reconciliation?: EngineReconciliation
  /** What names a new life of the own log; the system's random bytes by default. */
  readonly random?: (length: number) => Uint8Array
}

/** What the engine keeps, and where it finds it again. */
export type SyncStore = Pick<
  Store,
  | 'identity'
  | 'cursor'
  | 'isAltered'
  | 'isSetupDone'
  | 'markSetupDone'
  | 'beginSetup'
  | 'applyBlock'
  | 'putRun'
  | 'wants'
  | 'wantPages'
  | 'wantsOf'
  | 'settleUnsure'
  | 'openWants'
  | 'compare'
  | 'eraseShares'
  | 'resumePoint'
  | 'vouchAnew'
  | 'counts'
  | 'eraseAll'
> & {
  /** Every share held. */
  places(): AsyncIterable<ShareKey>
}

/**
 * Keeps this enclave's shares equal to what the chain says it must hold:
 * block -> trigger -> durable want -> exchange -> verified share -> want closed. What can happen to it is
 * {@link LIFE_CYCLE}.
 */
export class SyncEngine {
  readonly #parts: EngineParts
  readonly #fetcher: Fetcher
  readonly #progress = new EventEmitter().setMaxListeners(0)
  readonly #life: LifeCycle
  #cursor: BlockNumber = -1
  #stoppedBy: string | undefined
  readonly #comparison: ChainComparison
  readonly #reconciliation: Reconciliation | undefined

  constructor(parts: EngineParts) {
    this.#parts = parts
    this.#life = new LifeCycle((state) => parts.listener.stateChanged(state))
    this.#fetcher = new Fetcher({
      ...parts,
      account: parts.signer.account,
      takenIn: () => this.#cursor,
      onSettled: () => this.#setupMayBeDone(),
    })
    const { reconciliation, logger, clock } = parts
    const wanted = (keys: readonly ShareKey[]) => this.#fetcher.wake(keys)
    this.#comparison = new ChainComparison({ ...parts, wanted, ...reconciliation?.chainComparison })
    if (reconciliation === undefined) return
    this.#reconciliation = new Reconciliation({
      ...reconciliation,
      account: parts.signer.account,
      isReady: () => this.#life.state === 'running' && this.#cursor >= 0,
      wanted,
      muchIsMissing: () => this.#comparison.demand(),
      logger,
      clock,
    })
  }

  /** While it does not run, what it was before. */
  get state(): SyncState {
    return this.#life.lastTold ?? 'unregistered'
  }

  /** The last block taken in; below 0 while no seat is held. */
  get takenIn(): BlockNumber {
    return this.#cursor
  }

  /** Why it stopped the last time, until it has taken in a block again; for health. */
  get stoppedBy(): string | undefined {
    return this.#stoppedBy
  }

  /** What the last comparison with the chain came to. */
  get comparison(): Comparison | undefined {
    return this.#comparison.last
  }

  /**
   * Waits until every block up to `block` is durably taken in: a share that an owner hands over on the word of that
   * block can then not be mistaken for one of a round before it.
   * @throws the signal's reason.
   */
  async reached(block: BlockNumber, { signal }: { signal: AbortSignal }): Promise<void> {
    try {
      while (this.#cursor < block) await once(this.#progress, 'moved', { signal })
    } catch (thrown) {
      // In place of an error that says no more than that there was one.
      signal.throwIfAborted()
      throw thrown
    }
  }

  /**
   * Compares with slot peers what is held, now; see {@link Reconciliation.reconcile}. Nothing where the engine was given
   * nobody to compare with.
   */
  async reconcile(options: { most?: number; signal: AbortSignal }): Promise<Reconciled[]> {
    return (await this.#reconciliation?.reconcile(options)) ?? []
  }

  /**
   * Compares with what the chain lists, as soon as the next final block is taken in.
   * @throws SlotmeshError `sync/seat-lost` when there is no seat, or it is lost or changed before that; AbortError with the
   * signal's reason as its cause.
   */
  async compare({ signal }: { signal: AbortSignal }): Promise<Comparison> {
    if (this.#life.state === 'unregistered') throw seatLost()
    this.#comparison.demand()
    return this.#comparison.next({ signal })
  }

  /** Runs until the signal aborts; resolves then. @throws what the chain or the store throws: the node must stop. */
  async run(signal: AbortSignal): Promise<void> {
    const ended = new AbortController()
    await bounded({ signals: [signal, ended.signal] }, async (either) => {
      const loops = [this.#followSeats(either), this.#fetcher.run(either)]
      if (this.#reconciliation !== undefined) loops.push(this.#reconciliation.run(either))
      try {
        await Promise.race(loops)
      } catch (thrown) {
        if (signal.aborted) return
        this.#stoppedBy = messageOf(thrown)
        throw thrown
      } finally {
        // Neither may go on alone: whoever runs the engine again would have two of it.
        ended.abort()
        await Promise.allSettled(loops)
        if (this.#life.state !== 'off') this.#take('stopped')
      }
    })
  }

  /** From one seat to the next, for as long as the node runs. */
  async #followSeats(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const seat = this.#seat()
      if (seat === undefined) {
        await this.#awaitSeat(signal)
        continue
      }
      await this.#sit(seat, signal)
      this.#comparison.callOff()
    }
  }

  async #awaitSeat(signal: AbortSignal): Promise<void> {
    const { chain } = this.#parts
    const { state } = this.#life
    // It may have been given a seat and have lost it again before it could take it.
    if (state !== 'unregistered') this.#take(state === 'off' ? 'started without a seat' : 'unregistered')
    this.#cursor = -1
    for await (const _block of chain.follow(chain.finalised().number, { signal })) {
      this.#stoppedBy = undefined
      if (this.#seat() !== undefined) return
    }
  }

  /** Life in one seat; returns when the seat is lost or another. */
  async #sit(seat: EnclaveSeat, signal: AbortSignal): Promise<void> {
    const { chain, store, logger } = this.#parts
    // Also when it begins anew: what the folder says is not looked at yet.
    this.#cursor = -1
    const taken = await this.#takeSeat(seat, signal)
    if (taken === undefined) return
    const { cursor } = taken
    // A folder that was closed for a time is compared with the chain as soon as that is caught up with.
    let compareAt = taken.isResumed ? chain.finalised() : undefined
    if (compareAt?.number === cursor) {
      await this.#comparison.compare(compareAt, signal)
      compareAt = undefined
    }
    this.#moveTo(cursor)
    this.#take(this.#seated(taken.isResumed, await store.isSetupDone()))
    await this.#setupMayBeDone()
    this.#fetcher.wake()
    for await (const block of chain.follow(cursor, { signal })) {
      if (block.registryChanges.length > 0 && (await this.#hadMoved(block.block, seat, signal))) {
        // Also when it is back by now: what it held when it left may not be kept.
        logger.warn('the seat was another for a time: erasing its shares', { block: block.block.number })
        this.#cursor = -1
        await store.eraseAll()
        return
      }
      await this.#takeIn(block, seat)
      // An upgrade of the runtime may change it without an event.
      if (!sameSeat(this.#seat(), seat)) {
        // What an owner hands over from now on is not for this seat.
        this.#cursor = -1
        return
      }
      if (compareAt === undefined ? this.#isComparisonDue(block.block) : block.block.number >= compareAt.number) {
        await this.#comparison.compare(block.block, signal)
        compareAt = undefined
      }
      this.#moveTo(block.block.number)
      this.#stoppedBy = undefined
      await this.#setupMayBeDone()
    }
  }

  /**
   * @returns the block to follow the chain from: the stored one, or that of a new snapshot; undefined when the seat is
   * another by now.
   */
  async #takeSeat(
    seat: EnclaveSeat,
    signal: AbortSignal,
  ): Promise<{ readonly cursor: BlockNumber; readonly isResumed: boolean } | undefined> {
    const { chain, store, signer, clock, logger, random = randomBytes } = this.#parts
    const identity = await store.identity()
    const cursor = await store.cursor()
    const isSame = identity !== undefined && isFor(identity, chain.genesisHash, seat)
    const isAltered = await store.isAltered()
    if (isSame && cursor !== undefined && !isAltered) return { cursor, isResumed: true }

    // What is left of an altered folder is kept; the setup finds out what is missing. It takes the blocks in from where it
    // was: one of them may have synced what is pending here, and nowhere else.
    const isKept = isSame && isAltered
    if (identity !== undefined && !isKept) {
      logger.warn('the seat is another than before: erasing its shares', { cluster: seat.cluster, slot: seat.slot })
      await store.eraseAll()
    }
    const resumed = isKept ? await store.resumePoint() : undefined
    if (resumed !== undefined) await this.#untilFinal(resumed, signal)
    const snapshot = chain.finalised()
    // Blocks up to this one are not looked at, and one of them may have changed the seat meanwhile.
    if (!sameSeat(this.#seat(), seat)) return undefined
    const incarnation = toHex(random(16))
    const { cluster, slot } = seat
    const who = { genesisHash: chain.genesisHash, account: signer.account, seat: { cluster, slot }, incarnation }
    const first = resumed ?? snapshot.number
    const vouched = isKept ? await store.vouchAnew(who, first, (head) => signHead(signer, chain.genesisHash, head)) : 0
    if (vouched > 0) logger.warn('own shares have lost their proofs: vouching for them anew', { shares: vouched })
    let wanted = 0
    const wants = async function* (): AsyncGenerator<Want> {
      const want = { minimumVersion: 0, asOf: snapshot.number, origin: undefined, since: clock.now() }
      // The chain lists them in the order of hashes; what stands together in the store is to be written together.
      const listed = new ShareSet()
      for await (const keys of chain.syncedShares(snapshot, { signal })) {
        wanted += keys.length
        for (const key of keys) listed.add(key)
      }
      for (const key of listed.keys()) yield { key, ...want }
    }
    await store.beginSetup(who, first, wants())
    logger.info('setup begins', { cluster, slot, block: first, wanted })
    return { cursor: first, isResumed: isKept }
  }

  async #untilFinal(block: BlockNumber, signal: AbortSignal): Promise<void> {
    const { chain, logger } = this.#parts
    const { number: final } = chain.finalised()
    if (final >= block) return
    logger.warn('the chain is behind what was taken in before: waiting for it', { final, block })
    await untilFinal(chain, block, { signal })
  }

  /** One block: its wants and erasures, then own shares and the cursor at once, which a block of few changes is as a whole. */
  async #takeIn({ block, triggers, registryChanges }: BlockTriggers, seat: EnclaveSeat): Promise<void> {
    const { chain, store, signer, listener, logger, clock } = this.#parts
    // One time for all, so that they are asked for together.
    const now = clock.now()
    for (const { type } of triggers) this.#take(ARROW_OF[type])
    const changes = triggers.flatMap((trigger) => changesFor(trigger, block.number, now))
    const { missingOwn } = await store.applyBlock(block.number, changes, (head) =>
      signHead(signer, chain.genesisHash, head),
    )
    for (const { type, nftId } of triggers) {
      if (type === 'key-update') logger.info('a capsule is to be synced anew', { nftId, block: block.number })
    }
    for (const { kind, nftId } of missingOwn) {
      logger.warn('a share of the own cluster was synced that is not here: fetching it', { kind, nftId })
    }
    if (triggers.length > 0) {
      listener.triggersTaken?.(block.number, triggers)
      logger.debug('block taken in', { block: block.number, triggers: triggers.length, cluster: seat.cluster })
    }
    // A block that changes the registry may bring somebody to ask.
    if (triggers.length > 0 || registryChanges.length > 0) {
      this.#fetcher.wake(changes.flatMap((change) => (change.type === 'synced' ? [change.want.key] : [])))
    }
  }

  /** Of a block long past the chain may list no more. */
  #isComparisonDue({ number }: BlockRef): boolean {
    return this.#comparison.isDue && number >= this.#parts.chain.finalised().number
  }

  /** Not while a seat is still being taken, and what is wanted for it written: an exchange of the former one may end. */
  get #isInSetup(): boolean {
    return this.#life.state === 'setup' && this.#cursor >= 0
  }

  async #setupMayBeDone(): Promise<void> {
    const { store, logger } = this.#parts
    if (!this.#isInSetup || store.counts().wants > 0) return
    const isDone = await store.markSetupDone()
    // Meanwhile the seat may be lost, or this may have been told by another exchange that has ended.
    if (!isDone || !this.#isInSetup) return
    logger.info('setup is complete', { shares: store.counts().shares.secret + store.counts().shares.capsule })
    this.#take('setup complete')
  }

  /**
   * How it has come to be in its seat.
   * @param isKept whether what its folder holds is of this seat.
   * @param isDone whether that was complete once.
   */
  #seated(isKept: boolean, isDone: boolean): ArrowName {
    const { state } = this.#life
    if (state === 'off') return isDone ? 'started again' : 'started in setup'
    if (state === 'unregistered') return isDone ? 'registered again' : 'registered'
    return isKept ? 'stayed' : 'moved'
  }

  #take(arrow: ArrowName): void {
    this.#life.take(arrow)
    this.#parts.logger.debug('life cycle', { arrow, state: this.#life.state })
  }

  /** Whether a block that is being caught up with put this enclave into another seat. */
  async #hadMoved(block: BlockRef, seat: EnclaveSeat, signal: AbortSignal): Promise<boolean> {
    const { chain, signer } = this.#parts
    const then = (await chain.registryAt(block, { signal })).seatOf(signer.account)
    return then !== undefined && !sameSeat(then, seat)
  }

  #moveTo(cursor: BlockNumber): void {
    this.#cursor = cursor
    this.#progress.emit('moved')
    this.#fetcher.reached(cursor)
  }

  #seat(): EnclaveSeat | undefined {
    return this.#parts.chain.registry().seatOf(this.#parts.signer.account)
  }
}

const ARROW_OF = {
  synced: 'synced',
  'key-update': 'to be synced anew',
  removed: 'burned',
} as const satisfies Record<Trigger['type'], ArrowName>

function changesFor(trigger: Trigger, block: BlockNumber, since: number): BlockChange[] {
  // The chain itself keeps a version that is being replaced from being given out; the next one has its own trigger.
  if (trigger.type === 'key-update') return []
  const key = { kind: trigger.kind, nftId: trigger.nftId }
  if (trigger.type === 'removed') return [{ type: 'removed', key }]
  return [{ type: 'synced', want: { key, minimumVersion: block, asOf: 0, origin: trigger.cluster, since } }]
}

function isFor(identity: Identity, genesisHash: string, seat: EnclaveSeat): boolean {
  return (
    identity.genesisHash === genesisHash &&
    identity.account === seat.account &&
    sameSeat({ ...seat, ...identity.seat }, seat)
  )
}

function sameSeat(one: EnclaveSeat | undefined, other: EnclaveSeat): boolean {
  return one !== undefined && one.cluster === other.cluster && one.slot === other.slot
}

/** The highest block below which no share is missing; 0 until the first setup is complete. */
export async function syncedBlock(store: Pick<Store, 'cursor' | 'lowestWanted'>): Promise<BlockNumber> {
  const cursor = (await store.cursor()) ?? 0
  const lowest = store.lowestWanted()
  return lowest === undefined ? cursor : Math.max(0, Math.min(cursor, lowest - 1))
}
