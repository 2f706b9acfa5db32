import { setTimeout as pause } from 'node:timers/promises'
import type { Libp2p, PeerId } from '@libp2p/interface'
import type { SingleKadDHT } from '@libp2p/kad-dht'
import { equalBytes } from '../crypto/index.js'
import { type AccountId, type ClusterId, type Logger, messageOf, type SlotId, SlotmeshError } from '../domain/index.js'
import type { KnownRecords } from './known-records.js'
import { LIMITS } from './limits.js'
import { type EnclaveRecord, recordKey } from './record.js'

/** Where an enclave is: its addresses are in libp2p's peer store, so its PeerId is enough to dial it. */
export interface ResolvedEnclave {
  readonly account: AccountId
  readonly peerId: PeerId
  readonly multiaddrs: readonly string[]
  readonly cluster: ClusterId
  readonly slot: SlotId
}

interface ResolverInit {
  readonly libp2p: Pick<Libp2p, 'getConnections' | 'peerStore'>
  readonly dht: SingleKadDHT
  readonly known: KnownRecords
  readonly now: () => number
  readonly logger: Logger
}

/** Finds enclaves by their accounts: among the records known already, else in the DHT. */
export class Resolver {
  readonly #init: ResolverInit

  constructor(init: ResolverInit) {
    this.#init = init
  }

  /**
   * @throws SlotmeshError `mesh/enclave-not-found`; the signal's reason when it aborts.
   */
  async resolve(account: AccountId, signal: AbortSignal): Promise<ResolvedEnclave> {
    let pauseMs: number = LIMITS.resolve.pauseMs
    for (let attempt = 1; attempt <= LIMITS.resolve.attempts; attempt++) {
      signal.throwIfAborted()
      if (!this.#isFresh(account)) await this.#lookUp(account, signal)
      const record = this.#init.known.current(account)?.record
      if (record !== undefined) return await this.#resolved(record, signal)
      if (attempt < LIMITS.resolve.attempts) await pause(pauseMs, undefined, { signal })
      pauseMs *= 2
    }
    throw new SlotmeshError(
      'mesh/enclave-not-found',
      `No valid record of enclave account ${account} was found in the mesh: it is down, not registered, or not connected yet.`,
    )
  }

  #isFresh(account: AccountId): boolean {
    const known = this.#init.known.current(account)
    if (known === undefined) return false
    const isConnected = this.#init.libp2p.getConnections(known.record.peerId).length > 0
    return isConnected || this.#init.now() - known.seenAt < LIMITS.resolve.freshMs
  }

  /**
   * Asks the DHT; what it finds ends up in the known records, by way of the DHT's validator. A failed lookup changes
   * nothing, and is tried again by the next.
   */
  async #lookUp(account: AccountId, signal: AbortSignal): Promise<void> {
    const { dht, known, logger } = this.#init
    if (dht.routingTable.size === 0) return
    let holders = 0
    try {
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.resolve.attemptMs)])
      for await (const event of dht.get(recordKey(account), { signal: deadline })) {
        if (event.name !== 'PEER_RESPONSE' || event.record === undefined) continue
        const newest = known.current(account)?.record
        if (newest !== undefined && equalBytes(event.record.value, newest.bytes)) holders += 1
        if (holders >= LIMITS.resolve.quorum) break
      }
    } catch (thrown) {
      signal.throwIfAborted()
      logger.debug('A lookup in the DHT failed', { account, reason: messageOf(thrown) })
    }
  }

  async #resolved(record: EnclaveRecord, signal: AbortSignal): Promise<ResolvedEnclave> {
    const { account, peerId, multiaddrs, cluster, slot } = record
    // libp2p forgets addresses after a while, sooner than a record expires.
    await this.#init.libp2p.peerStore.merge(peerId, { multiaddrs: [...multiaddrs] }, { signal })
    return { account, peerId, multiaddrs: multiaddrs.map(String), cluster, slot }
  }
}
