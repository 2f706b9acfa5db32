import { createHash } from 'node:crypto'
import { fromHex } from '../../crypto/index.js'
import type { EnclaveMeasurement, SgxMeasurement, TdxMeasurement, Tee } from '../claims.js'
import { INTEL_QE_VENDOR } from '../quote.js'
import type { QuoteSource } from '../source.js'
import { type DevelopmentKey, signRaw } from './authority.js'
import { PCE_SVN, QE_PRODUCT_IDS, QUOTING_ENCLAVE, TDX_MODULE } from './collateral.js'

/** What the quoting enclave of one simulated machine works with. */
export interface QuotingMachine {
  readonly cpuSvn: Uint8Array
  /** 20 bytes: the QE's id and padding. */
  readonly userData: Uint8Array
  readonly attestationKey: DevelopmentKey
  readonly pckKey: DevelopmentKey
  /** PEM, leaf first, root last. */
  readonly pckChain: () => Promise<string>
}

/** SGX ATTRIBUTES flags. */
const INIT = 0x01
const DEBUG = 0x02
const MODE64BIT = 0x04
const PROVISION_KEY = 0x10

/** Of TDX: SEPT_VE_DISABLE in the fourth byte, DEBUG in the first. */
const [SEPT_VE_DISABLE, TD_DEBUG] = [0x10, 0x01]

/** What the simulated machine says of an enclave besides its measurement. */
export interface QuotedEnclave {
  readonly measurement: EnclaveMeasurement
  readonly isDebug: boolean
  /** Of TDX quotes; SGX has version 3. */
  readonly version: 4 | 5
  /** Security version of the machine's TDX module. */
  readonly tdxModule: number
}

/**
 * Issues byte-exact quotes: of SGX in version 3 ("Intel SGX ECDSA QuoteLibReference DCAP API", appendix A.4), of TDX in
 * version 4 or 5 ("Intel TDX DCAP Quoting Library API", appendix A.3).
 */
export function simulatedQuoteSource(machine: QuotingMachine, enclave: QuotedEnclave): QuoteSource {
  let certification: Promise<Uint8Array> | undefined
  const { tee } = enclave.measurement

  return {
    kind: 'simulated',
    async quote(reportData, { signal }) {
      signal.throwIfAborted()
      if (reportData.length !== 64) throw new RangeError(`Report data has 64 bytes, not ${reportData.length}.`)
      const version = tee === 'sgx' ? 3 : enclave.version
      const signed = Buffer.concat([
        quoteHeader(version, tee, machine.userData),
        version === 5 ? Buffer.concat([u16(TD_REPORT_1_0), u32(TD_REPORT_BYTES)]) : new Uint8Array(),
        report(machine, enclave, reportData),
      ])
      certification ??= certify(machine, tee)
      const qeReport = await certification
      const authData = Buffer.concat([
        signRaw(machine.attestationKey, signed),
        machine.attestationKey.point,
        tee === 'sgx' ? qeReport : certificationData(QE_REPORT_TYPE, qeReport),
      ])
      return new Uint8Array(Buffer.concat([signed, u32(authData.length), authData]))
    },
  }
}

function report(machine: QuotingMachine, enclave: QuotedEnclave, reportData: Uint8Array): Uint8Array {
  const { measurement, isDebug } = enclave
  if (measurement.tee === 'tdx') return tdReport(measurement, enclave, reportData)
  return reportBody({
    cpuSvn: machine.cpuSvn,
    attributes: INIT | MODE64BIT | (isDebug ? DEBUG : 0),
    ...sgxFields(measurement),
    reportData,
  })
}

function sgxFields({ mrEnclave, mrSigner, productId, securityVersion }: SgxMeasurement) {
  return { mrEnclave: fromHex(mrEnclave), mrSigner: fromHex(mrSigner), productId, securityVersion }
}

const [TD_REPORT_1_0, TD_REPORT_BYTES] = [2, 584]

/** The TD report, version 1.0; what the measurement says of attributes is not asked, but `isDebug`. */
function tdReport(
  measurement: TdxMeasurement,
  { isDebug, tdxModule }: QuotedEnclave,
  reportData: Uint8Array,
): Uint8Array {
  const teeTcbSvn = new Uint8Array(16).fill(1)
  teeTcbSvn.set([tdxModule, TDX_MODULE.version])
  const tdAttributes = fromHex(measurement.tdAttributes)
  if (isDebug) tdAttributes[0] = TD_DEBUG
  tdAttributes[3] = (tdAttributes[3] ?? 0) | SEPT_VE_DISABLE
  const { mrSeam, xfam, mrTd, mrConfigId, mrOwner, mrOwnerConfig, rtmr0, rtmr1, rtmr2, rtmr3 } = measurement
  return Buffer.concat([
    teeTcbSvn,
    fromHex(mrSeam),
    new Uint8Array(48),
    new Uint8Array(8),
    tdAttributes,
    ...[xfam, mrTd, mrConfigId, mrOwner, mrOwnerConfig, rtmr0, rtmr1, rtmr2, rtmr3].map(fromHex),
    reportData,
  ])
}

/** The part that is alike in all quotes of a machine: the QE's report, signed by the PCK key, and the PCK chain. */
async function certify(machine: QuotingMachine, tee: Tee): Promise<Uint8Array> {
  const qeAuthData = Uint8Array.from({ length: 32 }, (_, at) => at)
  const binding = createHash('sha256').update(machine.attestationKey.point).update(qeAuthData).digest()
  const qeReport = reportBody({
    cpuSvn: machine.cpuSvn,
    attributes: INIT | MODE64BIT | PROVISION_KEY,
    ...QUOTING_ENCLAVE,
    productId: QE_PRODUCT_IDS[tee],
    reportData: Buffer.concat([binding, new Uint8Array(32)]),
  })
  const chain = Buffer.from(await machine.pckChain())
  return Buffer.concat([
    qeReport,
    signRaw(machine.pckKey, qeReport),
    u16(qeAuthData.length),
    qeAuthData,
    certificationData(PCK_CHAIN_TYPE, chain),
  ])
}

const [PCK_CHAIN_TYPE, QE_REPORT_TYPE] = [5, 6]

function certificationData(type: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([u16(type), u32(content.length), content])
}

const TEE_TYPES = { sgx: 0, tdx: 0x81 } as const

function quoteHeader(version: number, tee: Tee, userData: Uint8Array): Uint8Array {
  const ecdsaP256 = 2
  return Buffer.concat([
    u16(version),
    u16(ecdsaP256),
    u32(TEE_TYPES[tee]),
    u16(QUOTING_ENCLAVE.securityVersion),
    u16(PCE_SVN),
    Buffer.from(INTEL_QE_VENDOR, 'hex'),
    userData,
  ])
}

interface ReportBody {
  readonly cpuSvn: Uint8Array
  readonly attributes: number
  readonly mrEnclave: Uint8Array
  readonly mrSigner: Uint8Array
  readonly productId: number
  readonly securityVersion: number
  readonly reportData: Uint8Array
}

/** The 384-byte `sgx_report_body_t`. */
function reportBody(report: ReportBody): Uint8Array {
  const body = Buffer.alloc(384)
  body.set(report.cpuSvn, 0)
  body.writeUInt8(report.attributes, 48)
  // XFRM: x87 and SSE, which are always on.
  body.writeUInt8(0x03, 56)
  body.set(report.mrEnclave, 64)
  body.set(report.mrSigner, 128)
  body.writeUInt16LE(report.productId, 256)
  body.writeUInt16LE(report.securityVersion, 258)
  body.set(report.reportData, 320)
  return body
}

function u16(value: number): Uint8Array {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
