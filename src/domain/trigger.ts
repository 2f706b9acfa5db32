import type { AccountId, BlockRef, ClusterId, NftId, ShareKind } from './identifiers.js'

/** All five enclaves of `cluster` have confirmed: the share now exists and every other cluster may fetch it. */
export interface SyncedTrigger {
  readonly type: 'synced'
  readonly kind: ShareKind
  readonly nftId: NftId
  /** The origin cluster, from the registry as it was at that block. */
  readonly cluster: ClusterId
}

/** The NFT was burned, or its capsule reverted: the share is to be erased. */
export interface RemovedTrigger {
  readonly type: 'removed'
  readonly kind: ShareKind
  readonly nftId: NftId
}

export type Trigger = SyncedTrigger | RemovedTrigger

/** What one finalised block means for this node, in event order. */
export interface BlockTriggers {
  readonly block: BlockRef
  readonly triggers: readonly Trigger[]
  /** True when any TEE event is in the block: the registry may differ from the block before. */
  readonly registryChanged: boolean
}

/** What the chain says of an NFT at the latest finalised block. */
export interface NftFacts {
  readonly owner: AccountId
  readonly delegatee: AccountId | undefined
  readonly isSecret: boolean
  readonly isSyncingSecret: boolean
  readonly isCapsule: boolean
  readonly isSyncingCapsule: boolean
}
