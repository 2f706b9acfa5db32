import type { AccountId, BlockHash, BlockNumber, ClusterId, Hex, ShareKey, ShareKind, SlotId } from '../domain/index.js'
import type { LogId, ProvenanceLeaf } from '../provenance/index.js'

/** The node's own secrets; they outlive its seat. */
export type SecretName = 'account-seed' | 'peer-key-seed'

/** Who this folder is: one enclave in one seat, for one life of its provenance log. */
export interface Identity {
  readonly genesisHash: BlockHash
  readonly account: AccountId
  readonly seat: { readonly cluster: ClusterId; readonly slot: SlotId }
  /** 16 random bytes; with the account they name this enclave's own provenance log. */
  readonly incarnation: Hex
}

/** A share that this enclave has to fetch. */
export interface Want {
  readonly key: ShareKey
  readonly minimumVersion: BlockNumber
  /** The provider must have taken in every share up to this block, or it might hold an older version than there is. */
  readonly asOf: BlockNumber
  /** The cluster that synced `minimumVersion`; undefined when it is not known (a want from a snapshot). */
  readonly origin: ClusterId | undefined
  /** When the want opened, Unix ms. */
  readonly since: number
}

/** A share that its owner handed over and that the chain does not call synced yet. */
export interface PendingShare {
  readonly key: ShareKey
  readonly payload: Uint8Array
  /** True once this enclave's confirmation is final on chain. */
  readonly confirmed: boolean
}

/** A pending share as it is kept. */
export interface KeptPending extends PendingShare {
  /**
   * The folder was altered among what is pending, so that this may be an older one that was brought back. It is neither
   * confirmed nor vouched for; its owner can hand it over again.
   */
  readonly isDoubtful: boolean
}

/** Where a held share stands in its origin's log. */
export interface SharePlace {
  readonly version: BlockNumber
  readonly origin: ClusterId
  readonly log: LogId
  readonly index: number
  /** Size of the head under which it was verified. */
  readonly size: number
  /** SHA-256 of the share. */
  readonly payloadHash: Uint8Array
  /** Length of the share. */
  readonly bytes: number
}

/** That a share was handed over by its owner, or given to somebody with a right to it. */
export interface View {
  /** Unix ms. */
  readonly at: number
  /** The latest finalised block at that time. */
  readonly block: BlockNumber
  readonly account: AccountId
  readonly role: 'OWNER' | 'DELEGATEE' | 'RENTEE'
  readonly event: 'STORE' | 'VIEW'
}

/** A held share, opened. The payload is the reader's own copy, to be zeroed when done with. */
export interface StoredShare {
  readonly payload: Uint8Array
  readonly leaf: ProvenanceLeaf
  readonly place: SharePlace
}

/**
 * What one event of a finalised block means for the store.
 *
 * synced: another cluster's share opens `want`, and what is pending goes. When `want.origin` is this enclave's own cluster, the pending share
 * becomes a share and a leaf of the own log instead; where none is pending the want opens all the same.
 * removed: the share, what is pending, and the want of that key go.
 */
export type BlockChange =
  | { readonly type: 'synced'; readonly want: Want }
  | { readonly type: 'removed'; readonly key: ShareKey }

/** Whether the folder was as this node had left it, when it was opened. */
export interface StoreIntegrity {
  readonly state: 'whole' | 'altered'
  /** How many writes there were since the folder was made. */
  readonly sequence: number
  /** Records that could not be read any more. */
  readonly dropped: number
  /** Pending shares of which nobody can say whether they are the newest. */
  readonly doubtful: number
  /** A folder that a re-sealing has replaced and that stays, since this one does not show that it has all of it. */
  readonly replaced?: string
  /** Where the files of a damaged database stay that this one was made from, as far as they could be read. */
  readonly damaged?: string
}

/** What the store holds, in numbers. */
export interface StoreCounts {
  readonly shares: Readonly<Record<ShareKind, number>>
  readonly wants: number
  readonly pending: number
}
