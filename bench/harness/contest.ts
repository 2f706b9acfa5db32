import { ratiosOf, type Spread, spreadOf } from './statistics.js'
import { judge, type TargetId, type Verdict } from './targets.js'

/** Something that is measured, beside others in the same run. */
export interface Contestant {
  readonly name: string
  /** How it is set up and why that is fair, in one sentence. */
  readonly setUp: string
  /** One run, in processes of its own. @returns its figure, in the contest's unit. */
  run(): Promise<number>
}

/** What is measured beside the contestant. */
export interface Other extends Contestant {
  /**
   * A ceiling does a part of the work and nothing else; a rival does what it is for in its own way; `itself` is the
   * contestant in another size or state.
   */
  readonly role: 'ceiling' | 'rival' | 'itself'
  /** Of the contestant's ratio to this one. */
  readonly target?: TargetId
}

/** One figure of ours, and what is measured beside it. */
export interface Contest {
  /** Stays as it is: results of different commits are compared by it. */
  readonly id: string
  readonly name: string
  readonly unit: string
  readonly better: 'more' | 'less'
  readonly contestant: Contestant
  /** None where there is only an amount to keep to. */
  readonly others?: readonly Other[]
  /** Of the contestant's figure itself. */
  readonly target?: TargetId
}

/** What a side came to in each run, in their order. */
export interface Measured extends Pick<Contestant, 'name' | 'setUp'> {
  readonly figures: readonly number[]
  readonly spread: Spread
}

export interface MeasuredOther extends Measured, Pick<Other, 'role'> {
  /** The contestant's figure to this one's, of each run. */
  readonly ratio: Spread
  readonly verdict?: Verdict | undefined
}

export interface ContestResult extends Pick<Contest, 'id' | 'name' | 'unit' | 'better'> {
  readonly contestant: Measured
  readonly others: readonly MeasuredOther[]
  readonly verdict?: Verdict | undefined
}

/** All sides in turn, another one first each time, so that what else the machine does meets each of them alike. */
export async function hold(contest: Contest, runs: number): Promise<ContestResult> {
  const { id, name, unit, better, contestant, others = [], target } = contest
  const sides = [contestant, ...others].map((side) => ({ side, figures: [] as number[] }))
  for (let run = 0; run < runs; run += 1) {
    const first = run % sides.length
    for (const { side, figures } of [...sides.slice(first), ...sides.slice(0, first)]) figures.push(await side.run())
  }
  const measured = sides.map(({ side, figures }) => ({
    name: side.name,
    setUp: side.setUp,
    figures,
    spread: spreadOf(figures),
  }))
  const [ours, ...theirs] = measured
  if (ours === undefined) throw new Error('A contest has a contestant.')
  return {
    id,
    name,
    unit,
    better,
    contestant: ours,
    others: theirs.map((each, index) => besideOurs(ours, each, others[index])),
    verdict: target && judge(target, ours.spread.median),
  }
}

function besideOurs(ours: Measured, theirs: Measured, other: Other | undefined): MeasuredOther {
  const ratio = ratiosOf(ours.figures, theirs.figures)
  const verdict = other?.target && judge(other.target, ratio.median)
  return { ...theirs, role: other?.role ?? 'rival', ratio, verdict }
}

/**
 * Runs that give several figures, each of a contest of its own: the first one that asks for a run makes it, and the
 * others are given what came of it.
 */
export class SharedRuns<Output> {
  readonly #run: () => Promise<Output>
  readonly #outputs: Promise<Output>[] = []

  constructor(run: () => Promise<Output>) {
    this.#run = run
  }

  /** @returns what runs a contestant: its nth call gives the figure of the nth run. */
  figure(figureOf: (output: Output) => number): () => Promise<number> {
    let calls = 0
    return async () => {
      const call = calls
      calls += 1
      this.#outputs[call] ??= this.#run()
      return figureOf(await this.#outputs[call])
    }
  }
}
