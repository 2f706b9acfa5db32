import { fromHex, toHex } from '../crypto/index.js'
import type { BlockNumber, Hex } from '../domain/index.js'
import type {
  EnclaveMeasurement,
  PlatformStatus,
  Published,
  QuoteClaims,
  SgxMeasurement,
  TcbVerdict,
  TdxMeasurement,
} from './claims.js'
import { type AttestationCheck, AttestationError, belowPolicy, unavailable } from './errors.js'

const DAY_MS = 86_400_000

interface Rule {
  /** The last final block at which the rule still holds: gives the mesh time to move on to a new build. */
  readonly untilBlock?: BlockNumber
}

/** Exactly one SGX build. */
export interface SgxBuildRule extends Rule {
  readonly mrEnclave: Hex
}

/** An SGX signer's product from a version on: whoever has the signing key can make enclaves that pass. */
export interface SgxSignerRule extends Rule {
  readonly mrSigner: Hex
  readonly productId: number
  readonly minimumSecurityVersion: number
}

/** One TDX image. `any` leaves a register unjudged; there is no leaving out, since each one says what runs. */
export interface TdxRule extends Rule {
  readonly mrTd: Hex
  readonly rtmr0: Hex | 'any'
  readonly rtmr1: Hex | 'any'
  readonly rtmr2: Hex | 'any'
  readonly rtmr3: Hex | 'any'
}

/** Which builds are allowed: one SGX build, the builds of an SGX signer, or a TDX image. */
export type MeasurementRule = SgxBuildRule | SgxSignerRule | TdxRule

/** Intel's words for platforms that are not up to date and for which an exception may be made; never for `Revoked`. */
export const EXCUSABLE_TCB_STATUSES = [
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
] as const

/**
 * Intel’s words for platforms that are not up to date and for which an exception may be made.
 * @useDeclaredType
 */
export type ExcusableTcbStatus = (typeof EXCUSABLE_TCB_STATUSES)[number]

/**
 * Lets platforms pass that are not up to date, for a time. Platform, quoting enclave and TDX module are each judged by
 * themselves, and all have to pass: a part does when each advisory that it is open to is named by an exception for its
 * status; where Intel names no advisory, an exception that names none either is needed.
 */
export interface TcbException {
  readonly status: ExcusableTcbStatus
  readonly advisoryIds: readonly string[]
  /** ISO 8601, for example `2027-03-31T00:00:00Z`: from then on the exception is void. */
  readonly until: string
}

/**
 * Which genuine enclaves are trusted, as data: the file that it comes from is measured with the enclave. Debug
 * enclaves never are, nor are platforms that Intel calls revoked.
 */
export interface AttestationPolicy {
  readonly allowedMeasurements: readonly MeasurementRule[]
  /** Only platforms that are `UpToDate` pass when absent. */
  readonly tcbExceptions?: readonly TcbException[]
  /** Refuses to judge by collateral of an earlier round of Intel's; any that is still valid does when absent. */
  readonly minimumTcbEvaluationDataNumber?: number
  /** Refuses to judge by collateral that was signed longer ago, although Intel still calls it valid. */
  readonly maximumCollateralAgeDays?: number
}

/** What a policy asks of collateral beyond what Intel asks. */
export type CollateralLimits = Pick<AttestationPolicy, 'minimumTcbEvaluationDataNumber' | 'maximumCollateralAgeDays'>

/** Until when a policy judges by collateral, Unix ms; -Infinity when it asks for a later round. */
export function judgedUntil(
  { tcbEvaluationDataNumber, collateralIssuedAt }: Published,
  { minimumTcbEvaluationDataNumber = 0, maximumCollateralAgeDays = Infinity }: CollateralLimits,
): number {
  if (tcbEvaluationDataNumber < minimumTcbEvaluationDataNumber) return -Infinity
  return collateralIssuedAt.getTime() + maximumCollateralAgeDays * DAY_MS
}

/** A policy, ready to judge. */
export interface Policy {
  /**
   * What needs no signature to be refused.
   *
   * @param now.block the newest final block that this node knows.
   * @throws AttestationError `attestation/debug-enclave`, `attestation/measurement-not-allowed`
   */
  admitClaims(claims: QuoteClaims, now: { readonly block: BlockNumber }): void
  /**
   * @throws AttestationError `attestation/tcb-below-policy`, `attestation/collateral-unavailable`
   */
  admitPlatform(status: PlatformStatus, now: Date): void
}

/** @throws SlotmeshError `crypto/not-hex` when a rule's measurement is not hexadecimal. */
export function compilePolicy(policy: AttestationPolicy): Policy {
  const { tcbExceptions = [], minimumTcbEvaluationDataNumber = 0, maximumCollateralAgeDays = Infinity } = policy
  const rules = policy.allowedMeasurements.map((rule) => ({
    matches: matcherOf(rule),
    untilBlock: rule.untilBlock ?? Infinity,
  }))
  const exceptions = tcbExceptions.map((exception) => ({ ...exception, until: new Date(exception.until).getTime() }))

  function isExcused({ status, advisoryIds }: TcbVerdict, now: Date): boolean {
    if (status === 'UpToDate') return true
    const standing = exceptions.filter((exception) => exception.status === status && now.getTime() < exception.until)
    const named = new Set(standing.flatMap((exception) => exception.advisoryIds))
    return advisoryIds.length === 0
      ? standing.some((exception) => exception.advisoryIds.length === 0)
      : advisoryIds.every((id) => named.has(id))
  }

  return {
    admitClaims({ measurement, isDebug }, { block }) {
      if (isDebug) throw debugEnclave()
      const matching = rules.filter(({ matches }) => matches(measurement))
      if (matching.length === 0) throw notAllowed(measurement)
      if (matching.every(({ untilBlock }) => block > untilBlock)) throw outgrown(measurement, matching)
    },

    admitPlatform({ parts, tcbEvaluationDataNumber, collateralIssuedAt }, now) {
      if (tcbEvaluationDataNumber < minimumTcbEvaluationDataNumber) {
        const reason = `its evaluation number is ${tcbEvaluationDataNumber}, and the policy asks for ${minimumTcbEvaluationDataNumber}`
        throw oldCollateral('collateral-evaluation', reason)
      }
      const ageDays = (now.getTime() - collateralIssuedAt.getTime()) / DAY_MS
      // Written so that a date that is none is refused as well.
      if (!(ageDays <= maximumCollateralAgeDays)) {
        const reason = `it is ${Math.floor(ageDays)} days old, and the policy allows ${maximumCollateralAgeDays}`
        throw oldCollateral('collateral-age', reason)
      }
      const wrong = parts.find((verdict) => !isExcused(verdict, now))
      if (wrong !== undefined) {
        const open = wrong.advisoryIds.length > 0 ? `, open to ${wrong.advisoryIds.join(', ')}` : ''
        throw belowPolicy('tcb-status', `the TCB status of its ${wrong.part} is ${wrong.status}${open}`)
      }
    },
  }
}

function matcherOf(rule: MeasurementRule): (measurement: EnclaveMeasurement) => boolean {
  if ('mrEnclave' in rule) {
    const mrEnclave = canonical(rule.mrEnclave)
    return onlySgx((measurement) => measurement.mrEnclave === mrEnclave)
  }
  if ('mrSigner' in rule) {
    const mrSigner = canonical(rule.mrSigner)
    return onlySgx(
      (measurement) =>
        measurement.mrSigner === mrSigner &&
        measurement.productId === rule.productId &&
        measurement.securityVersion >= rule.minimumSecurityVersion,
    )
  }
  const registers = (['mrTd', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] as const).map((name) => {
    const expected = rule[name]
    return { name, expected: expected === 'any' ? undefined : canonical(expected) }
  })
  return onlyTdx((measurement) =>
    registers.every(({ name, expected }) => expected === undefined || measurement[name] === expected),
  )
}

function onlySgx(matches: (measurement: SgxMeasurement) => boolean) {
  return (measurement: EnclaveMeasurement) => measurement.tee === 'sgx' && matches(measurement)
}

function onlyTdx(matches: (measurement: TdxMeasurement) => boolean) {
  return (measurement: EnclaveMeasurement) => measurement.tee === 'tdx' && matches(measurement)
}

/** People write hexadecimal in either case; quotes are printed in lower case. */
function canonical(hex: Hex): Hex {
  return toHex(fromHex(hex))
}

/** An enclave by the one number that people know it by. */
function nameOf(measurement: EnclaveMeasurement): string {
  return measurement.tee === 'sgx' ? `MRENCLAVE ${measurement.mrEnclave}` : `MRTD ${measurement.mrTd}`
}

function debugEnclave(): AttestationError {
  return new AttestationError(
    'attestation/debug-enclave',
    'debug',
    'The quote is of a debug enclave, which is never trusted.',
  )
}

function notAllowed(measurement: EnclaveMeasurement): AttestationError {
  return new AttestationError(
    'attestation/measurement-not-allowed',
    'measurement',
    `The policy does not allow ${nameOf(measurement)}; add it if this build is to be trusted.`,
  )
}

function outgrown(
  measurement: EnclaveMeasurement,
  rules: readonly { readonly untilBlock: BlockNumber }[],
): AttestationError {
  const until = Math.max(...rules.map(({ untilBlock }) => untilBlock))
  return new AttestationError(
    'attestation/measurement-not-allowed',
    'measurement',
    `The policy allowed ${nameOf(measurement)} until block ${until} only; its operator must move to the new build.`,
  )
}

function oldCollateral(check: AttestationCheck, reason: string): AttestationError {
  return unavailable(check, `The attestation collateral is too old for the policy: ${reason}; fetch it anew.`)
}
