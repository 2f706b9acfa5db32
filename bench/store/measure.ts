/** How many of something are done in a second. */
export async function rateOf(count: number, work: () => Promise<void>): Promise<number> {
  const begun = performance.now()
  await work()
  return (count * 1_000) / (performance.now() - begun)
}

/** So many of the numbers below `all`, in no order, the same each time: steps by a prime reach every one. */
export function* someOf(all: number, count: number): Generator<number> {
  const STEP = 7_919
  for (let turn = 0; turn < count; turn += 1) yield (turn * STEP) % all
}
