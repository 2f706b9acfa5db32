import { z } from 'zod'
import type { AccountId, BlockNumber, Hex, NftId, RegistryChange, ShareKind } from '../../domain/index.js'
import { unreadableBlock } from '../errors.js'
import type { ChainEvent, Runtime } from '../runtime/runtime.js'
import { account, reasonOf, u32 } from '../runtime/shapes.js'

/** What of a block matters to a node. `phase` tells events of one extrinsic from those of another. */
export type RelevantEvent = { readonly phase: ChainEvent['phase'] } & (
  | { readonly type: 'confirmed'; readonly kind: ShareKind; readonly nftId: NftId; readonly enclave: AccountId }
  | { readonly type: 'synced'; readonly kind: ShareKind; readonly nftId: NftId }
  | { readonly type: 'removed'; readonly kind: ShareKind; readonly nftId: NftId }
  | { readonly type: 'key-update'; readonly kind: 'capsule'; readonly nftId: NftId }
  | { readonly type: 'registry'; readonly change: RegistryChange }
)

const ofNft = z.object({ nftId: u32 })
const byEnclave = z.object({ nftId: u32, enclave: account })
const assigned = z.object({ operatorAddress: account, clusterId: u32 })
const updated = z.object({ operatorAddress: account, newEnclaveAddress: account })
const ofOperator = z.object({ operatorAddress: account })
const ofCluster = z.object({ clusterId: u32 })

type Reader = (event: ChainEvent) => RelevantEvent[]

const READERS: Readonly<Record<string, Reader>> = {
  'nft.ShardAdded': confirmed('secret'),
  'nft.CapsuleShardAdded': confirmed('capsule'),
  'nft.SecretNFTSynced': happened('synced', ['secret']),
  'nft.CapsuleSynced': happened('synced', ['capsule']),
  'nft.NFTBurned': happened('removed', ['secret', 'capsule']),
  'nft.CapsuleReverted': happened('removed', ['capsule']),
  'nft.CapsuleKeyUpdateNotified': ({ phase, data }) => [
    { type: 'key-update', kind: 'capsule', phase, ...ofNft.parse(data) },
  ],
}

const CHANGES: Readonly<Record<string, (data: unknown) => RegistryChange>> = {
  EnclaveAssigned: (data) => {
    const { operatorAddress: operator, clusterId: cluster } = assigned.parse(data)
    return { type: 'enclave-assigned', operator, cluster }
  },
  EnclaveUpdated: (data) => {
    const { operatorAddress: operator, newEnclaveAddress } = updated.parse(data)
    return { type: 'enclave-updated', operator, account: newEnclaveAddress }
  },
  EnclaveRemoved: (data) => ({ type: 'enclave-removed', operator: ofOperator.parse(data).operatorAddress }),
  // Not every chain says which.
  ClusterAdded: (data) =>
    ofCluster.safeParse(data).success ? clusterChange('cluster-added')(data) : { type: 'other', event: 'ClusterAdded' },
  ClusterUpdated: clusterChange('cluster-updated'),
  ClusterRemoved: clusterChange('cluster-removed'),
}

/**
 * What matters of a block's `System.Events`, in order.
 * @throws SlotmeshError `chain/unreadable-block`.
 */
export function readEvents(runtime: Runtime, block: BlockNumber, records: Hex | undefined): RelevantEvent[] {
  if (records === undefined) {
    // Every block has some, if only that its timestamp was set; genesis alone has none.
    if (block === 0) return []
    throw unreadableBlock(block, 'System.Events', 'the endpoint says that there are none')
  }
  return readable(block, 'System.Events', () => runtime.eventsAmong(records, matters)).flatMap((event) =>
    readable(block, `${event.pallet}.${event.name}`, () => readerOf(event.pallet, event.name)?.(event) ?? []),
  )
}

/** All events of a block. @throws SlotmeshError `chain/unreadable-block`. */
export function decode(runtime: Runtime, block: BlockNumber, records: Hex): ChainEvent[] {
  return readable(block, 'System.Events', () => runtime.events(records))
}

function readable<T>(block: BlockNumber, item: string, read: () => T): T {
  try {
    return read()
  } catch (thrown) {
    throw unreadableBlock(block, item, reasonOf(thrown))
  }
}

function matters(pallet: string, name: string): boolean {
  return readerOf(pallet, name) !== undefined
}

/** Any event of the TEE pallet may change the registry, also one that this version does not know. */
function readerOf(pallet: string, name: string): Reader | undefined {
  return pallet === 'tee' ? changed : READERS[`${pallet}.${name}`]
}

function changed({ phase, name, data }: ChainEvent): RelevantEvent[] {
  return [{ type: 'registry', phase, change: CHANGES[name]?.(data) ?? { type: 'other', event: name } }]
}

function clusterChange(type: 'cluster-added' | 'cluster-updated' | 'cluster-removed') {
  return (data: unknown): RegistryChange => ({ type, cluster: ofCluster.parse(data).clusterId })
}

function confirmed(kind: ShareKind): Reader {
  return ({ phase, data }) => [{ type: 'confirmed', kind, phase, ...byEnclave.parse(data) }]
}

function happened(type: 'synced' | 'removed', kinds: readonly ShareKind[]): Reader {
  return ({ phase, data }) => {
    const { nftId } = ofNft.parse(data)
    return kinds.map((kind) => ({ type, kind, phase, nftId }))
  }
}
