import type { EnclaveMeasurement, Tee } from '../claims.js'
import type { QuoteCollateral } from '../collateral.js'
import type { QuoteSource } from '../source.js'
import * as x509 from '../x509.js'
import { type Authority, derive, deriveKey, deriveSerial, issueCertificate, issueCrl, signRaw } from './authority.js'
import { cpuSvnOf, FMSPC, PCE_ID, PCE_SVN, qeIdentity, type TcbStatus, TDX_MODULE, tcbInfo } from './collateral.js'
import { simulatedQuoteSource } from './platform.js'
import { sgxExtension } from './sgx-extension.js'

/**
 * A public key infrastructure in the form of Intel's, for development.
 *
 * SIMULATED QUOTES PROVE NOTHING: every key follows from a seed, so whoever knows the seed can claim to run any
 * enclave on any machine. Only a verifier that is given this PKI's root accepts its quotes. All names in its
 * certificates begin with "SLOTMESH DEVELOPMENT".
 */
export interface DevelopmentPki {
  /** DER; the same bytes in every process that has the seed. */
  readonly rootCertificate: Uint8Array
  /** For SGX quotes of all of this PKI's platforms; valid from a day before `now` for a year. */
  readonly collateral: QuoteCollateral
  /** For TDX quotes, likewise. */
  readonly tdxCollateral: QuoteCollateral
  /** The machine of this name, with an enclave on it; the same each time. */
  platform(options: SimulatedPlatformOptions): SimulatedPlatform
}

/** A simulated machine, and the build that runs on it. */
export interface SimulatedPlatformOptions {
  /** Names the machine: its keys, and what is sealed on it, are its own. */
  readonly machineId: string
  readonly measurement: EnclaveMeasurement
  /** False when absent. */
  readonly debug?: boolean
  /** The level that the machine's firmware is at; `UpToDate` when absent. */
  readonly tcb?: TcbStatus
  /** Of TDX quotes; 4 when absent. */
  readonly quoteVersion?: 4 | 5
  /** Security version of the machine's TDX module, which is current from 3 on; 3 when absent. */
  readonly tdxModule?: number
}

/** One enclave, of SGX or TDX as its measurement is, on one simulated machine. */
export interface SimulatedPlatform {
  readonly quoteSource: QuoteSource

  /**
   * 32 bytes that this enclave build always gets on this machine and nobody else does, as SGX's EGETKEY gives with
   * the MRENCLAVE policy. A copy each time; zero it after use.
   */
  sealingKey(): Uint8Array
}

/** What a development PKI is made of. */
export interface DevelopmentPkiOptions {
  /** 32 bytes. Processes with the same seed accept each other's quotes. */
  readonly seed: Uint8Array
  /** When the collateral is issued. */
  readonly now?: () => Date
  /** Machines whose PCK certificates are on the revocation list. */
  readonly revokedMachines?: readonly string[]
}

const DAY_MS = 86_400_000

/** @throws RangeError when the seed is not 32 bytes. */
export async function createDevelopmentPki(options: DevelopmentPkiOptions): Promise<DevelopmentPki> {
  const { now = () => new Date(), revokedMachines = [] } = options
  if (options.seed.length !== 32) throw new RangeError(`A development seed has 32 bytes, not ${options.seed.length}.`)
  const seed = Uint8Array.from(options.seed)

  const { root, platformCa, tcbSigner } = developmentAuthorities(seed)
  const issue = (subject: Authority, pathLength?: number) =>
    issueCertificate({ subject, issuer: root, serial: deriveSerial(seed, subject.name), pathLength })
  const rootCertificate = await issue(root, 1)
  const platformCaChain = pem([await issue(platformCa, 0), rootCertificate])
  const tcbSignerChain = pem([await issue(tcbSigner), rootCertificate])

  const issued = Math.floor(now().getTime() / 1000) * 1000
  const validity = { from: new Date(issued - DAY_MS), until: new Date(issued + 365 * DAY_MS) }
  const revoked = revokedMachines.map((machineId) => pckSerial(seed, machineId))
  const lists = {
    pck_crl_issuer_chain: platformCaChain,
    root_ca_crl: hex(await issueCrl(root, [], validity)),
    pck_crl: hex(await issueCrl(platformCa, revoked, validity)),
  }
  const collateralOf = (tee: Tee): QuoteCollateral => {
    const [tcb, qe] = [tcbInfo(validity, tee), qeIdentity(validity, tee)]
    return {
      ...lists,
      tcb_info_issuer_chain: tcbSignerChain,
      tcb_info: tcb,
      tcb_info_signature: hex(signRaw(tcbSigner.key, Buffer.from(tcb))),
      qe_identity_issuer_chain: tcbSignerChain,
      qe_identity: qe,
      qe_identity_signature: hex(signRaw(tcbSigner.key, Buffer.from(qe))),
    }
  }

  return {
    rootCertificate,
    collateral: collateralOf('sgx'),
    tdxCollateral: collateralOf('tdx'),
    platform(options) {
      const { machineId, measurement, debug = false, tcb = 'UpToDate' } = options
      const { quoteVersion: version = 4, tdxModule = TDX_MODULE.current } = options
      const pck = { name: 'SGX PCK Certificate', key: deriveKey(seed, 'pck', machineId) }
      const cpuSvn = cpuSvnOf(tcb)
      const extension = sgxExtension({
        ppid: derive(seed, 16, 'ppid', machineId),
        cpuSvn,
        pceSvn: PCE_SVN,
        pceId: PCE_ID,
        fmspc: FMSPC,
        platformInstanceId: derive(seed, 16, 'platform-instance', machineId),
      })
      const pckChain = async () => {
        const serial = pckSerial(seed, machineId)
        const certificate = await issueCertificate({
          subject: pck,
          issuer: platformCa,
          serial,
          extensions: [extension],
        })
        return pem([certificate]) + platformCaChain
      }
      const machine = {
        cpuSvn,
        userData: derive(seed, 20, 'quoting-enclave-id', machineId),
        attestationKey: deriveKey(seed, 'attestation', machineId),
        pckKey: pck.key,
        pckChain,
      }
      return {
        quoteSource: simulatedQuoteSource(machine, { measurement, isDebug: debug, version, tdxModule }),
        sealingKey: () => derive(seed, 32, 'sealing', machineId, codeOf(measurement), debug ? 'debug' : 'production'),
      }
    },
  }
}

/** The authorities of a seed's PKI. */
export function developmentAuthorities(seed: Uint8Array) {
  const authority = (name: string): Authority => ({ name, key: deriveKey(seed, name) })
  return {
    root: authority('SGX Root CA'),
    platformCa: authority('SGX PCK Platform CA'),
    tcbSigner: authority('SGX TCB Signing'),
  }
}

function codeOf(measurement: EnclaveMeasurement): string {
  return measurement.tee === 'sgx' ? measurement.mrEnclave : measurement.mrTd
}

function pckSerial(seed: Uint8Array, machineId: string): string {
  return deriveSerial(seed, 'pck', machineId)
}

function pem(certificates: readonly Uint8Array[]): string {
  return `${x509.PemConverter.encode([...certificates], x509.PemConverter.CertificateTag)}\n`
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
