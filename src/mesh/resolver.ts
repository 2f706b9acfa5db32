import type { AbortOptions, Libp2p, PeerId } from '@libp2p/interface'
import { Queue } from '@libp2p/utils'
import { equalBytes } from '../crypto/index.js'
import {
  type AccountId,
  abortable,
  bounded,
  type Clock,
  type ClusterId,
  type Logger,
  messageOf,
  pause,
  Recent,
  type SlotId,
  SlotmeshError,
} from '../domain/index.js'
import type { MeshTable } from './dht.js'
import type { Directory } from './directory.js'
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
  readonly libp2p: Pick<Libp2p, 'getConnections'> & { readonly peerStore: Pick<Libp2p['peerStore'], 'merge'> }
  readonly dht: Pick<MeshTable, 'get'>
  readonly directory: Pick<Directory, 'seek' | 'confirm'>
  /** How long the directory is waited for before the DHT is asked for one that is not known at all. */
  readonly patienceMs: () => number
  readonly known: KnownRecords
  /** Dials an enclave by what it has registered on chain. */
  readonly dialRegistered: (account: AccountId, options: { readonly signal: AbortSignal }) => Promise<void>
  readonly clock: Clock
  readonly logger: Logger
}

interface LookupOptions extends AbortOptions {
  readonly account: AccountId
}

/**
 * Finds enclaves by their accounts: among the records known already, else by peers that are connected, else in the DHT, else
 * by the chain.
 */
export class Resolver {
  readonly #init: ResolverInit
  readonly #lookups = new Queue<void, LookupOptions>({
    concurrency: LIMITS.resolve.parallelLookups,
    maxSize: LIMITS.resolve.queuedLookups,
  })
  readonly #dials = new Queue<void, LookupOptions>({
    concurrency: LIMITS.resolve.parallelLookups,
    maxSize: LIMITS.resolve.queuedLookups,
  })
  /** When those were dialled the last time that the DHT did not know; as many as are registered. */
  readonly #dialled = new Map<AccountId, number>()
  /** When the records were seen that were believed as connected peers had no newer ones. */
  readonly #believed = new Recent<AccountId, number>(LIMITS.knownRecords)

  constructor(init: ResolverInit) {
    this.#init = init
  }

  /**
   * @throws SlotmeshError `mesh/enclave-not-found`; the signal's reason when it aborts.
   */
  async resolve(account: AccountId, signal: AbortSignal): Promise<ResolvedEnclave> {
    const told = await this.#askPeers(account, signal)
    if (told !== undefined) return await this.#resolved(told, signal)
    let pauseMs: number = LIMITS.resolve.pauseMs
    for (let attempt = 1; attempt <= LIMITS.resolve.attempts; attempt++) {
      signal.throwIfAborted()
      if (!this.#isFresh(account) && !this.#isConnected(account)) {
        await this.#inTurn(this.#lookups, (options) => this.#askDht(options), { account, signal })
      }
      const record = this.#init.known.current(account)?.record
      if (record !== undefined) return await this.#resolved(record, signal)
      if (attempt < LIMITS.resolve.attempts) await pause(pauseMs, { clock: this.#init.clock, signal })
      pauseMs *= 2
    }
    if (this.#mayDial(account)) await this.#inTurn(this.#dials, (options) => this.#dial(options), { account, signal })
    const record = this.#init.known.current(account)?.record
    if (record !== undefined) return await this.#resolved(record, signal)
    throw new SlotmeshError(
      'mesh/enclave-not-found',
      `No valid record of enclave account ${account} was found in the mesh: it is down, not registered, or not connected yet.`,
    )
  }

  /**
   * Asks those who are connected, which costs little. That they have nothing newer is believed once of a record: whoever looks
   * for its enclave again without having met it meanwhile has not found it there.
   */
  async #askPeers(account: AccountId, signal: AbortSignal): Promise<EnclaveRecord | undefined> {
    const { known, directory, patienceMs } = this.#init
    if (this.#isFresh(account) || this.#isConnected(account)) return undefined
    const before = known.current(account)
    if (before === undefined) {
      await directory.seek(account, { patienceMs: patienceMs(), signal })
      return undefined
    }
    if (
      this.#believed.get(account) === before.seenAt ||
      !(await directory.confirm(account, { patienceMs: patienceMs(), signal }))
    )
      return undefined
    const now = known.current(account)
    if (now !== undefined) this.#believed.set(account, now.seenAt)
    return now?.record
  }

  #isFresh(account: AccountId): boolean {
    const known = this.#init.known.current(account)
    if (known === undefined) return false
    const age = this.#init.clock.now() - known.seenAt
    // It was seen in the future: the clock was set back since, nobody knows by how much.
    return age >= 0 && age < LIMITS.resolve.freshMs
  }

  /** Whoever is connected has handed over its newest record. */
  #isConnected(account: AccountId): boolean {
    const known = this.#init.known.current(account)
    return known !== undefined && this.#init.libp2p.getConnections(known.record.peerId).length > 0
  }

  /** Joins what is under way about that account, else queues it. */
  async #inTurn(
    queue: Queue<void, LookupOptions>,
    work: (options: LookupOptions) => Promise<void>,
    { account, signal }: { readonly account: AccountId; readonly signal: AbortSignal },
  ): Promise<void> {
    const queued = queue.queue.find((job) => job.options.account === account)
    try {
      await (queued?.join({ signal }) ?? queue.add(work, { account, signal }))
    } catch (thrown) {
      // What has failed changes nothing, and is tried again by the next.
      signal.throwIfAborted()
      this.#init.logger.debug('An enclave was looked for in vain', { account, reason: messageOf(thrown) })
    }
  }

  #mayDial(account: AccountId): boolean {
    const age = this.#init.clock.now() - (this.#dialled.get(account) ?? Number.NEGATIVE_INFINITY)
    return age < 0 || age >= LIMITS.resolve.dialAgainMs
  }

  /** Who answers hands over its record, and is in the table from then on. */
  async #dial({ account, signal: aborted }: LookupOptions): Promise<void> {
    const { known, clock, dialRegistered } = this.#init
    if (this.#dialled.size >= LIMITS.knownRecords) this.#dialled.clear()
    this.#dialled.set(account, clock.now())
    const signals = aborted === undefined ? [] : [aborted]
    await bounded({ signals, timeoutMs: LIMITS.resolve.dialMs, clock }, async (signal) => {
      let hear: () => void = () => undefined
      const heard = new Promise<void>((resolve) => {
        hear = resolve
      })
      known.news.once(account, hear)
      try {
        await dialRegistered(account, { signal })
        await abortable(heard, signal)
      } finally {
        known.news.off(account, hear)
      }
    })
    this.#dialled.delete(account)
  }

  /** What the DHT finds ends up in the known records, by way of its validator. */
  async #askDht({ account, signal: aborted }: LookupOptions): Promise<void> {
    const { dht, known, clock } = this.#init
    if (this.#isConnected(account)) return
    const connected = new AbortController()
    const endIfConnected = () => {
      if (this.#isConnected(account)) connected.abort()
    }
    known.news.on(account, endIfConnected)
    const signals = aborted === undefined ? [connected.signal] : [connected.signal, aborted]
    const quorum = known.current(account) === undefined ? 1 : LIMITS.resolve.quorum
    let holders = 0
    try {
      await bounded({ signals, timeoutMs: LIMITS.resolve.attemptMs, clock }, async (signal) => {
        for await (const event of dht.get(recordKey(account), { signal })) {
          if (event.name !== 'PEER_RESPONSE' || event.record === undefined) continue
          const newest = known.current(account)?.record
          if (newest !== undefined && equalBytes(event.record.value, newest.bytes)) holders += 1
          if (holders >= quorum) break
        }
      })
    } catch (thrown) {
      if (!connected.signal.aborted) throw thrown
    } finally {
      known.news.off(account, endIfConnected)
    }
  }

  async #resolved(record: EnclaveRecord, signal: AbortSignal): Promise<ResolvedEnclave> {
    const { account, peerId, multiaddrs, cluster, slot } = record
    const { libp2p } = this.#init
    if (libp2p.getConnections(peerId).length === 0) {
      // libp2p forgets addresses after a while, sooner than a record expires.
      await libp2p.peerStore.merge(peerId, { multiaddrs: [...multiaddrs] }, { signal })
    }
    return { account, peerId, multiaddrs: multiaddrs.map(String), cluster, slot }
  }
}
