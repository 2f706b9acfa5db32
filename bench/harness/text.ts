import type { ContestResult, Measured, MeasuredOther } from './contest.js'
import type { Spread } from './statistics.js'
import { TARGETS, type Target, type Verdict } from './targets.js'

/** What one contest has come to, for a person at a terminal. */
export function contestText({ name, unit, contestant, others, verdict }: ContestResult): string {
  const lines = [
    name,
    `  ${figureLine(contestant, unit)}`,
    ...(verdict === undefined ? [] : [`    ${verdictText(verdict)}`]),
    ...others.flatMap((other) => otherLines(other, unit)),
  ]
  return `${lines.join('\n')}\n`
}

function otherLines(other: MeasuredOther, unit: string): string[] {
  const judged = other.verdict === undefined ? '' : `; ${verdictText(other.verdict)}`
  const ratio = `    ${spreadText(other.ratio, ratioText)} x ${other.name} (${ROLES[other.role]})${judged}`
  return [`  ${figureLine(other, unit)}`, ratio]
}

const ROLES = { ceiling: 'a ceiling', rival: 'a rival', itself: 'itself' } as const

function figureLine({ name, spread, setUp }: Measured, unit: string): string {
  return `${name.padEnd(11)} ${spreadText(spread, amountText)} ${unit}   ${setUp}`
}

export function verdictText({ id, bound, value, isMet }: Verdict): string {
  const { unit = 'x' }: Target = TARGETS[id]
  return `target ${bound} ${value} ${unit}: ${isMet ? 'met' : 'NOT met'}`
}

/** The median and, unless all are the same, from where to where. */
export function spreadText({ minimum, median, maximum }: Spread, text: (value: number) => string): string {
  const [least, most] = [text(minimum), text(maximum)]
  return least === most ? text(median) : `${text(median)} (${least} to ${most})`
}

/** Three digits or all before the point. */
export function amountText(value: number): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

export function ratioText(value: number): string {
  return value < 10 ? value.toFixed(2) : amountText(value)
}
