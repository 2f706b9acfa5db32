import { stringCamelCase } from '@polkadot/util'
import { SlotmeshError } from '../../domain/index.js'
import type { Runtime } from './runtime.js'

/** What this room reads and writes, by the names of the metadata. */
const STORAGE = ['System.Events', 'NFT.Nfts', 'NFT.DelegatedNFTs', 'TEE.ClusterData', 'TEE.EnclaveData']
const CALLS = ['NFT.add_secret_shard', 'NFT.add_capsule_shard', 'TEE.assign_enclave']
const EVENTS: Readonly<Record<string, readonly string[]>> = {
  'NFT.SecretNFTSynced': ['nft_id'],
  'NFT.CapsuleSynced': ['nft_id'],
  'NFT.ShardAdded': ['nft_id', 'enclave'],
  'NFT.CapsuleShardAdded': ['nft_id', 'enclave'],
  'NFT.NFTBurned': ['nft_id'],
  'NFT.CapsuleReverted': ['nft_id'],
  'TEE.EnclaveAssigned': ['operator_address'],
}

/** What a block of this runtime cannot be read without, and is not there. */
export function missingForReading(runtime: Runtime): string[] {
  return [
    ...STORAGE.filter((name) => !runtime.hasStorage(...split(name))).map((name) => `storage ${name}`),
    ...Object.entries(EVENTS).flatMap(([name, fields]) => missingFields(runtime, name, fields)),
  ]
}

/** @throws SlotmeshError `chain/unsupported`, naming everything that is missing. */
export function requirePallets(runtime: Runtime, endpoint: string): void {
  const calls = CALLS.filter((name) => runtime.callArguments(...split(name)) === undefined)
  const missing = [...calls.map((name) => `call ${name}`), ...missingForReading(runtime)]
  if (missing.length === 0) return
  throw new SlotmeshError(
    'chain/unsupported',
    `The chain at ${endpoint} cannot be used, for it has no ${missing.join(', no ')}; connect to a chain with the NFT and TEE pallets.`,
  )
}

/** Told from the metadata alone: generation 2 assigns an enclave to a slot, generation 1 to a cluster only. */
export function generationOf(runtime: Runtime): 1 | 2 {
  return runtime.callArguments('TEE', 'assign_enclave')?.length === 3 ? 2 : 1
}

function missingFields(runtime: Runtime, name: string, fields: readonly string[]): string[] {
  const present = runtime.eventFields(...split(name))
  if (present === undefined) return [`event ${name}`]
  const names = present.map((field) => stringCamelCase(field))
  return fields.filter((field) => !names.includes(stringCamelCase(field))).map((field) => `field ${field} of ${name}`)
}

function split(name: string): [pallet: string, item: string] {
  const [pallet = '', item = ''] = name.split('.')
  return [pallet, item]
}
