import { fromHex } from '../../src/crypto/index.js'
import type { Hex, ShareKind } from '../../src/domain/index.js'
import { accountOf, SyntheticChain } from '../integration/chain/synthetic.js'
import { Encoder, editedMetadata } from './metadata.js'

const metadata = editedMetadata(2)
const encoder = new Encoder(metadata)

/** The map's own part of a key: what comes before the key's hash. */
export const nftsPrefix = encoder.key('nft', 'nfts', 0).slice(0, 2 + 64)

/** By the id: neither, a secret, one that is syncing, a capsule, one that is syncing, a hybrid, half a hybrid. */
const STATES: readonly Readonly<Record<string, boolean>>[] = [
  {},
  { is_secret: true },
  { is_secret: true, is_syncing_secret: true },
  { is_capsule: true },
  { is_capsule: true, is_syncing_capsule: true },
  { is_secret: true, is_capsule: true },
  { is_secret: true, is_capsule: true, is_syncing_secret: true },
]

const KINDS: readonly (readonly ShareKind[])[] = [
  [],
  ['secret'],
  [],
  ['capsule'],
  [],
  ['secret', 'capsule'],
  ['capsule'],
]

const VALUES = STATES.map((state, at) =>
  encoder.value('nft', 'nfts', {
    owner: accountOf(1),
    creator: accountOf(2),
    offchain_data: `0x${'ab'.repeat(at * 30)}`,
    collection_id: at % 2 === 0 ? null : 7,
    royalty: 1,
    state,
  }),
)

/** The kinds of shares of an NFT that are synced. */
export function syncedKinds(nftId: number): readonly ShareKind[] {
  return KINDS[nftId % KINDS.length] ?? []
}

/** A chain with NFTs of every state, made up as they are asked for, so that there can be any number of them. */
export function chainOfNfts(count: number): Promise<SyntheticChain> {
  return SyntheticChain.start(9, () => ({
    specVersion: 1,
    metadata,
    read: (key) => (key.startsWith(nftsPrefix) ? nftValue(key) : undefined),
    keys: (of, size, after) => (of === nftsPrefix ? nftsFrom(after, size, count) : []),
  }))
}

/** The keys after one of them, or the first ones, as `state_getKeysPaged` gives them. */
export function nftsFrom(after: Hex | undefined, size: number, count: number): Hex[] {
  const first = after === undefined ? 0 : idOf(after) + 1
  return Array.from({ length: Math.min(size, count - first) }, (_, at) => keyOf(first + at))
}

/** The ids stand in for their hashes, so that keys can be made up in their order. */
function keyOf(nftId: number): Hex {
  const end = Buffer.alloc(20)
  end.writeUInt32BE(nftId, 0)
  end.writeUInt32LE(nftId, 16)
  return `0x${nftsPrefix.slice(2)}${end.toString('hex')}`
}

/** What is stored under a key. */
export function nftValue(key: Hex): Hex {
  return VALUES[idOf(key) % VALUES.length] ?? '0x'
}

function idOf(key: Hex): number {
  return Buffer.from(fromHex(key)).readUInt32BE(32)
}
