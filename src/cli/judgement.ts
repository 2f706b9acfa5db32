import type { EnclaveMeasurement, VerifiedQuote } from '../attestation/index.js'
import { silentLogger } from '../domain/index.js'
import type { Verification } from './tee.js'

/** A one-off command keeps nothing. */
const NO_CACHE = { get: async () => undefined, put: async () => undefined }
const NO_FLOORS = { read: async () => undefined, write: async () => undefined }

/**
 * What a node that is told the same says of a quote.
 *
 * @param options.block as of which it is judged; without one, rules that end have ended.
 * @param options.at as of when; now when absent.
 * @throws AttestationError
 */
export async function judgeQuote(
  verification: Verification,
  quote: Uint8Array,
  {
    block,
    at,
    signal,
  }: { readonly block?: number | undefined; readonly at?: Date | undefined; readonly signal: AbortSignal },
): Promise<VerifiedQuote> {
  const { createQuoteVerifier, pccsCollateral } = await import('../attestation/index.js')
  const { collateral: configured, rootCertificate } = verification
  const now = () => at ?? new Date()
  const collateral =
    'collateral' in configured
      ? configured
      : pccsCollateral({
          ...configured,
          rootCertificate,
          cache: NO_CACHE,
          floors: NO_FLOORS,
          logger: silentLogger,
          lifetime: signal,
          now,
        })
  const finalisedBlock = block === undefined ? {} : { finalisedBlock: () => block }
  return createQuoteVerifier({ ...verification, ...finalisedBlock, collateral, now }).verify(quote, { signal })
}

export function describeJudgement({ tcbStatus, advisoryIds, tcbEvaluationDataNumber }: VerifiedQuote): string[] {
  return [
    `platform     ${tcbStatus}${advisoryIds.length > 0 ? `, open to ${advisoryIds.join(', ')}` : ''}`,
    `judged by    collateral with evaluation data number ${tcbEvaluationDataNumber}`,
    'genuine      and the policy admits it',
  ]
}

export function describeMeasurement(measurement: EnclaveMeasurement): string[] {
  if (measurement.tee === 'sgx') {
    const { mrEnclave, mrSigner, productId, securityVersion } = measurement
    return [
      `MRENCLAVE    ${mrEnclave}`,
      `MRSIGNER     ${mrSigner}, product ${productId}, security version ${securityVersion}`,
    ]
  }
  const { mrTd, rtmr0, rtmr1, rtmr2, rtmr3 } = measurement
  return [`MRTD         ${mrTd}`, ...[rtmr0, rtmr1, rtmr2, rtmr3].map((register, at) => `RTMR${at}        ${register}`)]
}
