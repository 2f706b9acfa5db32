import { SealingKeyError } from './errors.js'

/** Where the key that a node's folder is sealed under comes from. */
export type SealingKeySource =
  /**
   * A key of the CPU's, by Gramine: with `mrenclave` of this very build, with `mrsigner` of all builds of one signer,
   * on this machine alone.
   */
  | { readonly from: 'gramine'; readonly policy: 'mrenclave' | 'mrsigner' }
  /** A file with 32 bytes, or 64 hexadecimal digits, that only its owner can read. */
  | { readonly from: 'file'; readonly path: string }
  /** A file with a passphrase: for development, since nothing binds it to an enclave. */
  | { readonly from: 'passphrase'; readonly path: string }

/**
 * Reads `gramine:mrenclave`, `gramine:mrsigner`, `file:<path>` or `passphrase:<path>`.
 *
 * @throws SealingKeyError `sealing-key/bad-source`
 */
export function parseSealingKeySource(text: string): SealingKeySource {
  const [, from = '', what = ''] = /^([a-z]+):(.+)$/s.exec(text) ?? []
  if (from === 'gramine' && (what === 'mrenclave' || what === 'mrsigner')) return { from, policy: what }
  if (from === 'file' || from === 'passphrase') return { from, path: what }
  // Not repeated: it may be the key itself.
  throw new SealingKeyError(
    'sealing-key/bad-source',
    'What is given names no source of a sealing key; there are gramine:mrenclave, gramine:mrsigner, file:<path> and passphrase:<path>.',
  )
}
