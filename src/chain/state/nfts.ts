import { z } from 'zod'
import type { BlockRef, NftFacts, NftId, ShareKey, ShareKind } from '../../domain/index.js'
import type { Rpc } from '../connection/rpc.js'
import { plain } from '../runtime/plain.js'
import type { Runtime } from '../runtime/runtime.js'
import { account } from '../runtime/shapes.js'
import { type Persist, readEntries } from './entries.js'
import { readAs, readable } from './readable.js'

const KINDS = ['secret', 'capsule'] as const

const FLAGS = ['isSecret', 'isSyncingSecret', 'isCapsule', 'isSyncingCapsule'] as const

export const nftShape = z.object({
  owner: account,
  state: z.object({
    isSecret: z.boolean(),
    isSyncingSecret: z.boolean(),
    isCapsule: z.boolean(),
    isSyncingCapsule: z.boolean(),
  }),
})

/** What there is as long as a rental goes on, whoever may rent it; of the contract no more is read. */
const contractShape = z.object({ rentee: account.nullable() })

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
  // Not every chain has rentals.
  const rentals = runtime.hasStorage('Rent', 'Contracts') ? runtime.storage('Rent', 'Contracts') : undefined
  const items = [nfts, delegations, ...(rentals === undefined ? [] : [rentals])]
  const keys = items.map((item) => item.key(nftId))
  const [nft, delegation, rental] = await rpc.storages(keys, block.hash, signal)
  if (nft === undefined) return undefined
  const { owner, state } = readAs(nftShape, block, nfts, () => plain(nfts.decode(nft)))
  const delegatee =
    delegation === undefined
      ? undefined
      : readAs(account, block, delegations, () => plain(delegations.decode(delegation)))
  const contract =
    rentals === undefined || rental === undefined
      ? undefined
      : readAs(contractShape, block, rentals, () => plain(rentals.decode(rental)))
  return { owner, delegatee, rentee: contract?.rentee ?? undefined, ...state }
}

/**
 * Every share that is synced at a block, a page at a time. Of an NFT nothing is decoded but what tells that.
 * @throws as `readNft`.
 */
export async function* readSyncedShares(
  rpc: Rpc,
  runtime: Runtime,
  block: BlockRef,
  signal: AbortSignal,
  persist: Persist,
): AsyncGenerator<ShareKey[]> {
  const nfts = runtime.storage('NFT', 'Nfts')
  const [idOf, stateOf] = readable(block, nfts, () => [nfts.keyReader(), nfts.flagReader(['state'], FLAGS)] as const)
  for await (const page of readEntries(rpc, nfts.prefix, block.hash, signal, persist)) {
    const keys = readable(block, nfts, () =>
      page.flatMap(({ key, value }): ShareKey[] => {
        const nftId = idOf(key)
        const state = stateOf(value)
        return KINDS.filter((kind) => isSynced(kind, state)).map((kind) => ({ kind, nftId }))
      }),
    )
    if (keys.length > 0) yield keys
  }
}

/** Whether all shares of a kind are confirmed that there are to be. */
export function isSynced(kind: ShareKind, state: Readonly<Record<(typeof FLAGS)[number], boolean>>): boolean {
  return kind === 'secret' ? state.isSecret && !state.isSyncingSecret : state.isCapsule && !state.isSyncingCapsule
}
