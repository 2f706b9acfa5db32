import type { BlockNumber, Logger } from '../../domain/index.js'

/** Fewer blocks than these are caught up with before anybody wants to know. */
const WORTH_TELLING = 64

/** Between two lines in the log, ms. */
const REPORT_EVERY_MS = 10_000

/** How far one who follows the chain has come in catching up with it. */
export interface Crawl {
  /** The block it was at when it fell behind, the one it is at, and the latest final one. */
  readonly from: BlockNumber
  readonly at: BlockNumber
  readonly to: BlockNumber
  readonly blocksPerSecond: number
  /** If it goes on like that and the chain stands still. */
  readonly msLeft: number
}

/** Notices when one who follows the chain falls behind it, and tells how it catches up. */
export class Progress {
  readonly #logger: Logger
  readonly #now: () => number
  #begun: { readonly block: BlockNumber; readonly time: number } | undefined
  #reported = 0
  #crawl: Crawl | undefined

  /** @param now a clock that never goes back, ms */
  constructor(logger: Logger, now: () => number = () => performance.now()) {
    this.#logger = logger
    this.#now = now
  }

  /** Undefined unless it is behind. */
  get crawl(): Crawl | undefined {
    return this.#crawl
  }

  /** @param latest the latest final block */
  at(block: BlockNumber, latest: BlockNumber): void {
    const now = this.#now()
    if (this.#begun === undefined) {
      if (latest - block < WORTH_TELLING) return
      this.#begun = { block, time: now }
      this.#reported = now
      this.#logger.info('catching up with the chain', { from: block, to: latest })
    }
    const blocks = block - this.#begun.block
    const blocksPerSecond = (blocks / Math.max(1, now - this.#begun.time)) * 1000
    if (block >= latest) {
      this.#logger.info('caught up with the chain', { blocks, blocksPerSecond: Math.round(blocksPerSecond) })
      this.#begun = undefined
      this.#crawl = undefined
      return
    }
    if (blocks === 0) return
    const msLeft = ((latest - block) / blocksPerSecond) * 1000
    this.#crawl = { from: this.#begun.block, at: block, to: latest, blocksPerSecond, msLeft }
    if (now - this.#reported < REPORT_EVERY_MS) return
    this.#reported = now
    const [speed, secondsLeft] = [Math.round(blocksPerSecond), Math.round(msLeft / 1000)]
    this.#logger.info('catching up with the chain', { at: block, to: latest, blocksPerSecond: speed, secondsLeft })
  }
}
