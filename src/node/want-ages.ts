import type { WantAge } from './types.js'

/** The ages up to which wants are counted together, ms. */
const AGES: readonly (readonly [WantAge, number])[] = [
  ['minute', 60_000],
  ['ten-minutes', 600_000],
  ['hour', 3_600_000],
  ['day', 86_400_000],
]

/** @param since how many were opened when; Unix ms, as `now`. */
export function byAge(since: ReadonlyMap<number, number>, now: number): Record<WantAge, number> {
  const counts = { minute: 0, 'ten-minutes': 0, hour: 0, day: 0, older: 0 }
  for (const [at, count] of since) {
    const [age] = AGES.find(([, limit]) => now - at < limit) ?? ['older' as const]
    counts[age] += count
  }
  return counts
}
