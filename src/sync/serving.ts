import type { AccountId, Registry, ShareKey } from '../domain/index.js'
import { type HeldSource, RefusingError } from '../reconcile/index.js'
import { type Knowledge, RefusalError, type ShareSource } from '../share/index.js'
import type { Store, StoredShare } from '../store/index.js'

/** Where what is given out is read. */
export type ServingStore = Pick<
  Store,
  'isAltered' | 'identity' | 'cursor' | 'lowestUnsure' | 'heldFrom' | 'runs' | 'newest'
>

interface ServingParts {
  readonly account: AccountId
  readonly store: ServingStore
  readonly registry: () => Registry
}

/**
 * What this enclave gives out of its store. The chain may have given it another seat while the store still holds the
 * shares of the former one: then it gives nothing. Nor does it from a folder that was altered, before the setup that begins
 * anew has made wants of all that may be older there than it should: until then an old version would pass for the newest.
 */
export class Serving implements ShareSource {
  readonly #parts: ServingParts

  constructor(parts: ServingParts) {
    this.#parts = parts
  }

  /** @throws RefusalError NOT_READY */
  async knowledge(): Promise<Knowledge> {
    await this.#requireReady()
    return knowledgeOf(this.#parts.store)
  }

  /** @throws RefusalError NOT_READY */
  async *runs(...[wanted, options]: Parameters<ShareSource['runs']>): ReturnType<ShareSource['runs']> {
    await this.#requireReady()
    return yield* this.#parts.store.runs(wanted, options)
  }

  /** @throws RefusalError NOT_READY */
  async heldFrom(...[from, limit]: Parameters<ShareSource['heldFrom']>): ReturnType<ShareSource['heldFrom']> {
    await this.#requireReady()
    return this.#parts.store.heldFrom(from, limit)
  }

  /**
   * A share for somebody with a right to it; undefined when it is not held, or when there may be a newer version. While nobody
   * may be asked for that, since a cluster is not public, what the own cluster sealed is given: a private one would else
   * never give its owners anything after a setup anew.
   */
  async latest(key: ShareKey): Promise<StoredShare | undefined> {
    if (!(await this.isReady())) return undefined
    const { account, store } = this.#parts
    const registry = this.#parts.registry()
    const seat = registry.isShutOff(account) ? registry.seatOf(account) : undefined
    return store.newest(key, seat === undefined ? {} : { unsureOf: seat.cluster })
  }

  async #requireReady(): Promise<void> {
    if (!(await this.isReady())) throw new RefusalError('NOT_READY')
  }

  /** Whether what is held is of the seat that the chain has given, and no worse than this enclave knows. */
  async isReady(): Promise<boolean> {
    const { account, store, registry } = this.#parts
    const seat = registry().seatOf(account)
    const held = (await store.identity())?.seat
    if (await store.isAltered()) return false
    return seat !== undefined && held !== undefined && seat.cluster === held.cluster && seat.slot === held.slot
  }
}

/** What this enclave says of what it holds, to slot peers that compare themselves with it: nothing before its setup is complete. */
export function heldSourceOf(
  serving: Pick<Serving, 'isReady'>,
  store: Pick<Store, 'held' | 'cursor' | 'isSetupDone'>,
): HeldSource {
  return {
    held: async () => {
      const takenIn = await store.cursor()
      const isReady = takenIn !== undefined && (await store.isSetupDone()) && (await serving.isReady())
      if (!isReady) throw new RefusingError('NOT_READY')
      return { held: store.held, takenIn }
    },
  }
}

/**
 * Of what is given out it is known that it is the newest neither after what is taken in, nor beyond the version of a share
 * that may not be it. Of what is not held, or known to be older than there is, nothing needs to be said: it is not given
 * out. A block that is taken in has opened the wants of what it names, so whatever is read after the cursor keeps to it.
 */
async function knowledgeOf(store: Pick<Store, 'cursor' | 'lowestUnsure'>): Promise<Knowledge> {
  const takenIn = (await store.cursor()) ?? 0
  return { newestAsOf: Math.min(takenIn, store.lowestUnsure() ?? takenIn), takenIn }
}
