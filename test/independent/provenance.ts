import { verify } from '@scure/sr25519'
import { ascii, concat, H, hex, sha256, u32be } from '../vectors/tools.js'
import type { LogHead, Run, Share } from '../vectors/wire.js'
import { Broken } from './outcomes.js'

/* Share 6.3: logs, as those who replicate shares see them. */

const KIND_BYTES = { SECRET: 1, CAPSULE: 2 } as const
const leafPrefix = Uint8Array.of(0)
const nodePrefix = Uint8Array.of(1)

interface Place {
  readonly level: number
  readonly index: number
}

export function leafHash({ kind, nftId, version, payload }: Share): Uint8Array {
  const kindByte = Uint8Array.of(KIND_BYTES[kind])
  return sha256(leafPrefix, H('ternoa/provenance/1/leaf', kindByte, u32be(nftId), u32be(version), sha256(payload)))
}

export function headDigest(genesisHash: Uint8Array, head: Omit<LogHead, 'signature'>): Uint8Array {
  const { account, incarnation, cluster, slot, size, root } = head
  const numbers = [cluster, slot, size].map(u32be)
  return H('ternoa/provenance/1/head', genesisHash, account, incarnation, ...numbers, root)
}

export function decompose(begin: number, end: number): Place[] {
  const places: Place[] = []
  for (let at = begin; at < end; ) {
    let level = 0
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= end) level += 1
    places.push({ level, index: at / 2 ** level })
    at += 2 ** level
  }
  return places
}

const name = ({ level, index }: Place) => `${level}/${index}`

/** Joins subtrees from left to right; `seen` is told every node that comes about. */
function rootOf(subtrees: readonly (Place & { hash: Uint8Array })[], seen: (place: Place, hash: Uint8Array) => void) {
  const row: (Place & { hash: Uint8Array })[] = []
  for (const subtree of subtrees) {
    seen(subtree, subtree.hash)
    row.push(subtree)
    for (;;) {
      const [left, right] = row.slice(-2)
      if (left === undefined || right === undefined || left.level !== right.level || left.index % 2 !== 0) break
      const joined = { level: left.level + 1, index: left.index / 2, hash: sha256(nodePrefix, left.hash, right.hash) }
      seen(joined, joined.hash)
      row.splice(-2, 2, joined)
    }
  }
  return row.reduceRight<Uint8Array | undefined>(
    (right, { hash }) => (right === undefined ? hash : sha256(nodePrefix, hash, right)),
    undefined,
  )
}

const same = (one: Uint8Array, other: Uint8Array) => Buffer.compare(one, other) === 0

/** What is held of the logs of all origins. */
export class Logs {
  readonly #genesisHash: Uint8Array
  readonly #nodes = new Map<string, Map<string, Uint8Array>>()
  readonly #heads = new Map<string, LogHead>()

  constructor(genesisHash: Uint8Array) {
    this.#genesisHash = genesisHash
  }

  /** Checks 5 and 6 of a Run; keeps what proves its shares to others. @throws Broken */
  take({ head, firstIndex, shares, left, right }: Run & { head: LogHead }): void {
    const places = [decompose(0, firstIndex), decompose(firstIndex + shares.length, head.size)]
    const isShaped =
      firstIndex + shares.length <= head.size && left.length === places[0]?.length && right.length === places[1]?.length
    if (!isShaped || [...left, ...right].some((hash) => hash.length !== 32))
      throw new Broken('the proof has another shape')
    if (!verify(headDigest(this.#genesisHash, head), head.signature, head.account)) throw new Broken('nobody signed it')
    const at = (side: 0 | 1, hashes: readonly Uint8Array[]) =>
      hashes.map((hash, index) => ({ ...(places[side]?.[index] ?? { level: 0, index: 0 }), hash }))
    const leaves = shares.map((share, index) => ({ level: 0, index: firstIndex + index, hash: leafHash(share) }))
    const seen = new Map<string, Uint8Array>()
    const root = rootOf([...at(0, left), ...leaves, ...at(1, right)], (place, hash) => seen.set(name(place), hash))
    if (root === undefined || !same(root, head.root)) throw new Broken('the shares are not in the log')
    const nodes = this.#nodesOf(head)
    for (const [place, hash] of seen) {
      const held = nodes.get(place)
      if (held !== undefined && !same(held, hash)) throw new Broken('the log is forked')
    }
    for (const [place, hash] of seen) nodes.set(place, hash)
    const id = logOf(head)
    this.#heads.set(`${id}/${head.size}`, head)
  }

  /** Shares at contiguous leaves, under a head that they were taken under. */
  runOf(held: { readonly log: string; readonly size: number; readonly index: number }, shares: readonly Share[]): Run {
    const head = this.#heads.get(`${held.log}/${held.size}`)
    const nodes = this.#nodes.get(held.log)
    if (head === undefined || nodes === undefined) throw new Error('It is not held.')
    const hashes = (places: Place[]) => places.map((place) => nodes.get(name(place)) ?? new Uint8Array())
    const end = held.index + shares.length
    const [left, right] = [hashes(decompose(0, held.index)), hashes(decompose(end, head.size))]
    return { head, firstIndex: held.index, shares, left, right }
  }

  #nodesOf(head: LogHead): Map<string, Uint8Array> {
    const id = logOf(head)
    const nodes = this.#nodes.get(id) ?? new Map<string, Uint8Array>()
    this.#nodes.set(id, nodes)
    return nodes
  }
}

export function logOf({ account, incarnation }: Pick<LogHead, 'account' | 'incarnation'>): string {
  return hex(concat(account, incarnation, ascii('')))
}

/** An origin's own log. */
export class OwnLog {
  readonly #leaves: Uint8Array[] = []

  append(share: Share): number {
    this.#leaves.push(leafHash(share))
    return this.#leaves.length - 1
  }

  get size(): number {
    return this.#leaves.length
  }

  root(): Uint8Array {
    const leaves = this.#leaves.map((hash, index) => ({ level: 0, index, hash }))
    return rootOf(leaves, () => undefined) ?? sha256()
  }

  /** The Run of one share, whose head is still to be signed. */
  proof(index: number): { left: Uint8Array[]; right: Uint8Array[] } {
    const hashes = (places: Place[]) =>
      places.map(({ level, index: at }) => {
        const leaves = this.#leaves.slice(at * 2 ** level, (at + 1) * 2 ** level)
        return (
          rootOf(
            leaves.map((hash, leaf) => ({ level: 0, index: leaf, hash })),
            () => undefined,
          ) ?? sha256()
        )
      })
    return { left: hashes(decompose(0, index)), right: hashes(decompose(index + 1, this.size)) }
  }
}
