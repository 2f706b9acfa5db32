import { utf8, verifySignature, zero } from '../crypto/index.js'
import {
  type AccountId,
  type BlockRef,
  type NftFacts,
  type NftId,
  SHARE_SIZE,
  type ShareKey,
  type ShareKind,
} from '../domain/index.js'
import { OwnerRequestError, type OwnerRequestStatus } from './errors.js'
import {
  isWithin,
  parseAddress,
  parseSignature,
  parseU32,
  parseWindow,
  type RequesterType,
  type RetrieveRequest,
  type StoreRequest,
  untagged,
  type ValidityWindow,
} from './wire.js'

/** What verification asks of the chain. */
export interface OwnerRequestFacts {
  /** The latest finalised block. */
  finalised(): BlockRef
  /** The NFT at the latest finalised block, undefined when there is none; throws when the chain cannot be asked. */
  nft(nftId: NftId, options: { signal: AbortSignal }): Promise<NftFacts | undefined>
}

export interface StoreOptions {
  readonly signal: AbortSignal
  /**
   * How the share compares with the one held under the key; `pending`: it was handed over before, and its round may have
   * ended since. Without it, nothing counts as held, so a client that lost the reply and sends its share again after the last
   * confirmation is told NOTSYNCING.
   */
  readonly held?: (key: ShareKey, share: Uint8Array) => Promise<'absent' | 'pending' | 'same' | 'different'>
}

/** The owner may store this share. */
export interface AuthorisedStore {
  readonly key: ShareKey
  /** UTF-8. */
  readonly share: Uint8Array
  readonly owner: AccountId
  /** False when the share is held and confirmed already, as far as the blocks are taken in: there is nothing left to do but to say so. */
  readonly awaitsConfirmation: boolean
}

/** The requester may have this share. */
export interface AuthorisedRetrieve {
  readonly key: ShareKey
  readonly requester: AccountId
}

interface Kind {
  readonly is: 'isSecret' | 'isCapsule'
  readonly isSyncing: 'isSyncingSecret' | 'isSyncingCapsule'
  readonly otherwise: OwnerRequestStatus
}

const KINDS: Record<ShareKind, Kind> = {
  secret: { is: 'isSecret', isSyncing: 'isSyncingSecret', otherwise: 'IDISNOTASECRETNFT' },
  capsule: { is: 'isCapsule', isSyncing: 'isSyncingCapsule', otherwise: 'IDISNOTACAPSULE' },
}

/**
 * Verifies an owner's request to store a share, in the order of section 1.3 of the client contract. The share is the
 * caller's to zero; of one that is refused no bytes are left.
 * @throws OwnerRequestError with the status of the first check that fails; the reason of `signal` once it aborts.
 */
export async function verifyStoreRequest(
  kind: ShareKind,
  request: StoreRequest,
  facts: OwnerRequestFacts,
  options: StoreOptions,
): Promise<AuthorisedStore> {
  const owner = bodyAddress(request.owner_address)
  // The contract parses the data after the signatures, but lets its errors hide every other one: so they come first.
  const data = parseStoreData(request.data)
  try {
    return await authoriseStore({ kind, owner, request, data }, facts, options)
  } catch (thrown) {
    zero(data.share)
    throw thrown
  }
}

interface ParsedStore {
  readonly kind: ShareKind
  readonly owner: AccountId
  readonly request: StoreRequest
  readonly data: StoreData
}

async function authoriseStore(
  { kind, owner, request, data: { nftId, share, window } }: ParsedStore,
  facts: OwnerRequestFacts,
  options: StoreOptions,
): Promise<AuthorisedStore> {
  const now = facts.finalised().number
  const refuse = refuser(nftId)

  const signer = parseSigner(request.signer_address)
  if (signer === undefined) throw refuse('INVALIDSIGNERADDRESS')
  if (!isWithin(signer.window, now)) throw refuse('EXPIREDSIGNER')
  const permission = parseSignature(request.signersig)
  if (permission === undefined) throw refuse('INVALIDSIGNERSIGNATURE')
  if (!isSigned(request.signer_address, owner, permission)) throw refuse('SIGNERSIGVERIFICATIONFAILED')
  const signature = parseSignature(request.signature)
  if (signature === undefined) throw refuse('INVALIDDATASIGNATURE')
  if (!isSigned(request.data, signer.account, signature)) throw refuse('DATASIGVERIFICATIONFAILED')

  const key: ShareKey = { kind, nftId }
  const nft = await nftOfKind(key, facts, options)
  const isSyncing = nft[KINDS[kind].isSyncing]
  const held = isSyncing ? undefined : ((await options.held?.(key, share)) ?? 'absent')
  if (held === 'absent') throw refuse('NOTSYNCING')
  if (!isWithin(window, now)) throw refuse('EXPIREDREQUEST')
  if (nft.owner !== owner) throw refuse('OWNERSHIPVERIFICATIONFAILED')
  if (held === 'different') throw refuse(kind === 'secret' ? 'NFTIDEXISTS' : 'NOTSYNCING')
  return { key, share, owner, awaitsConfirmation: isSyncing || held === 'pending' }
}

/**
 * Verifies a request for a share, in the order of section 1.4 of the client contract.
 * @throws OwnerRequestError with the status of the first check that fails; the reason of `signal` once it aborts.
 */
export async function verifyRetrieveRequest(
  kind: ShareKind,
  request: RetrieveRequest,
  facts: OwnerRequestFacts,
  options: { readonly signal: AbortSignal },
): Promise<AuthorisedRetrieve> {
  const requester = bodyAddress(request.requester_address)
  const { nftId, window } = parseRetrieveData(request.data)
  const refuse = refuser(nftId)

  if (!isWithin(window, facts.finalised().number)) throw refuse('EXPIREDREQUEST')
  const signature = parseSignature(request.signature)
  if (signature === undefined) throw refuse('INVALIDSIGNERSIGNATURE')
  if (!isSigned(request.data, requester, signature)) throw refuse('SIGNERSIGVERIFICATIONFAILED')

  const key: ShareKey = { kind, nftId }
  const nft = await nftOfKind(key, facts, options)
  if (nft[KINDS[kind].isSyncing]) throw refuse('NOTSYNCED')
  if (request.requester_type === 'RENTEE') {
    // Who rents is in a pallet of its own (`rent.contracts`), which the chain's facts do not include.
    throw refuse('REQUESTERVERIFICATIONFAILED', 'This chain has no rent pallet, so nobody can ask as a rentee.')
  }
  if (holderOfRole(nft, request.requester_type) !== requester) throw refuse('REQUESTERVERIFICATIONFAILED')
  return { key, requester }
}

/** Leaves no bytes of the text, which may hold a share. */
function isSigned(text: string, by: AccountId, signature: Uint8Array): boolean {
  const message = utf8(text)
  try {
    return verifySignature(by, message, signature)
  } finally {
    zero(message)
  }
}

function holderOfRole(nft: NftFacts, role: Exclude<RequesterType, 'RENTEE'>): AccountId | undefined {
  switch (role) {
    case 'OWNER':
      return nft.owner
    case 'DELEGATEE':
      return nft.delegatee
  }
}

type Refuse = (status: OwnerRequestStatus, sentence?: string) => OwnerRequestError

function refuser(nftId: NftId): Refuse {
  return (status, sentence) => new OwnerRequestError(status, nftId, sentence === undefined ? {} : { sentence })
}

/** While the data has not been read, no NFT can be named. */
const refuseUnread = refuser(0)

function bodyAddress(text: string): AccountId {
  const account = parseAddress(text)
  if (account === undefined) throw refuseUnread('INVALIDBODY')
  return account
}

interface StoreData {
  readonly nftId: NftId
  readonly share: Uint8Array
  readonly window: ValidityWindow
}

function parseStoreData(data: string): StoreData {
  const [id, text, block, validity, ...rest] = untagged(data).split('_', 5)
  if (text === undefined || validity === undefined || rest.length > 0) throw refuseUnread('INVALIDDATAFORMAT')
  const nftId = parseU32(id)
  if (nftId === undefined) throw refuseUnread('INVALIDNFTID')
  const share = utf8(text)
  const window = parseWindow(block, validity)
  if (isOfShareSize(share.length) && window !== undefined) return { nftId, share, window }
  zero(share)
  if (share.length === 0) throw refuseUnread('INVALIDKEYSHARE')
  if (share.length < SHARE_SIZE.minimum) throw refuseUnread('KEYSHAREISTOOSHORT')
  if (share.length > SHARE_SIZE.maximum) throw refuseUnread('KEYSHAREISTOOLONG')
  throw refuseUnread('INVALIDAUTHTOKEN')
}

function isOfShareSize(bytes: number): boolean {
  return bytes >= SHARE_SIZE.minimum && bytes <= SHARE_SIZE.maximum
}

function parseRetrieveData(data: string): { readonly nftId: NftId; readonly window: ValidityWindow } {
  const [id, block, validity, ...rest] = untagged(data).split('_', 4)
  if (validity === undefined || rest.length > 0) throw refuseUnread('INVALIDDATAFORMAT')
  const nftId = parseU32(id)
  if (nftId === undefined) throw refuseUnread('INVALIDNFTID')
  const window = parseWindow(block, validity)
  if (window === undefined) throw refuseUnread('INVALIDAUTHTOKEN')
  return { nftId, window }
}

/** Parts behind the third are ignored, as the contract has it: the owner signed them, too. */
function parseSigner(text: string): { readonly account: AccountId; readonly window: ValidityWindow } | undefined {
  const [address, block, validity] = untagged(text).split('_', 3)
  const account = parseAddress(address)
  const window = parseWindow(block, validity)
  return account === undefined || window === undefined ? undefined : { account, window }
}

async function nftOfKind(
  { kind, nftId }: ShareKey,
  facts: OwnerRequestFacts,
  { signal }: { readonly signal: AbortSignal },
): Promise<NftFacts> {
  const nft = await askChain(nftId, facts, signal)
  if (nft === undefined) {
    throw new OwnerRequestError('INVALIDNFTID', nftId, { sentence: 'There is no such NFT, or it was burned.' })
  }
  if (!nft[KINDS[kind].is]) throw new OwnerRequestError(KINDS[kind].otherwise, nftId)
  return nft
}

async function askChain(nftId: NftId, facts: OwnerRequestFacts, signal: AbortSignal): Promise<NftFacts | undefined> {
  try {
    return await facts.nft(nftId, { signal })
  } catch (cause) {
    // Whoever gave up waiting gets their own reason back; anything else is the chain's trouble, never a missing NFT.
    signal.throwIfAborted()
    throw new OwnerRequestError('CHAINUNAVAILABLE', nftId, { cause })
  }
}
