import type { HeldCollateral } from './health.js'

/** Intel may judge a family anew on any day. */
const REFRESH_AFTER_MS = 86_400_000

/** Of its life that is left when it is refreshed at the latest. */
const LIFE_LEFT = 1 / 3

/** The first and the longest pause after failures: while there is collateral that stands, and while there is none. */
const [REFRESH_RETRY_MS, FETCH_RETRY_MS] = [
  [60_000, 3_600_000],
  [5_000, 60_000],
] as const

/**
 * Whether to fetch now; times are Unix ms. The host's clock may have been far ahead for a moment: what is due later than
 * anything can be was put down then.
 */
export function isDue(due: number, at: number): boolean {
  return due <= at || due - at > REFRESH_AFTER_MS
}

/** When to fetch anew after a success; a service that has nothing of use yet is asked as one that fails. */
export function dueAfterSuccess({ usableUntil }: HeldCollateral, at: number): number {
  const [least, most] = REFRESH_RETRY_MS
  const left = usableUntil.getTime() - at
  return at + (left <= 0 ? most : Math.max(least, Math.min(REFRESH_AFTER_MS, left * (1 - LIFE_LEFT))))
}

/**
 * When to try again after a failure.
 *
 * @param failures one after another before this one.
 * @param end of what there is, at which it is tried at the latest; in the past when there is nothing.
 */
export function dueAfterFailure(failures: number, end: number, at: number): number {
  const [first, longest] = at <= end ? REFRESH_RETRY_MS : FETCH_RETRY_MS
  // Somewhat scattered, so that the enclaves of a mesh do not come all at once after an outage.
  const due = at + Math.min(first * 2 ** failures, longest) * (0.75 + Math.random() / 2)
  return at <= end ? Math.min(due, end) : due
}
