import { type Logger, messageOf } from '../domain/index.js'
import type { Block } from './ledger/block.js'
import type { Ledger } from './ledger/ledger.js'

/** When blocks are made: every so many milliseconds, as soon as a transaction waits, or only when told to. */
export type BlockTime = number | 'instant' | 'manual'

/** Makes blocks until it is stopped, or until one cannot be made. */
export class Sealing {
  /** Fulfilled when it is stopped; rejected with the reason when no more blocks can be made. */
  readonly ended: Promise<void>
  readonly #ledger: Ledger
  readonly #logger: Logger
  readonly #settle: { readonly stopped: () => void; readonly failed: (reason: unknown) => void }
  #timer: NodeJS.Timeout | undefined
  #soon: NodeJS.Immediate | undefined

  constructor(ledger: Ledger, blockTime: BlockTime, logger: Logger) {
    this.#ledger = ledger
    this.#logger = logger
    let stopped = (): void => undefined
    let failed: (reason: unknown) => void = stopped
    this.ended = new Promise<void>((resolve, reject) => {
      stopped = resolve
      failed = reject
    })
    this.#settle = { stopped, failed }
    // Nobody need look: it is logged as well.
    this.ended.catch(() => undefined)
    if (blockTime === 'instant') ledger.poolListeners.add(this.#sealSoon)
    else if (blockTime !== 'manual') this.#timer = setInterval(() => this.#seal(), blockTime)
  }

  stop(): void {
    this.#halt()
    this.#settle.stopped()
  }

  /** After the turn, so that transactions that came in one message share a block. */
  readonly #sealSoon = (): void => {
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined
      if (!this.#ledger.pool.hasReady()) return
      const block = this.#seal()
      // What had no room, or was ready only now; a block of its inherent alone could take nothing.
      if (block !== undefined && block.extrinsics.length > 1) this.#sealSoon()
    })
  }

  #seal(): Block | undefined {
    try {
      return this.#ledger.seal()
    } catch (thrown) {
      this.#halt()
      this.#logger.error('No more blocks can be made', { reason: messageOf(thrown) })
      this.#settle.failed(thrown)
      return undefined
    }
  }

  #halt(): void {
    clearInterval(this.#timer)
    clearImmediate(this.#soon)
    this.#ledger.poolListeners.delete(this.#sealSoon)
  }
}
