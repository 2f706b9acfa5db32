import { type AccountSigner, equalBytes, zero } from '../crypto/index.js'
import { type Logger, messageOf, type ShareKey, SlotmeshError, shareKeyText } from '../domain/index.js'
import type { Store } from '../store/index.js'
import type { ConfirmationOutcome, SyncChain } from './parts.js'

export interface IngestParts {
  readonly signer: AccountSigner
  readonly chain: Pick<SyncChain, 'confirm'>
  readonly store: Pick<Store, 'share' | 'pending' | 'pendingShares' | 'putPending' | 'markConfirmed' | 'dropPending'>
  /** Waits until every block that is final now is taken in. */
  readonly caughtUp: (options: { signal: AbortSignal }) => Promise<void>
  readonly logger: Logger
}

/** Why a share that was handed over could not be taken. */
export class IngestError extends SlotmeshError {
  override readonly name = 'IngestError'
  /** How the chain answered, or `held` when another share is held under this key. */
  readonly outcome: ConfirmationOutcome | 'held'

  constructor(outcome: IngestError['outcome'], key: ShareKey) {
    super('sync/not-taken', `${shareKeyText(key)}: ${SENTENCES[outcome]}`)
    this.outcome = outcome
  }
}

const SENTENCES: Record<IngestError['outcome'], string> = {
  held: 'another share is already held for it.',
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
  readonly #atWork = new Map<string, Promise<void>>()

  constructor(parts: IngestParts) {
    this.#parts = parts
  }

  /**
   * Stores an authorised share and confirms it to finality. A byte-identical share again is fine.
   * @throws IngestError when it cannot be taken, or what the chain or the store throws; then it stays pending and the
   * confirmation is sent again after a restart, or when the owner asks again.
   */
  take(key: ShareKey, payload: Uint8Array, options: { signal: AbortSignal }): Promise<void> {
    return this.#inTurn(key, () => this.#take(key, payload, options))
  }

  /** How a share compares with the one held under the key. */
  async compare(key: ShareKey, payload: Uint8Array): Promise<'absent' | 'same' | 'different'> {
    const held = await this.#parts.store.share(key)
    if (held === undefined) return 'absent'
    const isSame = equalBytes(held.payload, payload)
    zero(held.payload)
    return isSame ? 'same' : 'different'
  }

  /**
   * Sends the confirmations that were owed when the node last stopped. The blocks since then come first: they may have
   * ended the round in which a share was handed over, and the confirmation would count for the next.
   */
  async resume(options: { signal: AbortSignal }): Promise<void> {
    await this.#parts.caughtUp(options)
    const owed: ShareKey[] = []
    for await (const { key, confirmed } of this.#parts.store.pendingShares()) if (!confirmed) owed.push(key)
    for (const key of owed) {
      try {
        await this.#inTurn(key, () => this.#resume(key, options))
      } catch (thrown) {
        options.signal.throwIfAborted()
        this.#parts.logger.warn('a confirmation owed could not be sent', { ...key, reason: messageOf(thrown) })
      }
    }
  }

  async #take(key: ShareKey, payload: Uint8Array, options: { signal: AbortSignal }): Promise<void> {
    const { store } = this.#parts
    const held = await this.compare(key, payload)
    // A capsule may be handed over anew; the old share serves until the new one is synced. A secret never changes.
    if (held === 'different' && key.kind === 'secret') throw new IngestError('held', key)
    if (held === 'same' && key.kind === 'secret') return

    const pending = await store.pending(key)
    const isPending = pending !== undefined && equalBytes(pending.payload, payload)
    if (pending !== undefined) zero(pending.payload)
    if (pending?.confirmed && !isPending) throw new IngestError('held', key)
    if (!isPending) await store.putPending({ key, payload, confirmed: false })
    if (!pending?.confirmed || !isPending) await this.#confirm(key, options)
  }

  /** It may have become a share, or have been dropped, while others were confirmed. */
  async #resume(key: ShareKey, options: { signal: AbortSignal }): Promise<void> {
    const pending = await this.#parts.store.pending(key)
    if (pending === undefined) return
    zero(pending.payload)
    if (!pending.confirmed) await this.#confirm(key, options)
  }

  async #confirm(key: ShareKey, options: { signal: AbortSignal }): Promise<void> {
    const { chain, store, signer, caughtUp } = this.#parts
    const { outcome } = await chain.confirm(signer, key, options)
    if (outcome === 'confirmed' || outcome === 'already-confirmed') return store.markConfirmed(key)
    // By an earlier confirmation of this enclave perhaps: then a block that is still to be taken in makes it a share.
    if (outcome === 'already-synced') await caughtUp(options)
    if (!MAY_BE_CONFIRMED.has(outcome)) await store.dropPending(key)
    throw new IngestError(outcome, key)
  }

  /** One after another for each share. */
  async #inTurn(key: ShareKey, task: () => Promise<void>): Promise<void> {
    const text = shareKeyText(key)
    const before = this.#atWork.get(text) ?? Promise.resolve()
    const work = before.catch(() => undefined).then(task)
    this.#atWork.set(text, work)
    try {
      await work
    } finally {
      if (this.#atWork.get(text) === work) this.#atWork.delete(text)
    }
  }
}

/** Outcomes that leave open whether an earlier confirmation, of which nobody here heard again, is on chain. */
const MAY_BE_CONFIRMED: ReadonlySet<ConfirmationOutcome> = new Set(['not-registered', 'no-funds'])
