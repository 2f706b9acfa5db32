import { NotFoundError } from '@libp2p/interface'
import { Record as DhtRecord } from '@libp2p/kad-dht'
import { MemoryDatastore } from 'datastore-core'

type Key = Parameters<MemoryDatastore['get']>[0]
type Options = Parameters<MemoryDatastore['get']>[1]

/** In memory; serves no value of the DHT that is not right any more (records 4: checked again whenever it is served). */
export class CheckingDatastore extends MemoryDatastore {
  readonly #check: (value: Uint8Array) => void

  /** @param check throws when the value is not right. */
  constructor(check: (value: Uint8Array) => void) {
    super()
    this.#check = check
  }

  override get(key: Key, options?: Options): Uint8Array | Promise<Uint8Array> {
    const found = super.get(key, options)
    if (!key.toString().startsWith('/dht/') || found instanceof Promise) return found
    try {
      this.#check(DhtRecord.deserialize(found).value)
    } catch {
      throw new NotFoundError()
    }
    return found
  }
}
