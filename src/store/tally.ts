import type { BlockNumber, ShareKey, ShareKind } from '../domain/index.js'
import { type HeldShares, Inventory, numberOf } from '../inventory/index.js'
import { Lowest } from './lowest.js'
import type { StoreCounts, Want } from './types.js'

/** What the store holds, counted in memory; steps are +1 and -1. */
export class Tally {
  readonly #shares: Record<ShareKind, number> = { secret: 0, capsule: 0 }
  readonly #inventory = new Inventory()
  readonly #wantedVersions = new Lowest()
  readonly #unsureVersions = new Lowest()
  /** Open wants by when they were opened, Unix ms: many are together, those of one block or of a setup. */
  readonly #wantsSince = new Map<number, number>()
  #wants = 0
  #pending = 0
  #doubtful = 0

  share(key: ShareKey, version: BlockNumber, step: 1 | -1): void {
    this.#shares[key.kind] += step
    if (step === 1) this.#inventory.set(numberOf(key), version)
    else this.#inventory.delete(numberOf(key))
  }

  /** Which shares are held in which versions. */
  get held(): HeldShares {
    return this.#inventory
  }

  pending(step: 1 | -1, isDoubtful: boolean): void {
    this.#pending += step
    if (isDoubtful) this.#doubtful += step
  }

  /** Pending shares that are doubtful. */
  get doubtful(): number {
    return this.#doubtful
  }

  want({ minimumVersion, since }: Pick<Want, 'minimumVersion' | 'since'>, step: 1 | -1): void {
    this.#wants += step
    this.#wantedVersions.count(minimumVersion, step)
    const left = (this.#wantsSince.get(since) ?? 0) + step
    if (left === 0) this.#wantsSince.delete(since)
    else this.#wantsSince.set(since, left)
  }

  /** A capsule is held in this version, and a want is open since there may be a newer one. */
  unsure(version: BlockNumber, step: 1 | -1): void {
    this.#unsureVersions.count(version, step)
  }

  clear(): void {
    this.#shares.secret = 0
    this.#shares.capsule = 0
    this.#inventory.clear()
    this.#wantedVersions.clear()
    this.#unsureVersions.clear()
    this.#wantsSince.clear()
    this.#wants = 0
    this.#pending = 0
    this.#doubtful = 0
  }

  counts(): StoreCounts {
    return { shares: { ...this.#shares }, wants: this.#wants, pending: this.#pending }
  }

  /** How many wants are open since when, Unix ms. */
  get wantsSince(): ReadonlyMap<number, number> {
    return this.#wantsSince
  }

  lowestWanted(): BlockNumber | undefined {
    return this.#wantedVersions.get()
  }

  lowestUnsure(): BlockNumber | undefined {
    return this.#unsureVersions.get()
  }
}
