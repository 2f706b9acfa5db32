import { Chain, type ChainHealth, type ConnectOptions } from './chain.js'

export type { SeatChange } from './blocks/identity.js'
export type { Crawl } from './blocks/progress.js'
export type { ConnectionHealth } from './connection/connection.js'
export type { EndpointFailure } from './connection/endpoints.js'
export type { ChainCall } from './runtime/runtime.js'
export type { ConfirmationOutcome } from './transactions/confirmations.js'
export type { FinalisedCall } from './transactions/transactions.js'
export type { Chain, ChainHealth }

/** Connects to a chain; see `Chain.connect` for what it throws. */
export function connectChain(options: ConnectOptions): Promise<Chain> {
  return Chain.connect(options)
}
