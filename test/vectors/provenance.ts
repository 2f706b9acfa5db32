import { type Actor, altered, concat, H, made, sha256, u32be } from './tools.js'
import type { Kind, LogHead, Share } from './wire.js'
import { genesisHash, origin, SLOT, stranger } from './world.js'

const U32_MAX = 0xffff_ffff

/** A perfect subtree: the `index`th from the left of those of 2^level leaves. */
interface Subtree {
  readonly level: number
  readonly index: number
}

interface Node extends Subtree {
  readonly hash: Uint8Array
}

const KIND_BYTES: Record<Kind, number> = { SECRET: 1, CAPSULE: 2 }

function leafData({ kind, nftId, version, payload }: Share): Uint8Array {
  const kindByte = Uint8Array.of(KIND_BYTES[kind])
  return H('ternoa/provenance/1/leaf', kindByte, u32be(nftId), u32be(version), sha256(payload))
}

export function leafHash(share: Share): Uint8Array {
  return sha256(Uint8Array.of(0), leafData(share))
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(Uint8Array.of(1), left, right)
}

/** RFC 9162, 2.1.1 */
function treeHash(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves
  if (only === undefined) return sha256()
  if (leaves.length === 1) return only
  const half = 2 ** Math.floor(Math.log2(leaves.length - 1))
  return nodeHash(treeHash(leaves.slice(0, half)), treeHash(leaves.slice(half)))
}

/** Clause 6.3, `decompose`. */
function decompose(begin: number, end: number): Subtree[] {
  const subtrees: Subtree[] = []
  let at = begin
  while (at < end) {
    let level = 0
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= end) level += 1
    subtrees.push({ level, index: at / 2 ** level })
    at += 2 ** level
  }
  return subtrees
}

/** A log as its origin keeps it. */
export class Log {
  readonly leaves: readonly Uint8Array[]
  readonly incarnation: Uint8Array
  readonly #actor: Actor

  constructor(leaves: readonly Uint8Array[], incarnation = made('incarnation', 16), by = origin) {
    this.leaves = leaves
    this.incarnation = incarnation
    this.#actor = by
  }

  hashOf({ level, index }: Subtree): Uint8Array {
    return treeHash(this.leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))
  }

  head(size = this.leaves.length, fields: Partial<LogHead> = {}): LogHead {
    const unsigned = {
      account: this.#actor.account,
      incarnation: this.incarnation,
      cluster: 5,
      slot: SLOT,
      size,
      root: treeHash(this.leaves.slice(0, size)),
      ...fields,
    }
    return { ...unsigned, signature: this.#actor.sign(headDigest(unsigned)), ...fields }
  }

  proof(first: number, count: number, size = this.leaves.length) {
    const hashes = (subtrees: readonly Subtree[]) => subtrees.map((subtree) => this.hashOf(subtree))
    return { left: hashes(decompose(0, first)), right: hashes(decompose(first + count, size)) }
  }
}

function headDigest(head: Omit<LogHead, 'signature'>, genesis = genesisHash): Uint8Array {
  const numbers = [head.cluster, head.slot, head.size].map(u32be)
  return H('ternoa/provenance/1/head', genesis, head.account, head.incarnation, ...numbers, head.root)
}

function sharesOf(count: number): Share[] {
  return Array.from({ length: count }, (_, at) => ({
    kind: at % 3 === 2 ? 'CAPSULE' : 'SECRET',
    nftId: 10 * at,
    version: 300 + at,
    payload: made(`payload ${at}`, 16 + at),
  }))
}

function leavesOf(name: string, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, at) => made(`${name} ${at}`))
}

/** Leaves, roots and heads. */
export function provenanceVectors() {
  const shares: readonly Share[] = [
    ...sharesOf(12),
    { kind: 'SECRET', nftId: 0, version: 0, payload: made('the least', 16) },
    { kind: 'CAPSULE', nftId: U32_MAX, version: U32_MAX, payload: made('the most', 3_000) },
  ]
  const leaves = shares.map(leafHash)
  const log = new Log(leaves)
  const again = new Log(leaves.slice(0, 4), made('another incarnation', 16))
  const head = log.head(9)
  const judged = (name: string, heads: LogHead, outcome: 'accepted' | 'reset', genesis = genesisHash) => {
    const { signature, ...rest } = heads
    return { name, genesisHash: genesis, head: { ...rest, signature }, digest: headDigest(rest, genesis), outcome }
  }
  return {
    about:
      'Clause 6.3, Log and Head: leaves, nodes and roots, `decompose`, and heads with the digest that is signed. `outcome` is `accepted`, or `reset`: the requester ends the exchange and resets the stream.',
    leaves: shares.map((share, at) => ({
      name: `leaf ${at}`,
      ...share,
      payloadHash: sha256(share.payload),
      leafData: leafData(share),
      leafHash: leafHash(share),
    })),
    nodes: [
      { name: 'of leaves 0 and 1', left: leaves[0], right: leaves[1], hash: log.hashOf({ level: 1, index: 0 }) },
      {
        name: 'of leaves 0 to 3',
        left: log.hashOf({ level: 1, index: 0 }),
        right: log.hashOf({ level: 1, index: 1 }),
        hash: log.hashOf({ level: 2, index: 0 }),
      },
    ],
    roots: Array.from({ length: leaves.length + 1 }, (_, size) => ({
      name: `of the first ${size} leaves`,
      size,
      root: treeHash(leaves.slice(0, size)),
    })),
    decompositions: (
      [
        [0, 0],
        [0, 1],
        [0, 7],
        [0, 8],
        [3, 3],
        [3, 5],
        [5, 11],
        [6, 16],
        [1, 1023],
        [0, U32_MAX],
        [1, U32_MAX],
        [2 ** 31, U32_MAX],
        [U32_MAX - 1, U32_MAX],
      ] as const
    ).map(([begin, end]) => ({
      name: `leaves from ${begin} below ${end}`,
      begin,
      end,
      subtrees: decompose(begin, end),
    })),
    heads: [
      judged('of 9 leaves', head, 'accepted'),
      judged('of one leaf', log.head(1), 'accepted'),
      judged('of no leaf', log.head(0), 'accepted'),
      judged('the most of each number', log.head(9, { cluster: U32_MAX, slot: U32_MAX, size: U32_MAX }), 'accepted'),
      judged('another incarnation of the same account', again.head(), 'accepted'),
      judged('the signature of another incarnation', { ...again.head(), signature: head.signature }, 'reset'),
      judged('of another chain', head, 'reset', made('another genesis')),
      judged('of another account', { ...head, account: stranger.account }, 'reset'),
      judged('signed by another account', { ...head, signature: stranger.sign(headDigest(head)) }, 'reset'),
      judged('of another cluster', { ...head, cluster: 6 }, 'reset'),
      judged('of another slot', { ...head, slot: 4 }, 'reset'),
      judged('cluster and slot exchanged', { ...head, cluster: head.slot, slot: head.cluster }, 'reset'),
      judged('of another size', { ...head, size: 8 }, 'reset'),
      judged('of another root', { ...head, root: altered(head.root) }, 'reset'),
      judged('over its root alone', { ...head, signature: origin.sign(head.root) }, 'reset'),
      judged('with an altered signature', { ...head, signature: altered(head.signature, 5) }, 'reset'),
      judged('with a signature of zeroes', { ...head, signature: new Uint8Array(64) }, 'reset'),
    ],
  }
}

interface Range {
  readonly size: number
  readonly root: Uint8Array
  readonly firstIndex: number
  readonly leafHashes: readonly Uint8Array[]
  readonly left: readonly Uint8Array[]
  readonly right: readonly Uint8Array[]
}

function range(log: Log, first: number, count: number, size = log.leaves.length): Range {
  const leafHashes = log.leaves.slice(first, first + count)
  return { size, root: log.head(size).root, firstIndex: first, leafHashes, ...log.proof(first, count, size) }
}

/** A range of a log too large to be made, of which only the hashes beside the range are known. */
function rangeOfLarge(first: number, count: number, size: number): Range {
  const known = (subtrees: readonly Subtree[]) =>
    subtrees.map(({ level, index }) => ({ level, index, hash: made(`large log, ${level}/${index}`) }))
  const [left, right] = [known(decompose(0, first)), known(decompose(first + count, size))]
  const leaves = known(Array.from({ length: count }, (_, at) => ({ level: 0, index: first + at })))
  const hashOf = (begin: number, end: number): Uint8Array => {
    const level = Math.log2(end - begin)
    const found = [...left, ...leaves, ...right].find(
      (node) => node.level === level && node.index * 2 ** level === begin,
    )
    if (found !== undefined) return found.hash
    const half = 2 ** Math.ceil(Math.log2(end - begin) - 1)
    return nodeHash(hashOf(begin, begin + half), hashOf(begin + half, end))
  }
  const hashes = (nodes: readonly Node[]) => nodes.map(({ hash }) => hash)
  const root = hashOf(0, size)
  return { size, root, firstIndex: first, leafHashes: hashes(leaves), left: hashes(left), right: hashes(right) }
}

/** Range proofs of every shape, and what is no range proof. */
export function rangeProofVectors() {
  const log = new Log(leavesOf('leaf', 100))
  const small = Array.from({ length: 7 }, (_, at) => at + 1).flatMap((size) =>
    Array.from({ length: size }, (_, first) => first).flatMap((first) =>
      Array.from({ length: size - first }, (_, more) => [size, first, more + 1] as const),
    ),
  )
  const others = [
    [8, 0, 8],
    [8, 3, 2],
    [13, 4, 5],
    [16, 15, 1],
    [31, 1, 29],
    [33, 32, 1],
    [33, 0, 32],
    [64, 31, 2],
    [65, 64, 1],
    [100, 0, 1],
    [100, 37, 11],
    [100, 99, 1],
  ] as const
  const large = [
    [0, 2, 2 ** 31],
    [2 ** 31 - 1, 3, U32_MAX],
    [2 ** 31, 1, 2 ** 31 + 1],
    [0, 1, U32_MAX],
    [U32_MAX - 1, 1, U32_MAX],
    [1_000_003, 5, 3_000_000_019],
  ] as const
  const good = [
    ...[...small, ...others].map(([size, first, count]) => range(log, first, count, size)),
    ...large.map(([first, count, size]) => rangeOfLarge(first, count, size)),
  ]
  const right = range(log, 4, 5, 23)
  const judged = (name: string, changes: Partial<Range>, of = right) => ({
    name,
    ...of,
    ...changes,
    outcome: 'reset' as const,
  })
  const { leafHashes } = right
  const another = made('another hash')
  const bad = [
    judged('one leaf too far left', { firstIndex: 3 }),
    judged('one leaf too far right', { firstIndex: 5 }),
    judged('at the beginning', { firstIndex: 0 }),
    judged('two leaves exchanged', { leafHashes: leafHashes.toSpliced(1, 2, ...leafHashes.slice(1, 3).reverse()) }),
    judged('the first leaf left out', { leafHashes: leafHashes.slice(1) }),
    judged('the last leaf left out', { leafHashes: leafHashes.slice(0, -1) }),
    judged('the next leaf added', { leafHashes: [...leafHashes, log.leaves[9] ?? another] }),
    judged('one leaf twice', { leafHashes: leafHashes.with(1, leafHashes[0] ?? another) }),
    judged('another leaf in its place', { leafHashes: leafHashes.with(2, another) }),
    judged('no leaves', { leafHashes: [] }),
    judged('no leaves, and a proof that fits', { firstIndex: 4, leafHashes: [], ...log.proof(4, 0, 23) }),
    judged('nothing to the left', { left: [] }),
    judged('nothing to the right', { right: [] }),
    judged('one more to the left', { left: [...right.left, another] }),
    judged('one more to the right', { right: [...right.right, another] }),
    judged('left and right exchanged', { left: right.right, right: right.left }),
    judged('the right from the outside in', { right: [...right.right].reverse() }),
    judged('an altered hash to the left', { left: right.left.with(0, another) }),
    judged('an altered hash to the right', { right: right.right.with(-1, another) }),
    judged('a hash cut short', { left: right.left.map((hash) => hash.subarray(1)) }),
    judged('a hash with a byte too many', { right: right.right.map((hash) => concat(hash, Uint8Array.of(0))) }),
    judged('subtrees smaller than the largest', { left: [0, 1].map((index) => log.hashOf({ level: 1, index })) }),
    judged('another size', { size: 22 }),
    judged('another root', { root: altered(right.root) }),
    judged('the root of nothing', { root: sha256() }),
    judged('beyond the end', { firstIndex: 20 }),
    judged('one leaf beyond the end', { firstIndex: 19, left: log.proof(19, 4, 23).left, right: [] }),
    judged('behind the end', { firstIndex: 23, leafHashes: [another], left: log.proof(23, 0, 23).left, right: [] }),
    judged('of a log of no leaves', { size: 0, firstIndex: 0, root: sha256(), left: [], right: [] }),
    judged('behind the last leaf there can be', { firstIndex: U32_MAX }, rangeOfLarge(U32_MAX - 1, 1, U32_MAX)),
    judged(
      'the node above two leaves for a leaf',
      { size: 1, firstIndex: 0, leafHashes: [], left: [log.leaves[0] ?? another], right: [] },
      range(log, 0, 2, 2),
    ),
  ]
  return {
    about:
      'Clause 6.3, Range proof: `left` and `right` for leaves at `firstIndex` under a root of `size` leaves. `outcome` is `accepted`, or `reset`: the requester ends the exchange and resets the stream (a hash that has not 32 bytes may as well be refused with MALFORMED). In logs of more than 100 leaves the hashes beside the range are any bytes, as they are to a verifier.',
    leafHashes: log.leaves,
    cases: [
      ...good.map((each) => ({
        name: `${each.leafHashes.length} from ${each.firstIndex} of ${each.size}`,
        ...each,
        outcome: 'accepted' as const,
      })),
      ...bad,
    ],
  }
}

/** What replicas can prove of what they have kept, and what of two heads is proof of a fork. */
export function replicaVectors() {
  const log = new Log(leavesOf('leaf', 12))
  const nodes = (...subtrees: readonly (readonly [number, number])[]): Node[] =>
    subtrees.map(([level, index]) => ({ level, index, hash: log.hashOf({ level, index }) }))
  const proved = (name: string, kept: readonly Node[], first: number, count: number, canBe = true) => ({
    name,
    size: 12,
    kept,
    firstIndex: first,
    count,
    proof: canBe ? log.proof(first, count) : null,
  })
  const withoutFive = nodes([2, 0], [0, 4], [0, 5], [1, 3], [2, 2], [1, 2], [2, 1], [3, 0])
  const withoutFourToSeven = nodes([0, 0], [0, 1], [0, 2], [0, 3], [1, 0], [1, 1], [2, 0], [2, 1], [3, 0], [2, 2])
  const ofAnother = nodes([1, 1], [0, 2], [0, 3], [1, 0], [2, 0], [2, 1], [3, 0], [2, 2])
  return {
    about:
      'Clause 6.3, Erased shares and Head: proofs from nodes that a replica has kept (`proof` is null where it cannot make one), and pairs of heads with range proofs of which `isFork` says whether they prove that their origin forked its log.',
    proofs: [
      proved('leaf 5 is erased, its hash kept: the leaves before it', withoutFive, 0, 5),
      proved('leaf 5 is erased, its hash kept: the leaf before it', withoutFive, 4, 1),
      proved('leaf 5 is erased, its hash kept: the two behind it', withoutFive, 6, 2),
      proved('leaf 5 is erased, its hash kept: one behind it, whose neighbour is not held', withoutFive, 6, 1, false),
      proved('leaves 4 to 7 are erased, one hash above them kept: the leaves before', withoutFourToSeven, 0, 4),
      proved('leaves 4 to 7 are erased, one hash above them kept: one leaf before', withoutFourToSeven, 3, 1),
      proved('leaves 4 to 7 are erased, one hash above them kept: the leaves behind', withoutFourToSeven, 8, 4),
      proved('leaves 4 to 7 are erased, one hash above them kept: not one of them', withoutFourToSeven, 5, 1, false),
      proved('a run of leaves 2 and 3 was received: the same', ofAnother, 2, 2),
      proved('a run of leaves 2 and 3 was received: leaf 2 alone', ofAnother, 2, 1),
      proved('a run of leaves 2 and 3 was received: not leaf 1', ofAnother, 1, 1, false),
      proved('all leaves, for which nothing need be kept', [], 0, 12),
    ],
    forks: forks(),
  }
}

function forks() {
  const log = new Log(leavesOf('leaf', 12))
  const forked = (at: number, by = origin, incarnation = log.incarnation) =>
    new Log(log.leaves.with(at, made('a leaf in place of another')), incarnation, by)
  const seen = (of: Log, size: number, first: number, count: number, fields: Partial<LogHead> = {}) => {
    const { leafHashes, left, right } = range(of, first, count, size)
    return { head: { ...of.head(size), ...fields }, firstIndex: first, leafHashes, left, right }
  }
  const at5 = log.head(5)
  const otherSignature = stranger.sign(headDigest(at5))
  const judged = (name: string, one: ReturnType<typeof seen>, other: ReturnType<typeof seen>, isFork: boolean) => ({
    name,
    one,
    other,
    isFork,
  })
  return [
    judged('one size, two roots', seen(log, 8, 0, 1), seen(forked(7), 8, 0, 1), true),
    judged('one size, two roots, at the last leaf', seen(log, 5, 0, 1), seen(forked(4), 5, 0, 1), true),
    judged('the same head twice', seen(log, 8, 0, 1), seen(log, 8, 5, 1), false),
    judged('a log that has grown', seen(log, 5, 2, 2), seen(log, 8, 1, 3), false),
    judged('two hashes of one leaf', seen(log, 5, 2, 1), seen(forked(2), 8, 2, 1), true),
    judged('two hashes of the subtree of leaves 0 and 1', seen(log, 5, 2, 1), seen(forked(0), 8, 3, 1), true),
    judged('two hashes of the subtree of leaves 0 to 3', seen(log, 5, 4, 1), seen(forked(1), 12, 5, 1), true),
    judged('a fork that these proofs do not show', seen(log, 5, 0, 1), seen(forked(4), 8, 0, 1), false),
    judged('two incarnations', seen(log, 8, 0, 1), seen(forked(7, origin, made('another', 16)), 8, 0, 1), false),
    judged('two accounts', seen(log, 8, 0, 1), seen(forked(7, stranger), 8, 0, 1), false),
    judged(
      'a root that its account did not sign',
      seen(log, 5, 0, 1),
      seen(forked(4), 5, 0, 1, { signature: otherSignature }),
      false,
    ),
    judged('a proof that is none', seen(log, 5, 2, 1), { ...seen(forked(2), 8, 2, 1), right: [] }, false),
  ]
}
