import { createHash, randomBytes } from 'node:crypto'
import { type AccountSigner, toHex } from '../crypto/index.js'
import {
  type BlockHash,
  type BlockNumber,
  type ClusterId,
  type Hex,
  type NftId,
  type ShareKey,
  type SlotId,
  shareKeyText,
} from '../domain/index.js'
import {
  CompactRange,
  type LogHead,
  leafHash,
  proveRange,
  type RangeProof,
  type ShareRun,
  signHead,
  type VouchedShare,
} from '../provenance/index.js'
import type { Knowledge, ShareSource, WantedShare } from '../share/index.js'

/** The provenance log of one enclave of the suite's, in one incarnation. */
export class OriginLog {
  readonly signer: AccountSigner
  readonly seat: { readonly cluster: ClusterId; readonly slot: SlotId }
  readonly incarnation: Hex
  readonly shares: VouchedShare[] = []
  readonly #genesisHash: BlockHash
  readonly #range = new CompactRange()
  readonly #roots: Uint8Array[] = [this.#range.root()]
  readonly #nodes = new Map<string, Uint8Array>()

  constructor(
    genesisHash: BlockHash,
    signer: AccountSigner,
    seat: { cluster: ClusterId; slot: SlotId },
    incarnation: Hex = toHex(new Uint8Array(randomBytes(16))),
  ) {
    this.incarnation = incarnation
    this.#genesisHash = genesisHash
    this.signer = signer
    this.seat = { cluster: seat.cluster, slot: seat.slot }
  }

  append(key: ShareKey, version: BlockNumber, payload: Uint8Array): void {
    const payloadHash = new Uint8Array(createHash('sha256').update(payload).digest())
    const leaf = { ...key, version, payloadHash }
    this.shares.push({ leaf, payload })
    for (const node of this.#range.append(0, leafHash(leaf))) {
      this.#nodes.set(`${node.level}/${node.index}`, node.hash)
    }
    this.#roots.push(this.#range.root())
  }

  /** At its present size, or an earlier one; `lies` are signed as the truth would be. */
  head(lies: Partial<Omit<LogHead, 'signature' | 'account'>> = {}): LogHead {
    const size = lies.size ?? this.shares.length
    const root = this.#roots[size] ?? this.#range.root()
    const { signer, seat, incarnation } = this
    return signHead(signer, this.#genesisHash, { incarnation, ...seat, size, root, ...lies })
  }

  async prove(first: number, count: number, size = this.shares.length): Promise<RangeProof> {
    const nodeAt = async ({ level, index }: { level: number; index: number }) => this.#nodes.get(`${level}/${index}`)
    const proof = await proveRange(nodeAt, { first, count, size })
    if (proof === undefined) throw new Error('The log has no such range.')
    return proof
  }

  /** Shares [first, first + count), with payloads that may be zeroed. */
  async run(first: number, count: number, size = this.shares.length): Promise<ShareRun> {
    const shares = this.shares
      .slice(first, first + count)
      .map(({ leaf, payload }) => ({ leaf, payload: payload.slice() }))
    return { head: this.head({ size }), first, shares, proof: await this.prove(first, count, size) }
  }

  indexOf(key: ShareKey): number {
    return this.shares.findLastIndex(({ leaf }) => leaf.kind === key.kind && leaf.nftId === key.nftId)
  }
}

/** A share of the suite's making. */
export interface KnownShare {
  readonly key: ShareKey
  readonly version: BlockNumber
  readonly payload: Uint8Array
  readonly log: OriginLog
}

/** All shares of the peer's slot that the suite has had synced, as an honest enclave that lacks none would hold them. */
export class Library implements ShareSource {
  readonly #shares = new Map<string, KnownShare>()
  readonly #now: () => BlockNumber

  constructor(now: () => BlockNumber) {
    this.#now = now
  }

  add(log: OriginLog, key: ShareKey, version: BlockNumber, payload: Uint8Array): KnownShare {
    log.append(key, version, payload)
    const share = { key, version, payload, log }
    this.#shares.set(shareKeyText(key), share)
    return share
  }

  remove(key: ShareKey): void {
    this.#shares.delete(shareKeyText(key))
  }

  get(key: ShareKey): KnownShare | undefined {
    return this.#shares.get(shareKeyText(key))
  }

  all(): KnownShare[] {
    return [...this.#shares.values()]
  }

  async knowledge(): Promise<Knowledge> {
    const now = this.#now()
    return { newestAsOf: now, takenIn: now }
  }

  async heldFrom(from: ShareKey, limit: number): Promise<readonly NftId[]> {
    const ids = this.all().flatMap(({ key }) => (key.kind === from.kind && key.nftId >= from.nftId ? [key.nftId] : []))
    return ids.sort((one, other) => one - other).slice(0, limit)
  }

  async *runs(
    wanted: readonly WantedShare[],
    { maximumBytes }: { maximumBytes: number },
  ): AsyncGenerator<ShareRun, { notHeld: readonly ShareKey[] }> {
    const notHeld: ShareKey[] = []
    const places = new Map<OriginLog, number[]>()
    for (const { key, minimumVersion } of wanted) {
      const share = this.get(key)
      if (share === undefined || share.version < minimumVersion) notHeld.push(key)
      else places.set(share.log, [...(places.get(share.log) ?? []), share.log.indexOf(key)])
    }
    for (const [log, indices] of places) {
      for (const [first, count] of stretches(
        indices,
        (index) => log.shares[index]?.payload.length ?? 0,
        maximumBytes,
      )) {
        yield log.run(first, count)
      }
    }
    return { notHeld }
  }
}

/** Contiguous leaves, each stretch of at most so many bytes. */
function stretches(indices: readonly number[], bytesAt: (index: number) => number, most: number): [number, number][] {
  const found: [number, number][] = []
  let bytes = 0
  for (const index of [...indices].sort((one, other) => one - other)) {
    const last = found.at(-1)
    bytes += bytesAt(index)
    if (last !== undefined && last[0] + last[1] === index && bytes <= most) {
      last[1] += 1
    } else {
      found.push([index, 1])
      bytes = bytesAt(index)
    }
  }
  return found
}
