import { fitPowerLaw, type PowerLaw } from './fit.js'

/** The exponent that a cost may have in a mesh that scales, and why. */
export interface Allowance {
  readonly exponent: number
  readonly because: string
}

export const CONSTANT: Allowance = {
  exponent: 0,
  because: 'one share costs its replica the same, however many there are',
}
export const LOGARITHMIC: Allowance = { exponent: 0.25, because: 'ways through the DHT grow as a logarithm' }
export const LINEAR: Allowance = { exponent: 1, because: 'each cluster needs a copy of its own' }

/** How far an exponent may be from what is allowed before it is named. */
const SLACK = 0.15

export interface Growth {
  /** Undefined with fewer than two sizes at which there was a cost. */
  readonly law: PowerLaw | undefined
  readonly isTooFast: boolean
}

/** @param points size and cost. */
export function growthOf(points: readonly { readonly x: number; readonly y: number }[], allowed: Allowance): Growth {
  const law = fitPowerLaw(points)
  return { law, isTooFast: law !== undefined && law.exponent > allowed.exponent + SLACK }
}

export function exponentText(law: PowerLaw | undefined): string {
  // Rounded first, so that there is no -0.00.
  return law === undefined ? '–' : (Math.round(law.exponent * 100) / 100 + 0).toFixed(2)
}
