import { SlotmeshError } from '../domain/index.js'

export type SealingKeyErrorCode =
  /** The words that name a source are none. */
  | 'sealing-key/bad-source'
  /** The source is not there, or this process may not read it. */
  | 'sealing-key/unavailable'
  /** A passphrase's salt is gone, and the folder that may be sealed under it is not. */
  | 'sealing-key/salt-gone'
  /** What the source holds is no key, or others can read it. */
  | 'sealing-key/unfit'

/** Why there is no sealing key. Never says anything of the key itself. */
export class SealingKeyError extends SlotmeshError {
  override readonly name: string = 'SealingKeyError'
  declare readonly code: SealingKeyErrorCode

  constructor(code: SealingKeyErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}
