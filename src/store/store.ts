import { sha256, zero } from '../crypto/index.js'
import {
  abortable,
  type BlockHash,
  type BlockNumber,
  type ClusterId,
  type Logger,
  type NftId,
  type ShareKey,
  SlotmeshError,
} from '../domain/index.js'
import { type HeldShares, numberOf, ShareSet } from '../inventory/index.js'
import {
  type ForkEvidence,
  gatherFork,
  type LogHead,
  type LogId,
  lookupIn,
  type NodeLookup,
  type NodePosition,
  type ShareRun,
  type VerifiedRun,
  verifyFork,
} from '../provenance/index.js'
import { Changes } from './changes.js'
import type { SealedDatabase } from './database.js'
import { missedVersion } from './missed.js'
import { type HeadSigner, logOf, OwnLog } from './own-log.js'
import { ForkError, nextParts, type PutRun, type RunPart, type RunProvider, WaitingRun } from './putting.js'
import {
  ALTERED,
  COLLATERAL,
  COLLATERAL_FLOORS,
  FORKS,
  HEADS,
  IDENTITY,
  logText,
  NEWEST,
  NODES,
  PENDING,
  PLACES,
  PROGRESS,
  SECRETS,
  SETUP_DONE,
  VIEWS,
  WANTS,
} from './records.js'
import { openFolder } from './reseal.js'
import { salvage } from './salvage.js'
import { headOf, type Located, openShare, runsOf } from './serving.js'
import { Tally } from './tally.js'
import type {
  BlockChange,
  Identity,
  KeptPending,
  PendingShare,
  SecretName,
  SharePlace,
  StoreCounts,
  StoredShare,
  StoreIntegrity,
  View,
  Want,
} from './types.js'
import { doubtOf, isProofWanted, satisfies } from './wants.js'

/** Of those held of a log, the smallest first that cover what differs: the node was stored with one of them. */
const HEADS_TRIED = 256

const COLLATERALS_KEPT = 64

/** Capsules of which it is found out in one go whether they are the newest. */
const CAPSULES_PER_STEP = 256

/** Of a setup; one write takes no more than some 1.8 million. */
const SETUP_WANTS_PER_WRITE = 4_096

/** Logs of views that are looked at in one write of a setup, with whatever is kept of their shares. */
const SETUP_VIEWS_PER_WRITE = 1_024

/** Shares that are appended to the own log in one write. */
const VOUCHED_PER_WRITE = 1_024

/** Of a block. */
const CHANGES_PER_WRITE = 256

/** Evidence of more forks than this is not kept: an origin can make any number, and must not hide those of others so. */
const FORKS_KEPT = 1_024
const FORKS_KEPT_OF_ACCOUNT = 8

/**
 * Opens the sealed store in a folder, which is made when absent. A folder is for one thread: worker threads do not see
 * that another one has it open.
 *
 * @param options.sealingKey 32 bytes; copied, so the caller may zero it.
 * @throws SlotmeshError `store/locked` (another node uses the folder), `store/wrong-key`, `store/older-format`,
 * `store/unreadable`, `store/tampered`; RangeError when the key is not 32 bytes.
 */
export async function openStore(options: { location: string; sealingKey: Uint8Array; logger: Logger }): Promise<Store> {
  const database = await openFolder(options.location, options.sealingKey)
  try {
    // Also when what follows was cut short the last time.
    const isAltered = (await database.get(ALTERED, undefined)) !== undefined
    const { broken, unproved } = isAltered ? await salvage(database) : { broken: 0, unproved: [] }
    if (isAltered) {
      const fields = { records: database.dropped, shares: broken, unproved: unproved.length }
      options.logger.warn('the folder is not as this node left it: what is missing is fetched again', fields)
    }
    const tally = new Tally()
    for await (const [key, { version }] of database.entries(PLACES)) tally.share(key, version, 1)
    for await (const [, { payload, isDoubtful }] of database.entries(PENDING)) {
      zero(payload)
      tally.pending(1, isDoubtful)
    }
    await countWants(database, tally)
    const { shares, wants, pending } = tally.counts()
    const forks = new Map<string, ForkEvidence>()
    for await (const [log, evidence] of database.entries(FORKS)) forks.set(logText(log), evidence)
    options.logger.info('Store opened', { ...shares, wants, pending, forks: forks.size })
    return new Store(database, tally, forks, isAltered ? unproved : undefined)
  } catch (thrown) {
    await database.close()
    throw thrown
  }
}

/**
 * Everything that a node keeps: its secrets, its seat, the shares of its slot with their provenance, what is still
 * wanted, and how far it has followed the chain. Each writing call is one atomic write, on disk when it resolves
 * ({@link Store.beginSetup} and {@link Store.applyBlock} may be several, of which the last one counts, and so may
 * {@link Store.putRun}, of which each counts for its shares); one that throws has changed nothing else, as long as the disk
 * takes what is written; see {@link Store.failed}. Any call can throw `store/tampered` or `store/unreadable` where
 * a record does not open, and `store/closed` after {@link Store.close}.
 */
export class Store {
  readonly #database: SealedDatabase
  readonly #tally: Tally
  readonly #forks: Map<string, ForkEvidence>
  readonly #wasAltered: boolean
  /** Runs that are to be put by a later write. */
  readonly #waiting: WaitingRun[] = []
  /** Of an altered folder: shares that cannot be proved, until the setup has begun anew. */
  #unproved: readonly ShareKey[]
  /** Whether shares are pending since before the start, and nothing was vouched for after it. */
  #carriesPending: boolean

  /** @param unproved when the folder was altered. */
  constructor(
    database: SealedDatabase,
    tally: Tally,
    forks: Map<string, ForkEvidence>,
    unproved: readonly ShareKey[] | undefined,
  ) {
    this.#database = database
    this.#tally = tally
    this.#forks = forks
    this.#wasAltered = unproved !== undefined
    this.#unproved = unproved ?? []
    this.#carriesPending = tally.counts().pending > 0
  }

  /** @returns a copy for the caller to zero. */
  secret(name: SecretName): Promise<Uint8Array | undefined> {
    return this.#database.get(SECRETS, name)
  }

  putSecret(name: SecretName, value: Uint8Array): Promise<void> {
    return this.#database.putSecret(name, value)
  }

  /** Attestation collateral that was kept under a name; it outlives the seat. */
  async collateral(name: string): Promise<string | undefined> {
    return (await this.#database.get(COLLATERAL, name))?.text
  }

  /**
   * Keeps collateral, by the kind of platform or by what is the newest in it; of more than some dozens, what was kept the
   * longest ago goes.
   *
   * @param keptAt Unix ms.
   */
  putCollateral(name: string, text: string, keptAt: number): Promise<void> {
    return this.#database.transact(async (transaction) => {
      const others: string[] = []
      for await (const other of this.#database.keys(COLLATERAL)) if (other !== name) others.push(other)
      if (others.length >= COLLATERALS_KEPT) {
        const kept = await this.#database.getMany(COLLATERAL, others)
        const ages = new Map(others.map((other, at) => [other, kept[at]?.keptAt ?? 0]))
        others.sort((one, other) => (ages.get(other) ?? 0) - (ages.get(one) ?? 0))
        for (const oldest of others.slice(COLLATERALS_KEPT - 1)) transaction.delete(COLLATERAL, oldest)
      }
      transaction.put(COLLATERAL, name, { text, keptAt })
    })
  }

  /** The newest collateral that was seen, of which none older is taken; it outlives collateral and seat. */
  collateralFloors(): Promise<string | undefined> {
    return this.#database.get(COLLATERAL_FLOORS, undefined)
  }

  putCollateralFloors(text: string): Promise<void> {
    return this.#database.transact(async (transaction) => transaction.put(COLLATERAL_FLOORS, undefined, text))
  }

  /**
   * Aborts, with the error as its reason, when the disk has refused a write; every call throws that error then. Whatever
   * uses the store is to end, and the folder to be opened anew: the next start finds all that was acknowledged.
   */
  get failed(): AbortSignal {
    return this.#database.failed
  }

  /** Whether the folder was as this node had left it, when it was opened; and what is doubtful still. */
  integrity(): StoreIntegrity {
    const { sequence, dropped, replaced, damaged } = this.#database
    const state = this.#wasAltered ? 'altered' : 'whole'
    return {
      state,
      sequence,
      dropped,
      doubtful: this.#tally.doubtful,
      ...(replaced && { replaced }),
      ...(damaged && { damaged }),
    }
  }

  /** Whether the setup has to begin anew, keeping what is held, since the folder was altered. */
  async isAltered(): Promise<boolean> {
    return (await this.#database.get(ALTERED, undefined)) !== undefined
  }

  /** Of these shares, those that are neither held nor wanted, and how many are held. */
  async compare(keys: readonly ShareKey[]): Promise<{ lacking: ShareKey[]; held: number }> {
    // In this order: what is stored in between has had a want, and has a place after that.
    const wants = await this.#database.getMany(WANTS, keys)
    const places = await this.#database.getMany(PLACES, keys)
    const lacking = keys.filter((_, at) => places[at] === undefined && wants[at] === undefined)
    return { lacking, held: places.filter((place) => place !== undefined).length }
  }

  /** Erases shares that there are no more as of a block that is taken in; what is newer stays. */
  eraseShares(block: BlockNumber, keys: readonly ShareKey[]): Promise<void> {
    return this.#write((changes) => {
      for (const key of keys) changes.removeAsOf(block, key)
    }, keys)
  }

  /** Opens wants that nothing held satisfies. */
  openWants(wants: readonly Want[]): Promise<void> {
    return this.#write(
      (changes) => {
        changes.identity()
        for (const want of wants) changes.openWant(want)
      },
      wants.map(({ key }) => key),
    )
  }

  /** Undefined while the folder has no seat: nothing but secrets is held then. */
  identity(): Promise<Identity | undefined> {
    return this.#database.get(IDENTITY, undefined)
  }

  /** The last block taken in. */
  async cursor(): Promise<BlockNumber | undefined> {
    return (await this.#database.get(PROGRESS, undefined))?.cursor
  }

  /**
   * From which block on an altered folder takes the chain in again: its cursor, or where that is lost, a block before
   * anything that is pending can have been synced. Undefined when there is neither.
   */
  async resumePoint(): Promise<BlockNumber | undefined> {
    const cursor = await this.cursor()
    if (cursor !== undefined) return cursor
    let first: BlockNumber | undefined
    for await (const [, { after, payload }] of this.#database.entries(PENDING)) {
      zero(payload)
      first = Math.min(first ?? after, after)
    }
    return first
  }

  async isSetupDone(): Promise<boolean> {
    return (await this.#database.get(SETUP_DONE, undefined)) ?? false
  }

  /** @returns false while a want is open: the setup is not complete then, and nothing is marked. */
  markSetupDone(): Promise<boolean> {
    return this.#write((changes) => {
      changes.identity()
      // Here, as another setup may have been begun by the write before this one.
      if (this.#tally.counts().wants > 0) return false
      changes.transaction.put(SETUP_DONE, undefined, true)
      return true
    })
  }

  /**
   * In an altered folder: appends own shares whose proofs are lost to a log that is new, before the setup begins. Safe to
   * call again, with yet another log, where it was cut short.
   *
   * @param identity with the new incarnation.
   * @param cursor as the setup will have it.
   * @returns how many there were.
   * @throws SlotmeshError `store/other-seat`, `store/no-seat`.
   */
  async vouchAnew(identity: Identity, cursor: BlockNumber, signHead: HeadSigner): Promise<number> {
    const own: ShareKey[] = []
    for (const key of this.#unproved) {
      const place = await this.place(key)
      if (place?.log.account === identity.account && place.origin === identity.seat.cluster) own.push(key)
    }
    for (let from = 0; from < own.length; from += VOUCHED_PER_WRITE) {
      const step = own.slice(from, from + VOUCHED_PER_WRITE)
      await this.#write((changes) => this.#append(changes, identity, cursor, step, signHead), step)
    }
    const vouched = new Set(own)
    this.#unproved = this.#unproved.filter((key) => !vouched.has(key))
    return own.length
  }

  async #append(
    changes: Changes,
    identity: Identity,
    cursor: BlockNumber,
    keys: readonly ShareKey[],
    signHead: HeadSigner,
  ): Promise<void> {
    const { transaction } = changes
    const former = changes.identity()
    if (!sameSeat(former, identity)) throw otherSeatError(former)
    const size = (await transaction.get(NEWEST, logOf(identity))) ?? 0
    const log = await OwnLog.read(this.#database, transaction, identity, size)
    for (const key of keys) {
      const place = transaction.known(PLACES, key)
      if (place === undefined) throw transaction.tampered(PLACES, key)
      const { version, payloadHash } = place
      const index = log.append({ ...key, version, payloadHash })
      transaction.put(PLACES, key, { ...place, log: log.id, index, size: size + keys.length })
    }
    log.sign(signHead)
    changes.putIdentity(identity)
    transaction.put(PROGRESS, undefined, { cursor, logSize: log.size })
  }

  /**
   * Begins the setup, over again if need be: seat, cursor and wants are replaced. Shares already held stay (those of
   * the same seat only), and one that satisfies its want is not wanted again, unless it cannot be proved any more. Logs of
   * views go that are of nothing any more. Of many wants it is several writes, the last of which has seat and cursor: cut
   * short before that, no setup has begun, and the wants that are open already are closed or opened anew by the next.
   *
   * @throws SlotmeshError `store/other-seat` when the folder is another seat's, and not erased.
   */
  async beginSetup(
    identity: Identity,
    cursor: BlockNumber,
    wants: Iterable<Want> | AsyncIterable<Want>,
  ): Promise<void> {
    const wanted = new ShareSet()
    let step: Want[] = []
    for await (const want of wants) {
      wanted.add(want.key)
      step.push(want)
      if (step.length < SETUP_WANTS_PER_WRITE) continue
      await this.#write(
        (changes) => {
          formerIdentity(changes, identity)
          this.#wantAnew(changes, step)
        },
        step.map(({ key }) => key),
      )
      step = []
    }
    // Of a share that the host has taken away nobody has said that it is gone.
    let unlisted: ShareKey[] = []
    for await (const key of this.#database.keys(VIEWS)) {
      if (wanted.has(key) || unlisted.push(key) < SETUP_VIEWS_PER_WRITE) continue
      await this.#write((changes) => {
        formerIdentity(changes, identity)
        for (const key of unlisted) changes.left(key)
      }, unlisted)
      unlisted = []
    }
    await this.#write(async (changes) => {
      const { transaction } = changes
      const former = formerIdentity(changes, identity)
      const stale: ShareKey[] = []
      for await (const { key } of this.wants()) if (!wanted.has(key)) stale.push(key)
      await changes.load([...stale, ...unlisted, ...step.map(({ key }) => key)])
      for (const key of stale) changes.closeWant(key)
      for (const key of [...stale, ...unlisted]) changes.left(key)
      this.#wantAnew(changes, step)
      changes.putIdentity(identity)
      const progress = transaction.known(PROGRESS, undefined)
      const logSize = former?.incarnation === identity.incarnation ? (progress?.logSize ?? 0) : 0
      transaction.put(PROGRESS, undefined, { cursor, logSize })
      transaction.delete(SETUP_DONE, undefined)
      transaction.delete(ALTERED, undefined)
    })
  }

  /** In place of those that are open for the same shares. */
  #wantAnew(changes: Changes, wants: readonly Want[]): void {
    const { transaction } = changes
    const unproved = new Set(this.#unproved.map(numberOf))
    for (const want of wants) {
      const open = transaction.known(WANTS, want.key)
      changes.closeWant(want.key, open)
      // In which block a share was synced that is not here, no block that is still to be taken in says; nor does anybody
      // else, where it is given in an older version by one who knew of it. A want that the host has brought back asks for less.
      const { minimumVersion, origin } = open?.origin === undefined ? want : open
      const isBehind = origin !== undefined && !changes.isHeld(want.key, minimumVersion)
      if (isBehind) changes.openWant({ ...want, minimumVersion, origin })
      else if (unproved.has(numberOf(want.key))) changes.wantProof(want)
      else changes.openWant(want)
    }
  }

  /**
   * Takes in one finalised block, its changes in event order. One that was taken in before, as after the cursor was lost,
   * undoes nothing that later ones have brought. Own shares that became synced are appended to the own
   * provenance log, whose new head `signHead` signs. One that is not here was here once, or it could not have been
   * confirmed: so the folder was set back, and a new log is begun before the old one can be forked. So it is before a share
   * is vouched for that was pending when the folder was opened: had the folder been set back, another one may stand in its
   * place in the old log.
   *
   * A block of very many changes is several writes, the last of which has the cursor and all that is of own shares: cut
   * short before that, it is taken in once more.
   *
   * @returns the own shares that are not here and are wanted from others now.
   * @throws SlotmeshError `store/cursor` when the block is not after the cursor, `store/no-seat` before the setup.
   */
  async applyBlock(
    block: BlockNumber,
    blockChanges: readonly BlockChange[],
    signHead: HeadSigner,
  ): Promise<{ missingOwn: ShareKey[] }> {
    const left = await this.#applyMany(block, blockChanges)
    const { missingOwn, isPending } = await this.#write(async (changes) => {
      const { transaction } = changes
      const { isMissing, isPending } = ownSynced(changes, block, left)
      if (isMissing || (isPending && this.#carriesPending)) changes.beginIncarnation()
      const identity = changes.identity()
      const progress = changes.progress()
      requireAfter(progress.cursor, block)

      const missingOwn: ShareKey[] = []
      let log: OwnLog | undefined
      const appended: ShareKey[] = []
      for (const change of left) {
        if (change.type === 'removed' || change.want.origin !== identity.seat.cluster) {
          applyOther(changes, block, change)
          continue
        }
        const { key } = change.want
        const payload = changes.pendingFor(block, key)
        if (payload === undefined) {
          // The round has ended for which a share may be pending here.
          changes.dropOwnPendingAsOf(block, key)
          if (changes.openWant(change.want)) missingOwn.push(key)
          continue
        }
        try {
          log ??= await OwnLog.read(this.#database, transaction, identity, progress.logSize)
          const leaf = { ...key, version: block, payloadHash: sha256(payload) }
          const index = log.append(leaf)
          const provenance = { log: log.id, origin: identity.seat.cluster, index, size: log.size }
          changes.putShare(leaf, payload, provenance, changes.held(key))
        } finally {
          zero(payload)
        }
        changes.dropPending(key)
        changes.closeWant(key)
        appended.push(key)
      }
      log?.sign(signHead)
      const logSize = log?.size ?? progress.logSize
      // Only the last of the block's leaves was appended at the size that is now signed.
      for (const key of appended) {
        const place = transaction.known(PLACES, key)
        if (place !== undefined) transaction.put(PLACES, key, { ...place, size: logSize })
      }
      transaction.put(PROGRESS, undefined, { cursor: block, logSize })
      return { missingOwn, isPending }
    }, left.map(keyOfChange))
    // The log was begun by this process, and is nobody else's.
    if (isPending) this.#carriesPending = false
    return { missingOwn }
  }

  /**
   * Of a block of many changes, those of shares of which the own cluster has synced none: each is the same when it is made
   * once more, and a change of one share writes all that stand with it.
   *
   * @returns the changes that are left.
   */
  async #applyMany(block: BlockNumber, blockChanges: readonly BlockChange[]): Promise<readonly BlockChange[]> {
    if (blockChanges.length <= CHANGES_PER_WRITE) return blockChanges
    const cluster = (await this.identity())?.seat.cluster
    const own = new Set<number>()
    for (const change of blockChanges) {
      if (change.type === 'synced' && change.want.origin === cluster) own.add(numberOf(change.want.key))
    }
    const isOwn = (change: BlockChange) => own.has(numberOf(keyOfChange(change)))
    const others = blockChanges.filter((change) => !isOwn(change))
    for (let from = 0; from < others.length; from += CHANGES_PER_WRITE) {
      const step = others.slice(from, from + CHANGES_PER_WRITE)
      await this.#write((changes) => {
        requireAfter(changes.progress().cursor, block)
        for (const change of step) applyOther(changes, block, change)
      }, step.map(keyOfChange))
    }
    return blockChanges.filter(isOwn)
  }

  /**
   * Stores what is wanted of a run from a peer: a share for which a want is open, or a capsule newer than the one
   * held. Anything else in the run is ignored, so that a peer cannot plant what was not asked for nor roll a share
   * back. A want closes when its version is reached, and for a capsule when nothing newer can exist as of its block.
   *
   * A run of the own log that is longer than the log here says that the folder was set back to an older state: then a
   * new incarnation is begun at once, since to go on with this log would fork it.
   *
   * @param run every check of which has been made; its payloads stay the caller's to zero.
   * @param provider.newestAsOf the provider says that it gives nothing of which a newer version was synced at or below it.
   * @throws SlotmeshError `store/wrong-slot`; `store/fork` when the origin's log contradicts what is held of it, which
   * is kept as evidence: see {@link forks}.
   */
  async putRun(run: VerifiedRun, provider: RunProvider): Promise<PutRun> {
    const waiting = new WaitingRun(run, provider)
    this.#waiting.push(waiting)
    this.#putWaiting()
    try {
      return await waiting.isPut
    } catch (thrown) {
      if (thrown instanceof ForkError) await this.#keepFork(run, thrown.position)
      throw thrown
    }
  }

  /** Once for each run that waits: what has gathered by then is put in one write. */
  #putWaiting(): void {
    let parts: RunPart[] = []
    const work = async (changes: Changes) => {
      parts = nextParts(this.#waiting)
      await changes.load(parts.flatMap((part) => part.offered))
      const isAnyPending = this.#tally.counts().pending > 0
      for (const part of parts) await part.take(changes, isAnyPending)
    }
    this.#write(work).then(
      () => {
        // Of one that is too much for a write the rest comes next.
        const unfinished = parts.flatMap((part) => part.written() ?? [])
        if (unfinished.length > 0) this.#putAgain(unfinished)
      },
      (thrown: unknown) => {
        // Where it has not come to take any, one that waits is told.
        const runs = (parts.length > 0 ? parts : nextParts(this.#waiting)).map(({ waiting }) => waiting)
        if (runs.length === 1 || this.failed.aborted) {
          for (const run of runs) run.failed(thrown)
          return
        }
        // What is wrong with one of them is not to be the others' fault.
        for (const run of runs) run.isAlone = true
        this.#putAgain(runs)
      },
    )
  }

  /** Before all that wait. */
  #putAgain(runs: readonly WaitingRun[]): void {
    this.#waiting.unshift(...runs)
    for (const _run of runs) this.#putWaiting()
  }

  /** For each log that its origin was found to have forked, the proof; it outlives the seat. */
  forks(): readonly ForkEvidence[] {
    return [...this.#forks.values()]
  }

  /**
   * Keeps what an owner handed over until the chain calls it synced, in place of what was pending for the same key.
   *
   * @param view that is noted with it.
   * @throws SlotmeshError `store/no-seat` before the setup.
   */
  putPending(share: PendingShare, view?: View): Promise<void> {
    return this.#write(
      (changes) => {
        changes.identity()
        changes.putPending(share)
        if (view !== undefined) changes.addView(share.key, view)
      },
      [share.key],
    )
  }

  /** @returns the payload as a copy for the caller to zero. */
  async pending(key: ShareKey): Promise<KeptPending | undefined> {
    const pending = await this.#database.get(PENDING, key)
    if (pending === undefined) return undefined
    const { payload, confirmed, isDoubtful } = pending
    return { key, payload, confirmed, isDoubtful }
  }

  async *pendingShares(): AsyncGenerator<Omit<KeptPending, 'payload'>> {
    for await (const [key, { confirmed, isDoubtful, payload }] of this.#database.entries(PENDING)) {
      zero(payload)
      yield { key, confirmed, isDoubtful }
    }
  }

  /** Whether the own cluster has synced this very share, and it is pending here still; see {@link vouchForMissed}. */
  isMissed(key: ShareKey, payload: Uint8Array): Promise<boolean> {
    return this.#database.snapshot(async (reads) => (await missedVersion(reads, key, payload)) !== undefined)
  }

  /**
   * Vouches for a share that is doubtful, and that the own cluster has synced meanwhile: its owner has handed over the same
   * again. In a new log, as in {@link applyBlock}.
   *
   * @returns false when it is not doubtful, not synced, or another one: nothing is changed then.
   */
  async vouchForMissed(key: ShareKey, payload: Uint8Array, signHead: HeadSigner): Promise<boolean> {
    const isVouchedFor = await this.#write(
      async (changes) => {
        const { transaction } = changes
        const version = await missedVersion(transaction, key, payload)
        if (version === undefined) return false
        if (this.#carriesPending) changes.beginIncarnation()
        const identity = changes.identity()
        const { cursor, logSize } = changes.progress()
        const log = await OwnLog.read(this.#database, transaction, identity, logSize)
        const leaf = { ...key, version, payloadHash: sha256(payload) }
        const index = log.append(leaf)
        const provenance = { log: log.id, origin: identity.seat.cluster, index, size: log.size }
        changes.putShare(leaf, payload, provenance, changes.held(key))
        log.sign(signHead)
        transaction.put(PROGRESS, undefined, { cursor, logSize: log.size })
        changes.dropPending(key)
        const want = transaction.known(WANTS, key)
        if (want === undefined || satisfies({ key, ...want }, version, 0)) changes.closeWant(key)
        else changes.narrowWant({ key, ...want, origin: undefined })
        return true
      },
      [key],
    )
    if (isVouchedFor) this.#carriesPending = false
    return isVouchedFor
  }

  /** @returns false when the share is not pending (any more): nothing is changed then. */
  markConfirmed(key: ShareKey): Promise<boolean> {
    return this.#write(
      (changes) => {
        const pending = changes.transaction.known(PENDING, key)
        if (pending === undefined) return false
        changes.transaction.put(PENDING, key, { ...pending, confirmed: true })
        zero(pending.payload)
        return true
      },
      [key],
    )
  }

  dropPending(key: ShareKey): Promise<void> {
    return this.#write((changes) => changes.dropPending(key), [key])
  }

  /** Opens a held share and checks it against the hash that its origin vouched for. */
  share(key: ShareKey): Promise<StoredShare | undefined> {
    return this.#database.snapshot(async (reads) => {
      const place = await reads.get(PLACES, key)
      return place && openShare(this.#database, reads, { key, place })
    })
  }

  /**
   * As `share`, unless a newer version is known, or there may be one.
   *
   * @param options.unsureOf what this cluster sealed is given also where there may be a newer one.
   */
  newest(key: ShareKey, { unsureOf }: { readonly unsureOf?: ClusterId } = {}): Promise<StoredShare | undefined> {
    return this.#database.snapshot(async (reads) => {
      const [place, want] = [await reads.get(PLACES, key), await reads.get(WANTS, key)]
      if (place === undefined) return undefined
      const doubt = want === undefined ? 'proof' : doubtOf({ key, ...want }, place)
      const isGiven = doubt === 'proof' || (doubt === 'unsure' && place.origin === unsureOf)
      return isGiven ? openShare(this.#database, reads, { key, place }) : undefined
    })
  }

  /**
   * Notes that a share is given out; of more than some dozens the oldest goes. It goes with the share.
   *
   * @param options.signal also ends the wait for other writes, which may be long; what is given up is not noted.
   * @returns false when there is no such share (any more): nothing is noted then.
   * @throws SlotmeshError `store/no-seat`; the signal's reason.
   */
  putView(key: ShareKey, view: View, { signal }: { readonly signal: AbortSignal }): Promise<boolean> {
    const work = this.#write(
      (changes) => {
        signal.throwIfAborted()
        changes.identity()
        if (!changes.isKept(key)) return false
        changes.addView(key, view)
        return true
      },
      [key],
    )
    return abortable(work, signal)
  }

  /** The latest last; none where nobody has asked yet. */
  async views(key: ShareKey): Promise<readonly View[]> {
    return (await this.#database.get(VIEWS, key)) ?? []
  }

  /** As `share`, without opening the payload. */
  place(key: ShareKey): Promise<SharePlace | undefined> {
    return this.#database.get(PLACES, key)
  }

  /** Every share held, in the order of kinds and NFT ids; payloads stay sealed. */
  async *places(): AsyncGenerator<ShareKey & SharePlace> {
    for await (const [key, place] of this.#database.entries(PLACES)) yield { ...key, ...place }
  }

  async want(key: ShareKey): Promise<Want | undefined> {
    const want = await this.#database.get(WANTS, key)
    return want && { key, ...want }
  }

  /** Those of these keys for which a want is open. */
  async wantsOf(keys: readonly ShareKey[]): Promise<Want[]> {
    const found = await this.#database.getMany(WANTS, keys)
    return keys.flatMap((key, at) => {
      const want = found[at]
      return want === undefined ? [] : [{ key, ...want }]
    })
  }

  /** Every open want in the order of kinds and NFT ids, from a key on if given, without those that are to be skipped. */
  async *wants(options: WantsAsked = {}): AsyncGenerator<Want> {
    for await (const wants of this.wantPages(options)) yield* wants
  }

  /** As `wants`, some dozens at a time, as they are when they are given. */
  async *wantPages(options: WantsAsked = {}): AsyncGenerator<Want[]> {
    for await (const wants of this.#database.newestEntries(WANTS, options)) {
      yield wants.map(([key, want]) => ({ key, ...want }))
    }
  }

  /**
   * Ends wants of what is held and might not be the newest: whoever could know of a newer version has been asked. One that
   * cannot be proved to others is wanted further, for that alone.
   *
   * @param wants as they were when the others were asked; of one that is another by now nothing is changed.
   * @returns those that are closed.
   */
  settleUnsure(wants: readonly Want[]): Promise<Want[]> {
    const keys = wants.map(({ key }) => key)
    return this.#write((changes) => {
      const { transaction } = changes
      const closed: Want[] = []
      for (const want of wants) {
        const [open, held] = [transaction.known(WANTS, want.key), transaction.known(PLACES, want.key)]
        const isSame = open?.minimumVersion === want.minimumVersion && open.asOf === want.asOf
        if (!isSame || held === undefined || doubtOf(want, held) !== 'unsure') continue
        if (isProofWanted(open, held)) changes.narrowWant({ ...want, asOf: 0 })
        else {
          changes.closeWant(want.key)
          closed.push(want)
        }
      }
      return closed
    }, keys)
  }

  counts(): StoreCounts {
    return this.#tally.counts()
  }

  /** How many wants are open since when, Unix ms; it follows each write when that is on disk. */
  get wantsSince(): ReadonlyMap<number, number> {
    return this.#tally.wantsSince
  }

  /** Which shares are held in which versions, summed up in memory; it follows each write when that is on disk. */
  get held(): HeldShares {
    return this.#tally.held
  }

  /** The lowest version that an open want asks for: below it nothing is missing. */
  lowestWanted(): BlockNumber | undefined {
    return this.#tally.lowestWanted()
  }

  /** The lowest version held of a capsule of which there may be a newer one; undefined when there is no such. */
  lowestUnsure(): BlockNumber | undefined {
    return this.#tally.lowestUnsure()
  }

  /** The newest head held of a log, or the one of `size` leaves. */
  head(log: LogId, size?: number): Promise<LogHead | undefined> {
    return this.#database.snapshot((reads) => headOf(reads, log, size))
  }

  /** The NFT ids of the shares held of one kind, from `from` on, ascending, at most `limit`. */
  async heldFrom(from: ShareKey, limit: number): Promise<NftId[]> {
    const ids: NftId[] = []
    for await (const { kind, nftId } of this.#database.keys(PLACES, from)) {
      if (kind !== from.kind || ids.length === limit) break
      ids.push(nftId)
    }
    return ids
  }

  /**
   * Of the shares wanted, those held in at least the wanted version, as runs in the order of their logs. A run is
   * read and opened when it is asked for; its payloads are then the caller's to zero. It holds at most `maximumBytes`
   * of payload (a single share always fits), and is proved under the newest head held where that is possible.
   *
   * @param options.newestAsOf leaves out those of which a newer version may have been synced at or below this block, and
   * those of which a newer one is known or on its way.
   * @returns which of them are not held or left out, or were erased while the others were streamed.
   */
  runs(
    wanted: readonly { readonly key: ShareKey; readonly minimumVersion: BlockNumber }[],
    options: { readonly maximumBytes: number; readonly signal: AbortSignal; readonly newestAsOf?: BlockNumber },
  ): AsyncGenerator<ShareRun, { notHeld: ShareKey[] }> {
    const { newestAsOf } = options
    const mayGive = newestAsOf === undefined ? undefined : (held: readonly Located[]) => this.#newest(held, newestAsOf)
    return runsOf(this.#database, wanted, { ...options, mayGive })
  }

  /** For each share held, whether it may be given as the newest as of a block. */
  async #newest(held: readonly Located[], block: BlockNumber): Promise<boolean[]> {
    const keys = held.map(({ key }) => key)
    const { wants, pending } = this.counts()
    const open = wants === 0 ? [] : await this.#database.getMany(WANTS, keys)
    // Not opened: that there is one says enough. It may be synced already, in a block that is not taken in here yet.
    const next = pending === 0 ? [] : await this.#database.sealed(keys.map((key) => PENDING.encodeKey(key)))
    return held.map(({ key, place }, at) => {
      const want = open[at]
      const doubt = want && doubtOf({ key, ...want }, place)
      return doubt !== 'newer' && !(doubt === 'unsure' && place.version < block) && next[at] === undefined
    })
  }

  /** Erases everything but the node's secrets, for when it has lost its seat or got another. */
  async eraseAll(): Promise<void> {
    await this.#database.eraseSeat()
    this.#tally.clear()
  }

  /**
   * Copies the folder as it is sealed; writes wait meanwhile.
   *
   * @param to a folder that is not there yet.
   * @throws SlotmeshError `store/taken`, `store/changing`, `store/cannot-copy`; the signal's reason.
   */
  backUp(to: string, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return this.#database.copyFilesTo(to, signal)
  }

  /** Waits for the write at work, then gives the folder free. Safe to call twice. */
  close(): Promise<void> {
    return this.#database.close()
  }

  /** @param keys of all shares that the work speaks of, unless it loads them itself. */
  async #write<Result>(
    work: (changes: Changes) => Promise<Result> | Result,
    keys: readonly ShareKey[] = [],
  ): Promise<Result> {
    const { result } = await this.#database.transact(
      async (transaction) => {
        const changes = new Changes(transaction)
        await changes.load(keys)
        const result = await work(changes)
        changes.conclude()
        return { changes, result }
      },
      // What is asked of the counts is asked together with what is read.
      ({ changes }) => changes.count(this.#tally),
    )
    return result
  }

  /** Where no head held can be shown to contradict the run's, there is nothing to show to others. */
  async #keepFork({ head, nodes }: VerifiedRun, position: NodePosition | undefined): Promise<void> {
    const log: LogId = { account: head.account, incarnation: head.incarnation }
    const evidence = this.#hasRoomForFork(log)
      ? await this.#gatherFork(log, head, lookupIn(nodes), position)
      : undefined
    await this.#write((changes) => {
      // One's own: whatever the reason, the log can be trusted by nobody any more.
      if (logText(log) === logText(logOf(changes.identity()))) changes.beginIncarnation()
      if (evidence !== undefined) changes.transaction.put(FORKS, log, evidence)
    })
    if (evidence !== undefined) this.#forks.set(logText(log), evidence)
  }

  #hasRoomForFork(log: LogId): boolean {
    if (this.#forks.has(logText(log)) || this.#forks.size >= FORKS_KEPT) return false
    const ofAccount = this.forks().filter(({ branches }) => branches[0].head.account === log.account)
    return ofAccount.length < FORKS_KEPT_OF_ACCOUNT
  }

  async #gatherFork(
    log: LogId,
    head: LogHead,
    nodeAt: NodeLookup,
    position: NodePosition | undefined,
  ): Promise<ForkEvidence | undefined> {
    const { genesisHash } = (await this.identity()) ?? {}
    if (genesisHash === undefined) return undefined
    const heldNodeAt: NodeLookup = (at) => this.#database.get(NODES, { log, at })
    const least = position === undefined ? head.size : (position.index + 1) * 2 ** position.level
    let heads = 0
    for await (const name of this.#database.keys(HEADS, { log, size: least })) {
      heads += 1
      if (logText(name.log) !== logText(log) || heads > HEADS_TRIED) return undefined
      const held = await this.head(log, name.size)
      if (held === undefined || (position === undefined && held.size !== head.size)) continue
      const evidence = await gatherFork([held, head], position ?? { level: 0, index: 0 }, [heldNodeAt, nodeAt])
      if (convicts(genesisHash, evidence)) return evidence
    }
    return undefined
  }
}

async function countWants(database: SealedDatabase, tally: Tally): Promise<void> {
  let capsules: Want[] = []
  const countUnsure = async () => {
    const keys = capsules.map(({ key }) => key)
    for (const [at, held] of (await database.getMany(PLACES, keys)).entries()) {
      const want = capsules[at]
      if (held !== undefined && want && doubtOf(want, held) === 'unsure') tally.unsure(held.version, 1)
    }
    capsules = []
  }
  for await (const [key, want] of database.entries(WANTS)) {
    tally.want(want, 1)
    if (key.kind === 'capsule' && want.asOf > 0) capsules.push({ key, ...want })
    if (capsules.length === CAPSULES_PER_STEP) await countUnsure()
  }
  await countUnsure()
}

/** Which open wants are looked at. */
interface WantsAsked {
  /** The first; all by default. */
  readonly from?: ShareKey | undefined
  /** Those that are passed over. */
  readonly skips?: (key: ShareKey) => boolean
}

/** Of the own shares that the chain calls synced: whether one is pending, and whether one is neither pending nor held. */
function ownSynced(
  changes: Changes,
  block: BlockNumber,
  blockChanges: readonly BlockChange[],
): { isPending: boolean; isMissing: boolean } {
  const { seat } = changes.identity()
  let [isPending, isMissing] = [false, false]
  for (const change of blockChanges) {
    if (change.type === 'removed' || change.want.origin !== seat.cluster) continue
    const payload = changes.pendingFor(block, change.want.key)
    if (payload !== undefined) zero(payload)
    isPending ||= payload !== undefined
    isMissing ||= payload === undefined && !changes.isSatisfied(change.want)
  }
  return { isPending, isMissing }
}

/** A change that is not a share of the own cluster's being synced. */
function applyOther(changes: Changes, block: BlockNumber, change: BlockChange): void {
  if (change.type === 'removed') {
    changes.removeAsOf(block, change.key)
    return
  }
  // The round has ended for which a share may be pending here.
  changes.dropPendingAsOf(block, change.want.key)
  changes.openWant(change.want)
}

function requireAfter(cursor: BlockNumber, block: BlockNumber): void {
  if (block <= cursor) throw cursorError(block, cursor)
}

function keyOfChange(change: BlockChange): ShareKey {
  return change.type === 'removed' ? change.key : change.want.key
}

function sameSeat(one: Identity, other: Identity): boolean {
  return (
    one.genesisHash === other.genesisHash &&
    one.account === other.account &&
    one.seat.cluster === other.seat.cluster &&
    one.seat.slot === other.seat.slot
  )
}

/** Undefined where there is none. @throws SlotmeshError `store/other-seat` when it is of another seat than the new one. */
function formerIdentity({ transaction }: Changes, identity: Identity): Identity | undefined {
  const former = transaction.known(IDENTITY, undefined)
  if (former !== undefined && !sameSeat(former, identity)) throw otherSeatError(former)
  return former
}

function otherSeatError(former: Identity): SlotmeshError {
  return new SlotmeshError(
    'store/other-seat',
    `The store belongs to slot ${former.seat.slot} of cluster ${former.seat.cluster} of another time or chain: erase it before it is set up for a new seat.`,
  )
}

function cursorError(block: BlockNumber, cursor: BlockNumber): SlotmeshError {
  return new SlotmeshError(
    'store/cursor',
    `Block ${block} was to be taken in after block ${cursor}, but the store goes forward only: continue with a later block.`,
  )
}

function convicts(genesisHash: BlockHash, evidence: ForkEvidence): boolean {
  try {
    verifyFork(genesisHash, evidence)
    return true
  } catch (thrown) {
    if (thrown instanceof SlotmeshError) return false
    throw thrown
  }
}
