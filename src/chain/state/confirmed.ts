import { z } from 'zod'
import type { AccountId, BlockRef, ShareKey } from '../../domain/index.js'
import type { Rpc } from '../connection/rpc.js'
import { plain } from '../runtime/plain.js'
import type { Runtime } from '../runtime/runtime.js'
import { account, u32 } from '../runtime/shapes.js'
import { isSynced, nftShape } from './nfts.js'
import { readAs } from './readable.js'

const COUNTS = { secret: 'SecretNftsShardsCount', capsule: 'CapsulesShardsCount' } as const

const countShape = z.array(z.tuple([u32, account]))

/** How a confirmation of an operator's enclave stands: it is made; it is of no use any more, as all are; or neither. */
export type Standing = 'confirmed' | 'synced' | 'open'

/**
 * How confirmations stand, in the order of `keys`. What is synced no longer tells who has confirmed it.
 * @throws SlotmeshError `chain/unreadable-block`, or what requests throw.
 */
export async function readStandings(
  rpc: Rpc,
  runtime: Runtime,
  { keys, operator, block }: { keys: readonly ShareKey[]; operator: AccountId; block: BlockRef },
  signal: AbortSignal,
): Promise<Standing[]> {
  const counts = keys.map(({ kind, nftId }) => {
    const item = runtime.storage('NFT', COUNTS[kind])
    return { item, key: item.key(nftId) }
  })
  const nfts = runtime.storage('NFT', 'Nfts')
  const values = await rpc.storages(
    [...counts.map(({ key }) => key), ...keys.map(({ nftId }) => nfts.key(nftId))],
    block.hash,
    signal,
  )
  return counts.map(({ item }, index) => {
    const [count, nft] = [values[index], values[keys.length + index]]
    if (count !== undefined) {
      const confirmed = readAs(countShape, block, item, () => plain(item.decode(count)))
      if (confirmed.some(([, each]) => each === operator)) return 'confirmed'
    }
    const key = keys[index]
    if (key === undefined || nft === undefined) return 'open'
    const { state } = readAs(nftShape, block, nfts, () => plain(nfts.decode(nft)))
    return isSynced(key.kind, state) ? 'synced' : 'open'
  })
}
