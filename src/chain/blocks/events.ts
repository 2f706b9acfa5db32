import { z } from 'zod'
import type { AccountId, BlockNumber, Hex, NftId, ShareKind } from '../../domain/index.js'
import { messageOf } from '../../domain/index.js'
import { unreadableBlock } from '../errors.js'
import type { ChainEvent, Runtime } from '../runtime/runtime.js'
import { account, u32 } from '../runtime/shapes.js'

/** What of a block matters to a node. `phase` tells events of one extrinsic from those of another. */
export type RelevantEvent = { readonly phase: ChainEvent['phase'] } & (
  | { readonly type: 'confirmed'; readonly kind: ShareKind; readonly nftId: NftId; readonly enclave: AccountId }
  | { readonly type: 'synced'; readonly kind: ShareKind; readonly nftId: NftId }
  | { readonly type: 'removed'; readonly kind: ShareKind; readonly nftId: NftId }
  /** The registry may have changed; `seated` is the operator whom it gave a seat, or another account. */
  | { readonly type: 'registry'; readonly seated: AccountId | undefined }
)

const ofNft = z.object({ nftId: u32 })
const byEnclave = z.object({ nftId: u32, enclave: account })
const ofOperator = z.object({ operatorAddress: account })

type Reader = (event: ChainEvent) => RelevantEvent[]

const READERS: Readonly<Record<string, Reader>> = {
  'nft.ShardAdded': confirmed('secret'),
  'nft.CapsuleShardAdded': confirmed('capsule'),
  'nft.SecretNFTSynced': happened('synced', ['secret']),
  'nft.CapsuleSynced': happened('synced', ['capsule']),
  'nft.NFTBurned': happened('removed', ['secret', 'capsule']),
  'nft.CapsuleReverted': happened('removed', ['capsule']),
  'tee.EnclaveAssigned': seated,
  'tee.EnclaveUpdated': seated,
}

const PALLETS: ReadonlySet<string> = new Set(['nft', 'tee'])

/**
 * What matters of a block's `System.Events`, in order.
 * @throws SlotmeshError `chain/unreadable-block`.
 */
export function readEvents(runtime: Runtime, block: BlockNumber, records: Hex | undefined): RelevantEvent[] {
  if (records === undefined) return []
  return decode(runtime, block, records, PALLETS).flatMap((event) => {
    const name = `${event.pallet}.${event.name}`
    try {
      const read = READERS[name]
      if (read !== undefined) return read(event)
      return event.pallet === 'tee' ? [{ type: 'registry', phase: event.phase, seated: undefined }] : []
    } catch (thrown) {
      throw unreadableBlock(block, name, reasonOf(thrown))
    }
  })
}

/** @throws SlotmeshError `chain/unreadable-block`. */
export function decode(
  runtime: Runtime,
  block: BlockNumber,
  records: Hex,
  pallets?: ReadonlySet<string>,
): ChainEvent[] {
  try {
    return runtime.events(records, pallets)
  } catch (thrown) {
    throw unreadableBlock(block, 'System.Events', reasonOf(thrown))
  }
}

export function reasonOf(thrown: unknown): string {
  return thrown instanceof z.ZodError ? z.prettifyError(thrown).replaceAll(/\s+/g, ' ') : messageOf(thrown)
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

function seated({ phase, data }: ChainEvent): RelevantEvent[] {
  return [{ type: 'registry', phase, seated: ofOperator.parse(data).operatorAddress }]
}
