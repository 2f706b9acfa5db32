import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey, PeerId } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { isPrivate } from '@libp2p/utils'
import {
  CODE_DNS,
  CODE_DNS4,
  CODE_DNS6,
  CODE_IP4,
  CODE_IP6,
  CODE_P2P,
  CODE_TCP,
  type Multiaddr,
  multiaddr,
} from '@multiformats/multiaddr'
import {
  type AccountSigner,
  DOMAIN,
  equalBytes,
  fromHex,
  SIGNATURE_BYTES,
  taggedHash,
  toHex,
  utf8,
  verifySignature,
} from '../crypto/index.js'
import {
  type AccountId,
  type ClusterId,
  type Hex,
  messageOf,
  type Registry,
  type SlotId,
  SlotmeshError,
} from '../domain/index.js'
import { LIMITS } from './limits.js'
import { EnclaveRecordBody, EnclaveRecord as SignedEnclaveRecord } from './wire/record.js'

/** The namespace of enclave records in the DHT; a key is `/ternoa-enclave/<account, 64 lower-case digits>`. */
export const RECORD_NAMESPACE = 'ternoa-enclave'

/** Where an enclave is, as it says itself. */
export interface EnclaveRecord {
  readonly account: AccountId
  readonly peerId: PeerId
  readonly multiaddrs: readonly Multiaddr[]
  readonly cluster: ClusterId
  readonly slot: SlotId
  /** Unix ms of its signing, or more: of two records of one account, the higher replaces the lower. */
  readonly sequence: number
  /** Unix ms. */
  readonly expiresAt: number
  /** As signed and sent. */
  readonly bytes: Uint8Array
}

/** Why a record is dropped; the code of the error is `mesh/record-<flaw>`. */
export type RecordFlaw =
  | 'malformed'
  | 'wrong-chain'
  | 'wrong-key'
  | 'wrong-peer'
  | 'expired'
  | 'lifetime'
  | 'not-registered'
  | 'wrong-seat'
  | 'address'
  | 'peer-signature'
  | 'account-signature'
  | 'stale'
  | 'unasked'
  | 'outdated'

export function recordError(flaw: RecordFlaw, sentence: string, cause?: unknown): SlotmeshError {
  return new SlotmeshError(`mesh/record-${flaw}`, sentence, { cause })
}

export function recordKey(account: AccountId): Uint8Array {
  return utf8(`/${RECORD_NAMESPACE}/${account.slice(2)}`)
}

/** What a record is made of; the rest follows from the keys that sign it. */
export interface RecordContent {
  readonly genesisHash: Hex
  readonly multiaddrs: readonly Multiaddr[]
  readonly cluster: ClusterId
  readonly slot: SlotId
  readonly sequence: number
  readonly expiresAt: number
}

/** Signs a record with both keys, so that the account and the PeerId vouch for each other. */
export async function signRecord(
  content: RecordContent,
  signer: AccountSigner,
  privateKey: Ed25519PrivateKey,
): Promise<EnclaveRecord> {
  const { multiaddrs, cluster, slot, sequence, expiresAt } = content
  const body = EnclaveRecordBody.encode({
    genesisHash: fromHex(content.genesisHash),
    account: fromHex(signer.account),
    peerKey: privateKey.publicKey.raw,
    multiaddrs: multiaddrs.map(({ bytes }) => bytes),
    cluster,
    slot,
    sequence,
    expiresAt,
  })
  const digest = taggedHash(DOMAIN.enclaveRecord, body)
  const bytes = SignedEnclaveRecord.encode({
    body,
    accountSignature: signer.sign(digest),
    peerSignature: await privateKey.sign(digest),
  })
  const peerId = peerIdFromPublicKey(privateKey.publicKey)
  return { account: signer.account, peerId, multiaddrs, cluster, slot, sequence, expiresAt, bytes }
}

/**
 * What a record says, before anything of it is believed.
 *
 * @throws SlotmeshError `mesh/record-malformed`, `-wrong-chain` or `-address`.
 */
export function parseRecord(bytes: Uint8Array, genesisHash: Hex): EnclaveRecord {
  const { body } = decode(bytes)
  if (!equalBytes(body.genesisHash, fromHex(genesisHash))) {
    throw recordError('wrong-chain', 'The enclave record is of another chain.')
  }
  return {
    account: toHex(body.account),
    peerId: peerIdFromPublicKey(publicKeyFromRaw(body.peerKey)),
    multiaddrs: body.multiaddrs.map(parseAddress),
    cluster: body.cluster,
    slot: body.slot,
    sequence: body.sequence,
    expiresAt: body.expiresAt,
    bytes,
  }
}

/** @throws SlotmeshError `mesh/record-peer-signature` or `-account-signature`. */
export async function verifyRecord(record: EnclaveRecord): Promise<void> {
  const { envelope, body } = decode(record.bytes)
  const digest = taggedHash(DOMAIN.enclaveRecord, envelope.body)
  if (!(await publicKeyFromRaw(body.peerKey).verify(digest, envelope.peerSignature))) {
    throw recordError('peer-signature', 'The enclave record is not signed by the key of its PeerId.')
  }
  if (!verifySignature(record.account, digest, envelope.accountSignature)) {
    throw recordError('account-signature', 'The enclave record is not signed by its account.')
  }
}

/**
 * The rules whose answer changes with time and chain.
 *
 * @param registry as of the latest finalised block.
 * @param now Unix ms.
 * @throws SlotmeshError `mesh/record-expired`, `-lifetime`, `-not-registered` or `-wrong-seat`.
 */
export function assertCurrent(record: EnclaveRecord, registry: Registry, now: number): void {
  if (record.expiresAt <= now) throw recordError('expired', 'The enclave record has expired.')
  if (record.expiresAt > now + LIMITS.record.maximumLifetimeMs) {
    throw recordError('lifetime', 'The enclave record claims to be valid for longer than a day.')
  }
  const seat = registry.seatOf(record.account)
  if (seat === undefined) {
    throw recordError('not-registered', `The chain has no seat for enclave account ${record.account}.`)
  }
  if (seat.cluster !== record.cluster || seat.slot !== record.slot) {
    throw recordError('wrong-seat', `The chain has enclave account ${record.account} on another seat.`)
  }
}

/**
 * How records are made and judged. A node has no other way than this; the discrete simulation hands in a model of it,
 * which takes the same decisions at a stated price in place of computing signatures.
 */
export const RECORD_CODEC = { signRecord, parseRecord, verifyRecord }

export type RecordCodec = typeof RECORD_CODEC

/** Kademlia's selector: the index of the record with the highest sequence; all of them are valid. */
export function selectRecord(records: readonly Uint8Array[]): number {
  const sequences = records.map((bytes) => decode(bytes).body.sequence)
  return sequences.indexOf(Math.max(...sequences))
}

/** Those of a host's own addresses that belong in its record. */
export function recordAddresses(addresses: readonly Multiaddr[], allowPrivate: boolean): Multiaddr[] {
  return addresses
    .map((address) => address.decapsulateCode(CODE_P2P))
    .filter((address) => isTcpAddress(address) && (allowPrivate || !isPrivate(address)))
    .slice(0, LIMITS.record.multiaddrs)
}

const HOSTS: readonly number[] = [CODE_IP4, CODE_IP6, CODE_DNS, CODE_DNS4, CODE_DNS6]
const UNSPECIFIED: readonly (string | undefined)[] = ['0.0.0.0', '::']

function isTcpAddress(address: Multiaddr): boolean {
  const [host, port, ...rest] = address.getComponents()
  return (
    host !== undefined &&
    HOSTS.includes(host.code) &&
    !UNSPECIFIED.includes(host.value) &&
    port?.code === CODE_TCP &&
    port.value !== '0' &&
    rest.length === 0
  )
}

function parseAddress(bytes: Uint8Array): Multiaddr {
  try {
    const address = multiaddr(bytes)
    if (bytes.length <= LIMITS.record.multiaddrBytes && isTcpAddress(address)) return address
  } catch (thrown) {
    throw recordError('address', `An address of the enclave record is no multiaddr: ${messageOf(thrown)}.`, thrown)
  }
  throw recordError('address', 'An address of the enclave record is no host and TCP port that can be dialled.')
}

function decode(bytes: Uint8Array): { envelope: SignedEnclaveRecord; body: EnclaveRecordBody } {
  if (bytes.length > LIMITS.record.bytes) {
    throw recordError('malformed', `The enclave record is larger than ${LIMITS.record.bytes} bytes.`)
  }
  try {
    const envelope = SignedEnclaveRecord.decode(bytes)
    const body = EnclaveRecordBody.decode(envelope.body, { limits: { multiaddrs: LIMITS.record.multiaddrs } })
    if (isCanonical(bytes, envelope) && hasShape(envelope, body)) return { envelope, body }
  } catch (thrown) {
    throw recordError('malformed', `The enclave record cannot be decoded: ${messageOf(thrown)}.`, thrown)
  }
  throw recordError('malformed', 'The enclave record has a field that is missing, superfluous or of the wrong size.')
}

/** Else anyone could make many different records out of one, without a key. */
function isCanonical(bytes: Uint8Array, envelope: SignedEnclaveRecord): boolean {
  return equalBytes(bytes, SignedEnclaveRecord.encode(envelope))
}

function hasShape(envelope: SignedEnclaveRecord, body: EnclaveRecordBody): boolean {
  return (
    envelope.accountSignature.length === SIGNATURE_BYTES &&
    envelope.peerSignature.length === 64 &&
    [body.genesisHash, body.account, body.peerKey].every(({ length }) => length === 32) &&
    body.multiaddrs.length > 0 &&
    Number.isSafeInteger(body.sequence) &&
    Number.isSafeInteger(body.expiresAt)
  )
}
