/** What several runs of one thing came to. */
export interface Spread {
  readonly minimum: number
  readonly median: number
  readonly maximum: number
}

/** @param values at least one. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((one, other) => one - other)
  const [minimum = Number.NaN] = sorted
  const maximum = sorted.at(-1) ?? Number.NaN
  const middle = sorted.length / 2
  const median = ((sorted[Math.ceil(middle) - 1] ?? minimum) + (sorted[Math.floor(middle)] ?? maximum)) / 2
  return { minimum, median, maximum }
}

/** Of each run its own ratio: what else the machine did then has met both. @param others as many as `values`. */
export function ratiosOf(values: readonly number[], others: readonly number[]): Spread {
  return spreadOf(values.map((value, run) => value / (others[run] ?? Number.NaN)))
}

/**
 * How likely it is that two kinds of runs differ in rank by at least as much when they are of one kind: the exact
 * two-sided test of Mann and Whitney, by all ways to deal the pooled ranks. It asks nothing of how figures spread.
 */
export function likelihoodOfChance(one: readonly number[], other: readonly number[]): number {
  const ranks = doubledRanks([...one, ...other])
  const total = ranks.reduce((sum, rank) => sum + rank, 0)
  // ways[k][sum]: of how many choices of k runs the ranks come to that sum.
  const ways = Array.from({ length: one.length + 1 }, () => new Float64Array(total + 1))
  ways[0]?.fill(1, 0, 1)
  for (const rank of ranks) {
    for (let size = one.length; size > 0; size -= 1) {
      const [these, smaller] = [ways[size], ways[size - 1]]
      if (these === undefined || smaller === undefined) continue
      for (let sum = total; sum >= rank; sum -= 1) these[sum] = (these[sum] ?? 0) + (smaller[sum - rank] ?? 0)
    }
  }
  const expected = (total * one.length) / ranks.length
  const observed = ranks.slice(0, one.length).reduce((sum, rank) => sum + rank, 0)
  let [asFar, all] = [0, 0]
  for (const [sum, count] of (ways[one.length] ?? []).entries()) {
    all += count
    if (Math.abs(sum - expected) >= Math.abs(observed - expected) - 1e-9) asFar += count
  }
  return asFar / all
}

/** The least that {@link likelihoodOfChance} can come to with so many runs of either kind. */
export function leastLikelihood(one: number, other: number): number {
  let choices = 1
  for (let at = 1; at <= one; at += 1) choices = (choices * (other + at)) / at
  return Math.min(1, 2 / choices)
}

/** Twice the rank, so that those in the middle of a tie are whole. */
function doubledRanks(values: readonly number[]): number[] {
  const sorted = [...values].sort((one, other) => one - other)
  return values.map((value) => sorted.indexOf(value) + sorted.lastIndexOf(value) + 2)
}
