import { z } from 'zod'
import type { AccountId, BlockRef, ShareKey } from '../../domain/index.js'
import type { Rpc } from '../connection/rpc.js'
import { plain } from '../runtime/plain.js'
import type { Runtime } from '../runtime/runtime.js'
import { account, u32 } from '../runtime/shapes.js'
import { readAs } from './readable.js'

const COUNTS = { secret: 'SecretNftsShardsCount', capsule: 'CapsulesShardsCount' } as const

const countShape = z.array(z.tuple([u32, account]))

/**
 * Whether an operator's enclave has confirmed shares of which others are still to be confirmed, in the order of `keys`.
 * @throws SlotmeshError `chain/unreadable-block`, or what requests throw.
 */
export async function readConfirmed(
  rpc: Rpc,
  runtime: Runtime,
  { keys, operator, block }: { keys: readonly ShareKey[]; operator: AccountId; block: BlockRef },
  signal: AbortSignal,
): Promise<boolean[]> {
  const counts = keys.map(({ kind, nftId }) => {
    const item = runtime.storage('NFT', COUNTS[kind])
    return { item, key: item.key(nftId) }
  })
  const values = await rpc.storages(
    counts.map(({ key }) => key),
    block.hash,
    signal,
  )
  return counts.map(({ item }, index) => {
    const value = values[index]
    if (value === undefined) return false
    return readAs(countShape, block, item, () => plain(item.decode(value))).some(([, each]) => each === operator)
  })
}
