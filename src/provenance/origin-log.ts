import { randomBytes } from 'node:crypto'
import { type AccountSigner, sha256, toHex } from '../crypto/index.js'
import type { BlockHash, BlockNumber, ClusterId, Hex, ShareKey, SlotId } from '../domain/index.js'
import { CompactRange, decompose, type NodePosition } from './compact-range.js'
import { type LogHead, leafHash, proveRange, type RangeProof, signHead } from './log.js'
import type { ShareRun, VouchedShare } from './run.js'

/**
 * The log of one enclave in one incarnation, kept whole in memory with its shares: where logs are made up, as by the
 * conformance suite and by benches. A node's own log is the store's.
 */
export class OriginLog {
  readonly signer: AccountSigner
  readonly seat: { readonly cluster: ClusterId; readonly slot: SlotId }
  readonly incarnation: Hex
  readonly shares: VouchedShare[] = []
  readonly #genesisHash: BlockHash
  readonly #range = new CompactRange()
  /** The hashes of each level's nodes, leaves first. */
  readonly #levels: Uint8Array[][] = []

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

  /** @param payload is kept and not copied. */
  append(key: ShareKey, version: BlockNumber, payload: Uint8Array): void {
    const payloadHash = sha256(payload)
    const leaf = { ...key, version, payloadHash }
    this.shares.push({ leaf, payload })
    for (const { level, hash } of this.#range.append(0, leafHash(leaf))) {
      this.#levels[level] ??= []
      this.#levels[level].push(hash)
    }
  }

  /** At its present size, or an earlier one; `lies` are signed as the truth would be. */
  head(lies: Partial<Omit<LogHead, 'signature' | 'account'>> = {}): LogHead {
    const size = lies.size ?? this.shares.length
    const root = this.#rootOf(Math.min(size, this.shares.length))
    const { signer, seat, incarnation } = this
    return signHead(signer, this.#genesisHash, { incarnation, ...seat, size, root, ...lies })
  }

  async prove(first: number, count: number, size = this.shares.length): Promise<RangeProof> {
    const proof = await proveRange(async (position) => this.#hashOf(position), { first, count, size })
    if (proof === undefined) throw new Error('The log has no such range.')
    return proof
  }

  /** Shares [first, first + count) with copies of their payloads, which may be zeroed. */
  async run(first: number, count: number, head = this.head()): Promise<ShareRun> {
    const shares = this.shares
      .slice(first, first + count)
      .map(({ leaf, payload }) => ({ leaf, payload: payload.slice() }))
    return { head, first, shares, proof: await this.prove(first, count, head.size) }
  }

  indexOf(key: ShareKey): number {
    return this.shares.findLastIndex(({ leaf }) => leaf.kind === key.kind && leaf.nftId === key.nftId)
  }

  /** As it was when the log had this size. */
  #rootOf(size: number): Uint8Array {
    if (size === this.shares.length) return this.#range.root()
    const range = new CompactRange()
    for (const position of decompose(0, size)) {
      const hash = this.#hashOf(position)
      if (hash !== undefined) range.append(position.level, hash)
    }
    return range.root()
  }

  #hashOf({ level, index }: NodePosition): Uint8Array | undefined {
    return this.#levels[level]?.[index]
  }
}
