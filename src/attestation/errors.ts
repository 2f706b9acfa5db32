import { SlotmeshError } from '../domain/index.js'

export type AttestationErrorCode =
  | 'attestation/quote-invalid'
  | 'attestation/tcb-below-policy'
  | 'attestation/measurement-not-allowed'
  | 'attestation/debug-enclave'
  /** Our own trouble, not the peer's fault: collateral is missing, expired or not genuine. */
  | 'attestation/collateral-unavailable'

/** Why a quote was not accepted. */
export class AttestationError extends SlotmeshError {
  override readonly name: string = 'AttestationError'
  declare readonly code: AttestationErrorCode

  constructor(code: AttestationErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}
