import type { X509Certificate } from 'node:crypto'
import { QuoteVerifier as DcapVerifier } from '@phala/dcap-qvl'
import { messageOf } from '../domain/index.js'
import type { TcbVerdict } from './claims.js'
import type { QuoteCollateral, VerifiedCollateral } from './collateral.js'
import { CheckFailed } from './errors.js'
import { merged } from './tcb.js'

/** Entries of a list that the library is given; it reads each list anew for each certificate, 0.3 ms an entry in all. */
const MAXIMUM_ENTRIES = 128

/** What `@phala/dcap-qvl` says of a quote. It knows nothing of the TDX module's own levels. */
export class SecondOpinion {
  readonly #library: DcapVerifier

  constructor(root: X509Certificate) {
    this.#library = DcapVerifier.newWithRootCa(root.raw)
  }

  /**
   * @param own what was found here of the platform and of its quoting enclave.
   * @throws CheckFailed `second-opinion` when the library says anything else.
   */
  require(bytes: Uint8Array, collateral: VerifiedCollateral, own: readonly TcbVerdict[], now: Date): void {
    const given = collateralForLibrary(collateral)
    const opinion = attempt(() => this.#library.verify(bytes, { ...given }, Math.floor(now.getTime() / 1000)))
    const { status, advisoryIds } = merged(own)
    const isSame =
      opinion.status === status && [...new Set(opinion.advisory_ids)].sort().join() === [...advisoryIds].sort().join()
    if (!isSame) throw new CheckFailed('second-opinion', `its platform is ${status} or ${opinion.status}`)
  }
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
