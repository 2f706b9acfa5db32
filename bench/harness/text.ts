import type { ContestResult } from './contest.js'
import type { Judged, Results } from './results.js'
import type { Spread } from './statistics.js'
import { TARGETS, type Target, type TargetId, type Verdict } from './targets.js'

export const ROLES = { ceiling: 'a ceiling', rival: 'a rival', itself: 'itself' } as const

/** What one contest has come to, for a person at a terminal. */
export function contestText({ name, unit, contestant, others }: ContestResult): string {
  const column = Math.max(...[contestant, ...others].map((side) => side.name.length))
  const indent = ' '.repeat(column + 4)
  const lines = [
    `${name}, in ${unit}`,
    `  ${contestant.name.padEnd(column)}  ${sentence(spreadText(contestant.spread, amountText), contestant.verdict)}`,
    `${indent}${contestant.setUp}`,
  ]
  for (const { name, role, setUp, spread, ratio, verdict } of others) {
    lines.push(
      `  ${name.padEnd(column)}  ${spreadText(spread, amountText)}, ${ROLES[role]}`,
      `${indent}${sentence(`${spreadText(ratio, ratioText)} x of it`, verdict)}`,
      `${indent}${setUp}`,
    )
  }
  return `${lines.join('\n')}\n`
}

function sentence(measured: string, verdict: Verdict | undefined): string {
  if (verdict === undefined) return measured
  return `${measured}; target ${boundText(verdict.id)}: ${verdict.isMet ? 'met' : 'NOT met'}`
}

/** `at least 0.5 x` */
export function boundText(id: TargetId): string {
  const { bound, value, unit = 'x' }: Target = TARGETS[id]
  return `${bound} ${value.toLocaleString('en')} ${unit}`
}

/** What was judged: a ratio, or an amount in its unit. */
export function measuredText({ other, contest, measured }: Judged): string {
  return other === undefined
    ? `${spreadText(measured, amountText)} ${contest.unit}`
    : `${spreadText(measured, ratioText)} x`
}

/** `5 runs`, or `1 to 5 runs` where some were run less often. */
export function runsText(contests: readonly ContestResult[]): string {
  const counts = contests.map(({ contestant }) => contestant.figures.length)
  const [least, most] = [Math.min(...counts), Math.max(...counts)]
  return `${least === most ? '' : `${least} to `}${most} ${most === 1 ? 'run' : 'runs'}`
}

export function machineText({ processor, cores, memoryGiB, node, commit }: Results['machine']): string {
  return `${processor}, ${cores} cores, ${memoryGiB} GiB, Node ${node}, commit ${commit}`
}

/** The median and, unless all are the same, from where to where. */
export function spreadText({ minimum, median, maximum }: Spread, text: (value: number) => string): string {
  const [least, most] = [text(minimum), text(maximum)]
  return least === most ? text(median) : `${text(median)} (${least} to ${most})`
}

/** Three digits, or all before the point. */
export function amountText(value: number): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** Small ratios with two digits that say something. */
export function ratioText(value: number): string {
  return value < 0.095 && value > 0 ? String(Number(value.toPrecision(2))) : amountText(value)
}
