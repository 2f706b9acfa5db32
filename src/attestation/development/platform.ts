import { createHash } from 'node:crypto'
import { fromHex } from '../../crypto/index.js'
import type { EnclaveMeasurement } from '../policy.js'
import { INTEL_QE_VENDOR } from '../quote.js'
import type { QuoteSource } from '../source.js'
import { type DevelopmentKey, signRaw } from './authority.js'
import { PCE_SVN, QUOTING_ENCLAVE } from './collateral.js'

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

/** Issues byte-exact SGX quotes, version 3 ("Intel SGX ECDSA QuoteLibReference DCAP API", appendix A.4). */
export function simulatedQuoteSource(
  machine: QuotingMachine,
  measurement: EnclaveMeasurement,
  isDebug: boolean,
): QuoteSource {
  let certification: Promise<Uint8Array> | undefined
  const header = quoteHeader(machine.userData)

  return {
    kind: 'simulated',
    async quote(reportData, { signal }) {
      signal.throwIfAborted()
      if (reportData.length !== 64) throw new RangeError(`Report data has 64 bytes, not ${reportData.length}.`)
      const report = reportBody({
        cpuSvn: machine.cpuSvn,
        attributes: INIT | MODE64BIT | (isDebug ? DEBUG : 0),
        mrEnclave: fromHex(measurement.mrEnclave),
        mrSigner: fromHex(measurement.mrSigner),
        productId: measurement.productId,
        securityVersion: measurement.securityVersion,
        reportData,
      })
      const signed = Buffer.concat([header, report])
      certification ??= certify(machine)
      const authData = Buffer.concat([
        signRaw(machine.attestationKey, signed),
        machine.attestationKey.point,
        await certification,
      ])
      return new Uint8Array(Buffer.concat([signed, u32(authData.length), authData]))
    },
  }
}

/** The part that is alike in all quotes of a machine: the QE's report, signed by the PCK key, and the PCK chain. */
async function certify(machine: QuotingMachine): Promise<Uint8Array> {
  const qeAuthData = Uint8Array.from({ length: 32 }, (_, at) => at)
  const binding = createHash('sha256').update(machine.attestationKey.point).update(qeAuthData).digest()
  const qeReport = reportBody({
    cpuSvn: machine.cpuSvn,
    attributes: INIT | MODE64BIT | PROVISION_KEY,
    ...QUOTING_ENCLAVE,
    reportData: Buffer.concat([binding, new Uint8Array(32)]),
  })
  const chain = Buffer.from(await machine.pckChain())
  return Buffer.concat([
    qeReport,
    signRaw(machine.pckKey, qeReport),
    u16(qeAuthData.length),
    qeAuthData,
    u16(PCK_CHAIN_TYPE),
    u32(chain.length),
    chain,
  ])
}

const PCK_CHAIN_TYPE = 5

function quoteHeader(userData: Uint8Array): Uint8Array {
  const [version, ecdsaP256, sgx] = [3, 2, 0]
  return Buffer.concat([
    u16(version),
    u16(ecdsaP256),
    u32(sgx),
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
