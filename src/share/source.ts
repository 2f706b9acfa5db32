import type { BlockNumber, NftId, ShareKey } from '../domain/index.js'
import type { ShareRun } from '../provenance/index.js'
import type { WantedShare } from './wants.js'

/** The shares of this enclave, as the provider's side reads them. */
export interface ShareSource {
  /** Of each share that is given there is no newer version that was synced at or below this block. */
  newestAsOf(): Promise<BlockNumber>
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
