import type { Published } from '../claims.js'
import { type CollateralRequest, published, type VerifiedCollateral } from '../collateral.js'
import { type CollateralLimits, judgedUntil } from '../policy.js'

/** How the collateral for one kind of platform does. */
export interface CollateralHealth {
  readonly request: CollateralRequest
  /** Undefined when there is none. */
  readonly held: HeldCollateral | undefined
  /** Why it could not be fetched the last time, or not all of it; undefined when it was. */
  readonly lastFailure: CollateralFailure | undefined
}

/** The collateral that quotes are judged by now. */
export interface HeldCollateral extends Published {
  /** By Intel's word. */
  readonly validUntil: Date
  /** By the policy as well; the day it was issued when the policy asks for a later round. */
  readonly usableUntil: Date
}

/** Why collateral could not be fetched. */
export interface CollateralFailure {
  readonly at: Date
  readonly reason: string
  /** What the service has, or what was kept, is older than what was seen before. */
  readonly isOlder: boolean
}

/** What there is to say of collateral that stands. */
export function heldAs(verified: VerifiedCollateral, limits: CollateralLimits): HeldCollateral {
  const of = published(verified)
  const validUntil = verified.validity.until
  const usableUntil = Math.min(validUntil.getTime(), judgedUntil(of, limits))
  return { ...of, validUntil, usableUntil: new Date(Math.max(usableUntil, of.collateralIssuedAt.getTime())) }
}
