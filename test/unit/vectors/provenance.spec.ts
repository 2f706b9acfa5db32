import assert from 'node:assert/strict'
import { equalBytes, fromHex, toHex } from '../../../src/crypto/index.js'
import {
  CompactRange,
  decompose,
  gatherFork,
  hashLeaf,
  type LogHead,
  type LogNode,
  leafHash,
  lookupIn,
  proveRange,
  verifyFork,
  verifyHead,
  verifyRange,
} from '../../../src/provenance/index.js'
import { genesisHash } from '../../vectors/world.js'
import { toBytes, vectorsOf } from './vectors.js'

const KINDS = { SECRET: 'secret', CAPSULE: 'capsule' } as const

function headFrom({ root, signature, ...head }: HeadJson): LogHead {
  return { ...head, root: fromHex(root), signature: fromHex(signature) }
}

type HeadJson = ReturnType<typeof vectorsOf<'share/1/vectors/provenance.json'>>['heads'][number]['head']

/** Where a requester would reset the stream. */
function outcomeOf(verify: () => unknown): string {
  try {
    verify()
    return 'accepted'
  } catch (thrown) {
    assert.match(String(thrown instanceof Error && 'code' in thrown && thrown.code), /^provenance\//)
    return 'reset'
  }
}

describe('the test vectors of provenance logs', () => {
  const { leaves, nodes, roots, decompositions, heads } = vectorsOf('share/1/vectors/provenance.json')

  for (const { name, kind, nftId, version, payloadHash, leafData, leafHash: hash } of leaves) {
    it(name, () => {
      const leaf = { kind: KINDS[kind], nftId, version, payloadHash: fromHex(payloadHash) }
      assert.equal(toHex(leafHash(leaf)), hash)
      assert.equal(toHex(hashLeaf(fromHex(leafData))), hash)
    })
  }

  for (const { name, left = '', right = '', hash } of nodes) {
    it(`the node ${name}`, () => {
      const range = new CompactRange()
      range.append(1, fromHex(left))
      assert.equal(toHex(range.append(1, fromHex(right)).at(-1)?.hash ?? assert.fail()), hash)
    })
  }

  for (const { name, size, root } of roots) {
    it(`the root ${name}`, () => {
      const range = new CompactRange()
      for (const leaf of leaves.slice(0, size)) range.append(0, fromHex(leaf.leafHash))
      assert.equal(toHex(range.root()), root)
    })
  }

  for (const { name, begin, end, subtrees } of decompositions) {
    it(`the subtrees over ${name}`, () => assert.deepEqual(decompose(begin, end), subtrees))
  }

  for (const { name, genesisHash: genesis, head, outcome } of heads) {
    it(`a head ${name}: ${outcome}`, () => {
      assert.equal(
        outcomeOf(() => verifyHead(genesis, headFrom(head))),
        outcome,
      )
    })
  }
})

describe('the test vectors of range proofs', () => {
  const { leafHashes: all, cases } = vectorsOf('share/1/vectors/range-proofs.json')
  const anyHead = headFrom(vectorsOf('share/1/vectors/provenance.json').heads[0]?.head ?? assert.fail())

  for (const { name, size, root, firstIndex, leafHashes, left, right, outcome } of cases) {
    it(`${name}: ${outcome}`, async () => {
      const head = { ...anyHead, size, root: fromHex(root) }
      const proof = { left: left.map(fromHex), right: right.map(fromHex) }
      assert.equal(
        outcomeOf(() => verifyRange(head, firstIndex, leafHashes.map(fromHex), proof)),
        outcome,
      )
      if (outcome === 'reset' || size > all.length) return
      const range = new CompactRange()
      const nodes = all.slice(0, size).flatMap((leaf) => range.append(0, fromHex(leaf)))
      assert.deepEqual(await proveFrom(nodes, { first: firstIndex, count: leafHashes.length, size }), proof)
    })
  }
})

function proveFrom(nodes: readonly LogNode[], range: { first: number; count: number; size: number }) {
  const nodeAt = async ({ level, index }: { level: number; index: number }) =>
    nodes.find((node) => node.level === level && node.index === index)?.hash
  return proveRange(nodeAt, range)
}

describe('the test vectors of replicas', () => {
  const { proofs, forks } = vectorsOf('share/1/vectors/replicas.json')

  for (const { name, size, kept, firstIndex, count, proof } of proofs) {
    it(name, async () => {
      const made = await proveFrom(toBytes(kept), { first: firstIndex, count, size })
      assert.deepEqual(made ?? null, toBytes(proof))
    })
  }

  type Seen = (typeof forks)[number]['one']

  /** What a signed head and a range proof establish; undefined when they establish nothing. */
  function established({ head, firstIndex, leafHashes, left, right }: Seen): LogNode[] | undefined {
    let nodes: LogNode[] = []
    const outcome = outcomeOf(() => {
      verifyHead(toHex(genesisHash), headFrom(head))
      const proof = { left: left.map(fromHex), right: right.map(fromHex) }
      nodes = verifyRange(headFrom(head), firstIndex, leafHashes.map(fromHex), proof)
    })
    return outcome === 'accepted' ? nodes : undefined
  }

  /** Whether evidence that convicts can be made of what both establish. */
  async function contradict(one: Seen, other: Seen): Promise<boolean> {
    const [nodes, others] = [established(one), established(other)]
    if (nodes === undefined || others === undefined) return false
    const differing = nodes.find(({ level, index, hash }) =>
      others.some((node) => node.level === level && node.index === index && !equalBytes(node.hash, hash)),
    )
    const heads = [headFrom(one.head), headFrom(other.head)] as const
    const evidence = await gatherFork(heads, differing ?? { level: 0, index: 0 }, [lookupIn(nodes), lookupIn(others)])
    return outcomeOf(() => verifyFork(toHex(genesisHash), evidence)) === 'accepted'
  }

  for (const { name, one, other, isFork } of forks) {
    it(`${isFork ? 'a fork' : 'no proof of a fork'}: ${name}`, async () => {
      assert.equal(await contradict(one, other), isFork)
      assert.equal(await contradict(other, one), isFork)
    })
  }
})
