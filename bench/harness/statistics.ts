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
