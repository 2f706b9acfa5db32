import { type ShareKey, U32_MAX } from '../domain/index.js'

/*
 * Shares as one number each, kind before NFT id, and the tree over these numbers that two enclaves go down together
 * (reconcile SPEC 4.1): it is the same for all, whatever they hold.
 */

const CAPSULES = U32_MAX + 1

/** One more than the number of the last share that there can be: 2^33. */
export const NUMBERS = 2 * CAPSULES

/** In the order of the store. */
export function numberOf({ kind, nftId }: ShareKey): number {
  return kind === 'secret' ? nftId : CAPSULES + nftId
}

export function keyOf(share: number): ShareKey {
  return share < CAPSULES ? { kind: 'secret', nftId: share } : { kind: 'capsule', nftId: share - CAPSULES }
}

/** The shares whose numbers begin with the same bits: 0 bits at level 0, 1 (the kind) at level 1, 4 more at each level. */
export interface Prefix {
  /** 0 to {@link DEEPEST_LEVEL}. */
  readonly level: number
  /** The first number of them; a multiple of their number. */
  readonly first: number
}

export const ROOT: Prefix = { level: 0, first: 0 }

/** At this level a prefix is of 16 shares, which are told one by one. */
export const DEEPEST_LEVEL = 8

/** How many numbers a prefix of this level is of. One level below the deepest it is one. */
export function sizeAt(level: number): number {
  return level === 0 ? NUMBERS : 2 ** (36 - 4 * level)
}

/** Into how many a prefix of this level is divided. */
export function fanOutAt(level: number): number {
  return level === 0 ? 2 : 16
}

export function childOf({ level, first }: Prefix, index: number): Prefix {
  return { level: level + 1, first: first + index * sizeAt(level + 1) }
}

/** Whether there is such a prefix, and it can be asked for. */
export function isPrefix({ level, first }: Prefix): boolean {
  return level <= DEEPEST_LEVEL && first < NUMBERS && first % sizeAt(level) === 0
}
