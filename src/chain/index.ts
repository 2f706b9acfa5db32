import { Chain, type ConnectOptions } from './chain.js'

export type { Crawl } from './blocks/progress.js'
export type { ChainCall } from './runtime/runtime.js'
export type { ConfirmationOutcome } from './transactions/confirmations.js'
export type { FinalisedCall } from './transactions/transactions.js'
export type { Chain }

/** Connects to a chain; see `Chain.connect` for what it throws. */
export function connectChain(options: ConnectOptions): Promise<Chain> {
  return Chain.connect(options)
}
