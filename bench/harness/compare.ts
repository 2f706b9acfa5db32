import { alignedLines } from '../../src/domain/index.js'
import type { ContestResult } from './contest.js'
import type { Results } from './results.js'
import { leastLikelihood, likelihoodOfChance, spreadOf } from './statistics.js'
import { amountText, machineText, ratioText } from './text.js'

/**
 * A change counts when chance alone would show it in less than one of a hundred comparisons, which takes five runs on both
 * sides, and when it is of this part at least: less is nobody's concern.
 */
const LIKELIHOOD = 0.01
const LEAST_CHANGE = 0.05

export type Change = 'better' | 'worse' | 'the same' | 'cannot tell' | 'not judged'

export interface ComparedFigure {
  readonly name: string
  /** Medians. */
  readonly one: string
  readonly other: string
  /** The second median to the first. */
  readonly ratio: number
  readonly change: Change
  /** Why nothing can be said, or is said. */
  readonly because?: string
}

export interface Comparison {
  readonly remarks: readonly string[]
  readonly figures: readonly ComparedFigure[]
  readonly isWorse: boolean
}

/** What has changed from one to the other beyond noise. */
export function compare(one: Results, other: Results): Comparison {
  const isSameMachine = (['processor', 'cores', 'memoryGiB', 'node'] as const).every(
    (part) => one.machine[part] === other.machine[part],
  )
  const figures = one.contests.flatMap((contest) => {
    const again = other.contests.find(({ id }) => id === contest.id)
    return again === undefined ? [] : figuresOf(contest, again, isSameMachine)
  })
  return {
    remarks: [
      ...(isSameMachine ? [] : ['They are of different machines, or versions of Node: ratios alone are judged.']),
      ...onlyIn('first', one, other),
      ...onlyIn('second', other, one),
    ],
    figures,
    isWorse: figures.some(({ change }) => change === 'worse'),
  }
}

function onlyIn(which: string, one: Results, other: Results): string[] {
  const ids = new Set(other.contests.map(({ id }) => id))
  const names = one.contests.filter(({ id }) => !ids.has(id)).map(({ name }) => name)
  return names.length === 0 ? [] : [`In the ${which} only: ${names.join('; ')}.`]
}

function figuresOf(one: ContestResult, other: ContestResult, isSameMachine: boolean): ComparedFigure[] {
  const { name, unit, better } = one
  const pairs = one.others.flatMap((side) => {
    const again = other.others.find((each) => each.name === side.name)
    return again === undefined ? [] : [{ side, again }]
  })
  const isBesideOthers = pairs.some(({ side }) => side.role !== 'itself')
  const own = [one.contestant.figures, other.contestant.figures] as const
  const notJudged = isBesideOthers
    ? 'its ratios are'
    : isSameMachine && one.unit === other.unit
      ? undefined
      : 'not of the same machine'
  return [
    figure(`${name}, ${unit}`, own, { better, text: amountText, notJudged }),
    ...pairs.map(({ side, again }) => {
      const compared = figure(`${name}, x of ${side.name}`, [ratios(one, side), ratios(other, again)], {
        better,
        text: ratioText,
      })
      if (side.role !== 'itself' || compared.change !== 'worse') return compared
      // What is its own base may have got better: then the ratio is worse, and nothing else.
      const isLost = side.verdict?.isMet === true && again.verdict?.isMet === false
      return isLost ? compared : { ...compared, change: 'not judged' as const, because: 'both are its own' }
    }),
  ]
}

function ratios({ contestant }: ContestResult, { figures }: { readonly figures: readonly number[] }): number[] {
  return contestant.figures.map((value, run) => value / (figures[run] ?? Number.NaN))
}

function figure(
  name: string,
  [one, other]: readonly [readonly number[], readonly number[]],
  {
    better,
    text,
    notJudged,
  }: {
    readonly better: ContestResult['better']
    readonly text: (value: number) => string
    readonly notJudged?: string | undefined
  },
): ComparedFigure {
  const [before, after] = [spreadOf(one).median, spreadOf(other).median]
  const ratio = after / before
  const common = { name, one: text(before), other: text(after), ratio }
  if (notJudged !== undefined) return { ...common, change: 'not judged', because: notJudged }
  if (leastLikelihood(one.length, other.length) > LIKELIHOOD) {
    return { ...common, change: 'cannot tell', because: `${Math.min(one.length, other.length)} runs are too few` }
  }
  if (Math.abs(after - before) < LEAST_CHANGE * Math.abs(before)) return { ...common, change: 'the same' }
  if (likelihoodOfChance(one, other) > LIKELIHOOD) {
    return { ...common, change: 'cannot tell', because: 'it is within the noise' }
  }
  return { ...common, change: (better === 'more') === after > before ? 'better' : 'worse' }
}

const HEAD = ['', 'first', 'second', 'ratio', ''] as const

/** Lines for a terminal; the last one says whether something got worse. */
export function comparisonText(one: Results, other: Results, { remarks, figures, isWorse }: Comparison): string {
  const rows = figures.map(({ name, one, other, ratio, change, because }) => {
    const verdict = because === undefined ? change : `${change}: ${because}`
    return [name, one, other, `x ${ratioText(ratio)}`, change === 'worse' ? 'WORSE' : verdict]
  })
  const lines = alignedLines([HEAD, ...rows], { right: [1, 2, 3] })
  const head = `first   ${one.at}  ${machineText(one.machine)}\nsecond  ${other.at}  ${machineText(other.machine)}`
  const unclear = figures.filter(({ change }) => change === 'cannot tell').length
  const untold =
    unclear === 0 ? [] : [`Of ${unclear} of ${figures.length} figures that cannot be told: more runs may tell.`]
  if (figures.length === 0)
    return [head, ...remarks, 'There is nothing in both of them that could be compared.'].join('\n\n')
  const worse = figures.filter(({ change }) => change === 'worse').map(({ name }) => name)
  return [
    head,
    ...(remarks.length > 0 ? [remarks.join('\n')] : []),
    lines.join('\n'),
    [isWorse ? `Worse: ${worse.join('; ')}.` : 'Nothing got worse beyond noise.', ...untold].join(' '),
  ].join('\n\n')
}
