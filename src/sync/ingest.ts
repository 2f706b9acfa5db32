import { type AccountSigner, equalBytes, zero } from '../crypto/index.js'
import {
  abortable,
  bounded,
  type Logger,
  messageOf,
  type ShareKey,
  SlotmeshError,
  shareKeyText,
} from '../domain/index.js'
import { signHead } from '../provenance/index.js'
import type { Store, View } from '../store/index.js'
import type { ConfirmationOutcome, SyncChain } from './parts.js'
import { Signal } from './signal.js'
import { untilFinal } from './until-final.js'

/** A confirmation that is owed is sent again after this long at the earliest, ms. */
const RETRY_AFTER_MS = 30_000

/** After failures that nobody expects the pause doubles, this often at most. */
const LONGEST_DOUBLING = 5

/** Confirmations owed that are under way at once. */
const AT_ONCE = 200

/** So many are begun together while more wait: the chain takes them in one transaction. */
const TOGETHER = 50

/** Requests of owners for one share that wait, or are at work: the chain may take its time, and each has a copy of a share. */
const MOST_OF_SHARE = 8

/** Shares that are kept here and that the chain does not know to be. */
export interface OwedConfirmations {
  readonly count: number
  /** Since when the one that waits longest is known to this process, Unix ms. */
  readonly oldestSince: number | undefined
  /** How the latest attempt ended, for example `no-funds`, or the code of its error; undefined before that. */
  readonly lastOutcome: string | undefined
}

export interface IngestParts {
  readonly signer: AccountSigner
  readonly chain: Pick<SyncChain, 'confirm' | 'registry' | 'finalised' | 'follow'>
  readonly store: Pick<
    Store,
    | 'identity'
    | 'cursor'
    | 'share'
    | 'newest'
    | 'pending'
    | 'pendingShares'
    | 'putPending'
    | 'markConfirmed'
    | 'dropPending'
    | 'isMissed'
    | 'vouchForMissed'
  >
  /** Waits until every block that is final now is taken in. */
  readonly caughtUp: (options: { signal: AbortSignal }) => Promise<void>
  readonly logger: Logger
  /** A confirmation goes on after whoever asked for it has left, until this aborts. */
  readonly lifetime: AbortSignal
  readonly retryAfterMs?: number
}

/** A confirmation that is not final yet. */
interface Owed {
  readonly key: ShareKey
  readonly since: number
  failures: number
  /** Until a block changes the registry the answer would be the same. */
  awaitsSeat: boolean
  /** On the clock of `performance.now()`. */
  notBefore: number
}

/** Why a share that was handed over could not be taken. */
export class IngestError extends SlotmeshError {
  override readonly name = 'IngestError'
  /** How the chain answered; `held` when another share is held under this key; `gone` when it was erased meanwhile. */
  readonly outcome: ConfirmationOutcome | 'held' | 'gone'
  readonly key: ShareKey

  constructor(outcome: IngestError['outcome'], key: ShareKey) {
    super('sync/not-taken', `${shareKeyText(key)}: ${SENTENCES[outcome]}`)
    this.outcome = outcome
    this.key = key
  }
}

const SENTENCES: Record<IngestError['outcome'], string> = {
  held: 'another share is already held for it.',
  gone: 'it was erased before it was confirmed, as this enclave has lost its seat, the NFT is gone, or its round is over.',
  confirmed: 'the share is confirmed.',
  'already-confirmed': 'the share is confirmed.',
  'already-synced': 'the chain says that it is synced already, with shares from elsewhere.',
  'wrong-cluster': 'another cluster has begun to confirm it; hand all its shares to one cluster.',
  'unknown-nft': 'there is no such NFT.',
  'wrong-kind': 'the NFT has no secret of this kind.',
  'not-registered': 'this enclave has no seat on chain yet.',
  'no-funds': 'the enclave account cannot pay the fee; send it some funds.',
}

/**
 * Takes shares from their owners: seals, confirms on chain, and keeps each as pending until the chain calls it synced.
 * Pending shares and the confirmations owed for them survive a restart.
 */
export class Ingest {
  readonly #parts: IngestParts
  readonly #retryAfterMs: number
  readonly #atWork = new Map<string, { readonly last: Promise<void>; readonly length: number }>()
  readonly #owed = new Map<string, Owed>()
  readonly #woken = new Signal()
  /** As it was looked at last, and what ends with it: what is confirmed counts for whatever seat is held by then. */
  #seat: { readonly name: string; readonly left: AbortController } | undefined
  #underWay = 0
  #lastOutcome: string | undefined

  constructor(parts: IngestParts) {
    this.#parts = parts
    this.#retryAfterMs = parts.retryAfterMs ?? RETRY_AFTER_MS
  }

  /**
   * Stores an authorised share and confirms it to finality. A byte-identical share again is fine. When the signal
   * aborts, only the wait ends: the confirmation is still sent.
   *
   * @param options.view that is noted in the write that keeps the share, whatever comes of the confirmation.
   * @throws IngestError when it cannot be taken; SlotmeshError `sync/busy`; or what the chain or the store throws: where it
   * may still be confirmed it stays pending and `run` sends the confirmation again.
   */
  async take(
    key: ShareKey,
    payload: Uint8Array,
    { signal, view }: { readonly signal: AbortSignal; readonly view?: View },
  ): Promise<void> {
    signal.throwIfAborted()
    this.#requireRoom(key)
    // The caller may zero it once the wait is over.
    const own = new Uint8Array(payload)
    const work = this.#inTurn(key, async () => {
      try {
        signal.throwIfAborted()
        await this.#take(key, own, view)
      } finally {
        zero(own)
      }
    })
    await abortable(work, signal)
  }

  /**
   * Takes the word of its owner for an authorised share that the chain calls synced already: where it was pending here
   * and nobody could say whether it was the right one, it is vouched for now. Does nothing for any other.
   * @throws SlotmeshError `sync/busy`, or what the store throws; the signal's reason, with which only the wait ends.
   */
  async settle(key: ShareKey, payload: Uint8Array, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    this.#requireRoom(key)
    const own = new Uint8Array(payload)
    const work = this.#inTurn(key, async () => {
      try {
        await this.#vouchForMissed(key, own)
      } finally {
        zero(own)
      }
    })
    await abortable(work, signal)
  }

  /** For health: what is not confirmed yet, on its way or waiting to be sent again. */
  owed(): OwedConfirmations {
    // In the order in which they were added.
    const [oldest] = this.#owed.values()
    return { count: this.#owed.size, oldestSince: oldest?.since, lastOutcome: oldest && this.#lastOutcome }
  }

  /**
   * How a share compares with the newest one held under the key, or with one that {@link settle} makes of it; `pending` when
   * it is the very one that waits for the chain, which may have made a share of it in a block that is not taken in yet.
   */
  async compare(key: ShareKey, payload: Uint8Array): Promise<'absent' | 'pending' | 'same' | 'different'> {
    const { store } = this.#parts
    if ((await this.#seatIsHeld()) && (await store.isMissed(key, payload))) return 'same'
    const pending = await store.pending(key)
    if (pending === undefined) return this.#compareHeld(key, payload)
    const isPending = !pending.isDoubtful && equalBytes(pending.payload, payload)
    zero(pending.payload)
    return isPending ? 'pending' : this.#compareHeld(key, payload)
  }

  async #compareHeld(key: ShareKey, payload: Uint8Array): Promise<'absent' | 'same' | 'different'> {
    const { store } = this.#parts
    // A secret never changes; of a capsule an older version counts for nothing.
    const held = await (key.kind === 'secret' ? store.share(key) : store.newest(key))
    if (held === undefined) return 'absent'
    const isSame = equalBytes(held.payload, payload)
    zero(held.payload)
    return isSame ? 'same' : 'different'
  }

  /**
   * Sends the confirmations that were owed when the node last stopped, and those that could not be sent since, until
   * each is final or can never be. Resolves when `lifetime` has aborted and nothing is under way any more.
   */
  async run(): Promise<void> {
    await Promise.all([this.#sendUntilTheEnd(), this.#hearOfSeats()])
    await Promise.allSettled([...this.#atWork.values()].map(({ last }) => last))
  }

  async #sendUntilTheEnd(): Promise<void> {
    const { lifetime, logger } = this.#parts
    let isLoaded = false
    while (!lifetime.aborted) {
      try {
        if (!isLoaded) await this.#load()
        isLoaded = true
        await this.#sendOwed()
      } catch (thrown) {
        if (!lifetime.aborted) logger.error('owed confirmations could not be sent', { reason: messageOf(thrown) })
      }
      await this.#woken.wait({ signal: lifetime, timeoutMs: this.#retryAfterMs })
    }
  }

  /** A seat that was assigned is made use of at once. */
  async #hearOfSeats(): Promise<void> {
    const { chain, lifetime, logger } = this.#parts
    while (!lifetime.aborted) {
      try {
        for await (const { registryChanges } of chain.follow(chain.finalised().number, { signal: lifetime })) {
          // An upgrade of the runtime may change it without an event.
          this.#seatNow()
          if (registryChanges.length === 0) continue
          for (const owed of this.#owed.values()) if (owed.awaitsSeat) owed.notBefore = 0
          this.#woken.raise()
        }
      } catch (thrown) {
        if (lifetime.aborted) return
        logger.warn('changes of the registry are not heard of', { reason: messageOf(thrown) })
      }
      await new Signal().wait({ signal: lifetime, timeoutMs: this.#retryAfterMs })
    }
  }

  /** @returns what aborts when the seat is another. */
  #seatNow(): AbortSignal {
    const { chain, signer } = this.#parts
    const seat = chain.registry().seatOf(signer.account)
    const name = seat === undefined ? 'none' : `${seat.cluster}/${seat.slot}`
    if (this.#seat?.name !== name) {
      this.#seat?.left.abort()
      this.#seat = { name, left: new AbortController() }
    }
    return this.#seat.left.signal
  }

  async #load(): Promise<void> {
    for await (const { key, confirmed, isDoubtful } of this.#parts.store.pendingShares()) {
      // A confirmation would tell the chain that the right share is kept.
      if (!confirmed && !isDoubtful) this.#owe(key)
    }
  }

  #owe(key: ShareKey): Owed {
    const text = shareKeyText(key)
    const owed = this.#owed.get(text) ?? { key, since: Date.now(), failures: 0, awaitsSeat: false, notBefore: 0 }
    this.#owed.set(text, owed)
    return owed
  }

  async #sendOwed(): Promise<void> {
    const { chain, caughtUp, lifetime, logger, signer } = this.#parts
    const now = performance.now()
    const due = [...this.#owed].filter(([text, { notBefore }]) => notBefore <= now && !this.#atWork.has(text))
    if (due.length === 0) return
    if (chain.registry().seatOf(signer.account) === undefined) {
      // Sending it would cost a fee and fail.
      this.#lastOutcome = 'not-registered'
      return
    }
    // These blocks may have ended the round in which a share was handed over; its confirmation would count for the next.
    await caughtUp({ signal: lifetime })
    const isAgain = due.some(([, { notBefore }]) => notBefore > 0)
    for (const [, owed] of due.slice(0, AT_ONCE - this.#underWay)) void this.#begin(owed)
    const { count, lastOutcome = 'unknown' } = this.owed()
    if (isAgain) logger.warn('confirmations are owed to the chain', { count, lastOutcome })
  }

  /** One that takes long holds up nobody but itself. */
  async #begin(owed: Owed): Promise<void> {
    this.#underWay += 1
    // Whatever fails is not tried again at once.
    owed.notBefore = performance.now() + this.#retryAfterMs
    try {
      await this.#inTurn(owed.key, () => this.#resume(owed.key))
    } catch (thrown) {
      this.#note(thrown)
    } finally {
      this.#underWay -= 1
      if (AT_ONCE - this.#underWay >= TOGETHER) this.#woken.raise()
    }
  }

  #note(thrown: unknown): void {
    if (thrown instanceof IngestError) this.#lastOutcome = thrown.outcome
    else this.#lastOutcome = thrown instanceof SlotmeshError ? thrown.code : messageOf(thrown)
  }

  async #take(key: ShareKey, payload: Uint8Array, view: View | undefined): Promise<void> {
    const { store } = this.#parts
    // The round may have ended since it was authorised.
    if (await this.#vouchForMissed(key, payload)) return
    const held = await this.#compareHeld(key, payload)
    // A capsule may be handed over anew; the old share serves until the new one is synced. A secret never changes.
    if (held === 'different' && key.kind === 'secret') throw new IngestError('held', key)
    if (held === 'same' && key.kind === 'secret') return

    const kept = await store.pending(key)
    if (kept?.isDoubtful) zero(kept.payload)
    // Its owner knows which is the right one.
    const pending = kept?.isDoubtful ? undefined : kept
    const isPending = pending !== undefined && equalBytes(pending.payload, payload)
    if (pending !== undefined) zero(pending.payload)
    if (pending?.confirmed && !isPending) throw new IngestError('held', key)
    if (!isPending) await store.putPending({ key, payload, confirmed: false }, view)
    if (pending?.confirmed && isPending) return
    try {
      await this.#confirm(key)
    } catch (thrown) {
      // A confirmation of this enclave, or an earlier one, may have been the last one that the chain waited for.
      const isOver = thrown instanceof IngestError && ENDED.has(thrown.outcome)
      if (!isOver || (await this.#compareHeld(key, payload)) !== 'same') throw thrown
    }
  }

  async #vouchForMissed(key: ShareKey, payload: Uint8Array): Promise<boolean> {
    const { store, signer, logger } = this.#parts
    const { genesisHash } = (await store.identity()) ?? {}
    if (genesisHash === undefined || !(await this.#seatIsHeld())) return false
    const isVouchedFor = await store.vouchForMissed(key, payload, (head) => signHead(signer, genesisHash, head))
    if (isVouchedFor) logger.info('a share that was in doubt is vouched for on the word of its owner', { ...key })
    return isVouchedFor
  }

  /** Whether what is held is of the seat that the chain gives to this enclave. */
  async #seatIsHeld(): Promise<boolean> {
    const { store, chain, signer } = this.#parts
    const [held, seat] = [(await store.identity())?.seat, chain.registry().seatOf(signer.account)]
    return seat !== undefined && held?.cluster === seat.cluster && held.slot === seat.slot
  }

  /** It may have become a share, or have been dropped, while others were confirmed. */
  async #resume(key: ShareKey): Promise<void> {
    if (await this.#isOwed(key)) await this.#confirm(key)
    else this.#owed.delete(shareKeyText(key))
  }

  async #isOwed(key: ShareKey): Promise<boolean> {
    const pending = await this.#parts.store.pending(key)
    if (pending !== undefined) zero(pending.payload)
    return pending?.confirmed === false
  }

  async #confirm(key: ShareKey): Promise<void> {
    const { chain, store, signer, lifetime } = this.#parts
    const owed = this.#owe(key)
    try {
      // The round had begun by then: a view of the chain from before would take it for the former one.
      await untilFinal(chain, (await store.cursor()) ?? 0, { signal: lifetime })
      // By then it may have been erased, with the seat for which it was handed over.
      if (!(await this.#isOwed(key))) throw this.#gone(key)
      const left = this.#seatNow()
      const { outcome } = await bounded({ signals: [lifetime, left] }, (signal) =>
        chain.confirm(signer, key, { signal }),
      ).catch((thrown: unknown) => {
        owed.awaitsSeat = left.aborted
        throw left.aborted ? new IngestError('not-registered', key) : thrown
      })
      this.#lastOutcome = outcome
      owed.awaitsSeat = outcome === 'not-registered'
      // Again after the shortest pause: what these wait for may come at any time, and asking costs little.
      if (MAY_BE_CONFIRMED.has(outcome)) owed.failures = 0
      else await this.#end(key, outcome)
      if (outcome === 'confirmed' || outcome === 'already-confirmed') return
      throw new IngestError(outcome, key)
    } catch (thrown) {
      this.#note(thrown)
      if (!(thrown instanceof IngestError)) owed.failures = Math.min(owed.failures + 1, LONGEST_DOUBLING)
      owed.notBefore = performance.now() + this.#retryAfterMs * 2 ** Math.max(0, owed.failures - 1)
      throw thrown
    }
  }

  /** The chain has said the last word on it. */
  async #end(key: ShareKey, outcome: ConfirmationOutcome): Promise<void> {
    const { store, caughtUp, lifetime } = this.#parts
    if (outcome === 'confirmed' || outcome === 'already-confirmed') {
      if (!(await store.markConfirmed(key))) throw this.#gone(key)
    } else {
      // By an earlier confirmation of this enclave perhaps: then a block that is still to be taken in makes it a share.
      if (outcome === 'already-synced') await caughtUp({ signal: lifetime })
      await store.dropPending(key)
    }
    this.#owed.delete(shareKeyText(key))
  }

  #gone(key: ShareKey): IngestError {
    this.#owed.delete(shareKeyText(key))
    return new IngestError('gone', key)
  }

  #requireRoom(key: ShareKey): void {
    if ((this.#atWork.get(shareKeyText(key))?.length ?? 0) < MOST_OF_SHARE) return
    throw new SlotmeshError(
      'sync/busy',
      `${shareKeyText(key)}: many requests for this share wait already; ask again when they have ended.`,
    )
  }

  /** One after another for each share. */
  async #inTurn(key: ShareKey, task: () => Promise<void>): Promise<void> {
    const text = shareKeyText(key)
    const { last: before, length } = this.#atWork.get(text) ?? { last: Promise.resolve(), length: 0 }
    const last = before.catch(() => undefined).then(task)
    this.#atWork.set(text, { last, length: length + 1 })
    try {
      await last
    } finally {
      const queue = this.#atWork.get(text)
      if (queue?.last === last) this.#atWork.delete(text)
      else if (queue !== undefined) this.#atWork.set(text, { ...queue, length: queue.length - 1 })
    }
  }
}

/** Outcomes after which the share may be held as one that is synced. */
const ENDED: ReadonlySet<IngestError['outcome']> = new Set(['already-synced', 'gone'])

/** Outcomes that leave open whether an earlier confirmation, of which nobody here heard again, is on chain. */
const MAY_BE_CONFIRMED: ReadonlySet<ConfirmationOutcome> = new Set(['not-registered', 'no-funds'])
