import { messageOf, SlotmeshError } from '../domain/index.js'

/** Why a quote is not accepted, in the largest kinds. */
export type AttestationErrorCode =
  | 'attestation/quote-invalid'
  | 'attestation/tcb-below-policy'
  | 'attestation/measurement-not-allowed'
  | 'attestation/debug-enclave'
  /** Our own trouble, not the peer's fault: collateral is missing, expired or not genuine. */
  | 'attestation/collateral-unavailable'

/** What was looked at when a quote or its collateral did not pass. */
export type AttestationCheck =
  /** Of the quote. */
  | 'form'
  | 'debug'
  | 'measurement'
  | 'pck-chain'
  | 'pck-validity'
  | 'pck-revoked'
  | 'qe-report-signature'
  | 'attestation-key'
  | 'quote-signature'
  | 'qe-identity'
  | 'td-attributes'
  | 'tdx-module'
  | 'tcb-level'
  | 'tcb-status'
  | 'second-opinion'
  /** Of the collateral. */
  | 'collateral-platform'
  | 'collateral-form'
  | 'collateral-chain'
  | 'collateral-revoked'
  | 'crl'
  | 'tcb-info'
  | 'qe-identity-info'
  | 'collateral-validity'
  | 'collateral-evaluation'
  | 'collateral-age'
  | 'collateral-source'

/** Why a quote was not accepted. */
export class AttestationError extends SlotmeshError {
  override readonly name: string = 'AttestationError'
  declare readonly code: AttestationErrorCode
  readonly check: AttestationCheck

  constructor(code: AttestationErrorCode, check: AttestationCheck, message: string, options?: ErrorOptions) {
    super(code, message, options)
    this.check = check
  }
}

/** Inside this room: something did not pass. It becomes an AttestationError where it is known whose fault it is. */
export class CheckFailed extends Error {
  readonly check: AttestationCheck

  constructor(check: AttestationCheck, reason: string, options?: ErrorOptions) {
    super(reason, options)
    this.check = check
  }
}

/** Whatever goes wrong in `work` is the failure of one check, unless it says itself of which. */
export function checking<T>(check: AttestationCheck, work: () => T): T {
  try {
    return work()
  } catch (thrown) {
    throw thrown instanceof CheckFailed ? thrown : new CheckFailed(check, messageOf(thrown), { cause: thrown })
  }
}

export function invalid(check: AttestationCheck, reason: string, cause?: unknown): AttestationError {
  return new AttestationError('attestation/quote-invalid', check, `The quote is not genuine: ${reason}.`, { cause })
}

export function belowPolicy(check: AttestationCheck, reason: string, cause?: unknown): AttestationError {
  const message = `The quote's platform is below the policy: ${reason}; its operator must update it.`
  return new AttestationError('attestation/tcb-below-policy', check, message, { cause })
}

export function unavailable(check: AttestationCheck, message: string, cause?: unknown): AttestationError {
  return new AttestationError('attestation/collateral-unavailable', check, message, { cause })
}
