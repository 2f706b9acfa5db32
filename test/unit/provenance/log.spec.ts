import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { accountSigner, toHex } from '../../../src/crypto/index.js'
import {
  CompactRange,
  type ForkEvidence,
  gatherFork,
  hashLeaf,
  type LogHead,
  type LogNode,
  leafHash,
  proveRange,
  signHead,
  verifyFork,
  verifyHead,
  verifyRange,
} from '../../../src/provenance/index.js'

const genesis = toHex(new Uint8Array(32).fill(7))
const signer = accountSigner(new Uint8Array(32).fill(1))
const incarnation = toHex(new Uint8Array(16).fill(2))

const leaves = Array.from({ length: 40 }, (_, nftId) =>
  leafHash({ kind: 'secret', nftId, version: nftId + 10, payloadHash: new Uint8Array(32).fill(nftId) }),
)

/** RFC 9162, 2.1.1, word for word. */
function merkleTreeHash(hashes: Uint8Array[]): Uint8Array {
  const [only] = hashes
  if (only === undefined) return new Uint8Array(createHash('sha256').digest())
  if (hashes.length === 1) return only
  let k = 1
  while (k * 2 < hashes.length) k *= 2
  const left = merkleTreeHash(hashes.slice(0, k))
  const right = merkleTreeHash(hashes.slice(k))
  return new Uint8Array(createHash('sha256').update(Uint8Array.of(1)).update(left).update(right).digest())
}

function logOf(size: number, of = leaves): { head: LogHead; nodes: Map<string, Uint8Array> } {
  const range = new CompactRange()
  const nodes = new Map<string, Uint8Array>()
  for (const leaf of of.slice(0, size)) remember(nodes, range.append(0, leaf))
  const head = signHead(signer, genesis, { incarnation, cluster: 1, slot: 2, size, root: range.root() })
  return { head, nodes }
}

function remember(into: Map<string, Uint8Array>, nodes: LogNode[]): void {
  for (const { level, index, hash } of nodes) into.set(`${level}/${index}`, hash)
}

const reader = (nodes: Map<string, Uint8Array>) => async (at: { level: number; index: number }) =>
  nodes.get(`${at.level}/${at.index}`)

describe('provenance log', () => {
  it('has the root that RFC 9162 defines, at every size', () => {
    for (let size = 0; size <= leaves.length; size += 1) {
      assert.deepEqual(logOf(size).head.root, merkleTreeHash(leaves.slice(0, size)), `size ${size}`)
    }
  })

  it('proves every range of every size up to 20', async () => {
    for (let size = 1; size <= 20; size += 1) {
      const { head, nodes } = logOf(size)
      for (let first = 0; first < size; first += 1) {
        for (let count = 1; first + count <= size; count += 1) {
          const proof = await proveRange(reader(nodes), { first, count, size })
          assert.ok(proof)
          verifyRange(head, first, leaves.slice(first, first + count), proof)
        }
      }
    }
  })

  it('gives a replica all it needs to prove the same leaves to others', async () => {
    const { head, nodes } = logOf(37)
    const proof = await proveRange(reader(nodes), { first: 11, count: 3, size: 37 })
    assert.ok(proof)
    const replica = new Map<string, Uint8Array>()
    remember(replica, verifyRange(head, 11, leaves.slice(11, 14), proof))
    const again = await proveRange(reader(replica), { first: 11, count: 3, size: 37 })
    assert.deepEqual(again, proof)
    assert.equal(await proveRange(reader(replica), { first: 5, count: 1, size: 37 }), undefined)
  })

  it('refuses moved, swapped, missing, added and altered leaves, and proofs of another shape', async () => {
    const { head, nodes } = logOf(23)
    const good = leaves.slice(4, 9)
    const proof = await proveRange(reader(nodes), { first: 4, count: 5, size: 23 })
    assert.ok(proof)
    const refused = (first: number, hashes: Uint8Array[], with_ = proof, under = head) =>
      assert.throws(() => verifyRange(under, first, hashes, with_), { code: 'provenance/range' })
    verifyRange(head, 4, good, proof)
    refused(3, good)
    refused(5, good)
    refused(4, [...good].reverse())
    refused(4, good.slice(1))
    refused(4, [...good, leaves[9] ?? assert.fail()])
    refused(4, good.with(2, hashLeaf(randomBytes(4))))
    refused(4, [])
    refused(-1, good)
    refused(Number.NaN, good)
    refused(4, good, { left: [], right: proof.right })
    refused(4, good, { left: [...proof.left, new Uint8Array(32)], right: proof.right })
    refused(4, good, { left: proof.left, right: [...proof.right, new Uint8Array(32)] })
    refused(4, good, { left: proof.left, right: proof.right.map((hash) => hash.slice(1)) })
    refused(4, good, proof, { ...head, size: 22 })
    refused(20, good)
    // Its origin says that the log is shorter than it is.
    refused(0, leaves.slice(0, 23), { left: [], right: [] }, { ...head, size: 22 })
  })

  it('signs heads with the account, over every field', () => {
    const { head } = logOf(9)
    verifyHead(genesis, head)
    const other = accountSigner(new Uint8Array(32).fill(9)).account
    const forgeries: LogHead[] = [
      { ...head, size: 8 },
      { ...head, cluster: 0 },
      { ...head, slot: 0 },
      { ...head, account: other },
      { ...head, incarnation: toHex(new Uint8Array(16)) },
      { ...head, root: new Uint8Array(32) },
    ]
    for (const forged of forgeries) {
      assert.throws(() => verifyHead(genesis, forged), { code: 'provenance/head-signature' })
    }
    assert.throws(() => verifyHead(toHex(new Uint8Array(32)), head), { code: 'provenance/head-signature' })
  })
})

describe('the proof that a log was forked', () => {
  const other = leaves.with(5, hashLeaf(randomBytes(8)))
  const contradicts = (one: number, another: number, position: { level: number; index: number }) => {
    const [honest, forked] = [logOf(one), logOf(another, other)]
    return gatherFork([honest.head, forked.head], position, [reader(honest.nodes), reader(forked.nodes)])
  }
  const isNone = (evidence: ForkEvidence) =>
    assert.throws(() => verifyFork(genesis, evidence), { code: 'provenance/no-fork' })

  it('convicts whoever signed two roots of one size', async () => {
    const evidence = await contradicts(9, 9, { level: 0, index: 5 })
    assert.deepEqual(
      evidence.branches.map(({ subtree }) => subtree),
      [undefined, undefined],
    )
    verifyFork(genesis, evidence)
  })

  it('convicts whoever signed two histories of different sizes, at any subtree that differs', async () => {
    for (const position of [
      { level: 0, index: 5 },
      { level: 1, index: 2 },
      { level: 3, index: 0 },
    ]) {
      verifyFork(genesis, await contradicts(9, 23, position))
      verifyFork(genesis, await contradicts(23, 8, position))
    }
  })

  it('is none between a log and what it has grown to', async () => {
    const [small, large] = [logOf(9), logOf(23)]
    const position = { level: 0, index: 5 }
    isNone(await gatherFork([small.head, large.head], position, [reader(small.nodes), reader(large.nodes)]))
    isNone({
      branches: [
        { head: small.head, subtree: undefined },
        { head: small.head, subtree: undefined },
      ],
      position: undefined,
    })
    isNone({
      branches: [
        { head: small.head, subtree: undefined },
        { head: large.head, subtree: undefined },
      ],
      position: undefined,
    })
  })

  it('is none with another subtree, position, log or size, nor without proof', async () => {
    const good = await contradicts(9, 23, { level: 0, index: 5 })
    const [one, two] = good.branches
    isNone({ ...good, position: { level: 0, index: 4 } })
    isNone({ ...good, position: { level: 0, index: 9 } })
    isNone({ ...good, branches: [one, { ...two, subtree: undefined }] })
    isNone({
      ...good,
      branches: [one, { ...two, subtree: two.subtree && { ...two.subtree, hash: new Uint8Array(32) } }],
    })
    isNone({
      ...good,
      branches: [{ ...one, subtree: one.subtree && { ...one.subtree, hash: new Uint8Array(32) } }, two],
    })
    isNone({ ...good, branches: [one, { ...two, head: { ...two.head, incarnation: toHex(new Uint8Array(16)) } }] })
  })

  it('is none when another account has taken the incarnation for its own', async () => {
    const { branches, position } = await contradicts(9, 9, { level: 0, index: 5 })
    const [one, two] = branches
    const head = signHead(accountSigner(new Uint8Array(32).fill(99)), genesis, two.head)
    isNone({ branches: [one, { ...two, head }], position })
  })

  it('is none when a head is not signed by the account', async () => {
    const { branches, position } = await contradicts(9, 9, { level: 0, index: 5 })
    const [one, two] = branches
    const forged = { ...two, head: { ...two.head, signature: new Uint8Array(64) } }
    assert.throws(() => verifyFork(genesis, { branches: [one, forged], position }), {
      code: 'provenance/head-signature',
    })
  })
})
