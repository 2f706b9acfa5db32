import { z } from 'zod'
import type { BlockRef } from '../../domain/index.js'
import type { Rpc } from '../connection/rpc.js'
import { plain } from '../runtime/plain.js'
import type { Runtime } from '../runtime/runtime.js'
import { readAs } from './readable.js'

const shape = z.number().int()

/** When a block was made, by its author's clock, Unix ms; undefined where the chain does not say. */
export async function readTime(
  rpc: Rpc,
  runtime: Runtime,
  block: BlockRef,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (!runtime.hasStorage('Timestamp', 'Now')) return undefined
  const now = runtime.storage('Timestamp', 'Now')
  const [value] = await rpc.storages([now.key()], block.hash, signal)
  return value === undefined ? undefined : readAs(shape, block, now, () => plain(now.decode(value)))
}
