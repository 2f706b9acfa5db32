import { createHash } from 'node:crypto'
import { utf8, verifySignature, verifySignatureOfSecret, zero } from '../crypto/index.js'
import {
  type AccountId,
  type BlockNumber,
  type BlockRef,
  type NftFacts,
  type NftId,
  SHARE_SIZE,
  type ShareKey,
  type ShareKind,
} from '../domain/index.js'
import { OwnerRequestError, type OwnerRequestStatus } from './errors.js'
import {
  type IntervalRequest,
  isWithin,
  parseAddress,
  parseSignature,
  parseToken,
  parseU32,
  parseWindow,
  type RemoveRequest,
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
  if (!isSigned(request.data, signer.account, signature, verifySignatureOfSecret)) {
    throw refuse('DATASIGVERIFICATIONFAILED')
  }

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
  const { requester, nftId } = verifySigned(request, facts.finalised().number)
  const refuse = refuser(nftId)

  const key: ShareKey = { kind, nftId }
  const nft = await nftOfKind(key, facts, options)
  if (nft[KINDS[kind].isSyncing]) throw refuse('NOTSYNCED')
  if (holderOfRole(nft, request.requester_type) !== requester) throw refuse('REQUESTERVERIFICATIONFAILED')
  return { key, requester }
}

/** Who has signed a request that names an NFT, and is valid now. */
function verifySigned(
  request: Pick<RetrieveRequest, 'requester_address' | 'data' | 'signature'>,
  now: BlockNumber,
): { readonly requester: AccountId; readonly nftId: NftId } {
  const requester = bodyAddress(request.requester_address)
  const { nftId, window } = parseRetrieveData(request.data)
  const refuse = refuser(nftId)
  if (!isWithin(window, now)) throw refuse('EXPIREDREQUEST')
  const signature = parseSignature(request.signature)
  if (signature === undefined) throw refuse('INVALIDSIGNERSIGNATURE')
  if (!isSigned(request.data, requester, signature)) throw refuse('SIGNERSIGVERIFICATIONFAILED')
  return { requester, nftId }
}

/** What verification of metrics servers asks of the chain. */
export interface MetricsRequestFacts extends OwnerRequestFacts {
  /** Their accounts at the latest finalised block; throws when the chain cannot be asked. */
  metricsServers(options: { signal: AbortSignal }): Promise<readonly AccountId[]>
}

/**
 * Verifies a metrics server's request that a share be gone: of an NFT that is burned, or of this kind no more. The
 * reference can grant none (section 1.6 of the client contract), so the order is that of a request to retrieve.
 * @throws OwnerRequestError with the status of the first check that fails; the reason of `signal` once it aborts.
 */
export async function verifyRemoveRequest(
  kind: ShareKind,
  request: RemoveRequest,
  facts: MetricsRequestFacts,
  { signal }: { readonly signal: AbortSignal },
): Promise<ShareKey> {
  const { requester, nftId } = verifySigned(request, facts.finalised().number)
  const servers = await asked(nftId, () => facts.metricsServers({ signal }), signal)
  if (!servers.includes(requester)) {
    const sentence =
      'The requester is no metrics server of this chain; owners burn their NFTs, and shares go with them.'
    throw new OwnerRequestError('REQUESTERVERIFICATIONFAILED', nftId, { sentence })
  }
  const nft = await asked(nftId, () => facts.nft(nftId, { signal }), signal)
  if (nft?.[KINDS[kind].is]) throw new OwnerRequestError('NOTBURNT', nftId)
  return { kind, nftId }
}

/** Exclusive at both ends. */
interface BlockInterval {
  readonly after: BlockNumber
  readonly before: BlockNumber
}

/** The metrics server may know this. */
export interface AuthorisedInterval extends BlockInterval {
  readonly sender: AccountId
}

/**
 * Verifies a metrics server's request for what was synced between two blocks. The chain is asked last, and of all that is
 * cheap a signature is the dearest: the reference asks the chain first, and answers all of it with 400.
 * @throws OwnerRequestError with the first check that fails; the reason of `signal` once it aborts.
 */
export async function verifyIntervalRequest(
  request: IntervalRequest,
  facts: MetricsRequestFacts,
  { signal }: { readonly signal: AbortSignal },
): Promise<AuthorisedInterval> {
  const sender = bodyAddress(request.metric_account)
  const token = parseToken(request.auth_token)
  if (token === undefined) throw refuseUnread('INVALIDAUTHTOKEN', 'The auth_token is not the JSON of a token.')
  const signature = parseSignature(`0x${request.signature.replace(/^0x/, '')}`)
  if (signature === undefined) throw refuseUnread('INVALIDSIGNERSIGNATURE')
  if (!isWithin(token.window, facts.finalised().number)) throw refuseUnread('EXPIREDREQUEST')
  const hash = createHash('sha256').update(request.block_interval).digest('hex')
  if (token.dataHash !== hash) throw refuseUnread('DATAHASHMISMATCH')
  const interval = parseInterval(request.block_interval)
  if (interval === undefined) throw refuseUnread('INVALIDINTERVAL')
  if (!isSigned(request.auth_token, sender, signature)) throw refuseUnread('SIGNERSIGVERIFICATIONFAILED')
  const servers = await asked(0, () => facts.metricsServers({ signal }), signal)
  if (!servers.includes(sender)) {
    throw refuseUnread('REQUESTERVERIFICATIONFAILED', 'The account is no metrics server of this chain.')
  }
  return { sender, ...interval }
}

/**
 * Leaves no bytes of the text.
 * @param verify another one of what holds a share.
 */
function isSigned(text: string, by: AccountId, signature: Uint8Array, verify = verifySignature): boolean {
  const message = utf8(text)
  try {
    return verify(by, message, signature)
  } finally {
    zero(message)
  }
}

function holderOfRole(nft: NftFacts, role: RequesterType): AccountId | undefined {
  switch (role) {
    case 'OWNER':
      return nft.owner
    case 'DELEGATEE':
      return nft.delegatee
    case 'RENTEE':
      return nft.rentee
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
  const nft = await asked(nftId, () => facts.nft(nftId, { signal }), signal)
  if (nft === undefined) {
    throw new OwnerRequestError('INVALIDNFTID', nftId, { sentence: 'There is no such NFT, or it was burned.' })
  }
  if (!nft[KINDS[kind].is]) throw new OwnerRequestError(KINDS[kind].otherwise, nftId)
  return nft
}

async function asked<Answer>(nftId: NftId, ask: () => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  try {
    return await ask()
  } catch (cause) {
    // Whoever gave up waiting gets their own reason back; anything else is the chain's trouble, never a missing NFT.
    signal.throwIfAborted()
    throw new OwnerRequestError('CHAINUNAVAILABLE', nftId, { cause })
  }
}

function parseInterval(text: string): BlockInterval | undefined {
  const [, after, before] = /^\[\s*(\d+)\s*,\s*(\d+)\s*\]$/.exec(text) ?? []
  const interval = { after: parseU32(after), before: parseU32(before) }
  if (interval.after === undefined || interval.before === undefined || interval.after >= interval.before)
    return undefined
  return { after: interval.after, before: interval.before }
}
