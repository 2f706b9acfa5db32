import type { Fields, NamedType } from './type-book.js'

/**
 * The two layouts of the TEE pallet that exist in the wild: in the first an enclave's slot is its position in the
 * cluster's list, in the second it is stored, and clusters have a type.
 */
export type Generation = 1 | 2

/** Something a pallet lists under an index: a call with its arguments, an event with its fields. */
interface Indexed {
  readonly index: number
  readonly fields: Fields
}

interface StorageItem {
  /** Type of the key; none for a single value. */
  readonly key?: { readonly type: string; readonly hasher: 'Blake2_128Concat' | 'Twox64Concat' }
  readonly value: string
  /** What reads of an absent entry give; without it they give nothing. */
  readonly fallback?: unknown
}

interface Constant {
  readonly type: string
  readonly value: unknown
}

export interface PalletDefinition {
  readonly index: number
  readonly calls?: Readonly<Record<string, Indexed>>
  readonly events?: Readonly<Record<string, Indexed>>
  readonly errors?: readonly string[]
  readonly storage?: Readonly<Record<string, StorageItem>>
  readonly constants?: Readonly<Record<string, Constant>>
}

/** 18 decimals. */
export const ONE_CAPS = 10n ** 18n

function call(index: number, fields: Fields = {}): Indexed {
  return { index, fields }
}

const event = call

function map(type: string, value: string): StorageItem {
  return { key: { type, hasher: 'Blake2_128Concat' }, value }
}

const SYSTEM: PalletDefinition = {
  index: 0,
  calls: {
    remark: call(0, { remark: 'Bytes' }),
    remark_with_event: call(7, { remark: 'Bytes' }),
  },
  events: {
    ExtrinsicSuccess: event(0, { dispatch_info: 'DispatchInfo' }),
    ExtrinsicFailed: event(1, { dispatch_error: 'DispatchError', dispatch_info: 'DispatchInfo' }),
    CodeUpdated: event(2),
    NewAccount: event(3, { account: 'AccountId32' }),
    KilledAccount: event(4, { account: 'AccountId32' }),
    Remarked: event(5, { sender: 'AccountId32', hash: 'H256' }),
  },
  errors: [
    'InvalidSpecName',
    'SpecVersionNeedsToIncrease',
    'FailedToExtractRuntimeVersion',
    'NonDefaultComposite',
    'NonZeroRefCount',
    'CallFiltered',
  ],
  storage: {
    Account: { ...map('AccountId32', 'AccountInfo'), fallback: {} },
    BlockHash: { key: { type: 'u32', hasher: 'Twox64Concat' }, value: 'H256', fallback: null },
    Number: { value: 'u32', fallback: 0 },
    ParentHash: { value: 'H256', fallback: null },
    Events: { value: 'Vec<EventRecord>', fallback: [] },
    EventCount: { value: 'u32', fallback: 0 },
  },
  constants: {
    BlockHashCount: { type: 'u32', value: 2400 },
    SS58Prefix: { type: 'u16', value: 42 },
  },
}

const TIMESTAMP: PalletDefinition = {
  index: 3,
  calls: { set: call(0, { now: 'Compact<u64>' }) },
  storage: { Now: { value: 'u64', fallback: 0 } },
  constants: { MinimumPeriod: { type: 'u64', value: 3000 } },
}

const BALANCES: PalletDefinition = {
  index: 4,
  calls: {
    transfer_allow_death: call(0, { dest: 'MultiAddress', value: 'Compact<u128>' }),
    transfer_keep_alive: call(3, { dest: 'MultiAddress', value: 'Compact<u128>' }),
  },
  events: {
    Endowed: event(0, { account: 'AccountId32', free_balance: 'u128' }),
    DustLost: event(1, { account: 'AccountId32', amount: 'u128' }),
    Transfer: event(2, { from: 'AccountId32', to: 'AccountId32', amount: 'u128' }),
    Withdraw: event(8, { who: 'AccountId32', amount: 'u128' }),
  },
  errors: ['VestingBalance', 'LiquidityRestrictions', 'InsufficientBalance', 'ExistentialDeposit', 'Expendability'],
  storage: { TotalIssuance: { value: 'u128', fallback: 0 } },
  constants: { ExistentialDeposit: { type: 'u128', value: ONE_CAPS / 1000n } },
}

const TECHNICAL_COMMITTEE: PalletDefinition = {
  index: 17,
  calls: {
    execute: call(1, { proposal: 'RuntimeCall', length_bound: 'Compact<u32>' }),
    propose: call(2, { threshold: 'Compact<u32>', proposal: 'RuntimeCall', length_bound: 'Compact<u32>' }),
  },
  events: {
    Executed: event(4, { proposal_hash: 'H256', result: 'Result<(),DispatchError>' }),
    MemberExecuted: event(5, { proposal_hash: 'H256', result: 'Result<(),DispatchError>' }),
  },
  errors: ['NotMember', 'TooManyProposals', 'WrongProposalLength'],
  storage: { Members: { value: 'Vec<AccountId32>', fallback: [] } },
  // No motion is ever left open to a vote here: one member decides, and a higher threshold is refused.
  constants: { MaxProposals: { type: 'u32', value: 0 } },
}

const UTILITY: PalletDefinition = {
  index: 21,
  calls: {
    batch: call(0, { calls: 'Vec<RuntimeCall>' }),
    batch_all: call(2, { calls: 'Vec<RuntimeCall>' }),
    force_batch: call(4, { calls: 'Vec<RuntimeCall>' }),
  },
  events: {
    BatchInterrupted: event(0, { index: 'u32', error: 'DispatchError' }),
    BatchCompleted: event(1),
    BatchCompletedWithErrors: event(2),
    ItemCompleted: event(3),
    ItemFailed: event(4, { error: 'DispatchError' }),
  },
  errors: ['TooManyCalls'],
  constants: { batched_calls_limit: { type: 'u32', value: 10_922 } },
}

const NFT: PalletDefinition = {
  index: 29,
  calls: {
    create_nft: call(0, {
      offchain_data: 'Bytes',
      royalty: 'Permill',
      collection_id: 'Option<u32>',
      is_soulbound: 'bool',
    }),
    burn_nft: call(1, { nft_id: 'u32' }),
    transfer_nft: call(2, { nft_id: 'u32', recipient: 'MultiAddress' }),
    delegate_nft: call(3, { nft_id: 'u32', recipient: 'Option<MultiAddress>' }),
    add_secret: call(11, { nft_id: 'u32', offchain_data: 'Bytes' }),
    create_secret_nft: call(12, {
      offchain_data: 'Bytes',
      secret_offchain_data: 'Bytes',
      royalty: 'Permill',
      collection_id: 'Option<u32>',
      is_soulbound: 'bool',
    }),
    add_secret_shard: call(13, { nft_id: 'u32' }),
    convert_to_capsule: call(15, { nft_id: 'u32', offchain_data: 'Bytes' }),
    create_capsule: call(16, {
      offchain_data: 'Bytes',
      capsule_offchain_data: 'Bytes',
      royalty: 'Permill',
      collection_id: 'Option<u32>',
      is_soulbound: 'bool',
    }),
    set_capsule_offchaindata: call(17, { nft_id: 'u32', offchain_data: 'Bytes' }),
    revert_capsule: call(18, { nft_id: 'u32' }),
    add_capsule_shard: call(19, { nft_id: 'u32' }),
    notify_enclave_key_update: call(20, { nft_id: 'u32' }),
  },
  events: {
    NFTCreated: event(0, {
      nft_id: 'u32',
      owner: 'AccountId32',
      offchain_data: 'Bytes',
      royalty: 'Permill',
      collection_id: 'Option<u32>',
      is_soulbound: 'bool',
      mint_fee: 'u128',
    }),
    NFTBurned: event(1, { nft_id: 'u32' }),
    NFTTransferred: event(2, { nft_id: 'u32', sender: 'AccountId32', recipient: 'AccountId32' }),
    NFTDelegated: event(3, { nft_id: 'u32', recipient: 'Option<AccountId32>' }),
    SecretAddedToNFT: event(11, { nft_id: 'u32', offchain_data: 'Bytes' }),
    ShardAdded: event(12, { nft_id: 'u32', enclave: 'AccountId32' }),
    SecretNFTSynced: event(13, { nft_id: 'u32' }),
    NFTConvertedToCapsule: event(15, { nft_id: 'u32', offchain_data: 'Bytes' }),
    CapsuleOffchainDataSet: event(16, { nft_id: 'u32', offchain_data: 'Bytes' }),
    CapsuleShardAdded: event(17, { nft_id: 'u32', enclave: 'AccountId32' }),
    CapsuleSynced: event(18, { nft_id: 'u32' }),
    CapsuleReverted: event(19, { nft_id: 'u32' }),
    CapsuleKeyUpdateNotified: event(21, { nft_id: 'u32' }),
  },
  errors: [
    'NFTNotFound',
    'NotTheNFTOwner',
    'CollectionNotFound',
    'NFTOffchainDataIsTooLong',
    'InsufficientBalance',
    'CannotTransferNFTsToYourself',
    'CannotTransferDelegatedNFTs',
    'CannotTransferNotCreatedSoulboundNFTs',
    'CannotTransferNotSyncedNFTs',
    'CannotBurnDelegatedNFTs',
    'CannotAddSecretToSecretNFTs',
    'CannotConvertCapsuleNFTs',
    'NotARegisteredEnclave',
    'NFTIsNotSecret',
    'NFTIsNotCapsule',
    'NFTAlreadySynced',
    'NFTIsSyncing',
    'ShareNotFromValidCluster',
    'EnclaveAlreadyAddedShard',
  ],
  storage: {
    NextNFTId: { value: 'u32', fallback: 0 },
    Nfts: map('u32', 'NFTData'),
    DelegatedNFTs: map('u32', 'AccountId32'),
    SecretNftsOffchainData: map('u32', 'Bytes'),
    SecretNftsShardsCount: map('u32', 'Vec<(u32,AccountId32)>'),
    CapsuleOffchainData: map('u32', 'Bytes'),
    CapsulesShardsCount: map('u32', 'Vec<(u32,AccountId32)>'),
  },
  constants: {
    ShardsNumber: { type: 'u32', value: 5 },
    NFTOffchainDataLimit: { type: 'u32', value: 150 },
    InitialMintFee: { type: 'u128', value: ONE_CAPS },
    InitialSecretMintFee: { type: 'u128', value: ONE_CAPS },
    InitialCapsuleMintFee: { type: 'u128', value: ONE_CAPS },
  },
}

/** Of a contract only what tells who rents: who may, for what price and how long is not modelled. */
const RENT: PalletDefinition = {
  index: 32,
  calls: {
    create_contract: call(0, { nft_id: 'u32' }),
    revoke_contract: call(2, { nft_id: 'u32' }),
    rent: call(3, { nft_id: 'u32' }),
  },
  events: {
    ContractCreated: event(0, { nft_id: 'u32', renter: 'AccountId32' }),
    ContractStarted: event(1, { nft_id: 'u32', rentee: 'AccountId32' }),
    ContractRevoked: event(2, { nft_id: 'u32', revoked_by: 'AccountId32' }),
  },
  errors: ['NFTNotFound', 'NotTheNFTOwner', 'CannotRentRentedNFTs', 'ContractNotFound', 'CannotRentOwnContract'],
  storage: { Contracts: map('u32', 'RentContractData') },
}

const TEE_EVENTS: PalletDefinition['events'] = {
  EnclaveAddedForRegistration: event(0, {
    operator_address: 'AccountId32',
    enclave_address: 'AccountId32',
    api_uri: 'Bytes',
  }),
  RegistrationRemoved: event(1, { operator_address: 'AccountId32' }),
  UpdateRequestAdded: event(2, { operator_address: 'AccountId32' }),
  MovedForUnregistration: event(3, { operator_address: 'AccountId32' }),
  EnclaveAssigned: event(4, { operator_address: 'AccountId32', cluster_id: 'u32' }),
  EnclaveUpdated: event(5, {
    operator_address: 'AccountId32',
    new_enclave_address: 'AccountId32',
    new_api_uri: 'Bytes',
  }),
  EnclaveRemoved: event(6, { operator_address: 'AccountId32' }),
  ClusterAdded: event(7, { cluster_id: 'u32' }),
  ClusterRemoved: event(8, { cluster_id: 'u32' }),
}

const TEE_FIRST: PalletDefinition = {
  index: 34,
  calls: {
    register_enclave: call(0, { enclave_address: 'AccountId32', api_uri: 'Bytes' }),
    unregister_enclave: call(1),
    update_enclave: call(2, { new_enclave_address: 'AccountId32', new_api_uri: 'Bytes' }),
    assign_enclave: call(3, { operator_address: 'AccountId32', cluster_id: 'u32' }),
    remove_enclave: call(4, { operator_address: 'AccountId32' }),
    force_remove_enclave: call(5, { operator_address: 'AccountId32' }),
    force_update_enclave: call(6, {
      operator_address: 'AccountId32',
      new_enclave_address: 'AccountId32',
      new_api_uri: 'Bytes',
    }),
    create_cluster: call(7),
    remove_cluster: call(8, { cluster_id: 'u32' }),
  },
  events: TEE_EVENTS,
  errors: [
    'RegistrationAlreadyExists',
    'RegistrationNotFound',
    'OperatorAlreadyExists',
    'EnclaveAddressAlreadyExists',
    'EnclaveNotFound',
    'UnregistrationAlreadyExists',
    'UnregistrationNotFound',
    'ClusterNotFound',
    'ClusterIsFull',
    'ClusterIsNotEmpty',
    'UriTooLong',
  ],
  storage: {
    EnclaveRegistrations: map('AccountId32', 'Enclave'),
    EnclaveUpdates: map('AccountId32', 'Enclave'),
    EnclaveUnregistrations: { value: 'Vec<AccountId32>', fallback: [] },
    EnclaveData: map('AccountId32', 'Enclave'),
    EnclaveAccountOperator: map('AccountId32', 'AccountId32'),
    EnclaveClusterId: map('AccountId32', 'u32'),
    ClusterData: map('u32', 'Cluster'),
    NextClusterId: { value: 'u32', fallback: 0 },
  },
  constants: {
    ClusterSize: { type: 'u32', value: 5 },
    MaxUriLen: { type: 'u32', value: 150 },
  },
}

const TEE_SECOND: PalletDefinition = {
  ...TEE_FIRST,
  calls: {
    ...TEE_FIRST.calls,
    assign_enclave: call(3, { operator_address: 'AccountId32', cluster_id: 'u32', slot_id: 'u32' }),
    create_cluster: call(7, { cluster_type: 'ClusterType' }),
    update_cluster: call(9, { cluster_id: 'u32', cluster_type: 'ClusterType' }),
    register_metrics_server: call(10, { metrics_server: 'MetricsServer' }),
  },
  events: {
    ...TEE_EVENTS,
    ClusterUpdated: event(9, { cluster_id: 'u32', cluster_type: 'ClusterType' }),
    MetricsServerAdded: event(10, { metrics_server: 'MetricsServer' }),
  },
  errors: [...(TEE_FIRST.errors ?? []), 'SlotIdNotValid', 'SlotIsTaken', 'MetricsServerAlreadyExists'],
  storage: {
    ...TEE_FIRST.storage,
    MetricsServers: { value: 'Vec<MetricsServer>', fallback: [] },
  },
}

const NFT_TYPES: Readonly<Record<string, NamedType>> = {
  NFTState: {
    path: 'pallet_nft::types::NFTState',
    shape: {
      fields: {
        is_capsule: 'bool',
        is_listed: 'bool',
        is_secret: 'bool',
        is_delegated: 'bool',
        is_soulbound: 'bool',
        is_syncing_secret: 'bool',
        is_rented: 'bool',
        is_syncing_capsule: 'bool',
        is_transmission: 'bool',
      },
    },
  },
  NFTData: {
    path: 'pallet_nft::types::NFTData',
    shape: {
      fields: {
        owner: 'AccountId32',
        creator: 'AccountId32',
        offchain_data: 'Bytes',
        collection_id: 'Option<u32>',
        royalty: 'Permill',
        state: 'NFTState',
      },
    },
  },
}

const RENT_TYPES: Readonly<Record<string, NamedType>> = {
  RentContractData: {
    path: 'ternoa_rent::types::RentContractData',
    shape: { fields: { start_block: 'Option<u32>', renter: 'AccountId32', rentee: 'Option<AccountId32>' } },
  },
}

const ENCLAVE: NamedType = {
  path: 'pallet_tee::types::Enclave',
  shape: { fields: { enclave_address: 'AccountId32', api_uri: 'Bytes' } },
}

const TEE_FIRST_TYPES: Readonly<Record<string, NamedType>> = {
  Enclave: ENCLAVE,
  Cluster: { path: 'pallet_tee::types::Cluster', shape: { fields: { enclaves: 'Vec<AccountId32>' } } },
}

const TEE_SECOND_TYPES: Readonly<Record<string, NamedType>> = {
  Enclave: ENCLAVE,
  ClusterType: {
    path: 'pallet_tee::types::ClusterType',
    shape: { variants: { Disabled: { index: 0 }, Admin: { index: 1 }, Public: { index: 2 }, Private: { index: 3 } } },
  },
  Cluster: {
    path: 'pallet_tee::types::Cluster',
    shape: { fields: { enclaves: 'Vec<(AccountId32,u32)>', cluster_type: 'ClusterType' } },
  },
  MetricsServer: {
    path: 'pallet_tee::types::MetricsServer',
    shape: { fields: { metrics_server_address: 'AccountId32', supported_cluster_type: 'ClusterType' } },
  },
}

/** The pallets of the development chain, by name, and the types that are their own. */
export function palletsOf(generation: Generation): {
  readonly pallets: Readonly<Record<string, PalletDefinition>>
  readonly types: Readonly<Record<string, NamedType>>
} {
  return {
    pallets: {
      System: SYSTEM,
      Timestamp: TIMESTAMP,
      Balances: BALANCES,
      TechnicalCommittee: TECHNICAL_COMMITTEE,
      Utility: UTILITY,
      NFT,
      Rent: RENT,
      TEE: generation === 1 ? TEE_FIRST : TEE_SECOND,
    },
    types: { ...NFT_TYPES, ...RENT_TYPES, ...(generation === 1 ? TEE_FIRST_TYPES : TEE_SECOND_TYPES) },
  }
}
