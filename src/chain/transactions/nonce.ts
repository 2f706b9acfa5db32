import { z } from 'zod'
import type { AccountId, BlockRef } from '../../domain/index.js'
import type { Rpc } from '../connection/rpc.js'
import { plain } from '../runtime/plain.js'
import type { Runtime } from '../runtime/runtime.js'
import { u32 } from '../runtime/shapes.js'
import { readAs } from '../state/readable.js'

const accountShape = z.object({ nonce: u32 })

/**
 * How many transactions of an account the blocks up to this one hold.
 * @throws SlotmeshError `chain/unreadable-block`, or what requests throw.
 */
export async function readNonce(
  rpc: Rpc,
  runtime: Runtime,
  { account, block }: { account: AccountId; block: BlockRef },
  signal: AbortSignal,
): Promise<number> {
  const item = runtime.storage('System', 'Account')
  const value = await rpc.storage(item.key(account), block.hash, signal)
  return value === undefined ? 0 : readAs(accountShape, block, item, () => plain(item.decode(value))).nonce
}
