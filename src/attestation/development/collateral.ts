import { createHash } from 'node:crypto'
import { utf8 } from '../../crypto/index.js'
import type { Validity } from '../certificates.js'

/** The development platform's family, "SLMDEV" in ASCII; Intel's are no text. */
export const FMSPC = utf8('SLMDEV')
export const PCE_ID = Uint8Array.of(0, 0)
export const PCE_SVN = 13

/** The simulated quoting enclave. */
export const QUOTING_ENCLAVE = {
  mrSigner: new Uint8Array(createHash('sha256').update('SLOTMESH DEVELOPMENT quoting enclave signer').digest()),
  mrEnclave: new Uint8Array(createHash('sha256').update('SLOTMESH DEVELOPMENT quoting enclave').digest()),
  productId: 1,
  securityVersion: 8,
} as const

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

export type TcbStatus = (typeof TCB_STATUSES)[number]

export function cpuSvnOf(status: TcbStatus): Uint8Array {
  const cpuSvn = new Uint8Array(16).fill(1)
  cpuSvn[0] = TCB_STATUSES.length - TCB_STATUSES.indexOf(status)
  return cpuSvn
}

/** TCB info, version 3, as Intel's provisioning certification service publishes it (API v4). */
export function tcbInfo(validity: Validity): string {
  return JSON.stringify({
    id: 'SGX',
    version: 3,
    ...dates(validity),
    fmspc: Buffer.from(FMSPC).toString('hex').toUpperCase(),
    pceId: Buffer.from(PCE_ID).toString('hex').toUpperCase(),
    tcbType: 0,
    tcbEvaluationDataNumber: 1,
    tcbLevels: TCB_STATUSES.map((tcbStatus) => ({
      tcb: { sgxtcbcomponents: Array.from(cpuSvnOf(tcbStatus), (svn) => ({ svn })), pcesvn: PCE_SVN },
      tcbDate: intelDate(validity.from),
      tcbStatus,
      advisoryIDs: tcbStatus === 'UpToDate' ? [] : ['SLOTMESH-DEVELOPMENT-SA-1'],
    })),
  })
}

/** QE identity, version 2. */
export function qeIdentity(validity: Validity): string {
  return JSON.stringify({
    id: 'QE',
    version: 2,
    ...dates(validity),
    tcbEvaluationDataNumber: 1,
    miscselect: '00000000',
    miscselectMask: 'FFFFFFFF',
    attributes: '11000000000000000000000000000000',
    attributesMask: 'FBFFFFFFFFFFFFFF0000000000000000',
    mrsigner: Buffer.from(QUOTING_ENCLAVE.mrSigner).toString('hex').toUpperCase(),
    isvprodid: QUOTING_ENCLAVE.productId,
    tcbLevels: [
      { tcb: { isvsvn: QUOTING_ENCLAVE.securityVersion }, tcbDate: intelDate(validity.from), tcbStatus: 'UpToDate' },
    ],
  })
}

function dates({ from, until }: Validity) {
  return { issueDate: intelDate(from), nextUpdate: intelDate(until) }
}

/** Intel writes whole seconds. */
function intelDate(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`
}
