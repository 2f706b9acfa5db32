import type { AccountId, BlockNumber, NftId, ShareKey, ShareKind } from '../domain/index.js'
import type { IntervalRequest, RemoveRequest, RetrieveRequest, StoreRequest } from '../owner/index.js'
import type { View } from '../store/index.js'

interface Abortable {
  readonly signal: AbortSignal
}

/** What the health endpoint and the probes tell of a node. */
export interface ApiStatus {
  readonly peerId: string
  readonly multiaddrs: readonly string[]
  readonly state: 'unregistered' | 'setup' | 'running' | 'stopped'
  readonly finalisedBlock: BlockNumber
  readonly syncedBlock: BlockNumber
  readonly shares: Readonly<Record<ShareKind, number>>
  readonly problems: readonly { readonly code: string }[]
}

/** Who was given a share, as far as the chain knows of it. */
export interface ShareViews {
  /** What the chain says: there is no such NFT, it has no share of this kind, or it has one. */
  readonly nft: 'unknown' | 'other-kind' | 'known'
  /** The latest last. */
  readonly views: readonly View[]
}

/** What the API serves: a node. All can throw SlotmeshErrors. */
export interface ApiBackend {
  /** The enclave account. */
  readonly account: AccountId
  /** What the chain calls itself; empty where that is not known. */
  readonly chainName: string
  status(): Promise<ApiStatus>
  /** @throws OwnerRequestError, IngestError */
  storeShare(kind: ShareKind, request: StoreRequest, options: Abortable): Promise<ShareKey>
  /** @returns the share, for the caller to zero. @throws OwnerRequestError */
  retrieveShare(kind: ShareKind, request: RetrieveRequest, options: Abortable): Promise<Uint8Array>
  /** @throws OwnerRequestError */
  removeShare(kind: ShareKind, request: RemoveRequest, options: Abortable): Promise<ShareKey>
  /** Whether a share is held, or waits to be confirmed. */
  holdsShare(key: ShareKey): Promise<boolean>
  shareViews(key: ShareKey, options: Abortable): Promise<ShareViews>
  /** Bounds how many are made at once. @throws OwnerRequestError, SlotmeshError `node/busy` */
  syncedBetween(request: IntervalRequest, options: Abortable): Promise<readonly NftId[]>
  /** A quote over the enclave account and the latest final block, of which there is one for each block. */
  clientQuote(options: Abortable): Promise<{ readonly block: BlockNumber; readonly quote: Uint8Array }>
}
