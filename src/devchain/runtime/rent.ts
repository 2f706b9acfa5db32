import type { Call, Handlers } from './call.js'
import { signerOf } from './call.js'
import { nftOf, setFlags } from './nft.js'
import type { Value } from './value.js'

const PALLET = 'Rent'

export const rentCalls: Handlers = {
  /** The owner of an NFT offers it; there is a contract from here on. */
  'Rent.create_contract': (call) => {
    const { execution } = call
    const renter = signerOf(call)
    const nftId = call.argument('nftId').number()
    const nft = nftOf(execution, nftId)
    if (nft.field('owner').account() !== renter) execution.fail(PALLET, 'NotTheNFTOwner')
    if (execution.get(PALLET, 'Contracts', nftId) !== undefined) execution.fail(PALLET, 'CannotRentRentedNFTs')
    setFlags(execution, nftId, nft, { isRented: true })
    execution.put(PALLET, 'Contracts', [nftId], { startBlock: null, renter, rentee: null })
    execution.emit(PALLET, 'ContractCreated', { nftId, renter })
  },

  'Rent.rent': (call) => {
    const { execution } = call
    const rentee = signerOf(call)
    const { nftId, contract } = contractOf(call)
    if (contract.field('rentee').optional() !== undefined) execution.fail(PALLET, 'CannotRentRentedNFTs')
    if (contract.field('renter').account() === rentee) execution.fail(PALLET, 'CannotRentOwnContract')
    execution.put(PALLET, 'Contracts', [nftId], contract.with({ startBlock: execution.block, rentee }))
    execution.emit(PALLET, 'ContractStarted', { nftId, rentee })
  },

  /** Either side ends it, whether it has begun or not. */
  'Rent.revoke_contract': (call) => {
    const { execution } = call
    const revokedBy = signerOf(call)
    const { nftId, contract } = contractOf(call)
    const sides = [contract.field('renter').account(), contract.field('rentee').optional()?.account()]
    if (!sides.includes(revokedBy)) execution.fail(PALLET, 'NotTheNFTOwner')
    setFlags(execution, nftId, nftOf(execution, nftId), { isRented: false })
    execution.remove(PALLET, 'Contracts', nftId)
    execution.emit(PALLET, 'ContractRevoked', { nftId, revokedBy })
  },
}

function contractOf(call: Call): { readonly nftId: number; readonly contract: Value } {
  const nftId = call.argument('nftId').number()
  const contract = call.execution.get(PALLET, 'Contracts', nftId) ?? call.execution.fail(PALLET, 'ContractNotFound')
  return { nftId, contract }
}
