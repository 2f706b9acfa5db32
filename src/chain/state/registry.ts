import { z } from 'zod'
import { fromHex } from '../../crypto/index.js'
import {
  type AccountId,
  type BlockRef,
  type Cluster,
  type EnclaveSeat,
  type Hex,
  Registry,
  SlotmeshError,
} from '../../domain/index.js'
import type { Rpc } from '../connection/rpc.js'
import { plain } from '../runtime/plain.js'
import type { Runtime, StorageItem } from '../runtime/runtime.js'
import { account, bytes, u32 } from '../runtime/shapes.js'
import { readEntries } from './entries.js'
import { readAs } from './readable.js'

/** No TEE pallet comes near this many clusters or enclaves; an endpoint that lists more is not believed. */
const MOST_ENTRIES = 100_000

const enclaveShape = z.object({ enclaveAddress: account, apiUri: bytes })

/** In generation 1 a seat is an operator, its slot the position in the list, and every cluster public. */
const clusterShape = z.object({
  enclaves: z.array(z.union([account, z.tuple([account, u32])])),
  clusterType: z
    .enum(['Disabled', 'Admin', 'Public', 'Private'])
    .transform((type) => TYPES[type])
    .default('public'),
})

const TYPES = { Disabled: 'disabled', Admin: 'admin', Public: 'public', Private: 'private' } as const

/**
 * Clusters and seats as of a block.
 * @throws SlotmeshError `chain/unreadable-block`, or what requests throw.
 */
export async function readRegistry(
  rpc: Rpc,
  runtime: Runtime,
  block: BlockRef,
  signal: AbortSignal,
): Promise<Registry> {
  const [clusters, enclaves] = await Promise.all([
    readMap(rpc, runtime.storage('TEE', 'ClusterData'), u32, clusterShape, block, signal),
    readMap(rpc, runtime.storage('TEE', 'EnclaveData'), account, enclaveShape, block, signal),
  ])
  return new Registry(
    [...clusters]
      .sort(([one], [other]) => one - other)
      .map(([id, { clusterType, enclaves: places }]): Cluster => {
        const seats = places.flatMap((place, position): EnclaveSeat[] => {
          const [operator, slot]: [AccountId, number] = typeof place === 'string' ? [place, position] : place
          const enclave = enclaves.get(operator)
          // The pallet keeps both entries in step; a place without an enclave has no account that could act.
          if (enclave === undefined) return []
          const { enclaveAddress, apiUri } = enclave
          return [{ account: enclaveAddress, operator, cluster: id, slot, apiUri: textOf(apiUri) }]
        })
        return { id, type: clusterType, seats }
      }),
  )
}

async function readMap<Key extends string | number, Value>(
  rpc: Rpc,
  item: StorageItem,
  keyShape: z.ZodType<Key>,
  valueShape: z.ZodType<Value>,
  block: BlockRef,
  signal: AbortSignal,
): Promise<Map<Key, Value>> {
  const map = new Map<Key, Value>()
  for await (const page of readEntries(rpc, item.prefix, block.hash, signal)) {
    for (const { key, value } of page) {
      map.set(
        readAs(keyShape, block, item, () => item.keyOf(key)),
        readAs(valueShape, block, item, () => plain(item.decode(value))),
      )
    }
    if (map.size > MOST_ENTRIES) {
      throw new SlotmeshError('chain/malformed-answer', `The endpoint lists too many of ${item.name}; use another one.`)
    }
  }
  return map
}

/** Whatever bytes an operator registered, as text. */
function textOf(apiUri: Hex): string {
  return new TextDecoder().decode(fromHex(apiUri))
}
