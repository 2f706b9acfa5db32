import { EventEmitter, once } from 'node:events'
import {
  type BlockNumber,
  type BlockRef,
  type Clock,
  type Logger,
  type ShareKey,
  SlotmeshError,
} from '../domain/index.js'
import { ShareSet } from '../inventory/index.js'
import type { Store } from '../store/index.js'
import { isGone } from './judging.js'
import type { SyncChain } from './parts.js'

/** What is held beside what the chain lists. */
export interface Comparison {
  readonly block: BlockNumber
  /** Shares that the chain lists at that block. */
  readonly listed: number
  /** Of these, how many were neither held nor wanted; they are fetched again. */
  readonly missing: number
  /** Shares that were held although there are no such any more; they are erased. */
  readonly erased: number
}

/** When it is made beside the starts. */
export interface ComparisonTimes {
  /** How long until the next one; ms. */
  readonly waitMs: () => number
  readonly onCompared: (comparison: Comparison) => void
}

interface ChainComparisonParts extends Partial<ComparisonTimes> {
  readonly chain: Pick<SyncChain, 'syncedShares' | 'nft'>
  readonly store: Pick<Store, 'compare' | 'openWants' | 'wants' | 'eraseShares' | 'counts'> & {
    /** Every share held. */
    places(): AsyncIterable<ShareKey>
  }
  /** New wants of these shares are open. */
  readonly wanted: (keys: readonly ShareKey[]) => void
  readonly logger: Logger
  readonly clock: Clock
}

/** Compares what is held with all that the chain lists. */
export class ChainComparison {
  readonly #parts: ChainComparisonParts
  readonly #done = new EventEmitter().setMaxListeners(0)
  /** When the wait for the next one began, Unix ms, and how long it is, ms. */
  #wait: { readonly since: number; readonly ms: number }
  #last: Comparison | undefined

  constructor(parts: ChainComparisonParts) {
    this.#parts = parts
    this.#wait = this.#begun()
  }

  get last(): Comparison | undefined {
    return this.#last
  }

  get isDue(): boolean {
    const { since, ms } = this.#wait
    const left = since + ms - this.#parts.clock.now()
    // More is left than there ever was where the clock has been set back since: then nobody knows how much it is.
    return left <= 0 || left > ms
  }

  /** It is due from now on. */
  demand(): void {
    this.#wait = { since: this.#parts.clock.now(), ms: 0 }
  }

  /**
   * Waits for the next one.
   * @throws SlotmeshError `sync/seat-lost` when it is called off; AbortError with the signal's reason as its cause.
   */
  async next({ signal }: { signal: AbortSignal }): Promise<Comparison> {
    const [comparison] = await once(this.#done, 'done', { signal })
    return comparison
  }

  /** Ends all waits for the next one: the seat is lost, or another. */
  callOff(): void {
    // Whoever waits listens to this, too; where nobody does it would be thrown here.
    if (this.#done.listenerCount('error') > 0) this.#done.emit('error', seatLost())
  }

  /**
   * At a block that is taken in, and no later one. What is missing is wanted then, and what there is no more is erased, and
   * wanted no longer: the folder was altered or set back in a way that nothing else has shown, the chain's endpoint had left
   * events out, or a defect lost it.
   */
  async compare(at: BlockRef, signal: AbortSignal): Promise<void> {
    const { chain, store, logger, clock, wanted, onCompared } = this.#parts
    let [listed, listedHeld, missing] = [0, 0, 0]
    const names = new ShareSet()
    for await (const keys of chain.syncedShares(at, { signal })) {
      listed += keys.length
      for (const key of keys) names.add(key)
      const { lacking, held } = await store.compare(keys)
      listedHeld += held
      if (lacking.length === 0) continue
      missing += lacking.length
      const want = { minimumVersion: 0, asOf: at.number, origin: undefined, since: clock.now() }
      await store.openWants(lacking.map((key) => ({ key, ...want })))
      wanted(lacking)
    }
    const { secret, capsule } = store.counts().shares
    await this.#withdrawUnlisted(at, names, signal)
    const erased = secret + capsule > listedHeld ? await this.#eraseUnlisted(at, names, signal) : 0
    const comparison = { block: at.number, listed, missing, erased }
    this.#last = comparison
    this.#wait = this.#begun()
    const fields = { ...comparison, held: secret + capsule }
    if (missing > 0) logger.warn('shares that the chain lists are missing here: fetching them', fields)
    else logger.info('what is held has been compared with the chain', fields)
    this.#done.emit('done', comparison)
    onCompared?.(comparison)
  }

  /** Closes wants of what was removed in a block that was not looked at; nobody can ever satisfy them. */
  async #withdrawUnlisted(at: BlockRef, listed: ShareSet, signal: AbortSignal): Promise<void> {
    const { chain, store, logger } = this.#parts
    for await (const { key } of store.wants({ skips: (key) => listed.has(key) })) {
      if (!(await isGone(key, { chain, signal }))) continue
      await store.eraseShares(at.number, [key])
      logger.warn('a share is wanted that there is no more: it is wanted no longer', { ...key })
    }
  }

  /**
   * Erases what is held and was removed in a block that was not looked at. That a share is not listed is not enough: it
   * may have been synced since, or be synced anew; the NFT must be gone, or have no share of this kind any more.
   *
   * @returns how many there were.
   */
  async #eraseUnlisted(at: BlockRef, listed: ShareSet, signal: AbortSignal): Promise<number> {
    const { chain, store, logger } = this.#parts
    let erased = 0
    for await (const { kind, nftId } of store.places()) {
      const key = { kind, nftId }
      if (listed.has(key) || !(await isGone(key, { chain, signal }))) continue
      await store.eraseShares(at.number, [key])
      erased += 1
      logger.warn('a share is held that there is no more: it is erased', { kind, nftId })
    }
    return erased
  }

  #begun(): { readonly since: number; readonly ms: number } {
    const { clock, waitMs = () => Number.POSITIVE_INFINITY } = this.#parts
    return { since: clock.now(), ms: waitMs() }
  }
}

export function seatLost(): SlotmeshError {
  return new SlotmeshError('sync/seat-lost', 'The seat was lost or changed before the comparison with the chain.')
}
