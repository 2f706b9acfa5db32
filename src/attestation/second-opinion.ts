import type { X509Certificate } from 'node:crypto'
import { QuoteVerifier as DcapVerifier } from '@phala/dcap-qvl'
import { messageOf } from '../domain/index.js'
import type { PckPlatform } from './certificates.js'
import type { QuoteCollateral, VerifiedCollateral } from './collateral.js'
import { CheckFailed } from './errors.js'
import type { UnverifiedQuote } from './quote.js'
import { judgePlatform, merged } from './tcb.js'

/** Entries of a list that the library is given; it reads each list anew for each certificate, 0.3 ms an entry in all. */
const MAXIMUM_ENTRIES = 128

/** A quote that has passed here. */
interface Judged {
  readonly bytes: Uint8Array
  readonly quote: UnverifiedQuote
  readonly platform: PckPlatform
}

/** What `@phala/dcap-qvl` says of a quote. It knows nothing of the TDX module's own levels. */
export class SecondOpinion {
  readonly #library: DcapVerifier

  constructor(root: X509Certificate) {
    this.#library = DcapVerifier.newWithRootCa(root.raw)
  }

  /**
   * Compares with what is found here by the library's own rule, which is stricter than Intel's for TDX (see
   * {@link judgePlatform}). Where nothing passes by that rule the library is not asked: it would only refuse.
   *
   * @throws CheckFailed `second-opinion` when the library says anything else.
   */
  require({ bytes, quote, platform }: Judged, collateral: VerifiedCollateral, now: Date): void {
    const own = byRuleOfLibrary({ quote, platform }, collateral)
    if (own === undefined) return
    const given = collateralForLibrary(collateral)
    const opinion = attempt(() => this.#library.verify(bytes, { ...given }, Math.floor(now.getTime() / 1000)))
    const { status, advisoryIds } = merged(own)
    const [here, there] = [textOf(status, advisoryIds), textOf(opinion.status, opinion.advisory_ids)]
    if (here !== there) throw new CheckFailed('second-opinion', `its platform is ${here}, or by the library ${there}`)
  }
}

function byRuleOfLibrary({ quote, platform }: Omit<Judged, 'bytes'>, collateral: VerifiedCollateral) {
  try {
    const own = judgePlatform(quote, platform, collateral, 'library')
    return own.some(({ status }) => status === 'Revoked') ? undefined : own
  } catch (thrown) {
    if (thrown instanceof CheckFailed && thrown.check === 'tcb-level') return undefined
    throw thrown
  }
}

function textOf(status: string, advisoryIds: readonly string[]): string {
  const open = [...new Set(advisoryIds)].sort().join(', ')
  return open === '' ? status : `${status} (open to ${open})`
}

/**
 * The library would stop the process for seconds over a long list. One that is empty it skips: then revocation, which
 * was checked before it is asked, is judged here alone.
 */
export function collateralForLibrary(verified: VerifiedCollateral): QuoteCollateral {
  const { collateral, revokedByRoot, revokedByPckAuthority } = verified
  return {
    ...collateral,
    root_ca_crl: revokedByRoot.size > MAXIMUM_ENTRIES ? '' : collateral.root_ca_crl,
    pck_crl: revokedByPckAuthority.size > MAXIMUM_ENTRIES ? '' : collateral.pck_crl,
  }
}

/** Runs the library, all of whose errors are its own. */
function attempt<T>(ask: () => T): T {
  try {
    return ask()
  } catch (cause) {
    throw new CheckFailed('second-opinion', `the verification library says: ${messageOf(cause)}`, { cause })
  }
}
