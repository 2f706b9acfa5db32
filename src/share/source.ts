import type { BlockNumber, NftId, ShareKey } from '../domain/index.js'
import type { ShareRun } from '../provenance/index.js'
import type { WantedShare } from './wants.js'

/** What a provider knows of the shares that it gives. */
export interface Knowledge {
  /** Of each share that is given there is no newer version that was synced at or below this block. */
  readonly newestAsOf: BlockNumber
  /** The final block up to which the chain has been gone through: nothing is given of which it names a newer version. */
  readonly takenIn: BlockNumber
}

/** The shares of this enclave, as the provider's side reads them. */
export interface ShareSource {
  /** Of what is given from now on. */
  knowledge(): Promise<Knowledge>
  /**
   * The held ones of `wanted`, run by run, each of at most `maximumBytes` of shares; then what is not held.
   *
   * @param options.newestAsOf what the requester was told; a share of which it is not true is not held.
   */
  runs(
    wanted: readonly WantedShare[],
    options: { maximumBytes: number; signal: AbortSignal; newestAsOf: BlockNumber },
  ): AsyncGenerator<ShareRun, { notHeld: readonly ShareKey[] }>
  /** The NFT ids of the shares held of one kind, from `from` on, ascending, at most `limit`. */
  heldFrom(from: ShareKey, limit: number): Promise<readonly NftId[]>
}
