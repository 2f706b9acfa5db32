import { sha256 } from '../../crypto/index.js'
import type { BlockNumber, ClusterId, ShareKey } from '../../domain/index.js'
import {
  CompactRange,
  type LogHead,
  type LogId,
  leafHash,
  type ProvenanceLeaf,
  proveRange,
  type RangeProof,
} from '../../provenance/index.js'
import type { Identity } from '../../store/index.js'

/** A share as its origin vouches for it: one object for all who hold it. */
export interface SharedShare {
  readonly key: ShareKey
  readonly leaf: ProvenanceLeaf
  readonly version: BlockNumber
  readonly origin: ClusterId
  readonly payload: Uint8Array
  readonly log: OriginLog
  readonly index: number
}

/** An origin's provenance log: a Merkle tree that only grows, kept once for all who hold a part of it. */
export class OriginLog {
  readonly id: LogId
  readonly cluster: ClusterId
  readonly shares: SharedShare[] = []
  readonly #range = new CompactRange()
  readonly #nodes = new Map<string, Uint8Array>()
  readonly #heads = new Map<number, LogHead>()

  constructor({ account, incarnation, seat }: Identity) {
    this.id = { account, incarnation }
    this.cluster = seat.cluster
  }

  get size(): number {
    return this.#range.end
  }

  append(key: ShareKey, version: BlockNumber, payload: Uint8Array): SharedShare {
    const payloadHash = sha256(payload)
    const leaf: ProvenanceLeaf = { ...key, version, payloadHash }
    const share = { key, leaf, version, origin: this.cluster, payload, log: this, index: this.size }
    for (const { level, index, hash } of this.#range.append(0, leafHash(leaf))) {
      this.#nodes.set(`${level}/${index}`, hash)
    }
    this.shares.push(share)
    return share
  }

  sign(signHead: (head: Omit<LogHead, 'signature' | 'account'>) => LogHead, { incarnation, seat }: Identity): void {
    this.#heads.set(this.size, signHead({ incarnation, ...seat, size: this.size, root: this.#range.root() }))
  }

  head(size: number): LogHead | undefined {
    return this.#heads.get(size)
  }

  prove(range: { first: number; count: number; size: number }): Promise<RangeProof | undefined> {
    return proveRange(async ({ level, index }) => this.#nodes.get(`${level}/${index}`), range)
  }
}

/** All logs of a run, by their origins. */
export class OriginLogs {
  readonly #logs = new Map<string, OriginLog>()

  of(identity: Identity): OriginLog {
    const known = this.find(identity)
    if (known !== undefined) return known
    const log = new OriginLog(identity)
    this.#logs.set(nameOf(identity), log)
    return log
  }

  find(id: LogId): OriginLog | undefined {
    return this.#logs.get(nameOf(id))
  }
}

function nameOf({ account, incarnation }: LogId): string {
  return `${account}/${incarnation}`
}
