import type { AccountId, NftId } from '../../domain/index.js'
import { withdraw } from './balances.js'
import { type Call, type Handlers, signerOf } from './call.js'
import type { Execution } from './execution.js'
import { DispatchFailure } from './failure.js'
import { seatOf } from './tee.js'
import type { Value } from './value.js'

const PALLET = 'NFT'

/** Where the two kinds of shares differ; the rule of confirmation is one. */
const SECRET = {
  has: 'isSecret',
  isSyncing: 'isSyncingSecret',
  missing: 'NFTIsNotSecret',
  offchainData: 'SecretNftsOffchainData',
  shards: 'SecretNftsShardsCount',
  shardAdded: 'ShardAdded',
  synced: 'SecretNFTSynced',
  added: 'SecretAddedToNFT',
  fee: 'InitialSecretMintFee',
} as const

const CAPSULE = {
  has: 'isCapsule',
  isSyncing: 'isSyncingCapsule',
  missing: 'NFTIsNotCapsule',
  offchainData: 'CapsuleOffchainData',
  shards: 'CapsulesShardsCount',
  shardAdded: 'CapsuleShardAdded',
  synced: 'CapsuleSynced',
  added: 'NFTConvertedToCapsule',
  fee: 'InitialCapsuleMintFee',
} as const

type Kind = typeof SECRET | typeof CAPSULE

export const nftCalls: Handlers = {
  'NFT.create_nft': (call) => {
    createNft(call)
  },
  'NFT.create_secret_nft': (call) => {
    addShare(call.execution, SECRET, signerOf(call), createNft(call), call.argument('secretOffchainData'))
  },
  'NFT.create_capsule': (call) => {
    addShare(call.execution, CAPSULE, signerOf(call), createNft(call), call.argument('capsuleOffchainData'))
  },
  'NFT.add_secret': (call) => {
    const { owner, nftId, nft } = ownedNft(call)
    if (flag(nft, 'isSecret')) call.execution.fail(PALLET, 'CannotAddSecretToSecretNFTs')
    addShare(call.execution, SECRET, owner, nftId, call.argument('offchainData'))
  },
  'NFT.convert_to_capsule': (call) => {
    const { owner, nftId, nft } = ownedNft(call)
    if (flag(nft, 'isCapsule')) call.execution.fail(PALLET, 'CannotConvertCapsuleNFTs')
    addShare(call.execution, CAPSULE, owner, nftId, call.argument('offchainData'))
  },
  'NFT.add_secret_shard': (call) => addShard(call, SECRET),
  'NFT.add_capsule_shard': (call) => addShard(call, CAPSULE),

  'NFT.set_capsule_offchaindata': (call) => {
    const { nftId, nft } = ownedNft(call)
    const offchainData = checkedOffchainData(call.execution, call.argument('offchainData'))
    if (!flag(nft, 'isCapsule')) call.execution.fail(PALLET, 'NFTIsNotCapsule')
    call.execution.put(PALLET, CAPSULE.offchainData, [nftId], offchainData)
    call.execution.emit(PALLET, 'CapsuleOffchainDataSet', { nftId, offchainData })
  },
  'NFT.revert_capsule': (call) => {
    const { nftId, nft } = ownedNft(call)
    if (!flag(nft, 'isCapsule')) call.execution.fail(PALLET, 'NFTIsNotCapsule')
    setFlags(call.execution, nftId, nft, { isCapsule: false, isSyncingCapsule: false })
    forgetShare(call.execution, CAPSULE, nftId)
    call.execution.emit(PALLET, 'CapsuleReverted', { nftId })
  },
  'NFT.notify_enclave_key_update': (call) => {
    const { nftId, nft } = ownedNft(call)
    if (!flag(nft, 'isCapsule')) call.execution.fail(PALLET, 'NFTIsNotCapsule')
    if (flag(nft, 'isSyncingCapsule')) call.execution.fail(PALLET, 'NFTIsSyncing')
    setFlags(call.execution, nftId, nft, { isSyncingCapsule: true })
    call.execution.emit(PALLET, 'CapsuleKeyUpdateNotified', { nftId })
  },

  'NFT.transfer_nft': (call) => {
    const { execution } = call
    const { owner: sender, nftId, nft } = ownedNft(call)
    const recipient = call.argument('recipient').account()
    if (recipient === sender) execution.fail(PALLET, 'CannotTransferNFTsToYourself')
    if (flag(nft, 'isDelegated')) execution.fail(PALLET, 'CannotTransferDelegatedNFTs')
    if (flag(nft, 'isSoulbound') && nft.field('creator').account() !== sender) {
      execution.fail(PALLET, 'CannotTransferNotCreatedSoulboundNFTs')
    }
    if (flag(nft, 'isSyncingSecret') || flag(nft, 'isSyncingCapsule')) {
      execution.fail(PALLET, 'CannotTransferNotSyncedNFTs')
    }
    execution.put(PALLET, 'Nfts', [nftId], nft.with({ owner: recipient }))
    execution.emit(PALLET, 'NFTTransferred', { nftId, sender, recipient })
  },
  'NFT.delegate_nft': (call) => {
    const { execution } = call
    const { owner, nftId, nft } = ownedNft(call)
    const recipient = call.argument('recipient').optional()?.account()
    const delegatee = recipient === owner ? undefined : recipient
    setFlags(execution, nftId, nft, { isDelegated: delegatee !== undefined })
    if (delegatee === undefined) execution.remove(PALLET, 'DelegatedNFTs', nftId)
    else execution.put(PALLET, 'DelegatedNFTs', [nftId], delegatee)
    execution.emit(PALLET, 'NFTDelegated', { nftId, recipient: delegatee })
  },
  'NFT.burn_nft': (call) => {
    const { nftId, nft } = ownedNft(call)
    if (flag(nft, 'isDelegated')) call.execution.fail(PALLET, 'CannotBurnDelegatedNFTs')
    forgetShare(call.execution, SECRET, nftId)
    forgetShare(call.execution, CAPSULE, nftId)
    call.execution.remove(PALLET, 'Nfts', nftId)
    call.execution.emit(PALLET, 'NFTBurned', { nftId })
  },
}

/** Mints a plain NFT from the arguments that all three ways of minting share. */
function createNft(call: Call): NftId {
  const { execution } = call
  const owner = signerOf(call)
  const offchainData = checkedOffchainData(execution, call.argument('offchainData'))
  const royalty = call.argument('royalty')
  const collectionId = call.argument('collectionId')
  const isSoulbound = call.argument('isSoulbound').boolean()
  // This runtime has no collections.
  if (collectionId.optional() !== undefined) execution.fail(PALLET, 'CollectionNotFound')
  const mintFee = charge(execution, owner, 'InitialMintFee')
  const nftId = execution.value(PALLET, 'NextNFTId').number()
  execution.put(PALLET, 'NextNFTId', [], nftId + 1)
  execution.put(PALLET, 'Nfts', [nftId], {
    owner,
    creator: owner,
    offchainData,
    collectionId,
    royalty,
    state: { isSoulbound },
  })
  execution.emit(PALLET, 'NFTCreated', { nftId, owner, offchainData, royalty, collectionId, isSoulbound, mintFee })
  return nftId
}

/** Makes an NFT secret, or a capsule: its shares are to be confirmed from here on. */
function addShare(execution: Execution, kind: Kind, payer: AccountId, nftId: NftId, data: Value): void {
  const offchainData = checkedOffchainData(execution, data)
  charge(execution, payer, kind.fee)
  setFlags(execution, nftId, nftOf(execution, nftId), { [kind.has]: true, [kind.isSyncing]: true })
  execution.put(PALLET, kind.offchainData, [nftId], offchainData)
  execution.emit(PALLET, kind.added, { nftId, offchainData })
}

/** The confirmation rule; the order of its checks decides which error a caller sees. */
function addShard(call: Call, kind: Kind): void {
  const { execution } = call
  const enclave = signerOf(call)
  const nftId = call.argument('nftId').number()
  const seat = seatOf(execution, enclave) ?? execution.fail(PALLET, 'NotARegisteredEnclave')
  const nft = nftOf(execution, nftId)
  if (!flag(nft, kind.has)) execution.fail(PALLET, kind.missing)
  if (!flag(nft, kind.isSyncing)) execution.fail(PALLET, 'NFTAlreadySynced')
  const confirmed = execution.get(PALLET, kind.shards, nftId)?.items() ?? []
  const [cluster] = confirmed[0]?.items() ?? []
  if (cluster !== undefined && cluster.number() !== seat.cluster) execution.fail(PALLET, 'ShareNotFromValidCluster')
  if (confirmed.some((entry) => entry.items()[1]?.account() === seat.operator)) {
    execution.fail(PALLET, 'EnclaveAlreadyAddedShard')
  }
  execution.emit(PALLET, kind.shardAdded, { nftId, enclave })
  if (confirmed.length + 1 < execution.codec.constant(PALLET, 'ShardsNumber').number()) {
    execution.put(PALLET, kind.shards, [nftId], [...confirmed, [seat.cluster, seat.operator]])
    return
  }
  execution.remove(PALLET, kind.shards, nftId)
  setFlags(execution, nftId, nft, { [kind.isSyncing]: false })
  execution.emit(PALLET, kind.synced, { nftId })
}

function forgetShare(execution: Execution, kind: Kind, nftId: NftId): void {
  execution.remove(PALLET, kind.offchainData, nftId)
  execution.remove(PALLET, kind.shards, nftId)
}

/** Fails with `NFTNotFound`. */
export function nftOf(execution: Execution, nftId: NftId): Value {
  return execution.get(PALLET, 'Nfts', nftId) ?? execution.fail(PALLET, 'NFTNotFound')
}

/** The NFT of the call's `nft_id`, which the signer must own. */
function ownedNft(call: Call): { owner: AccountId; nftId: NftId; nft: Value } {
  const owner = signerOf(call)
  const nftId = call.argument('nftId').number()
  const nft = nftOf(call.execution, nftId)
  if (nft.field('owner').account() !== owner) call.execution.fail(PALLET, 'NotTheNFTOwner')
  return { owner, nftId, nft }
}

function flag(nft: Value, name: string): boolean {
  return nft.field('state').field(name).boolean()
}

export function setFlags(
  execution: Execution,
  nftId: NftId,
  nft: Value,
  flags: Readonly<Record<string, boolean>>,
): void {
  execution.put(PALLET, 'Nfts', [nftId], nft.with({ state: nft.field('state').with(flags) }))
}

function checkedOffchainData(execution: Execution, data: Value): Value {
  if (data.bytes().length > execution.codec.constant(PALLET, 'NFTOffchainDataLimit').number()) {
    execution.fail(PALLET, 'NFTOffchainDataIsTooLong')
  }
  return data
}

function charge(execution: Execution, payer: AccountId, fee: string): bigint {
  const amount = execution.codec.constant(PALLET, fee).bigint()
  try {
    withdraw(execution, payer, amount)
  } catch (thrown) {
    if (thrown instanceof DispatchFailure) execution.fail(PALLET, 'InsufficientBalance')
    throw thrown
  }
  return amount
}
