import type { AccountId, BlockHash, BlockNumber, Clock, Registry } from '../domain/index.js'
import type { HeldShares } from '../inventory/index.js'

/** What the protocol reads of the chain; all of it finalised. */
export interface ReconcileChain {
  readonly genesisHash: BlockHash
  /** How long ago the latest finalised block was first seen, in ms. */
  finalisedAgeMs(): number
  /** As of that block. */
  registry(): Registry
}

/** What an enclave holds, once it is set up. */
export interface HeldSource {
  /** @throws RefusingError NOT_READY */
  held(): Promise<{ readonly held: HeldShares; readonly takenIn: BlockNumber }>
}

/** This enclave as a side of a session. */
export interface Side {
  readonly account: AccountId
  readonly chain: ReconcileChain
  readonly source: HeldSource
  /** Whether this peer is known to be the account's, by a record that the account has signed. */
  readonly isKnown: (account: AccountId, peer: string) => boolean
  /** Has the newest record of an account looked for, of one that may ask and is not known yet; it may fail. */
  readonly lookUp?: ((account: AccountId, options: { signal: AbortSignal }) => Promise<unknown>) | undefined
  /** Whether nothing is done for an account, or a peer, since it has offended. */
  readonly isShut?: ((who: string | AccountId) => boolean) | undefined
  readonly clock?: Clock | undefined
}
