import { z } from 'zod'
import type { AccountId, BlockRef } from '../../domain/index.js'
import type { Rpc } from '../connection/rpc.js'
import { plain } from '../runtime/plain.js'
import type { Runtime } from '../runtime/runtime.js'
import { account } from '../runtime/shapes.js'
import { readAs } from './readable.js'

const serversShape = z.array(z.object({ metricsServerAddress: account }))

/**
 * The accounts of the metrics servers; none where the TEE pallet knows none, as in generation 1.
 * @throws SlotmeshError `chain/unreadable-block`, or what requests throw.
 */
export async function readMetricsServers(
  rpc: Rpc,
  runtime: Runtime,
  block: BlockRef,
  signal: AbortSignal,
): Promise<AccountId[]> {
  if (!runtime.hasStorage('TEE', 'MetricsServers')) return []
  const item = runtime.storage('TEE', 'MetricsServers')
  const value = await rpc.storage(item.key(), block.hash, signal)
  if (value === undefined) return []
  const servers = readAs(serversShape, block, item, () => plain(item.decode(value)))
  return servers.map(({ metricsServerAddress }) => metricsServerAddress)
}
