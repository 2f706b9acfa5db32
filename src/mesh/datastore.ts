import { NotFoundError } from '@libp2p/interface'
import { Record as DhtRecord } from '@libp2p/kad-dht'
import { MemoryDatastore } from 'datastore-core'
import { fromString } from 'uint8arrays/from-string'
import type { AccountId } from '../domain/index.js'
import type { KnownRecords } from './known-records.js'
import { LIMITS } from './limits.js'
import { recordKey } from './record.js'

type Key = Parameters<MemoryDatastore['get']>[0]
type AbortOptions = Parameters<MemoryDatastore['get']>[1]

/**
 * What libp2p stores, in memory and bounded. Of the DHT that is nothing of its own: it serves the known records,
 * among them those that peers handed over, so that whoever is connected to an enclave can tell others where it is;
 * and nobody can fill it with provider entries.
 */
export class HostDatastore extends MemoryDatastore {
  readonly #known: KnownRecords
  /** libp2p's peers, the one used longest ago first. */
  readonly #peers = new Map<string, Key>()

  constructor(known: KnownRecords) {
    super()
    this.#known = known
  }

  override put(key: Key, value: Uint8Array, options?: AbortOptions): Key | Promise<Key> {
    // The DHT's validator has taken the record in before it is put here.
    if (isOfDht(key)) return key
    this.#touch(key)
    for (const [name, oldest] of this.#peers) {
      if (this.#peers.size <= LIMITS.connections.rememberedPeers) break
      this.#peers.delete(name)
      super.delete(oldest)
    }
    return super.put(key, value, options)
  }

  override get(key: Key, options?: AbortOptions): Uint8Array | Promise<Uint8Array> {
    if (isOfDht(key)) return this.#dhtRecord(key)
    if (this.#peers.has(key.toString())) this.#touch(key)
    return super.get(key, options)
  }

  override delete(key: Key, options?: AbortOptions): void | Promise<void> {
    this.#peers.delete(key.toString())
    return super.delete(key, options)
  }

  #touch(key: Key): void {
    this.#peers.delete(key.toString())
    this.#peers.set(key.toString(), key)
  }

  #dhtRecord(key: Key): Uint8Array {
    const dhtKey = fromString(key.name(), 'base32')
    const account: AccountId = `0x${Buffer.from(dhtKey).toString().split('/').at(-1) ?? ''}`
    const known = this.#known.current(account)
    if (known === undefined || Buffer.compare(recordKey(account), dhtKey) !== 0) throw new NotFoundError()
    return new DhtRecord(dhtKey, known.record.bytes, new Date(known.seenAt)).serialize()
  }
}

function isOfDht(key: Key): boolean {
  return key.toString().startsWith('/dht/')
}
