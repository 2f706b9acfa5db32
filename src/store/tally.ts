import type { BlockNumber, ShareKind } from '../domain/index.js'
import type { StoreCounts } from './types.js'

/** What the store holds, counted in memory; steps are +1 and -1. */
export class Tally {
  readonly #shares: Record<ShareKind, number> = { secret: 0, capsule: 0 }
  readonly #wantsByVersion = new Map<BlockNumber, number>()
  #wants = 0
  #pending = 0
  #doubtful = 0

  share(kind: ShareKind, step: 1 | -1): void {
    this.#shares[kind] += step
  }

  pending(step: 1 | -1, isDoubtful: boolean): void {
    this.#pending += step
    if (isDoubtful) this.#doubtful += step
  }

  /** Pending shares that are doubtful. */
  get doubtful(): number {
    return this.#doubtful
  }

  want(minimumVersion: BlockNumber, step: 1 | -1): void {
    this.#wants += step
    const wants = (this.#wantsByVersion.get(minimumVersion) ?? 0) + step
    if (wants > 0) this.#wantsByVersion.set(minimumVersion, wants)
    else this.#wantsByVersion.delete(minimumVersion)
  }

  clear(): void {
    this.#shares.secret = 0
    this.#shares.capsule = 0
    this.#wantsByVersion.clear()
    this.#wants = 0
    this.#pending = 0
    this.#doubtful = 0
  }

  counts(): StoreCounts {
    return { shares: { ...this.#shares }, wants: this.#wants, pending: this.#pending }
  }

  lowestWanted(): BlockNumber | undefined {
    let lowest: BlockNumber | undefined
    for (const version of this.#wantsByVersion.keys()) if (lowest === undefined || version < lowest) lowest = version
    return lowest
  }
}
