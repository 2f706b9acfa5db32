import { createHash } from 'node:crypto'
import { utf8 } from '../../crypto/index.js'
import type { Validity } from '../certificates.js'
import type { Tee } from '../claims.js'

/** The development platform's family, "SLMDEV" in ASCII; Intel's are no text. */
export const FMSPC = utf8('SLMDEV')
export const PCE_ID = Uint8Array.of(0, 0)
export const PCE_SVN = 13

/** The simulated quoting enclave, of SGX; the one of TDX is another product. */
export const QUOTING_ENCLAVE = {
  mrSigner: new Uint8Array(createHash('sha256').update('SLOTMESH DEVELOPMENT quoting enclave signer').digest()),
  mrEnclave: new Uint8Array(createHash('sha256').update('SLOTMESH DEVELOPMENT quoting enclave').digest()),
  productId: 1,
  securityVersion: 8,
} as const

/** By technology. */
export const QE_PRODUCT_IDS = { sgx: QUOTING_ENCLAVE.productId, tdx: 2 } as const

/** The simulated TDX module: its major version, and the security versions that it may have. */
export const TDX_MODULE = { version: 1, current: 3, outdated: 2 } as const

/** What every TCB level asks of TDX; the first two are the module's, which has levels of its own. */
const TDX_COMPONENTS = [1, 0, ...new Array<number>(14).fill(1)]

/** Best first; a platform at `TCB_STATUSES[i]` has {@link cpuSvnOf} that reaches this level and no better one. */
const TCB_STATUSES = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
] as const

/**
 * How up to date a simulated platform is, in Intel’s words.
 * @useDeclaredType
 */
export type TcbStatus = (typeof TCB_STATUSES)[number]

export function cpuSvnOf(status: TcbStatus): Uint8Array {
  const cpuSvn = new Uint8Array(16).fill(1)
  cpuSvn[0] = TCB_STATUSES.length - TCB_STATUSES.indexOf(status)
  return cpuSvn
}

/** TCB info, version 3, as Intel's provisioning certification service publishes it (API v4). */
export function tcbInfo(validity: Validity, tee: Tee = 'sgx'): string {
  const tdx = tee === 'tdx' ? { tdxtcbcomponents: TDX_COMPONENTS.map((svn) => ({ svn })) } : {}
  return JSON.stringify({
    id: tee.toUpperCase(),
    version: 3,
    ...dates(validity),
    fmspc: Buffer.from(FMSPC).toString('hex').toUpperCase(),
    pceId: Buffer.from(PCE_ID).toString('hex').toUpperCase(),
    tcbType: 0,
    tcbEvaluationDataNumber: EVALUATION,
    ...(tee === 'tdx' ? tdxModules(validity) : {}),
    tcbLevels: TCB_STATUSES.map((tcbStatus) => ({
      tcb: { sgxtcbcomponents: Array.from(cpuSvnOf(tcbStatus), (svn) => ({ svn })), ...tdx, pcesvn: PCE_SVN },
      tcbDate: intelDate(validity.from),
      tcbStatus,
      advisoryIDs: tcbStatus === 'UpToDate' ? [] : [ADVISORY],
    })),
  })
}

function tdxModules(validity: Validity) {
  const module = { mrsigner: '00'.repeat(48), attributes: '00'.repeat(8), attributesMask: 'FF'.repeat(8) }
  const tcbDate = intelDate(validity.from)
  const { current, outdated, version } = TDX_MODULE
  const tcbLevels = [
    { tcb: { isvsvn: current }, tcbDate, tcbStatus: 'UpToDate' },
    { tcb: { isvsvn: outdated }, tcbDate, tcbStatus: 'OutOfDate', advisoryIDs: [ADVISORY] },
  ]
  return { tdxModule: module, tdxModuleIdentities: [{ id: `TDX_0${version}`, ...module, tcbLevels }] }
}

/** QE identity, version 2. */
export function qeIdentity(validity: Validity, tee: Tee = 'sgx'): string {
  return JSON.stringify({
    id: tee === 'sgx' ? 'QE' : 'TD_QE',
    version: 2,
    ...dates(validity),
    tcbEvaluationDataNumber: EVALUATION,
    miscselect: '00000000',
    miscselectMask: 'FFFFFFFF',
    attributes: '11000000000000000000000000000000',
    attributesMask: 'FBFFFFFFFFFFFFFF0000000000000000',
    mrsigner: Buffer.from(QUOTING_ENCLAVE.mrSigner).toString('hex').toUpperCase(),
    isvprodid: QE_PRODUCT_IDS[tee],
    tcbLevels: [
      { tcb: { isvsvn: QUOTING_ENCLAVE.securityVersion }, tcbDate: intelDate(validity.from), tcbStatus: 'UpToDate' },
    ],
  })
}

/** In the form of Intel's, so that a policy can make an exception for it. */
const ADVISORY = 'INTEL-SA-00000'

const EVALUATION = 1

function dates({ from, until }: Validity) {
  return { issueDate: intelDate(from), nextUpdate: intelDate(until) }
}

/** Intel writes whole seconds. */
function intelDate(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`
}
