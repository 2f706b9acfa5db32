import { type BlockNumber, type ShareKey, SlotmeshError } from '../domain/index.js'
import { numberOf } from '../inventory/index.js'
import { PAYLOADS } from './records.js'

/**
 * What the names of payloads say of the versions that are held, as a folder is taken over: each name is in the sum that is
 * compared with the manifest, and needs not be opened, which takes most of the time of a place. Some 16 bytes a share.
 */
export class PayloadNames {
  readonly #shares: number[] = []
  readonly #versions: BlockNumber[] = []

  /** Of any record; those of payloads come in the order of kinds, NFT ids and versions. */
  add(name: Uint8Array): void {
    if (name[0] !== PAYLOADS.prefix) return
    try {
      const { key, version } = PAYLOADS.decodeKey(name)
      this.#shares.push(numberOf(key))
      this.#versions.push(version)
    } catch (thrown) {
      // Not a name that this enclave has written: the sum will tell.
      if (!(thrown instanceof SlotmeshError)) throw thrown
    }
  }

  get count(): number {
    return this.#shares.length
  }

  /** The version of the payload in this place of all; undefined when it is not of that share. */
  versionAt(at: number, key: ShareKey): BlockNumber | undefined {
    return this.#shares[at] === numberOf(key) ? this.#versions[at] : undefined
  }
}
