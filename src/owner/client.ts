import { type AccountSigner, toHex, toSs58, utf8 } from '../crypto/index.js'
import type { BlockNumber, ShareKey } from '../domain/index.js'
import {
  type RequesterType,
  type RetrieveRequest,
  retrieveText,
  type StoreRequest,
  signerText,
  storeText,
} from './wire.js'

/** What the published client asks for, in blocks. */
const USUAL_VALIDITY = 15

/** What an owner's wallet knows when it hands a share to an enclave. */
export interface StoreOrder {
  readonly owner: AccountSigner
  /** A fresh account: the owner signs once to permit it, then it signs for each of the five shares. */
  readonly temporarySigner: AccountSigner
  readonly key: ShareKey
  /** 16 to 3000 bytes of UTF-8 without an underscore, which separates the parts of the request. */
  readonly share: string
  /** The latest finalised block. */
  readonly block: BlockNumber
  /** In blocks, at most 20. */
  readonly validity?: number
}

/** Signs an owner's request to store a share, as the published client does. The key's kind picks the route only. */
export function ownerStoreRequest(order: StoreOrder): StoreRequest {
  const { owner, temporarySigner, key, share, block, validity = USUAL_VALIDITY } = order
  const signerAddress = signerText(toSs58(temporarySigner.account), { block, validity })
  const data = storeText(key.nftId, share, { block, validity })
  return {
    owner_address: toSs58(owner.account),
    signer_address: signerAddress,
    data,
    signature: signed(temporarySigner, data),
    signersig: signed(owner, signerAddress),
  }
}

/** What a wallet knows when it asks for a share back. */
export interface RetrieveOrder {
  readonly requester: AccountSigner
  readonly role: RequesterType
  readonly key: ShareKey
  /** The latest finalised block. */
  readonly block: BlockNumber
  /** In blocks, at most 20. */
  readonly validity?: number
}

/** Signs a request for a share, as the published client does; the same one may be sent to all five enclaves. */
export function retrieveRequest(order: RetrieveOrder): RetrieveRequest {
  const { requester, role, key, block, validity = USUAL_VALIDITY } = order
  const data = retrieveText(key.nftId, { block, validity })
  return {
    requester_address: toSs58(requester.account),
    requester_type: role,
    data,
    signature: signed(requester, data),
  }
}

function signed(signer: AccountSigner, text: string): string {
  return toHex(signer.sign(utf8(text)))
}
