import { Chain, type ConnectOptions } from './chain.js'

export type { ConfirmationOutcome } from './confirmations.js'
export type { ChainCall } from './runtime.js'
export type { FinalisedCall } from './transactions.js'
export type { Chain }

/** Connects to a chain; see `Chain.connect` for what it throws. */
export function connectChain(options: ConnectOptions): Promise<Chain> {
  return Chain.connect(options)
}
