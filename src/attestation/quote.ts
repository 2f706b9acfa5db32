import type { X509Certificate } from 'node:crypto'
import { constants, Quote } from '@phala/dcap-qvl'
import { toHex } from '../crypto/index.js'
import { messageOf } from '../domain/index.js'
import { readPemChain } from './certificates.js'
import { AttestationError } from './errors.js'
import type { EnclaveMeasurement } from './policy.js'

/** Bytes; a quote with its certificate chain has about 5 000. */
const MAXIMUM_QUOTE = 16_384

/** Intel's QE vendor id, 939A7233-F79C-4CA9-940A-0DB3957F0607. */
export const INTEL_QE_VENDOR = '939a7233f79c4ca9940a0db3957f0607'

/** What a quote says, before anyone has checked that it is true. */
export interface UnverifiedQuote {
  readonly reportData: Uint8Array
  readonly measurement: EnclaveMeasurement
  readonly isDebug: boolean
  readonly pckChain: readonly X509Certificate[]
}

/**
 * Takes apart an SGX quote of version 3 ("Intel SGX ECDSA QuoteLibReference DCAP API", appendix A.4), and refuses
 * every byte that no signature would cover. The verification library accepts trailing bytes, QE authentication data
 * of any length (it hashes the first 32 bytes), anything in the second half of the QE's report data, and any vendor.
 *
 * @throws AttestationError `attestation/quote-invalid`
 */
export function readQuote(bytes: Uint8Array): UnverifiedQuote {
  if (bytes.length > MAXIMUM_QUOTE) throw invalid(`it has ${bytes.length} bytes, more than ${MAXIMUM_QUOTE}`)
  const quote = parse(bytes)
  const { header } = quote
  const report = quote.report.asSgx()
  const auth = quote.authData.data
  if (header.version !== 3 || report === null || !('qeAuthData' in auth)) throw invalid('it is no SGX quote v3')
  if (header.attestationKeyType !== constants.ATTESTATION_KEY_TYPE_ECDSA256_WITH_P256_CURVE) {
    throw invalid('its attestation key is not ECDSA P-256')
  }
  if (Buffer.from(header.qeVendorId).toString('hex') !== INTEL_QE_VENDOR) throw invalid("its QE is not Intel's")

  const signedLength = quote.signedLength()
  const authLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(signedLength, true)
  const { qeAuthData, qeReport, certificationData } = auth
  const fixedLength = 64 + 64 + constants.ENCLAVE_REPORT_BYTE_LEN + 64 + 2 + 2 + 4
  if (
    signedLength + 4 + authLength !== bytes.length ||
    fixedLength + qeAuthData.length + certificationData.body.length !== authLength
  ) {
    throw invalid('it has trailing bytes')
  }
  if (qeAuthData.length !== 32 || qeReport.subarray(-32).some((byte) => byte !== 0)) {
    throw invalid('its quoting enclave binds the attestation key in an unknown way')
  }
  if (certificationData.certType !== constants.PCK_CERT_CHAIN) throw invalid('it does not carry its PCK chain')

  return {
    reportData: report.reportData,
    measurement: {
      mrEnclave: toHex(report.mrEnclave),
      mrSigner: toHex(report.mrSigner),
      productId: report.isvProdId,
      securityVersion: report.isvSvn,
    },
    isDebug: ((report.attributes[0] ?? 0) & 0x02) !== 0,
    pckChain: readChain(certificationData.body),
  }
}

function parse(bytes: Uint8Array): Quote {
  try {
    return Quote.parse(bytes)
  } catch (error) {
    throw invalid('it does not parse', error)
  }
}

function readChain(body: Uint8Array): X509Certificate[] {
  try {
    return readPemChain(Buffer.from(body).toString('latin1'))
  } catch (error) {
    throw invalid(messageOf(error), error)
  }
}

export function invalid(reason: string, cause?: unknown): AttestationError {
  return new AttestationError('attestation/quote-invalid', `The quote is not genuine: ${reason}.`, { cause })
}
