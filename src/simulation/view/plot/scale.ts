/** From what is measured to where it is drawn. */
export interface Scale {
  place(value: number): number
  /** Round values to write along it. */
  readonly ticks: readonly number[]
}

interface Range {
  readonly from: number
  readonly to: number
}

export function linearScale(domain: Range, range: Range, { ticks = 5 } = {}): Scale {
  const span = domain.to - domain.from || 1
  return {
    place: (value) => range.from + ((value - domain.from) / span) * (range.to - range.from),
    ticks: multiplesOf(roundStep(span / ticks), domain),
  }
}

const DAY = 86_400_000
/** ms */
const TIME_STEPS = [
  ...[1, 5, 10, 50, 100, 500],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1_000),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60_000),
  ...[1, 2, 4, 6, 12].map((hours) => hours * 3_600_000),
  ...[DAY, 2 * DAY, 5 * DAY, 10 * DAY],
]

/** Linear, with ticks at round times. */
export function timeScale(domain: Range, range: Range, { ticks = 6 } = {}): Scale {
  const span = domain.to - domain.from || 1
  const step = TIME_STEPS.find((each) => span / each <= ticks) ?? roundStep(span / ticks)
  return { ...linearScale(domain, range), ticks: multiplesOf(step, domain) }
}

/** @param domain above zero, and finite. @throws RangeError where it is not. */
export function logScale(domain: Range, range: Range): Scale {
  if (!(domain.from > 0 && Number.isFinite(domain.to))) {
    throw new RangeError(`There is no logarithmic scale from ${domain.from} to ${domain.to}.`)
  }
  const [from, to] = [Math.log10(domain.from), Math.log10(domain.to)]
  const { place } = linearScale({ from, to }, range)
  const digits = to - from > 3 ? [1] : to - from > 1.2 ? [1, 3] : [1, 2, 5]
  const ticks: number[] = []
  for (let power = Math.floor(from); power <= Math.ceil(to); power += 1) {
    for (const digit of digits) {
      const value = Number((digit * 10 ** power).toPrecision(3))
      if (value >= domain.from * 0.999 && value <= domain.to * 1.001) ticks.push(value)
    }
  }
  return { place: (value) => place(Math.log10(value)), ticks }
}

function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return ([1, 2, 5].find((digit) => digit * power >= least * 0.999) ?? 10) * power
}

function multiplesOf(step: number, { from, to }: Range): number[] {
  const ticks: number[] = []
  for (let count = Math.ceil(from / step - 1e-9); count * step <= to * (1 + 1e-9); count += 1) {
    ticks.push(Number((count * step).toPrecision(12)))
  }
  return ticks
}
