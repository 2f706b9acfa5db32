import assert from 'node:assert/strict'
import { createDevelopmentPki, type DevelopmentPki } from '../../../src/attestation/development/index.js'
import {
  AttestationError,
  type AttestationErrorCode,
  type AttestationPolicy,
  createQuoteVerifier,
  type QuoteCollateral,
  type QuoteVerifier,
  type SgxMeasurement,
  staticCollateral,
  type TdxMeasurement,
} from '../../../src/attestation/index.js'

export const SEED = new Uint8Array(32).fill(7)
export const MACHINE = 'machine-1'
export const NOW = new Date('2026-05-01T12:00:00Z')
export const REPORT_DATA = Uint8Array.from({ length: 64 }, (_, at) => at)

export const MEASUREMENT: SgxMeasurement = {
  tee: 'sgx',
  mrEnclave: `0x${'e1'.repeat(32)}`,
  mrSigner: `0x${'51'.repeat(32)}`,
  productId: 7,
  securityVersion: 3,
}

const register = (byte: string) => `0x${byte.repeat(48)}` as const

export const TDX_MEASUREMENT: TdxMeasurement = {
  tee: 'tdx',
  mrTd: register('7d'),
  rtmr0: register('a0'),
  rtmr1: register('a1'),
  rtmr2: register('a2'),
  rtmr3: register('a3'),
  mrSeam: register('5e'),
  tdAttributes: '0x0000001000000000',
  xfam: '0xe702060000000000',
  mrConfigId: register('00'),
  mrOwner: register('00'),
  mrOwnerConfig: register('00'),
}

/** Allows the measurement by either of its two names, so that one that was changed still gets past the policy. */
export const POLICY: AttestationPolicy = {
  allowedMeasurements: [
    { mrEnclave: MEASUREMENT.mrEnclave },
    { mrSigner: MEASUREMENT.mrSigner, productId: 7, minimumSecurityVersion: 3 },
    { mrTd: TDX_MEASUREMENT.mrTd, rtmr0: 'any', rtmr1: 'any', rtmr2: 'any', rtmr3: 'any' },
  ],
}

export function developmentPki(
  options: { revokedMachines?: string[]; now?: () => Date } = {},
): Promise<DevelopmentPki> {
  return createDevelopmentPki({ seed: SEED, now: () => NOW, ...options })
}

export function quoteOf(
  pki: DevelopmentPki,
  options: Partial<Parameters<DevelopmentPki['platform']>[0]> = {},
): Promise<Uint8Array> {
  const { quoteSource } = pki.platform({ machineId: MACHINE, measurement: MEASUREMENT, ...options })
  return quoteSource.quote(REPORT_DATA, { signal: AbortSignal.timeout(5_000) })
}

export function verifierOf(
  pki: DevelopmentPki,
  options: {
    collateral?: QuoteCollateral
    tdxCollateral?: QuoteCollateral
    policy?: AttestationPolicy
    now?: () => Date
  } = {},
): QuoteVerifier {
  const { collateral = pki.collateral, tdxCollateral = pki.tdxCollateral, policy = POLICY, now = () => NOW } = options
  const { rootCertificate } = pki
  return createQuoteVerifier({ rootCertificate, collateral: staticCollateral(collateral, tdxCollateral), policy, now })
}

export function assertRefused(verdict: Promise<unknown>, code: AttestationErrorCode, reason = /./): Promise<void> {
  return assert.rejects(verdict, (error) => {
    assert.ok(error instanceof AttestationError, String(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, reason)
    return true
  })
}

/** Where things stand in a simulated quote. */
export const LAYOUT = {
  header: [0, 48],
  report: [48, 432],
  attributes: [96, 112],
  mrEnclave: [112, 144],
  mrSigner: [176, 208],
  reportData: [368, 432],
  authLength: [432, 436],
  signature: [436, 500],
  attestationKey: [500, 564],
  qeReport: [564, 948],
  qeReportData: [884, 948],
  qeReportSignature: [948, 1012],
  qeAuthLength: [1012, 1014],
  qeAuthData: [1014, 1046],
  certificationHeader: [1046, 1052],
} as const satisfies Record<string, readonly [number, number]>

export const CHAIN_AT = 1052

/** Of TDX quotes of version 4: behind the header and the 584 bytes of the TD report. */
export const TDX_LAYOUT = {
  header: [0, 48],
  teeTcbSvn: [48, 64],
  mrSeam: [64, 112],
  mrSignerSeam: [112, 160],
  seamAttributes: [160, 168],
  tdAttributes: [168, 176],
  xfam: [176, 184],
  mrTd: [184, 232],
  rtmrs: [376, 568],
  reportData: [568, 632],
  authLength: [632, 636],
  signature: [636, 700],
  attestationKey: [700, 764],
  outerCertificationHeader: [764, 770],
  qeReport: [770, 1154],
  qeReportSignature: [1154, 1218],
  qeAuthData: [1220, 1252],
  certificationHeader: [1252, 1258],
} as const satisfies Record<string, readonly [number, number]>

export const TDX_CHAIN_AT = 1258

export function flipped(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  const changed = Uint8Array.from(bytes)
  changed[at] = (changed[at] ?? 0) ^ (1 << bit)
  return changed
}

/** Replaces `[from, to)`, and makes the quote's length fields fit. */
export function spliced(quote: Uint8Array, from: number, to: number, replacement: Uint8Array): Uint8Array {
  const changed = Buffer.concat([quote.subarray(0, from), replacement, quote.subarray(to)])
  changed.writeUInt32LE(changed.length - LAYOUT.authLength[1], LAYOUT.authLength[0])
  return changed
}

export function chainOf(quote: Uint8Array): string {
  return Buffer.from(quote.subarray(CHAIN_AT)).toString('latin1')
}

export function withChain(quote: Uint8Array, chain: string): Uint8Array {
  const changed = spliced(quote, CHAIN_AT, quote.length, Buffer.from(chain, 'latin1'))
  new DataView(changed.buffer, changed.byteOffset).setUint32(CHAIN_AT - 4, chain.length, true)
  return changed
}
