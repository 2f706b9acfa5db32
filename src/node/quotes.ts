import type { QuoteSource } from '../attestation/index.js'
import { messageOf } from '../domain/index.js'

/** Whoever gave up sooner than this, ms, says nothing of the device. */
const PATIENCE_MS = 5_000

/** Why this machine made no quote the last time. */
export interface QuoteFailure {
  readonly at: Date
  readonly reason: string
}

/** The node's own quote source, watched: without quotes nothing is exchanged, whatever else is well. */
export class OwnQuotes {
  readonly #source: QuoteSource
  readonly #now: () => number
  #failure: QuoteFailure | undefined

  constructor(source: QuoteSource, now: () => number) {
    this.#source = source
    this.#now = now
  }

  /** Undefined since the last quote that was made. */
  get failure(): QuoteFailure | undefined {
    return this.#failure
  }

  /** As {@link QuoteSource.quote}. */
  async quote(reportData: Uint8Array, options: { readonly signal: AbortSignal }): Promise<Uint8Array> {
    const since = this.#now()
    try {
      const quote = await this.#source.quote(reportData, options)
      this.#failure = undefined
      return quote
    } catch (thrown) {
      const at = this.#now()
      if (!options.signal.aborted || at - since >= PATIENCE_MS) {
        this.#failure = { at: new Date(at), reason: messageOf(thrown).replace(/\.$/, '') }
      }
      throw thrown
    }
  }
}
