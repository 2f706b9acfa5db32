import {
  type AccountSigner,
  DOMAIN,
  equalBytes,
  fromHex,
  sha256,
  taggedHash,
  taggedLayout,
  u32Bytes,
  verifySignature,
} from '../crypto/index.js'
import {
  type AccountId,
  type BlockHash,
  type BlockNumber,
  type ClusterId,
  type Hex,
  type NftId,
  type ShareKind,
  type SlotId,
  SlotmeshError,
  U32_MAX,
} from '../domain/index.js'
import { CompactRange, decompose, hashLeaf, type LogNode, type NodePosition } from './compact-range.js'

/**
 * One append-only log: what one enclave account vouches for during one life of its store. An enclave that lost its
 * state, or changed its seat, begins a new incarnation.
 */
export interface LogId {
  readonly account: AccountId
  /** 16 random bytes. */
  readonly incarnation: Hex
}

/** What the origin enclave says of one share; the log's leaf. */
export interface ProvenanceLeaf {
  readonly kind: ShareKind
  readonly nftId: NftId
  /** The block whose synced event made this share final; a capsule that is synced again gets a later one. */
  readonly version: BlockNumber
  /** SHA-256 of the share. */
  readonly payloadHash: Uint8Array
}

/** The log's state at one size, signed by the origin's enclave account. */
export interface LogHead extends LogId {
  readonly cluster: ClusterId
  readonly slot: SlotId
  /** Number of leaves, a `u32`. */
  readonly size: number
  readonly root: Uint8Array
  readonly signature: Uint8Array
}

/** The subtree hashes left and right of a range of leaves, which with the leaves give the root. */
export interface RangeProof {
  readonly left: readonly Uint8Array[]
  readonly right: readonly Uint8Array[]
}

const KIND_BYTES: Record<ShareKind, number> = { secret: 1, capsule: 2 }

export function leafHash({ kind, nftId, version, payloadHash }: ProvenanceLeaf): Uint8Array {
  if (payloadHash.length !== PAYLOAD_HASH_BYTES)
    throw new RangeError(`A payload's hash has ${PAYLOAD_HASH_BYTES} bytes.`)
  LEAF.bytes[KIND_AT] = KIND_BYTES[kind]
  LEAF_VIEW.setUint32(ID_AT, nftId)
  LEAF_VIEW.setUint32(VERSION_AT, version)
  LEAF.bytes.set(payloadHash, HASH_AT)
  return hashLeaf(sha256(LEAF.bytes))
}

const PAYLOAD_HASH_BYTES = 32

/** Its kind, NFT id, version and hash; there are as many leaves as shares. */
const LEAF = taggedLayout(DOMAIN.provenanceLeaf, [1, 4, 4, PAYLOAD_HASH_BYTES])
const LEAF_VIEW = new DataView(LEAF.bytes.buffer)
const [KIND_AT = 0, ID_AT = 0, VERSION_AT = 0, HASH_AT = 0] = LEAF.at

function headDigest(genesisHash: BlockHash, head: Omit<LogHead, 'signature'>): Uint8Array {
  return taggedHash(
    DOMAIN.provenanceHead,
    fromHex(genesisHash),
    fromHex(head.account),
    fromHex(head.incarnation),
    u32Bytes(head.cluster),
    u32Bytes(head.slot),
    u32Bytes(head.size),
    head.root,
  )
}

export function signHead(
  signer: AccountSigner,
  genesisHash: BlockHash,
  head: Omit<LogHead, 'signature' | 'account'>,
): LogHead {
  const unsigned = { ...head, account: signer.account }
  return { ...unsigned, signature: signer.sign(headDigest(genesisHash, unsigned)) }
}

/** @throws SlotmeshError `provenance/head-signature` when the head is not its account's own word. */
export function verifyHead(genesisHash: BlockHash, head: LogHead, verify = verifySignature): void {
  if (!verify(head.account, headDigest(genesisHash, head), head.signature)) {
    throw new SlotmeshError(
      'provenance/head-signature',
      `The log head of size ${head.size} is not signed by ${head.account}; nothing under it was stored.`,
    )
  }
}

/** The nodes that the proof of leaves [first, first + count) in a log of `size` leaves is made of: left of them, and right. */
export function proofPositions({ first, count, size }: { first: number; count: number; size: number }): {
  readonly left: NodePosition[]
  readonly right: NodePosition[]
} {
  return { left: decompose(0, first), right: decompose(first + count, size) }
}

/**
 * Proves leaves [first, first + count) of a log of `size` leaves, from nodes that the caller has kept.
 *
 * @returns undefined when a node that the proof needs is not held.
 */
export async function proveRange(
  nodeAt: (position: NodePosition) => Promise<Uint8Array | undefined>,
  range: { first: number; count: number; size: number },
): Promise<RangeProof | undefined> {
  const hashes = async (positions: NodePosition[]) => {
    const found = await Promise.all(positions.map(nodeAt))
    return found.every((hash) => hash !== undefined) ? found : undefined
  }
  const positions = proofPositions(range)
  const left = await hashes(positions.left)
  const right = await hashes(positions.right)
  return left === undefined || right === undefined ? undefined : { left, right }
}

/**
 * Checks that the leaves stand at [first, first + leafHashes.length) of the log that `head` signs. The head's own
 * signature is checked apart ({@link verifyHead}), once for all ranges under it.
 *
 * @returns every tree node that this establishes, to be kept for proving the same leaves to others.
 * @throws SlotmeshError `provenance/range` when the root does not come out, or the proof has not the one right shape.
 */
export function verifyRange(
  head: LogHead,
  first: number,
  leafHashes: readonly Uint8Array[],
  proof: RangeProof,
): LogNode[] {
  const known: LogNode[] = []
  const leaves = leafHashes.map((hash) => ({ level: 0, hash }))
  if (leaves.length === 0 || !leadsTo(head, first, leaves, proof, known)) throw rangeError(head, first)
  return known
}

/** Whether the perfect subtree at `position` has this root hash in the log that `head` signs. */
export function isInLog(head: LogHead, position: NodePosition, hash: Uint8Array, proof: RangeProof): boolean {
  const first = position.index * 2 ** position.level
  return leadsTo(head, first, [{ level: position.level, hash }], proof, [])
}

/**
 * Whether subtrees in a row, the first beginning at leaf `first`, give the head's root with the proof's hashes.
 *
 * @param known takes every tree node that this establishes.
 */
function leadsTo(
  head: LogHead,
  first: number,
  row: readonly { readonly level: number; readonly hash: Uint8Array }[],
  proof: RangeProof,
  known: LogNode[],
): boolean {
  const end = row.reduce((at, { level }) => at + 2 ** level, first)
  if (!Number.isSafeInteger(first) || first < 0 || end > head.size || head.size > U32_MAX) return false
  const [left, right] = [decompose(0, first), decompose(end, head.size)]
  if (proof.left.length !== left.length || proof.right.length !== right.length) return false
  const range = new CompactRange()
  const subtrees = [
    ...left.map(({ level }, at) => ({ level, hash: proof.left[at] })),
    ...row,
    ...right.map(({ level }, at) => ({ level, hash: proof.right[at] })),
  ]
  for (const { level, hash } of subtrees) {
    if (hash?.length !== 32) return false
    known.push(...range.append(level, hash))
  }
  return equalBytes(range.root(), head.root)
}

function rangeError(head: LogHead, first: number): SlotmeshError {
  return new SlotmeshError(
    'provenance/range',
    `The shares offered from leaf ${first} on are not in the log of ${head.account} at size ${head.size}; none was stored.`,
  )
}
