import { type BlockNumber, type NftId, type ShareKey, shareKeyText } from '../domain/index.js'
import type { OriginLog, ShareRun } from '../provenance/index.js'
import type { Knowledge, ShareSource, WantedShare } from '../share/index.js'

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
