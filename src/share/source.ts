import type { BlockNumber, NftId, ShareKey } from '../domain/index.js'
import type { ShareRun } from '../provenance/index.js'
import type { WantedShare } from './wants.js'

/** The shares of this enclave, as the provider's side reads them. */
export interface ShareSource {
  /** This enclave misses no share that was synced at or below this block. */
  syncedBlock(): Promise<BlockNumber>
  /** The held ones of `wanted`, run by run, each of at most `maximumBytes` of shares; then what is not held. */
  runs(
    wanted: readonly WantedShare[],
    options: { maximumBytes: number; signal: AbortSignal },
  ): AsyncGenerator<ShareRun, { notHeld: readonly ShareKey[] }>
  /** The NFT ids of the shares held of one kind, from `from` on, ascending, at most `limit`. */
  heldFrom(from: ShareKey, limit: number): Promise<readonly NftId[]>
}
