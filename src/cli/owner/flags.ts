import type { ClusterId, NftId, ShareKind } from '../../domain/index.js'
import type { RequesterType } from '../../owner/index.js'

/** Holds the owner's seed where no file does: never a flag, which every process of the machine could read. */
export const SEED_VARIABLE = 'SLOTMESH_OWNER_SEED'

export interface StoreFlags {
  readonly chain: readonly string[]
  readonly nft: NftId
  readonly kind: ShareKind
  readonly cluster?: ClusterId
  readonly seedFile?: string
  readonly secretFile: string
  readonly threshold: number
  readonly timeout: number
}

export interface RetrieveFlags {
  readonly chain: readonly string[]
  readonly nft: NftId
  readonly kind: ShareKind
  readonly cluster?: ClusterId
  readonly seedFile?: string
  readonly role: RequesterType
  readonly threshold: number
}
