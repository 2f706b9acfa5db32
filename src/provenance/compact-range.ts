import { sha256 } from '../crypto/index.js'
import { SlotmeshError } from '../domain/index.js'

/** A node of the log's Merkle tree: the root of the perfect subtree over leaves [index · 2^level, (index + 1) · 2^level). */
export interface LogNode {
  readonly level: number
  readonly index: number
  readonly hash: Uint8Array
}

/** Where a node stands, without its hash. */
export interface NodePosition {
  readonly level: number
  readonly index: number
}

/** RFC 9162, 2.1.1: `MTH({d}) = SHA-256(0x00 || d)`. */
export function hashLeaf(data: Uint8Array): Uint8Array {
  const prefixed = data.length < scratch.length ? scratch.subarray(0, 1 + data.length) : new Uint8Array(1 + data.length)
  prefixed[0] = LEAF_PREFIX
  prefixed.set(data, 1)
  return sha256(prefixed)
}

/** RFC 9162, 2.1.1: an inner node is `SHA-256(0x01 || left || right)`. */
function hashPair(left: Uint8Array, right: Uint8Array): Uint8Array {
  pair[0] = PAIR_PREFIX
  pair.set(left, 1)
  pair.set(right, 1 + HASH_BYTES)
  return sha256(pair)
}

const HASH_BYTES = 32
const LEAF_PREFIX = 0
const PAIR_PREFIX = 1

/** For what is hashed: an array for each costs more than its hash. */
const [scratch, pair] = [new Uint8Array(256), new Uint8Array(1 + 2 * HASH_BYTES)]

/**
 * The maximal perfect subtrees that cover leaves [begin, end), left to right; at most 2 · 32 of them.
 * Perfect subtrees never change as the log grows, so their hashes can be kept for good.
 */
export function decompose(begin: number, end: number): NodePosition[] {
  const positions: NodePosition[] = []
  let at = begin
  while (at < end) {
    let level = 0
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= end) level += 1
    positions.push({ level, index: at / 2 ** level })
    at += 2 ** level
  }
  return positions
}

/**
 * A compact range (as in Certificate Transparency implementations): the hashes of the maximal perfect subtrees over
 * leaves [begin, end), to which leaves, or whole subtrees, are appended on the right.
 */
export class CompactRange {
  readonly #nodes: LogNode[] = []
  #end: number

  constructor(begin = 0) {
    this.#end = begin
  }

  /** The index after the last leaf covered. */
  get end(): number {
    return this.#end
  }

  /**
   * Appends the perfect subtree of 2^level leaves whose root is `hash`.
   *
   * @returns every node that is now known: the subtree's own, and the parents that it completed.
   * @throws SlotmeshError `provenance/misaligned` when a subtree of that level cannot begin here.
   */
  append(level: number, hash: Uint8Array): LogNode[] {
    if (hash.length !== HASH_BYTES) throw new RangeError(`A node's hash has ${HASH_BYTES} bytes.`)
    if (this.#end % 2 ** level !== 0) {
      throw new SlotmeshError('provenance/misaligned', `No subtree of level ${level} begins at leaf ${this.#end}.`)
    }
    let node: LogNode = { level, index: this.#end / 2 ** level, hash }
    const known = [node]
    let left = this.#nodes.at(-1)
    while (left !== undefined && left.level === node.level && left.index % 2 === 0) {
      this.#nodes.pop()
      node = { level: node.level + 1, index: left.index / 2, hash: hashPair(left.hash, node.hash) }
      known.push(node)
      left = this.#nodes.at(-1)
    }
    this.#nodes.push(node)
    this.#end += 2 ** level
    return known
  }

  /** RFC 9162's Merkle tree hash, when the range begins at leaf 0; of the empty log it is SHA-256 of nothing. */
  root(): Uint8Array {
    const root = this.#nodes
      .map(({ hash }) => hash)
      .reduceRight<Uint8Array | undefined>(
        (right, left) => (right === undefined ? left : hashPair(left, right)),
        undefined,
      )
    return root ?? sha256(new Uint8Array(0))
  }
}
