import { X509Certificate } from 'node:crypto'
import { constants, QuoteVerifier as DcapVerifier, type VerifiedReport } from '@phala/dcap-qvl'
import { messageOf } from '../domain/index.js'
import { isSameAuthority, isWithin, PCK_CHAIN, readPckPlatform, serialOf, verifyChain } from './certificates.js'
import {
  type CollateralSource,
  type QuoteCollateral,
  unavailable,
  type VerifiedCollateral,
  verifyCollateral,
} from './collateral.js'
import { AttestationError } from './errors.js'
import { type AttestationPolicy, type EnclaveMeasurement, measurementFilter } from './policy.js'
import { invalid, readQuote, type UnverifiedQuote } from './quote.js'

/** A quote that is genuine and that the policy admits. */
export interface VerifiedQuote {
  /** The 64 bytes that the enclave put in; what they bind is for the caller to check. */
  readonly reportData: Uint8Array
  readonly measurement: EnclaveMeasurement
  readonly tcbStatus: string
  readonly advisoryIds: readonly string[]
}

export interface QuoteVerifier {
  /**
   * Cheap refusals (form, debug flag, measurement) come before any signature is checked; nothing is trusted until all
   * are.
   *
   * @param options.signal bounds waiting for collateral; 10 seconds when absent.
   * @throws AttestationError with the reason as its code.
   */
  verify(quote: Uint8Array, options?: { signal?: AbortSignal }): Promise<VerifiedQuote>
}

export interface QuoteVerifierOptions {
  /** DER; Intel's SGX root when absent. */
  readonly rootCertificate?: Uint8Array
  readonly collateral: CollateralSource
  readonly policy: AttestationPolicy
  readonly now?: () => Date
}

const COLLATERAL_TIMEOUT_MS = 10_000

/**
 * Verifies SGX quotes (DCAP, version 3) against collateral, offline, by `@phala/dcap-qvl`. What that library leaves
 * unchecked is checked here, in `quote.ts`, `certificates.ts` and `collateral.ts`; each place says what it is.
 */
export function createQuoteVerifier(options: QuoteVerifierOptions): QuoteVerifier {
  const { policy, now = () => new Date() } = options
  const root = new X509Certificate(options.rootCertificate ?? constants.TRUSTED_ROOT_CA_DER)
  const dcap = DcapVerifier.newWithRootCa(root.raw)
  const isAllowed = measurementFilter(policy.allowedMeasurements)
  const acceptedStatuses = new Set(policy.acceptedTcbStatuses ?? ['UpToDate'])
  const collaterals = new WeakMap<QuoteCollateral, VerifiedCollateral>()

  async function verifiedCollateral(quote: UnverifiedQuote, at: Date, signal: AbortSignal) {
    const [pck, authority] = attempt(() => verifyChain(quote.pckChain, PCK_CHAIN, root, at))
    if (pck === undefined || authority === undefined || pck.ca) throw invalid('its PCK certificate is a CA')
    const platform = attempt(() => readPckPlatform(pck))

    const found = await options.collateral.collateral(platform, { signal })
    let collateral = collaterals.get(found)
    if (collateral === undefined || !isWithin(collateral.validity, at)) {
      collateral = verifyCollateral(found, root, at)
      collaterals.set(found, collateral)
    }
    if (collateral.platform.fmspc !== platform.fmspc || collateral.platform.pceId !== platform.pceId) {
      throw unavailable(`There is no attestation collateral for platform family ${platform.fmspc}; configure it.`)
    }
    if (!isSameAuthority(authority, collateral.pckAuthority)) {
      throw unavailable(`There is no revocation list for the CA of the quote's platform; configure its collateral.`)
    }
    // The library looks every serial up in every list, whoever issued it, which can only refuse more.
    if (
      collateral.revokedByRoot.has(serialOf(authority.serialNumber)) ||
      collateral.revokedByPckAuthority.has(serialOf(pck.serialNumber))
    ) {
      throw invalid('its PCK certificate is revoked')
    }
    return collateral.collateral
  }

  function verifySignatures(quote: Uint8Array, collateral: QuoteCollateral, at: Date): VerifiedReport {
    try {
      return dcap.verify(quote, { ...collateral }, Math.floor(at.getTime() / 1000))
    } catch (error) {
      // The library throws plain errors; where a message of these changes, the refusal only becomes less exact.
      if (/TCB status is invalid|No matching TCB level|ISVSVN \d+ is below/.test(messageOf(error))) {
        throw belowPolicy(messageOf(error), error)
      }
      throw invalid(messageOf(error), error)
    }
  }

  return {
    async verify(bytes, { signal = AbortSignal.timeout(COLLATERAL_TIMEOUT_MS) } = {}) {
      // A copy, so that a caller's buffer that changes meanwhile cannot be checked as one quote and read as another.
      const owned = Uint8Array.from(bytes)
      const quote = readQuote(owned)
      if (quote.isDebug) {
        throw new AttestationError(
          'attestation/debug-enclave',
          'The quote is of a debug enclave, which is never trusted.',
        )
      }
      if (!isAllowed(quote.measurement)) {
        throw new AttestationError(
          'attestation/measurement-not-allowed',
          `The policy does not allow MRENCLAVE ${quote.measurement.mrEnclave}; add it if this build is to be trusted.`,
        )
      }
      const at = now()
      const collateral = await verifiedCollateral(quote, at, signal)
      const { status, advisory_ids } = verifySignatures(owned, collateral, at)
      if (!acceptedStatuses.has(status)) throw belowPolicy(`its TCB status is ${status}`)
      return {
        reportData: quote.reportData,
        measurement: quote.measurement,
        tcbStatus: status,
        advisoryIds: advisory_ids,
      }
    },
  }
}

function attempt<T>(check: () => T): T {
  try {
    return check()
  } catch (error) {
    throw invalid(messageOf(error), error)
  }
}

function belowPolicy(reason: string, cause?: unknown): AttestationError {
  const message = `The quote's platform is below the policy: ${reason}; its operator must update it.`
  return new AttestationError('attestation/tcb-below-policy', message, { cause })
}
