import { constants } from '@phala/dcap-qvl'
import { equalBytes } from '../crypto/index.js'

/** DER of "Intel SGX Root CA", under which all genuine quotes are, of SGX and of TDX. */
export const INTEL_ROOT: Uint8Array = constants.TRUSTED_ROOT_CA_DER

/**
 * Whether quotes under this root may be anybody's: any root but Intel's is taken for a development one.
 *
 * @param root DER; Intel's when absent.
 */
export function trustsSimulatedQuotes(root?: Uint8Array): boolean {
  return root !== undefined && !equalBytes(root, INTEL_ROOT)
}
