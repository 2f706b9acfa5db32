import { EventEmitter } from 'node:events'
import type { PeerId } from '@libp2p/interface'
import { equalBytes } from '../crypto/index.js'
import { type AccountId, type Clock, type Hex, type Registry, SlotmeshError } from '../domain/index.js'
import { LIMITS } from './limits.js'
import { assertCurrent, type EnclaveRecord, RECORD_CODEC, type RecordCodec, recordError, recordKey } from './record.js'

interface KnownRecordsInit {
  readonly genesisHash: Hex
  /** As of the latest finalised block. */
  readonly registry: () => Registry
  readonly clock: Clock
  readonly codec?: RecordCodec
  /** Told of every record that replaces an older one or none, before anyone else. */
  readonly onNews: (record: EnclaveRecord, former: EnclaveRecord | undefined) => Promise<void>
}

/** The DHT key that a record was stored under, or the peer that handed it over as its own. */
export type RecordSource = { readonly key: Uint8Array } | { readonly peer: PeerId }

export interface KnownRecord {
  readonly record: EnclaveRecord
  /** When it was last seen; Unix ms. */
  readonly seenAt: number
}

/** The newest valid record of each registered enclave, from whomever it came; in memory and bounded. */
export class KnownRecords {
  /** Emits the account of every record that replaces an older one or none. */
  readonly news = new EventEmitter().setMaxListeners(0)
  readonly #init: KnownRecordsInit
  /** In the order in which they were last seen, so that the first is the one to forget. */
  readonly #newest = new Map<AccountId, KnownRecord>()
  /** Whose record names a PeerId. */
  readonly #accounts = new Map<string, AccountId>()

  constructor(init: KnownRecordsInit) {
    this.#init = init
  }

  /**
   * Takes in a record of unknown origin by the rules of `enclave-record/1/SPEC.md`, "Validation", cheapest first: a
   * signature is only looked at when the record could otherwise be true and would be news.
   *
   * @throws SlotmeshError `mesh/record-<flaw>`.
   */
  async accept(bytes: Uint8Array, source: RecordSource): Promise<EnclaveRecord> {
    const record = this.parse(bytes)
    if ('key' in source && !equalBytes(source.key, recordKey(record.account))) {
      throw recordError('wrong-key', 'The enclave record is stored under the key of another account.')
    }
    if ('peer' in source && !record.peerId.equals(source.peer)) {
      throw recordError('wrong-peer', 'The enclave record that a peer handed over names another PeerId.')
    }
    return await this.take(record)
  }

  /**
   * What a record says, before anything of it is believed.
   *
   * @throws SlotmeshError `mesh/record-malformed`, `-wrong-chain` or `-address`.
   */
  parse(bytes: Uint8Array): EnclaveRecord {
    const { parseRecord } = this.#init.codec ?? RECORD_CODEC
    return parseRecord(bytes, this.#init.genesisHash)
  }

  /**
   * Takes in what was parsed, as {@link accept} does, but from whomever it came.
   *
   * @throws SlotmeshError `mesh/record-<flaw>`.
   */
  async take(record: EnclaveRecord): Promise<EnclaveRecord> {
    const { verifyRecord } = this.#init.codec ?? RECORD_CODEC
    assertCurrent(record, this.#init.registry(), this.#init.clock.now())
    const known = this.#newest.get(record.account)?.record
    if (known !== undefined && equalBytes(known.bytes, record.bytes)) {
      await this.remember(known)
      return known
    }
    this.#assertNews(record)
    await verifyRecord(record)
    // Another may have come while the signatures were checked.
    this.#assertNews(record)
    await this.remember(record)
    return record
  }

  /** Takes in a record that needs no validation: one's own, or one that was validated before. */
  async remember(record: EnclaveRecord): Promise<void> {
    const former = this.#newest.get(record.account)?.record
    this.#forget(record.account)
    this.#newest.set(record.account, { record, seenAt: this.#init.clock.now() })
    this.#accounts.set(record.peerId.toString(), record.account)
    for (const account of this.#newest.keys()) {
      if (this.#newest.size <= LIMITS.knownRecords) break
      this.#forget(account)
    }
    if (former === record) return
    await this.#init.onNews(record, former)
    this.news.emit(record.account)
  }

  /** The newest record of an account if it is still true by the clock and the registry. */
  current(account: AccountId): KnownRecord | undefined {
    const known = this.#newest.get(account)
    return known !== undefined && this.isTrue(known.record) ? known : undefined
  }

  /** Whether clock and registry allow what a record says; its signatures are not looked at. */
  isTrue(record: EnclaveRecord): boolean {
    try {
      assertCurrent(record, this.#init.registry(), this.#init.clock.now())
      return true
    } catch (thrown) {
      if (thrown instanceof SlotmeshError) return false
      throw thrown
    }
  }

  /** The record that names this PeerId, if it is the newest of its account and still true. */
  of(peer: string): EnclaveRecord | undefined {
    const account = this.#accounts.get(peer)
    const record = account === undefined ? undefined : this.current(account)?.record
    return record?.peerId.toString() === peer ? record : undefined
  }

  /** Whether a record that is still true names this PeerId. */
  names(peer: string): boolean {
    return this.of(peer) !== undefined
  }

  /** Of how many accounts a record is known, be it outdated or not. */
  get size(): number {
    return this.#newest.size
  }

  /** The highest sequence that was seen of an account, be its record outdated or not; 0 when none was. */
  sequenceOf(account: AccountId): number {
    return this.#newest.get(account)?.record.sequence ?? 0
  }

  #forget(account: AccountId): void {
    const peer = this.#newest.get(account)?.record.peerId.toString()
    if (peer !== undefined) this.#accounts.delete(peer)
    this.#newest.delete(account)
  }

  #assertNews({ account, sequence }: EnclaveRecord): void {
    const known = this.#newest.get(account)
    if (known === undefined || sequence > known.record.sequence) return
    throw recordError('stale', `A record of enclave account ${account} that is as new or newer is known.`)
  }
}
