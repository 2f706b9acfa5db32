import { equalBytes } from '../crypto/index.js'
import { type BlockHash, SlotmeshError } from '../domain/index.js'
import type { LogNode, NodePosition } from './compact-range.js'
import { isInLog, type LogHead, proveRange, type RangeProof, verifyHead } from './log.js'

/** What one signed head says of one subtree. */
export interface Branch {
  readonly head: LogHead
  /** The subtree's hash, and its proof up to the head's root; not needed between heads of one size. */
  readonly subtree: { readonly hash: Uint8Array; readonly proof: RangeProof } | undefined
}

/**
 * Proof that an origin has forked its log: it has signed two heads of one log that cannot both be true (SPEC 6.3 of
 * `/ternoa/share/1`).
 */
export interface ForkEvidence {
  readonly branches: readonly [Branch, Branch]
  /** The subtree that differs; undefined when the heads are of one size, so that their roots do. */
  readonly position: NodePosition | undefined
}

/**
 * Makes evidence of two heads of one log and the nodes under them, which differ at `position`.
 *
 * @param nodesOf what is known of the tree under each head. Where that does not do for a proof, a head stands alone.
 */
export async function gatherFork(
  heads: readonly [LogHead, LogHead],
  position: NodePosition,
  nodesOf: readonly [NodeLookup, NodeLookup],
): Promise<ForkEvidence> {
  const [one, other] = heads
  if (one.size === other.size) {
    return {
      branches: [
        { head: one, subtree: undefined },
        { head: other, subtree: undefined },
      ],
      position: undefined,
    }
  }
  const branch = async (head: LogHead, nodeAt: NodeLookup): Promise<Branch> => {
    const first = position.index * 2 ** position.level
    const hash = await nodeAt(position)
    const proof = await proveRange(nodeAt, { first, count: 2 ** position.level, size: head.size })
    return { head, subtree: hash && proof && { hash, proof } }
  }
  return { branches: [await branch(one, nodesOf[0]), await branch(other, nodesOf[1])], position }
}

/** Gives the hash of a node where it is known. */
export type NodeLookup = (position: NodePosition) => Promise<Uint8Array | undefined>

/** Looks nodes up that {@link verifyRange} has established. */
export function lookupIn(nodes: readonly LogNode[]): NodeLookup {
  const known = new Map(nodes.map(({ level, index, hash }) => [`${level}/${index}`, hash]))
  return async ({ level, index }) => known.get(`${level}/${index}`)
}

/** @throws SlotmeshError `provenance/no-fork` unless the evidence convicts the account whose log it is. */
export function verifyFork(genesisHash: BlockHash, { branches, position }: ForkEvidence): void {
  const [one, other] = branches
  const isOneLog = one.head.account === other.head.account && one.head.incarnation === other.head.incarnation
  const differ =
    position === undefined
      ? one.head.size === other.head.size && !equalBytes(one.head.root, other.head.root)
      : one.subtree !== undefined &&
        other.subtree !== undefined &&
        !equalBytes(one.subtree.hash, other.subtree.hash) &&
        isInLog(one.head, position, one.subtree.hash, one.subtree.proof) &&
        isInLog(other.head, position, other.subtree.hash, other.subtree.proof)
  if (!isOneLog || !differ) {
    throw new SlotmeshError('provenance/no-fork', 'The two heads do not contradict each other: this proves no fork.')
  }
  for (const { head } of branches) verifyHead(genesisHash, head)
}
