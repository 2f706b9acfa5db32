import { randomBytes } from 'node:crypto'
import { toHex, zero } from '../crypto/index.js'
import { type BlockNumber, type ShareKey, SlotmeshError } from '../domain/index.js'
import { numberOf } from '../inventory/index.js'
import type { LogId, ProvenanceLeaf } from '../provenance/index.js'
import {
  IDENTITY,
  IDENTITY_COPY,
  PAYLOADS,
  PENDING,
  PLACES,
  PROGRESS,
  payloadPagesOf,
  VIEWS,
  WANTS,
} from './records.js'
import type { Tally } from './tally.js'
import type { Transaction } from './transaction.js'
import type { Identity, PendingShare, SharePlace, View, Want } from './types.js'
import { doubtOf, joined, satisfies } from './wants.js'

/** Of one share; whoever may ask for it can do so any number of times. */
const VIEWS_KEPT = 64

/** Where a share that is being stored comes from. */
interface Provenance {
  readonly log: LogId
  readonly origin: number
  readonly index: number
  readonly size: number
}

/**
 * The words in which the store's writers speak: records change together, and what they change is counted. Of the shares that
 * are spoken of all is to be loaded first.
 */
export class Changes {
  readonly transaction: Transaction
  readonly #counted: ((tally: Tally) => void)[] = []
  /** What is counted by the thousand; without a function for each. */
  readonly #shares: { readonly key: ShareKey; readonly version: BlockNumber; readonly step: 1 | -1 }[] = []
  readonly #wants: { readonly want: Omit<Want, 'key'>; readonly step: 1 | -1 }[] = []
  /** Of each capsule that was touched, the version of which it was not known whether it is the newest, if it was so. */
  readonly #unsure = new Map<number, { readonly key: ShareKey; readonly before: BlockNumber | undefined }>()
  /** Keys under which something has gone, or may have. */
  readonly #left = new Map<number, ShareKey>()

  constructor(transaction: Transaction) {
    this.transaction = transaction
  }

  /** Reads what there is of these shares, and what the store says of itself: all else here asks for nothing but that. */
  async load(keys: readonly ShareKey[]): Promise<void> {
    const { transaction } = this
    for (const table of [IDENTITY, PROGRESS]) await transaction.preload<undefined>(table, [undefined])
    for (const table of [WANTS, PLACES, PENDING, VIEWS]) await transaction.preload<ShareKey>(table, keys)
  }

  /** Takes what was changed into account; for when it is written, after {@link conclude}. */
  count(tally: Tally): void {
    for (const step of this.#counted) step(tally)
    for (const { key, version, step } of this.#shares) tally.share(key, version, step)
    for (const { want, step } of this.#wants) tally.want(want, step)
  }

  /** To be called when all is changed that there is to change. */
  conclude(): void {
    for (const { key, before } of this.#unsure.values()) {
      const after = this.#unsureVersion(key)
      if (after === before) continue
      if (before !== undefined) this.#counted.push((tally) => tally.unsure(before, -1))
      if (after !== undefined) this.#counted.push((tally) => tally.unsure(after, 1))
    }
    for (const key of this.#left.values()) this.#forgetViews(key)
  }

  /**
   * To be called where something of a share has gone; also where it may have gone before, without anybody's having said so,
   * as in a folder that the host has damaged.
   */
  left(key: ShareKey): void {
    this.#left.set(numberOf(key), key)
  }

  /** The log of a share goes with the last that there is of it: what is handed over anew has a log of its own. */
  #forgetViews(key: ShareKey): void {
    const { transaction } = this
    if (!transaction.has(VIEWS, key) || transaction.has(WANTS, key) || this.isKept(key)) return
    transaction.delete(VIEWS, key)
  }

  /** Whether it is held, or pending. */
  isKept(key: ShareKey): boolean {
    return this.transaction.has(PLACES, key) || this.transaction.has(PENDING, key)
  }

  /** Of more than some dozens the oldest goes. */
  addView(key: ShareKey, view: View): void {
    const views = this.transaction.known(VIEWS, key) ?? []
    this.transaction.put(VIEWS, key, [...views, view].slice(-VIEWS_KEPT))
  }

  /** To be called before the place or the want of a share is changed. */
  #touch(key: ShareKey): void {
    // A secret has one version only.
    if (key.kind === 'secret') return
    const share = numberOf(key)
    if (this.#unsure.has(share)) return
    this.#unsure.set(share, { key, before: this.#unsureVersion(key) })
  }

  #unsureVersion(key: ShareKey): BlockNumber | undefined {
    const want = this.transaction.known(WANTS, key)
    if (want === undefined || want.asOf === 0) return undefined
    const held = this.transaction.known(PLACES, key)
    return held !== undefined && doubtOf({ key, ...want }, held) === 'unsure' ? held.version : undefined
  }

  /** @throws SlotmeshError `store/no-seat`. */
  identity(): Identity {
    const identity = this.transaction.known(IDENTITY, undefined)
    if (identity !== undefined) return identity
    throw new SlotmeshError(
      'store/no-seat',
      'The store has no seat yet, so it takes no shares and no blocks; begin its setup first.',
    )
  }

  putIdentity(identity: Identity): void {
    this.transaction.put(IDENTITY, undefined, identity)
    this.transaction.put(IDENTITY_COPY, undefined, identity)
  }

  /** Own shares go into a new log from here on; those of the former one stay, as replicas. */
  beginIncarnation(): void {
    const identity = this.identity()
    this.putIdentity({ ...identity, incarnation: toHex(new Uint8Array(randomBytes(16))) })
    const progress = this.transaction.known(PROGRESS, undefined)
    if (progress !== undefined) this.transaction.put(PROGRESS, undefined, { ...progress, logSize: 0 })
  }

  /** In place of the version held, if one is. @param held that version. */
  putShare(leaf: ProvenanceLeaf, payload: Uint8Array, provenance: Provenance, held: SharePlace | undefined): void {
    const key: ShareKey = { kind: leaf.kind, nftId: leaf.nftId }
    if (held !== undefined) this.#removeHeld(key, held)
    const { version, payloadHash } = leaf
    const { log, origin, index, size } = provenance
    const place: SharePlace = { version, origin, log, index, size, payloadHash, bytes: payload.length }
    this.#touch(key)
    this.transaction.put(PLACES, key, place)
    const pages = payloadPagesOf(place)
    if (pages !== undefined) this.transaction.put(pages, key, payload)
    else this.transaction.put(PAYLOADS, { key, version }, payload)
    this.#shares.push({ key, version, step: 1 })
  }

  /** Its leaf stays in its log, so that its neighbours can still be proved. */
  removeShare(key: ShareKey): void {
    const held = this.held(key)
    if (held !== undefined) this.#removeHeld(key, held)
  }

  #removeHeld(key: ShareKey, held: SharePlace): void {
    this.#touch(key)
    this.transaction.delete(PLACES, key)
    const pages = payloadPagesOf(held)
    if (pages !== undefined) this.transaction.delete(pages, key)
    else this.transaction.delete(PAYLOADS, { key, version: held.version })
    this.left(key)
    this.#shares.push({ key, version: held.version, step: -1 })
  }

  /** What the chain removed with this block; what is newer, as when blocks are taken in once more, stays. */
  removeAsOf(block: BlockNumber, key: ShareKey): void {
    const held = this.transaction.known(PLACES, key)
    if (held !== undefined && held.version <= block) this.removeShare(key)
    this.dropPendingAsOf(block, key)
    const want = this.transaction.known(WANTS, key)
    if (want !== undefined && want.minimumVersion <= block) this.closeWant(key)
    this.left(key)
  }

  /**
   * Together with the want of the same key, if one is open: neither asks for less than before.
   *
   * @returns false when the share held already satisfies it.
   */
  openWant(want: Want): boolean {
    if (this.isSatisfied(want)) return false
    const open = this.transaction.known(WANTS, want.key)
    this.#putWant(open === undefined ? want : joined(open, want), open)
    return true
  }

  /** In place of the one that is open for the share that is held, which asks for less now. */
  narrowWant(want: Want): void {
    this.#putWant(want, this.transaction.known(WANTS, want.key))
  }

  /** Opens a want of the share held itself, to be proved anew; see {@link isProofWanted}. */
  wantProof(want: Want): void {
    const held = this.transaction.known(PLACES, want.key)
    const { version: minimumVersion, origin } = held ?? { version: want.minimumVersion, origin: want.origin }
    this.#putWant({ ...want, minimumVersion, origin }, this.transaction.known(WANTS, want.key))
  }

  /** @param open what is open for the same share. */
  #putWant(want: Want, open: Omit<Want, 'key'> | undefined): void {
    this.#touch(want.key)
    if (open !== undefined) this.closeWant(want.key, open)
    this.transaction.put(WANTS, want.key, want)
    this.#wants.push({ want, step: 1 })
  }

  held(key: ShareKey): SharePlace | undefined {
    return this.transaction.known(PLACES, key)
  }

  /** In this version or a later one. */
  isHeld(key: ShareKey, minimumVersion: BlockNumber): boolean {
    const held = this.transaction.known(PLACES, key)
    return held !== undefined && held.version >= minimumVersion
  }

  /** Whether the share held ends the want. */
  isSatisfied(want: Want): boolean {
    const held = this.transaction.known(PLACES, want.key)
    return held !== undefined && satisfies(want, held.version, 0)
  }

  /** @param open what is open for the share, where that was looked at just now. */
  closeWant(key: ShareKey, open: Omit<Want, 'key'> | undefined = this.transaction.known(WANTS, key)): void {
    if (open === undefined) return
    this.#touch(key)
    this.transaction.delete(WANTS, key)
    this.left(key)
    this.#wants.push({ want: open, step: -1 })
  }

  /** In place of one that is pending already. */
  putPending(share: PendingShare): void {
    this.dropPending(share.key)
    const { cursor } = this.progress()
    this.transaction.put(PENDING, share.key, { ...share, after: cursor, isDoubtful: false })
    this.#counted.push((tally) => tally.pending(1, false))
  }

  /** @throws SlotmeshError `store/tampered`. */
  progress(): { cursor: BlockNumber; logSize: number } {
    const progress = this.transaction.known(PROGRESS, undefined)
    if (progress === undefined) throw this.transaction.tampered(PROGRESS, undefined)
    return progress
  }

  /**
   * The pending share that this block has synced. Undefined when none is; when it was handed over after that block, or
   * before another that has synced the key; when it is doubtful.
   */
  pendingFor(block: BlockNumber, key: ShareKey): Uint8Array | undefined {
    const pending = this.transaction.known(PENDING, key)
    if (pending === undefined) return undefined
    const isOfRound = pending.after < block && !this.#wasSyncedAfter(pending.after, key)
    if (isOfRound && !pending.isDoubtful) return pending.payload
    zero(pending.payload)
    return undefined
  }

  /** Drops what is pending since before this block, which has ended its round. */
  dropPendingAsOf(block: BlockNumber, key: ShareKey): void {
    const pending = this.transaction.known(PENDING, key)
    if (pending === undefined) return
    zero(pending.payload)
    if (pending.after < block) this.dropPending(key)
  }

  /** As `dropPendingAsOf`, where the own cluster has ended the round: what is doubtful may be the only copy. */
  dropOwnPendingAsOf(block: BlockNumber, key: ShareKey): void {
    const pending = this.transaction.known(PENDING, key)
    if (pending === undefined) return
    zero(pending.payload)
    if (!pending.isDoubtful || this.#wasSyncedAfter(pending.after, key)) this.dropPendingAsOf(block, key)
  }

  #wasSyncedAfter(block: BlockNumber, key: ShareKey): boolean {
    const [held, want] = [this.transaction.known(PLACES, key), this.transaction.known(WANTS, key)]
    return Math.max(held?.version ?? 0, want?.minimumVersion ?? 0) > block
  }

  dropPending(key: ShareKey): void {
    const dropped = this.transaction.known(PENDING, key)
    if (dropped === undefined) return
    zero(dropped.payload)
    this.transaction.delete(PENDING, key)
    this.left(key)
    this.#counted.push((tally) => tally.pending(-1, dropped.isDoubtful))
  }
}
