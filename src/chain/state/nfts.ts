import { z } from 'zod'
import type { BlockRef, NftFacts, NftId, ShareKey } from '../../domain/index.js'
import type { Rpc } from '../connection/rpc.js'
import { plain } from '../runtime/plain.js'
import type { Runtime } from '../runtime/runtime.js'
import { account, u32 } from '../runtime/shapes.js'
import { readAs } from './registry.js'

/** NFTs read at once. */
const PAGE = 500

const nftShape = z.object({
  owner: account,
  state: z.object({
    isSecret: z.boolean(),
    isSyncingSecret: z.boolean(),
    isCapsule: z.boolean(),
    isSyncingCapsule: z.boolean(),
  }),
})

/** @throws SlotmeshError `chain/unreadable-block`, or what requests throw. */
export async function readNft(
  rpc: Rpc,
  runtime: Runtime,
  nftId: NftId,
  block: BlockRef,
  signal: AbortSignal,
): Promise<NftFacts | undefined> {
  const nfts = runtime.storage('NFT', 'Nfts')
  const delegations = runtime.storage('NFT', 'DelegatedNFTs')
  const [nft, delegation] = await rpc.storages([nfts.key(nftId), delegations.key(nftId)], block.hash, signal)
  if (nft === undefined) return undefined
  const { owner, state } = readAs(nftShape, block, nfts, () => plain(nfts.decode(nft)))
  const delegatee =
    delegation === undefined
      ? undefined
      : readAs(account, block, delegations, () => plain(delegations.decode(delegation)))
  return { owner, delegatee, ...state }
}

/**
 * Every share that is synced at a block, a page at a time.
 * @throws as `readNft`.
 */
export async function* readSyncedShares(
  rpc: Rpc,
  runtime: Runtime,
  block: BlockRef,
  signal: AbortSignal,
): AsyncGenerator<ShareKey[]> {
  const nfts = runtime.storage('NFT', 'Nfts')
  for await (const page of rpc.entries(nfts.prefix, block.hash, PAGE, signal)) {
    const keys = page.flatMap(({ key, value }): ShareKey[] => {
      const nftId = readAs(u32, block, nfts, () => nfts.keyOf(key))
      const { state } = readAs(nftShape, block, nfts, () => plain(nfts.decode(value)))
      return [
        ...(state.isSecret && !state.isSyncingSecret ? [{ kind: 'secret', nftId } as const] : []),
        ...(state.isCapsule && !state.isSyncingCapsule ? [{ kind: 'capsule', nftId } as const] : []),
      ]
    })
    if (keys.length > 0) yield keys
  }
}
