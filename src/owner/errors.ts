import { type NftId, type ShareKey, SlotmeshError, shareKeyText } from '../domain/index.js'

/**
 * Every way a request can fail, by the status that clients of the reference know, with its HTTP status and what a
 * person is told. Two are slotmesh's own: INVALIDBODY (which the reference answers as plain text, without a status)
 * and CHAINUNAVAILABLE (which the reference reports as a missing NFT).
 */
const REFUSALS = {
  INVALIDBODY: [422, 'The address is not an SS58 address; send the one of the signing account.'],
  INVALIDSIGNERADDRESS: [400, 'The signer address must read <Bytes>{address}_{block}_{validity}</Bytes>.'],
  EXPIREDSIGNER: [400, 'The owner’s permission for the signer is not valid at this block; sign a new one.'],
  INVALIDSIGNERSIGNATURE: [400, 'The signature must be 0x and 128 hexadecimal digits.'],
  SIGNERSIGVERIFICATIONFAILED: [400, 'The signature is not the account’s own sr25519 signature over this text.'],
  INVALIDDATASIGNATURE: [400, 'The signature over the data must be 0x and 128 hexadecimal digits.'],
  DATASIGVERIFICATIONFAILED: [400, 'The signature over the data is not the signer’s sr25519 signature.'],
  INVALIDDATAFORMAT: [400, 'The data has the wrong number of parts between its underscores.'],
  INVALIDNFTID: [400, 'The NFT id must be a whole number below 2^32.'],
  INVALIDKEYSHARE: [400, 'The share is empty.'],
  KEYSHAREISTOOSHORT: [400, 'The share is shorter than 16 bytes.'],
  KEYSHAREISTOOLONG: [400, 'The share is longer than 3000 bytes.'],
  INVALIDAUTHTOKEN: [400, 'The block and the validity in the data must be whole numbers below 2^32.'],
  EXPIREDREQUEST: [400, 'The request is not valid at this block; sign a new one with the latest finalised block.'],
  IDISNOTASECRETNFT: [400, 'The NFT is not a secret NFT.'],
  IDISNOTACAPSULE: [400, 'The NFT is not a capsule.'],
  NOTSYNCING: [403, 'The NFT does not wait for shares: all of its enclaves have confirmed theirs.'],
  NOTSYNCED: [403, 'Not all enclaves have confirmed their share of the NFT yet; try again soon.'],
  OWNERSHIPVERIFICATIONFAILED: [401, 'The NFT is owned by another account.'],
  REQUESTERVERIFICATIONFAILED: [400, 'The requester does not have that role for the NFT.'],
  NFTIDEXISTS: [409, 'Another share is held for this NFT, and the share of a secret never changes.'],
  KEYNOTEXIST: [404, 'This enclave does not hold that share.'],
  NOTBURNT: [400, 'The NFT is there and has a share of this kind: only what is burned or reverted can be removed.'],
  INVALIDINTERVAL: [400, 'The interval must read [a,b], of two block numbers of which the first is the lower.'],
  DATAHASHMISMATCH: [400, 'The token is not for this interval: its data_hash is not the SHA-256 of the text.'],
  CHAINUNAVAILABLE: [503, 'The chain cannot be asked about the NFT now; try again soon.'],
} as const satisfies Record<string, readonly [httpStatus: number, sentence: string]>

/**
 * Section 1 of the client contract calls these `status`.
 * @useDeclaredType
 */
export type OwnerRequestStatus = keyof typeof REFUSALS

/** An owner's request is refused. `code` is `owner/` and the status in lower case. */
export class OwnerRequestError extends SlotmeshError {
  override readonly name = 'OwnerRequestError'
  readonly status: OwnerRequestStatus
  readonly httpStatus: number
  /** The NFT that was asked about; 0 when the request does not say. */
  readonly nftId: NftId

  constructor(status: OwnerRequestStatus, nftId: NftId, options: ErrorOptions & { sentence?: string } = {}) {
    const [httpStatus, sentence] = REFUSALS[status]
    super(`owner/${status.toLowerCase()}`, options.sentence ?? sentence, options)
    this.status = status
    this.httpStatus = httpStatus
    this.nftId = nftId
  }
}

/** For whoever keeps shares: a different share is held under the key of a secret. The same one again is no error. */
export function alreadyHeld(key: ShareKey): OwnerRequestError {
  return new OwnerRequestError('NFTIDEXISTS', key.nftId)
}

/** For whoever keeps shares: there is none under this key. A share of the NFT's other kind does not count. */
export function keyNotExist(key: ShareKey): OwnerRequestError {
  const sentence = `This enclave does not hold the share ${shareKeyText(key)}.`
  return new OwnerRequestError('KEYNOTEXIST', key.nftId, { sentence })
}
