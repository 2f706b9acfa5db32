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
