/** Lower-case hexadecimal with a `0x` prefix, as Substrate prints bytes. */
export type Hex = `0x${string}`

/** A 32-byte sr25519 public key, which on this chain is the account. */
export type AccountId = Hex

/** A 32-byte BLAKE2b-256 block hash. */
export type BlockHash = Hex

/** The number of a block, a `u32`. */
export type BlockNumber = number
/** The number of an NFT, a `u32`. */
export type NftId = number
/** The number of a cluster, a `u32`. */
export type ClusterId = number
/** The number of a slot in a cluster, a `u32`: enclaves of the same one hold the same shares. */
export type SlotId = number

/** The largest `u32`. */
export const U32_MAX = 0xffff_ffff

/** Enclaves in a full cluster (`TEE.ClusterSize` and `NFT.ShardsNumber`), one share each. */
export const CLUSTER_SIZE = 5

/** Bytes of one share, as the chain's reference system limits them. */
export const SHARE_SIZE = { minimum: 16, maximum: 3000 } as const

/** A finalised block. */
export interface BlockRef {
  readonly number: BlockNumber
  readonly hash: BlockHash
}

/** One NFT can hold a secret and a capsule; their shares are independent. */
export type ShareKind = 'secret' | 'capsule'

/** Names one share of this enclave's slot: no two shares of one enclave have the same key. */
export interface ShareKey {
  readonly kind: ShareKind
  readonly nftId: NftId
}

/** A share key as text, for maps and messages: `secret/7`. */
export function shareKeyText(key: ShareKey): string {
  return `${key.kind}/${key.nftId}`
}
