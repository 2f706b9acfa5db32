import { constants, type EnclaveReport, Quote, type TDReport10 } from '@phala/dcap-qvl'
import { toHex } from '../crypto/index.js'
import type { QuoteClaims, Tee } from './claims.js'
import { CheckFailed, checking } from './errors.js'

/** Bytes; a quote with its certificate chain has about 5 000. */
export const MAXIMUM_QUOTE = 16_384

/** Intel's QE vendor id, 939A7233-F79C-4CA9-940A-0DB3957F0607. */
export const INTEL_QE_VENDOR = '939a7233f79c4ca9940a0db3957f0607'

/** What TDX says of the module that guards its domains. */
export interface TdxModuleClaims {
  /** 16 bytes; the first two are the module's security version and its major version. */
  readonly teeTcbSvn: Uint8Array
  readonly mrSignerSeam: Uint8Array
  readonly seamAttributes: Uint8Array
}

/** What a quote says, before anyone has checked that it is true. */
export interface UnverifiedQuote {
  readonly tee: Tee
  readonly claims: QuoteClaims
  readonly tdx: (TdxModuleClaims & { readonly tdAttributes: Uint8Array }) | undefined
  /** The header and the report. */
  readonly signed: Uint8Array
  /** ECDSA P-256 by the attestation key: r and s. */
  readonly signature: Uint8Array
  /** x and y. */
  readonly attestationKey: Uint8Array
  /** Of the quoting enclave, 384 bytes. */
  readonly qeReport: Uint8Array
  /** By the PCK: r and s. */
  readonly qeReportSignature: Uint8Array
  readonly qeAuthData: Uint8Array
  /** PEM. */
  readonly pckChain: string
}

const HEADER = 48
const SIGNATURE = 64
const PUBLIC_KEY = 64
const SGX_REPORT = constants.ENCLAVE_REPORT_BYTE_LEN
/** A `u16` and a `u32` before certification data: its type and its length. */
const CERTIFICATION_HEADER = 6
const QE_REPORT_CERTIFICATION = 6

/** The bodies of version 5 by their type, and their length (Intel TDX DCAP Quoting Library API, A.3). */
const BODY_LENGTHS = new Map([
  [2, 584],
  [3, 648],
])

/**
 * Takes apart an SGX quote of version 3 ("Intel SGX ECDSA QuoteLibReference DCAP API", appendix A.4) or a TDX quote of
 * version 4 or 5 ("Intel TDX DCAP Quoting Library API", appendix A.3), and refuses every byte that no signature would
 * cover. The verification library accepts trailing bytes, QE authentication data of any length (it hashes the first 32
 * bytes), anything in the second half of the QE's report data, any vendor, and outer certification data of any type.
 *
 * @throws CheckFailed `form`
 */
export function readQuote(bytes: Uint8Array): UnverifiedQuote {
  if (bytes.length > MAXIMUM_QUOTE) throw refused(`it has ${bytes.length} bytes, more than ${MAXIMUM_QUOTE}`)
  const quote = parse(bytes)
  const { header } = quote
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const read = readReport(quote, view)
  if (header.attestationKeyType !== constants.ATTESTATION_KEY_TYPE_ECDSA256_WITH_P256_CURVE) {
    throw refused('its attestation key is not ECDSA P-256')
  }
  if (Buffer.from(header.qeVendorId).toString('hex') !== INTEL_QE_VENDOR) throw refused("its QE is not Intel's")

  const auth = quote.authData.intoV3()
  const { qeReport, qeAuthData, certificationData } = auth
  const signedLength = quote.signedLength()
  const authLength = view.getUint32(signedLength, true)
  const certification =
    SGX_REPORT + SIGNATURE + 2 + qeAuthData.length + CERTIFICATION_HEADER + certificationData.body.length
  // Since version 4 the QE's report stands inside of certification data itself.
  const isNested = header.version > 3
  if (isNested && view.getUint16(signedLength + 4 + SIGNATURE + PUBLIC_KEY, true) !== QE_REPORT_CERTIFICATION) {
    throw refused('its certification data is of an unknown type')
  }
  // With both of these, the length of the outer certification data can be no other: it has to hold the inner, and to fit.
  if (
    signedLength + 4 + authLength !== bytes.length ||
    SIGNATURE + PUBLIC_KEY + (isNested ? CERTIFICATION_HEADER : 0) + certification !== authLength
  ) {
    throw refused('it has trailing bytes')
  }
  if (qeAuthData.length !== 32 || qeReport.subarray(-32).some((byte) => byte !== 0)) {
    throw refused('its quoting enclave binds the attestation key in an unknown way')
  }
  if (certificationData.certType !== constants.PCK_CERT_CHAIN) throw refused('it does not carry its PCK chain')

  return {
    ...read,
    signed: bytes.subarray(0, signedLength),
    signature: auth.ecdsaSignature,
    attestationKey: auth.ecdsaAttestationKey,
    qeReport,
    qeReportSignature: auth.qeReportSignature,
    qeAuthData,
    pckChain: Buffer.from(certificationData.body).toString('latin1'),
  }
}

/**
 * The quote without the zeros behind it: hosts of TDX domains answer with buffers of a fixed size. For quotes of one's
 * own machine; one from a peer must have its exact length.
 *
 * @throws CheckFailed `form`
 */
export function withoutPadding(bytes: Uint8Array): Uint8Array {
  const signedLength = parse(bytes).signedLength()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const end = signedLength + 4 + view.getUint32(signedLength, true)
  return bytes.subarray(end).some((byte) => byte !== 0) ? bytes : bytes.subarray(0, end)
}

function readReport({ header, report }: Quote, view: DataView): Pick<UnverifiedQuote, 'tee' | 'claims' | 'tdx'> {
  const { version, teeType } = header
  const sgx = report.asSgx()
  if (version === 3 && teeType === constants.TEE_TYPE_SGX && sgx !== null) {
    return { tee: 'sgx', claims: sgxClaims(sgx), tdx: undefined }
  }
  const td = report.asTd10()
  if ((version !== 4 && version !== 5) || teeType !== constants.TEE_TYPE_TDX || td === null) {
    throw refused('it is neither an SGX quote of version 3 nor a TDX quote of version 4 or 5')
  }
  if (version === 5 && BODY_LENGTHS.get(view.getUint16(HEADER, true)) !== view.getUint32(HEADER + 2, true)) {
    throw refused('its body has not the length of its type')
  }
  // A domain that another one serves (for migration) is as trustworthy as that one, of which nothing is known.
  if (report.asTd15()?.mrServiceTd.some((byte) => byte !== 0)) throw refused('another domain is bound to its domain')
  const { teeTcbSvn, mrSignerSeam, seamAttributes, tdAttributes } = td
  return { tee: 'tdx', claims: tdxClaims(td), tdx: { teeTcbSvn, mrSignerSeam, seamAttributes, tdAttributes } }
}

function sgxClaims(report: EnclaveReport): QuoteClaims {
  return {
    reportData: report.reportData,
    measurement: {
      tee: 'sgx',
      mrEnclave: toHex(report.mrEnclave),
      mrSigner: toHex(report.mrSigner),
      productId: report.isvProdId,
      securityVersion: report.isvSvn,
    },
    isDebug: ((report.attributes[0] ?? 0) & 0x02) !== 0,
  }
}

function tdxClaims(report: TDReport10): QuoteClaims {
  return {
    reportData: report.reportData,
    measurement: {
      tee: 'tdx',
      mrTd: toHex(report.mrTd),
      rtmr0: toHex(report.rtMr0),
      rtmr1: toHex(report.rtMr1),
      rtmr2: toHex(report.rtMr2),
      rtmr3: toHex(report.rtMr3),
      mrSeam: toHex(report.mrSeam),
      tdAttributes: toHex(report.tdAttributes),
      xfam: toHex(report.xfam),
      mrConfigId: toHex(report.mrConfigId),
      mrOwner: toHex(report.mrOwner),
      mrOwnerConfig: toHex(report.mrOwnerConfig),
    },
    // The whole byte is "TD under debug": any bit of it opens the domain to its host.
    isDebug: report.tdAttributes[0] !== 0,
  }
}

function parse(bytes: Uint8Array): Quote {
  return checking('form', () => {
    try {
      return Quote.parse(bytes)
    } catch (cause) {
      throw new CheckFailed('form', 'it does not parse', { cause })
    }
  })
}

function refused(reason: string): CheckFailed {
  return new CheckFailed('form', reason)
}
