import { randomBytes } from 'node:crypto'
import { toHex, zero } from '../crypto/index.js'
import { type BlockNumber, type ShareKey, SlotmeshError, shareKeyText } from '../domain/index.js'
import type { LogId, ProvenanceLeaf } from '../provenance/index.js'
import {
  IDENTITY,
  IDENTITY_COPY,
  isSmall,
  PAYLOADS,
  PENDING,
  PLACES,
  PROGRESS,
  SMALL_PAYLOADS,
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

/** The words in which the store's writers speak: records change together, and what they change is counted. */
export class Changes {
  readonly transaction: Transaction
  readonly #counted: ((tally: Tally) => void)[] = []
  /** Of each capsule that was touched, the version of which it was not known whether it is the newest, if it was so. */
  readonly #unsure = new Map<string, { readonly key: ShareKey; readonly before: BlockNumber | undefined }>()
  /** Keys under which something has gone, or may have. */
  readonly #left = new Map<string, ShareKey>()

  constructor(transaction: Transaction) {
    this.transaction = transaction
  }

  /** Takes what was changed into account; for when it is written, after {@link conclude}. */
  count(tally: Tally): void {
    for (const step of this.#counted) step(tally)
  }

  /** To be called when all is changed that there is to change. */
  async conclude(): Promise<void> {
    for (const { key, before } of this.#unsure.values()) {
      const after = await this.#unsureVersion(key)
      if (after === before) continue
      if (before !== undefined) this.#counted.push((tally) => tally.unsure(before, -1))
      if (after !== undefined) this.#counted.push((tally) => tally.unsure(after, 1))
    }
    for (const key of this.#left.values()) await this.#forgetViews(key)
  }

  /**
   * To be called where something of a share has gone; also where it may have gone before, without anybody's having said so,
   * as in a folder that the host has damaged.
   */
  left(key: ShareKey): void {
    this.#left.set(shareKeyText(key), key)
  }

  /** The log of a share goes with the last that there is of it: what is handed over anew has a log of its own. */
  async #forgetViews(key: ShareKey): Promise<void> {
    // In the order in which they are likely to be known already.
    if ((await this.transaction.get(WANTS, key)) !== undefined || (await this.isKept(key))) return
    if ((await this.transaction.get(VIEWS, key)) !== undefined) this.transaction.delete(VIEWS, key)
  }

  /** Whether it is held, or pending. */
  async isKept(key: ShareKey): Promise<boolean> {
    if ((await this.transaction.get(PLACES, key)) !== undefined) return true
    const pending = await this.transaction.get(PENDING, key)
    if (pending !== undefined) zero(pending.payload)
    return pending !== undefined
  }

  /** Of more than some dozens the oldest goes. */
  async addView(key: ShareKey, view: View): Promise<void> {
    const views = (await this.transaction.get(VIEWS, key)) ?? []
    this.transaction.put(VIEWS, key, [...views, view].slice(-VIEWS_KEPT))
  }

  /** To be called before the place or the want of a share is changed. */
  async #touch(key: ShareKey): Promise<void> {
    const text = shareKeyText(key)
    // A secret has one version only.
    if (key.kind === 'secret' || this.#unsure.has(text)) return
    this.#unsure.set(text, { key, before: await this.#unsureVersion(key) })
  }

  async #unsureVersion(key: ShareKey): Promise<BlockNumber | undefined> {
    const want = await this.transaction.get(WANTS, key)
    if (want === undefined || want.asOf === 0) return undefined
    const held = await this.transaction.get(PLACES, key)
    return held !== undefined && doubtOf({ key, ...want }, held) === 'unsure' ? held.version : undefined
  }

  /** @throws SlotmeshError `store/no-seat`. */
  async identity(): Promise<Identity> {
    const identity = await this.transaction.get(IDENTITY, undefined)
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
  async beginIncarnation(): Promise<void> {
    const identity = await this.identity()
    this.putIdentity({ ...identity, incarnation: toHex(new Uint8Array(randomBytes(16))) })
    const progress = await this.transaction.get(PROGRESS, undefined)
    if (progress !== undefined) this.transaction.put(PROGRESS, undefined, { ...progress, logSize: 0 })
  }

  /** In place of the version held, if one is. */
  async putShare(leaf: ProvenanceLeaf, payload: Uint8Array, provenance: Provenance): Promise<void> {
    const key: ShareKey = { kind: leaf.kind, nftId: leaf.nftId }
    await this.removeShare(key)
    const { version, payloadHash } = leaf
    const place: SharePlace = { ...provenance, version, payloadHash, bytes: payload.length }
    await this.#touch(key)
    this.transaction.put(PLACES, key, place)
    if (isSmall(place)) this.transaction.put(SMALL_PAYLOADS, key, payload)
    else this.transaction.put(PAYLOADS, { key, version }, payload)
    this.#counted.push((tally) => tally.share(key, version, 1))
  }

  /** Its leaf stays in its log, so that its neighbours can still be proved. */
  async removeShare(key: ShareKey): Promise<void> {
    const held = await this.transaction.get(PLACES, key)
    if (held === undefined) return
    await this.#touch(key)
    this.transaction.delete(PLACES, key)
    if (isSmall(held)) this.transaction.delete(SMALL_PAYLOADS, key)
    else this.transaction.delete(PAYLOADS, { key, version: held.version })
    this.left(key)
    this.#counted.push((tally) => tally.share(key, held.version, -1))
  }

  /** What the chain removed with this block; what is newer, as when blocks are taken in once more, stays. */
  async removeAsOf(block: BlockNumber, key: ShareKey): Promise<void> {
    const held = await this.transaction.get(PLACES, key)
    if (held !== undefined && held.version <= block) await this.removeShare(key)
    await this.dropPendingAsOf(block, key)
    const want = await this.transaction.get(WANTS, key)
    if (want !== undefined && want.minimumVersion <= block) await this.closeWant(key)
    this.left(key)
  }

  /**
   * Together with the want of the same key, if one is open: neither asks for less than before.
   *
   * @returns false when the share held already satisfies it.
   */
  async openWant(want: Want): Promise<boolean> {
    if (await this.isSatisfied(want)) return false
    const open = await this.transaction.get(WANTS, want.key)
    await this.#putWant(open === undefined ? want : joined(open, want))
    return true
  }

  /** In place of the one that is open for the share that is held, which asks for less now. */
  async narrowWant(want: Want): Promise<void> {
    await this.#putWant(want)
  }

  /** Opens a want of the share held itself, to be proved anew; see {@link isProofWanted}. */
  async wantProof(want: Want): Promise<void> {
    const held = await this.transaction.get(PLACES, want.key)
    const { version: minimumVersion, origin } = held ?? { version: want.minimumVersion, origin: want.origin }
    await this.#putWant({ ...want, minimumVersion, origin })
  }

  async #putWant(want: Want): Promise<void> {
    await this.#touch(want.key)
    await this.closeWant(want.key)
    this.transaction.put(WANTS, want.key, want)
    this.#counted.push((tally) => tally.want(want, 1))
  }

  /** In this version or a later one. */
  async isHeld(key: ShareKey, minimumVersion: BlockNumber): Promise<boolean> {
    const held = await this.transaction.get(PLACES, key)
    return held !== undefined && held.version >= minimumVersion
  }

  /** Whether the share held ends the want. */
  async isSatisfied(want: Want): Promise<boolean> {
    const held = await this.transaction.get(PLACES, want.key)
    return held !== undefined && satisfies(want, held.version, 0)
  }

  async closeWant(key: ShareKey): Promise<void> {
    const open = await this.transaction.get(WANTS, key)
    if (open === undefined) return
    await this.#touch(key)
    this.transaction.delete(WANTS, key)
    this.left(key)
    this.#counted.push((tally) => tally.want(open, -1))
  }

  /** In place of one that is pending already. */
  async putPending(share: PendingShare): Promise<void> {
    await this.dropPending(share.key)
    const { cursor } = await this.progress()
    this.transaction.put(PENDING, share.key, { ...share, after: cursor, isDoubtful: false })
    this.#counted.push((tally) => tally.pending(1, false))
  }

  /** @throws SlotmeshError `store/tampered`. */
  async progress(): Promise<{ cursor: BlockNumber; logSize: number }> {
    const progress = await this.transaction.get(PROGRESS, undefined)
    if (progress === undefined) throw this.transaction.tampered(PROGRESS, undefined)
    return progress
  }

  /**
   * The pending share that this block has synced. Undefined when none is; when it was handed over after that block, or
   * before another that has synced the key; when it is doubtful.
   */
  async pendingFor(block: BlockNumber, key: ShareKey): Promise<Uint8Array | undefined> {
    const pending = await this.transaction.get(PENDING, key)
    if (pending === undefined) return undefined
    const isOfRound = pending.after < block && !(await this.#wasSyncedAfter(pending.after, key))
    if (isOfRound && !pending.isDoubtful) return pending.payload
    zero(pending.payload)
    return undefined
  }

  /** Drops what is pending since before this block, which has ended its round. */
  async dropPendingAsOf(block: BlockNumber, key: ShareKey): Promise<void> {
    const pending = await this.transaction.get(PENDING, key)
    if (pending === undefined) return
    zero(pending.payload)
    if (pending.after < block) await this.dropPending(key)
  }

  /** As `dropPendingAsOf`, where the own cluster has ended the round: what is doubtful may be the only copy. */
  async dropOwnPendingAsOf(block: BlockNumber, key: ShareKey): Promise<void> {
    const pending = await this.transaction.get(PENDING, key)
    if (pending === undefined) return
    zero(pending.payload)
    if (!pending.isDoubtful || (await this.#wasSyncedAfter(pending.after, key))) await this.dropPendingAsOf(block, key)
  }

  async #wasSyncedAfter(block: BlockNumber, key: ShareKey): Promise<boolean> {
    const [held, want] = [await this.transaction.get(PLACES, key), await this.transaction.get(WANTS, key)]
    return Math.max(held?.version ?? 0, want?.minimumVersion ?? 0) > block
  }

  async dropPending(key: ShareKey): Promise<void> {
    const dropped = await this.transaction.get(PENDING, key)
    if (dropped === undefined) return
    zero(dropped.payload)
    this.transaction.delete(PENDING, key)
    this.left(key)
    this.#counted.push((tally) => tally.pending(-1, dropped.isDoubtful))
  }
}
