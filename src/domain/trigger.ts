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

/**
 * The owner of a capsule has asked for a new round: what is held stays the last synced version, which nobody gives out
 * until the enclaves have confirmed the next one.
 */
export interface KeyUpdateTrigger {
  readonly type: 'key-update'
  readonly kind: 'capsule'
  readonly nftId: NftId
}

/** What an event of a final block says of a share. */
export type Trigger = SyncedTrigger | RemovedTrigger | KeyUpdateTrigger

/** What an event of the TEE pallet says. Whatever it says, the registry may differ afterwards. */
export type RegistryChange =
  | { readonly type: 'enclave-assigned'; readonly operator: AccountId; readonly cluster: ClusterId }
  | { readonly type: 'enclave-updated'; readonly operator: AccountId; readonly account: AccountId }
  | { readonly type: 'enclave-removed'; readonly operator: AccountId }
  | { readonly type: 'cluster-added' | 'cluster-updated' | 'cluster-removed'; readonly cluster: ClusterId }
  /** By its name in the metadata. */
  | { readonly type: 'other'; readonly event: string }

/** What one finalised block means for this node, in event order. */
export interface BlockTriggers {
  readonly block: BlockRef
  readonly triggers: readonly Trigger[]
  /** One for each TEE event of the block; without any, the registry is that of the block before. */
  readonly registryChanges: readonly RegistryChange[]
}

/** What the chain says of an NFT at the latest finalised block. */
export interface NftFacts {
  readonly owner: AccountId
  readonly delegatee: AccountId | undefined
  /** Of a rental that goes on; undefined as well where the chain knows no rentals. */
  readonly rentee: AccountId | undefined
  readonly isSecret: boolean
  readonly isSyncingSecret: boolean
  readonly isCapsule: boolean
  readonly isSyncingCapsule: boolean
}
