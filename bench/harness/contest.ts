import { type Spread, spreadOf } from './statistics.js'

/** Something that is measured beside something else, in the same run. */
export interface Contestant {
  readonly name: string
  /** How it is set up and why that is fair, in one sentence. */
  readonly setUp: string
  /** One run in a process of its own. @returns its figure. */
  run(): Promise<number>
}

/** A claim: `contestant` comes to at least, or at most, `ratio` times `against`, in `unit`. */
export interface Contest {
  readonly name: string
  readonly unit: string
  readonly contestant: Contestant
  readonly against: Contestant
  readonly ratio: number
  /** At most where less is better. */
  readonly bound: 'at least' | 'at most'
}

export interface ContestResult {
  readonly name: string
  readonly unit: string
  readonly contestant: { readonly name: string; readonly setUp: string; readonly spread: Spread }
  readonly against: { readonly name: string; readonly setUp: string; readonly spread: Spread }
  /** Of the medians. */
  readonly ratio: number
  readonly target: number
  readonly bound: Contest['bound']
  readonly isMet: boolean
}

/** Both in turn, so that what else the machine does meets both. */
export async function hold(contest: Contest, runs: number): Promise<ContestResult> {
  const { name, unit, contestant, against, ratio: target, bound } = contest
  const figures = { contestant: [] as number[], against: [] as number[] }
  for (let run = 0; run < runs; run += 1) {
    figures.against.push(await against.run())
    figures.contestant.push(await contestant.run())
  }
  const spreads = { contestant: spreadOf(figures.contestant), against: spreadOf(figures.against) }
  const ratio = spreads.contestant.median / spreads.against.median
  return {
    name,
    unit,
    contestant: { name: contestant.name, setUp: contestant.setUp, spread: spreads.contestant },
    against: { name: against.name, setUp: against.setUp, spread: spreads.against },
    ratio,
    target,
    bound,
    isMet: bound === 'at least' ? ratio >= target : ratio <= target,
  }
}
