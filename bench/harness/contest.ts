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
export interface Figures extends Pick<Contestant, 'name' | 'setUp'> {
  readonly figures: readonly number[]
}

/** All that was measured, and nothing that follows from it. */
export interface ContestFigures extends Pick<Contest, 'id' | 'name' | 'unit' | 'better' | 'target'> {
  readonly contestant: Figures
  readonly others: readonly (Figures & Pick<Other, 'role' | 'target'>)[]
}

interface Measured extends Figures {
  readonly spread: Spread
  /** Of its target, if there is one. */
  readonly verdict?: Verdict
}

interface MeasuredOther extends Measured, Pick<Other, 'role' | 'target'> {
  /** The contestant's figure to this one's, of each run. */
  readonly ratio: Spread
}

/** With what follows from it. */
export interface ContestResult extends ContestFigures {
  readonly contestant: Measured
  readonly others: readonly MeasuredOther[]
}

/** All sides in turn, another one first each time, so that what else the machine does meets each of them alike. */
export async function hold(contest: Contest, runs: number): Promise<ContestResult> {
  const { contestant, others = [] } = contest
  const ours = side(contestant)
  const theirs = others.map(side)
  const sides = [ours, ...theirs]
  for (let run = 0; run < runs; run += 1) {
    const first = run % sides.length
    for (const { run: once, figures } of [...sides.slice(first), ...sides.slice(0, first)]) figures.push(await once())
  }
  return resultOf({ ...contest, contestant: ours, others: theirs })
}

function side<Side extends Contestant>(each: Side): Side & { readonly figures: number[] } {
  return { ...each, run: () => each.run(), figures: [] }
}

/** Judges by the targets as they are now. */
export function resultOf(contest: ContestFigures): ContestResult {
  const { id, name, unit, better, contestant, others, target } = contest
  const spread = spreadOf(contestant.figures)
  return {
    ...{ id, name, unit, better, ...(target && { target }) },
    contestant: {
      ...{ name: contestant.name, setUp: contestant.setUp, figures: contestant.figures, spread },
      ...(target && { verdict: judge(target, spread.median) }),
    },
    others: others.map(({ name, setUp, role, figures, target }) => {
      const ratio = ratiosOf(contestant.figures, figures)
      return {
        ...{ name, setUp, role, figures, spread: spreadOf(figures), ratio },
        ...(target && { target, verdict: judge(target, ratio.median) }),
      }
    }),
  }
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
