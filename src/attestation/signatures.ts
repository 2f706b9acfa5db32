import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { equalBytes } from '../crypto/index.js'
import { CheckFailed, checking } from './errors.js'
import type { UnverifiedQuote } from './quote.js'

/** Offset of the report data in the 384 bytes of `sgx_report_body_t`. */
const REPORT_DATA = 320

/**
 * The three links from a platform's certificate to the report: the PCK signed the quoting enclave's report, which names
 * the attestation key, which signed the quote ("Intel SGX ECDSA QuoteLibReference DCAP API", appendix A.4).
 *
 * @throws CheckFailed `qe-report-signature`, `attestation-key`, `quote-signature`
 */
export function checkSignatures(quote: UnverifiedQuote, pck: KeyObject): void {
  if (!isSigned(quote.qeReport, quote.qeReportSignature, pck)) {
    throw new CheckFailed('qe-report-signature', "its quoting enclave's report is not signed by the PCK")
  }
  const binding = createHash('sha256').update(quote.attestationKey).update(quote.qeAuthData).digest()
  if (!equalBytes(binding, quote.qeReport.subarray(REPORT_DATA, REPORT_DATA + binding.length))) {
    throw new CheckFailed('attestation-key', 'its attestation key is not the one that the quoting enclave names')
  }
  const key = checking('attestation-key', () => importKey(quote.attestationKey))
  if (!isSigned(quote.signed, quote.signature, key)) {
    throw new CheckFailed('quote-signature', 'its report is not signed by the attestation key')
  }
}

function isSigned(message: Uint8Array, signature: Uint8Array, publicKey: KeyObject): boolean {
  return verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)
}

function importKey(point: Uint8Array): KeyObject {
  const [x, y] = [point.subarray(0, 32), point.subarray(32)].map((part) => Buffer.from(part).toString('base64url'))
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
}
