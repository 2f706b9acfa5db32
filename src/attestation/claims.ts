import type { Hex } from '../domain/index.js'

/** The technologies that quotes are verified of: Intel SGX enclaves, and Intel TDX virtual machines ("trust domains"). */
export type Tee = 'sgx' | 'tdx'

/** What an enclave is, as its CPU measured it: fields of the SGX report body. */
export interface SgxMeasurement {
  readonly tee: 'sgx'
  /** 32 bytes: the hash of the enclave's code and initial memory. */
  readonly mrEnclave: Hex
  /** 32 bytes: the hash of the key that signed the enclave. */
  readonly mrSigner: Hex
  /** ISVPRODID, a `u16`. */
  readonly productId: number
  /** ISVSVN, a `u16`. */
  readonly securityVersion: number
}

/**
 * What a trust domain is, as the TDX module measured it: fields of the TD report (Intel TDX DCAP Quoting Library API,
 * appendix A.3). Registers have 48 bytes.
 */
export interface TdxMeasurement {
  readonly tee: 'tdx'
  /** The initial memory: the firmware that everything else is started by. */
  readonly mrTd: Hex
  /** Measured while it runs: by convention firmware configuration, kernel, its command line and initrd, applications. */
  readonly rtmr0: Hex
  readonly rtmr1: Hex
  readonly rtmr2: Hex
  readonly rtmr3: Hex
  /** The TDX module itself. */
  readonly mrSeam: Hex
  /** 8 bytes. */
  readonly tdAttributes: Hex
  /** 8 bytes. */
  readonly xfam: Hex
  /** What the host said when it made the domain; nothing here relies on it. */
  readonly mrConfigId: Hex
  readonly mrOwner: Hex
  readonly mrOwnerConfig: Hex
}

/** What is measured of an SGX enclave or of a trust domain. */
export type EnclaveMeasurement = SgxMeasurement | TdxMeasurement

/** What a quote says of the enclave in it; true only once every signature has been verified. */
export interface QuoteClaims {
  readonly measurement: EnclaveMeasurement
  /** The memory of a debug enclave is open to its host. */
  readonly isDebug: boolean
  /** The 64 bytes that the enclave put in. */
  readonly reportData: Uint8Array
}

/** How well one part of a platform does. */
export interface TcbVerdict {
  readonly part: 'platform' | 'quoting enclave' | 'TDX module'
  /** One of Intel's words, for example `UpToDate` or `SWHardeningNeeded`. */
  readonly status: string
  /** Intel's security advisories that the part is still open to, for example `INTEL-SA-00615`. */
  readonly advisoryIds: readonly string[]
}

/** How new collateral is; of several parts the oldest counts. */
export interface Published {
  /** Grows each time that Intel judges platforms anew. */
  readonly tcbEvaluationDataNumber: number
  /** When Intel signed it. */
  readonly collateralIssuedAt: Date
}

/** How up to date the platform of a quote is, judged by what Intel has published. */
export interface PlatformStatus extends Published {
  /** The worst word of its parts. It says less than all of them, so a policy judges these. */
  readonly tcbStatus: string
  /** Of all parts. */
  readonly advisoryIds: readonly string[]
  readonly parts: readonly TcbVerdict[]
}
