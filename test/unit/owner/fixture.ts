import { type AccountSigner, accountSigner, toHex, toSs58, utf8 } from '../../../src/crypto/index.js'
import type { NftFacts, NftId } from '../../../src/domain/index.js'
import type { OwnerRequestFacts, RetrieveRequest, StoreRequest } from '../../../src/owner/index.js'

function account(fill: number): AccountSigner {
  return accountSigner(new Uint8Array(32).fill(fill))
}

export const owner = account(1)
export const temporarySigner = account(2)
export const delegatee = account(3)
export const stranger = account(4)

export const NFT = 7
/** The latest finalised block of every test. */
export const NOW = 1000
export const SHARE = 'a share of sixteen bytes or more'

/** A secret NFT whose shares are confirmed, and which is a capsule whose shares are, too. */
export const SYNCED: NftFacts = {
  owner: owner.account,
  delegatee: delegatee.account,
  isSecret: true,
  isSyncingSecret: false,
  isCapsule: true,
  isSyncingCapsule: false,
}

export const SYNCING: NftFacts = { ...SYNCED, isSyncingSecret: true, isSyncingCapsule: true }

/** A chain on which NFT 7 is all there is. */
export function chainWith(nft: NftFacts | undefined): OwnerRequestFacts {
  return {
    finalised: () => ({ number: NOW, hash: `0x${'00'.repeat(32)}` }),
    nft: async (nftId: NftId) => (nftId === NFT ? nft : undefined),
  }
}

export function sign(signer: AccountSigner, text: string): string {
  return toHex(signer.sign(utf8(text)))
}

/** A right request to store, with some texts replaced before they are signed, and some fields after. */
export function storing(
  texts: { signer?: string; data?: string } = {},
  fields: Partial<StoreRequest> = {},
  by: AccountSigner = owner,
): StoreRequest {
  const signer = texts.signer ?? `<Bytes>${toSs58(temporarySigner.account)}_${NOW}_15</Bytes>`
  const data = texts.data ?? `<Bytes>${NFT}_${SHARE}_${NOW}_15</Bytes>`
  return {
    owner_address: toSs58(by.account),
    signer_address: signer,
    data,
    signature: sign(temporarySigner, data),
    signersig: sign(by, signer),
    ...fields,
  }
}

/** A right request to retrieve, with the data replaced before it is signed, and some fields after. */
export function retrieving(
  data = `<Bytes>${NFT}_${NOW}_15</Bytes>`,
  fields: Partial<RetrieveRequest> = {},
  by: AccountSigner = owner,
): RetrieveRequest {
  return {
    requester_address: toSs58(by.account),
    requester_type: 'OWNER',
    data,
    signature: sign(by, data),
    ...fields,
  }
}
