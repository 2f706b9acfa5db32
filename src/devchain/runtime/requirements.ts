import { SlotmeshError } from '../../domain/index.js'
import type { RuntimeCodec } from './codec.js'

/** What the ledger and the two pallets cannot do without, by the names of the metadata. */
const STORAGE = [
  'System.Account',
  'System.BlockHash',
  'System.Number',
  'System.ParentHash',
  'System.Events',
  'System.EventCount',
  'Timestamp.Now',
  'Balances.TotalIssuance',
  'TechnicalCommittee.Members',
  'NFT.NextNFTId',
  'NFT.Nfts',
  'NFT.DelegatedNFTs',
  'NFT.SecretNftsOffchainData',
  'NFT.SecretNftsShardsCount',
  'NFT.CapsuleOffchainData',
  'NFT.CapsulesShardsCount',
  'TEE.EnclaveRegistrations',
  'TEE.EnclaveUpdates',
  'TEE.EnclaveUnregistrations',
  'TEE.EnclaveData',
  'TEE.EnclaveAccountOperator',
  'TEE.EnclaveClusterId',
  'TEE.ClusterData',
  'TEE.NextClusterId',
]
const CONSTANTS = [
  'System.BlockHashCount',
  'System.SS58Prefix',
  'Balances.ExistentialDeposit',
  'NFT.ShardsNumber',
  'NFT.NFTOffchainDataLimit',
  'NFT.InitialMintFee',
  'NFT.InitialSecretMintFee',
  'NFT.InitialCapsuleMintFee',
  'TEE.ClusterSize',
  'TEE.MaxUriLen',
]
const CALLS: Readonly<Record<string, readonly string[]>> = {
  'Timestamp.set': ['now'],
  'TechnicalCommittee.propose': ['threshold', 'proposal', 'lengthBound'],
  'NFT.create_nft': ['offchainData', 'royalty', 'collectionId', 'isSoulbound'],
  'NFT.create_secret_nft': ['offchainData', 'secretOffchainData', 'royalty', 'collectionId', 'isSoulbound'],
  'NFT.create_capsule': ['offchainData', 'capsuleOffchainData', 'royalty', 'collectionId', 'isSoulbound'],
  'NFT.add_secret': ['nftId', 'offchainData'],
  'NFT.convert_to_capsule': ['nftId', 'offchainData'],
  'NFT.add_secret_shard': ['nftId'],
  'NFT.add_capsule_shard': ['nftId'],
  'NFT.set_capsule_offchaindata': ['nftId', 'offchainData'],
  'NFT.notify_enclave_key_update': ['nftId'],
  'NFT.burn_nft': ['nftId'],
  'NFT.transfer_nft': ['nftId', 'recipient'],
  'TEE.register_enclave': ['enclaveAddress', 'apiUri'],
  'TEE.update_enclave': ['newEnclaveAddress', 'newApiUri'],
  'TEE.unregister_enclave': [],
  'TEE.assign_enclave': ['operatorAddress', 'clusterId'],
  'TEE.create_cluster': [],
}
const EVENTS = [
  'System.ExtrinsicSuccess',
  'System.ExtrinsicFailed',
  'NFT.NFTCreated',
  'NFT.NFTBurned',
  'NFT.SecretAddedToNFT',
  'NFT.ShardAdded',
  'NFT.SecretNFTSynced',
  'NFT.NFTConvertedToCapsule',
  'NFT.CapsuleShardAdded',
  'NFT.CapsuleSynced',
  'NFT.CapsuleReverted',
  'NFT.CapsuleKeyUpdateNotified',
  'TEE.EnclaveAddedForRegistration',
  'TEE.EnclaveAssigned',
  'TEE.EnclaveUpdated',
  'TEE.EnclaveRemoved',
  'TEE.ClusterAdded',
  'TEE.ClusterRemoved',
]

/** @throws SlotmeshError `devchain/unsupported-metadata`, naming everything that is missing. */
export function requireParts(codec: RuntimeCodec): void {
  const missing = [
    ...without(STORAGE, 'storage item', (pallet, item) => codec.hasStorage(pallet, item)),
    ...without(CONSTANTS, 'constant', (pallet, name) => codec.findConstant(pallet, name) !== undefined),
    ...without(EVENTS, 'event', (pallet, name) => codec.hasEvent(pallet, name)),
    ...Object.entries(CALLS).flatMap(([call, needed]) => {
      const [pallet = '', name = ''] = call.split('.')
      const present = codec.callArguments(pallet, name)
      if (present === undefined) return [`call ${call}`]
      return needed.filter((argument) => !present.includes(argument)).map((argument) => `${argument} of call ${call}`)
    }),
    ...codec.uncheckedExtensions.map((name) => `way to check the signed extension ${name}`),
  ]
  if (missing.length === 0) return
  throw new SlotmeshError(
    'devchain/unsupported-metadata',
    `The metadata cannot be served, for there is no ${missing.join(', no ')}; use that of a chain with the NFT and TEE pallets.`,
  )
}

function without(names: readonly string[], what: string, has: (pallet: string, item: string) => boolean): string[] {
  return names
    .filter((name) => {
      const [pallet = '', item = ''] = name.split('.')
      return !has(pallet, item)
    })
    .map((name) => `${what} ${name}`)
}
