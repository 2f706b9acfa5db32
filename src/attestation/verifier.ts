import { X509Certificate } from 'node:crypto'
import { type BlockNumber, bounded } from '../domain/index.js'
import { isWithin } from './certificates.js'
import type { EnclaveMeasurement, PlatformStatus, QuoteClaims } from './claims.js'
import { type CollateralSource, type QuoteCollateral, type VerifiedCollateral, verifyCollateral } from './collateral.js'
import { belowPolicy, CheckFailed, invalid, unavailable } from './errors.js'
import { type PckChain, PckChains } from './pck-chains.js'
import { type AttestationPolicy, compilePolicy } from './policy.js'
import { readQuote, type UnverifiedQuote } from './quote.js'
import { INTEL_ROOT } from './root.js'
import { SecondOpinion } from './second-opinion.js'
import { checkSignatures } from './signatures.js'
import { judgePlatform, judgeTdxModule, platformStatus } from './tcb.js'

/** A quote that is genuine and that the policy admits. */
export interface VerifiedQuote extends Omit<PlatformStatus, 'collateralIssuedAt' | 'parts'> {
  /** The 64 bytes that the enclave put in; what they bind is for the caller to check. */
  readonly reportData: Uint8Array
  readonly measurement: EnclaveMeasurement
}

export interface QuoteVerifier {
  /**
   * Cheap refusals (form, debug flag, measurement) come before any signature is checked; nothing is trusted until all
   * are.
   *
   * @param options.signal bounds waiting for collateral; 10 seconds when absent.
   * @throws AttestationError with the reason as its code, and the check that did not pass.
   */
  verify(quote: Uint8Array, options?: { signal?: AbortSignal }): Promise<VerifiedQuote>
}

export interface QuoteVerifierOptions {
  /** DER; Intel's SGX root when absent. */
  readonly rootCertificate?: Uint8Array
  readonly collateral: CollateralSource
  readonly policy: AttestationPolicy
  /** The newest final block known, for rules that hold until a block; when absent, these never hold. */
  readonly finalisedBlock?: () => BlockNumber
  readonly now?: () => Date
}

const COLLATERAL_TIMEOUT_MS = 10_000

/**
 * Verifies quotes of SGX (DCAP, version 3) and TDX (versions 4 and 5) against collateral, offline.
 *
 * Everything is checked here, each thing in a file of its own. `@phala/dcap-qvl` is asked for a second opinion on the
 * first quote of each platform under each collateral, and must say the same; later quotes of that platform cost their
 * own two signatures. The files say what that library leaves unchecked. See docs/decisions/0012.
 */
export function createQuoteVerifier(options: QuoteVerifierOptions): QuoteVerifier {
  const { now = () => new Date(), finalisedBlock = () => Number.MAX_SAFE_INTEGER } = options
  const root = new X509Certificate(options.rootCertificate ?? INTEL_ROOT)
  const chains = new PckChains(root)
  const policy = compilePolicy(options.policy)
  const secondOpinion = new SecondOpinion(root)
  const collaterals = new WeakMap<QuoteCollateral, VerifiedCollateral>()
  const agreed = new WeakMap<VerifiedCollateral, WeakSet<PckChain>>()

  async function collateralFor({ tee }: UnverifiedQuote, chain: PckChain, at: Date, signal: AbortSignal) {
    const { fmspc, pceId } = chain.platform
    const found = await options.collateral.collateral({ tee, fmspc, pceId, ca: chain.ca }, { signal })
    let collateral = collaterals.get(found)
    if (collateral === undefined || !isWithin(collateral.validity, at)) {
      collateral = verifyCollateral(found, root, at)
      collaterals.set(found, collateral)
    }
    requireFor(tee, chain, collateral)
    return collateral
  }

  /** All that needs no collateral: nobody can have it fetched who has no quote of a genuine platform. */
  function checkOwn(quote: UnverifiedQuote, at: Date): PckChain {
    const chain = chains.verify(quote.pckChain, at)
    checkSignatures(quote, chain.key)
    if (quote.tdx !== undefined) checkTdAttributes(quote.tdx.tdAttributes)
    return chain
  }

  function judge(bytes: Uint8Array, quote: UnverifiedQuote, chain: PckChain, collateral: VerifiedCollateral, at: Date) {
    requireUnrevoked(chain, collateral)
    const parts = judgePlatform(quote, chain.platform, collateral)
    if (quote.tdx !== undefined) parts.push(judgeTdxModule(quote.tdx, collateral.tcbInfo))
    // The library throws of what is revoked in place of saying so.
    if (parts.some(({ status }) => status === 'Revoked'))
      throw new CheckFailed('tcb-status', 'its TCB status is Revoked')
    const platforms = agreed.get(collateral) ?? new WeakSet()
    if (!platforms.has(chain)) {
      secondOpinion.require({ bytes, quote, platform: chain.platform }, collateral, at)
      agreed.set(collateral, platforms.add(chain))
    }
    return platformStatus(parts, collateral)
  }

  return {
    async verify(bytes, { signal } = {}) {
      // A copy, so that a caller's buffer that changes meanwhile cannot be checked as one quote and read as another.
      const owned = Uint8Array.from(bytes)
      const quote = genuine(() => readQuote(owned))
      policy.admitClaims(quote.claims, { block: finalisedBlock() })
      const at = now()
      const chain = genuine(() => checkOwn(quote, at))
      const ask = (within: AbortSignal) => collateralFor(quote, chain, at, within)
      const collateral = await (signal === undefined
        ? bounded({ signals: [], timeoutMs: COLLATERAL_TIMEOUT_MS }, ask)
        : ask(signal))
      const status = genuine(() => judge(owned, quote, chain, collateral, at))
      policy.admitPlatform(status, at)
      return verifiedQuote(quote.claims, status)
    },
  }
}

/**
 * What a quote says, true or not: for people to look at.
 *
 * @throws AttestationError `attestation/quote-invalid` when it is none.
 */
export function inspectQuote(quote: Uint8Array): QuoteClaims {
  return genuine(() => readQuote(quote)).claims
}

function verifiedQuote({ reportData, measurement }: QuoteClaims, status: PlatformStatus): VerifiedQuote {
  const { tcbStatus, advisoryIds, tcbEvaluationDataNumber } = status
  return { reportData, measurement, tcbStatus, advisoryIds, tcbEvaluationDataNumber }
}

/** @throws AttestationError `attestation/collateral-unavailable` */
function requireFor(tee: UnverifiedQuote['tee'], chain: PckChain, collateral: VerifiedCollateral): void {
  const { tcbInfo, pckAuthority } = collateral
  const { fmspc, pceId } = chain.platform
  if (tcbInfo.id !== tee.toUpperCase() || tcbInfo.fmspc !== fmspc || tcbInfo.pceId !== pceId) {
    const message = `There is no attestation collateral for ${tee.toUpperCase()} of platform family ${fmspc}; configure it.`
    throw unavailable('collateral-platform', message)
  }
  if (chain.authority !== pckAuthority) {
    const message = `There is no revocation list for the CA of the quote's platform; configure its collateral.`
    throw unavailable('collateral-platform', message)
  }
}

function requireUnrevoked({ serials }: PckChain, collateral: VerifiedCollateral): void {
  if (collateral.revokedByRoot.has(serials.authority)) {
    throw new CheckFailed('pck-revoked', 'the CA of its PCK certificate is revoked')
  }
  if (collateral.revokedByPckAuthority.has(serials.pck)) {
    throw new CheckFailed('pck-revoked', 'its PCK certificate is revoked')
  }
}

/** SEPT_VE_DISABLE, without which the host can provoke exceptions in the domain; PKS, KL and PERFMON may be. */
const [TD_ATTRIBUTES_NEEDED, TD_ATTRIBUTES_ALLOWED] = [1n << 28n, (1n << 28n) | (1n << 30n) | (1n << 31n) | (1n << 63n)]

function checkTdAttributes(bytes: Uint8Array): void {
  const attributes = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(0, true)
  if ((attributes & ~TD_ATTRIBUTES_ALLOWED) !== 0n || (attributes & TD_ATTRIBUTES_NEEDED) === 0n) {
    throw new CheckFailed('td-attributes', 'its domain has attributes that are not to be trusted')
  }
}

/** What fails here is the quote's fault. */
function genuine<T>(work: () => T): T {
  try {
    return work()
  } catch (thrown) {
    if (!(thrown instanceof CheckFailed)) throw thrown
    const { check, message } = thrown
    throw check === 'tcb-level' || check === 'tcb-status'
      ? belowPolicy(check, message, thrown)
      : invalid(check, message, thrown)
  }
}
