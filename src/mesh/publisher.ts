import type { Ed25519PrivateKey } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { AccountSigner } from '../crypto/index.js'
import {
  bounded,
  type Clock,
  type ClusterId,
  type Hex,
  type Logger,
  messageOf,
  type SlotId,
  SlotmeshError,
} from '../domain/index.js'
import type { KnownRecords } from './known-records.js'
import { LIMITS } from './limits.js'
import { type EnclaveRecord, RECORD_CODEC, type RecordCodec, recordKey } from './record.js'

export interface Seat {
  readonly cluster: ClusterId
  readonly slot: SlotId
}

interface RecordPublisherInit {
  readonly genesisHash: Hex
  readonly signer: AccountSigner
  readonly privateKey: Ed25519PrivateKey
  /** What others can dial this host by now. */
  readonly addresses: () => readonly Multiaddr[]
  readonly known: KnownRecords
  /** Stores a value at the peers nearest to the key; true when there were any and all of them took it. */
  readonly put: (key: Uint8Array, value: Uint8Array, signal: AbortSignal) => Promise<boolean>
  readonly hasPeers: () => boolean
  readonly clock: Clock
  readonly codec?: RecordCodec
  /** In [0, 1): spreads the upkeep of a whole mesh over time. */
  readonly random?: () => number
  readonly logger: Logger
}

/**
 * Keeps this enclave's own record true and findable: signs a new one when the seat or the addresses change and well
 * before it expires, and puts it into the DHT again, ever more rarely, while peers arrive or refuse it. A peer may
 * refuse only because it has not seen the block yet that gives us the seat.
 */
export class RecordPublisher {
  readonly #init: RecordPublisherInit
  readonly #shutdown = new AbortController()
  #seat: Seat | undefined
  #record: EnclaveRecord | undefined
  #sequence = 0
  #callOff: (() => void) | undefined
  #running: Promise<void> | undefined
  #putWanted = false
  #lastPutAt = 0
  #gapMs: number = LIMITS.publish.shortestGapMs
  #signedAt = 0
  #renewAt = 0

  constructor(init: RecordPublisherInit) {
    this.#init = init
  }

  /** What is handed to peers; undefined until the first seat. */
  get record(): EnclaveRecord | undefined {
    return this.#record
  }

  /**
   * Signs a record of this seat, ready to be handed to peers; putting it into the DHT goes on in the background.
   *
   * @throws SlotmeshError `mesh/no-address` when nobody could dial this host.
   */
  async publish(seat: Seat): Promise<void> {
    if (this.#init.addresses().length === 0) {
      throw new SlotmeshError(
        'mesh/no-address',
        'This node has no TCP address that others could dial: start it first, and configure one to listen on or announce.',
      )
    }
    this.#seat = seat
    await this.#renew()
    // Peers that connect meanwhile are handed the record, and those that arrive together need only one put.
    this.#lastPutAt = this.#init.clock.now()
    this.#putWanted = true
    this.#schedule()
  }

  /** A peer came; the nearest to our key may be among them. `alone`: there was none before. */
  peerArrived({ alone }: { alone: boolean }): void {
    if (alone) this.#gapMs = LIMITS.publish.shortestGapMs
    this.#putWanted = true
    this.#schedule()
  }

  addressesChanged(): void {
    const announced = this.#record?.multiaddrs
    const addresses = this.#init.addresses()
    const same = addresses.length === announced?.length && addresses.every((one, at) => one.equals(announced[at]))
    if (announced !== undefined && addresses.length > 0 && !same) this.#renewSoon()
  }

  /** A record of ours came in that is newer than ours: from a former life, whose clock was ahead. */
  outbid(): void {
    this.#renewSoon()
  }

  async stop(): Promise<void> {
    this.#shutdown.abort()
    this.#callOff?.()
    await this.#running
  }

  #renewSoon(): void {
    this.#renewAt = 0
    this.#putWanted = true
    this.#schedule()
  }

  async #renew(): Promise<void> {
    const {
      known,
      clock,
      signer,
      privateKey,
      genesisHash,
      addresses,
      codec = RECORD_CODEC,
      random = Math.random,
    } = this.#init
    const now = clock.now()
    if (this.#seat === undefined) return
    this.#sequence = Math.max(now, this.#sequence + 1, known.sequenceOf(signer.account) + 1)
    const content = {
      genesisHash,
      ...this.#seat,
      multiaddrs: addresses(),
      sequence: this.#sequence,
      expiresAt: now + LIMITS.record.lifetimeMs,
    }
    const record = await codec.signRecord(content, signer, privateKey)
    this.#record = record
    this.#signedAt = now
    this.#renewAt = now + LIMITS.record.renewalMs * (0.9 + 0.2 * random())
    this.#gapMs = LIMITS.publish.shortestGapMs
    await known.remember(record)
  }

  /** Sets the clock for the next put, unless one is running, which does it when it ends. */
  #schedule(): void {
    if (this.#record === undefined || this.#running !== undefined || this.#shutdown.signal.aborted) return
    this.#callOff?.()
    this.#callOff = this.#init.clock.after(this.#pauseMs(), () => {
      if (!this.#putWanted && !this.#mustRenew()) return this.#schedule()
      this.#running = this.#put().finally(() => {
        this.#running = undefined
        this.#schedule()
      })
    })
  }

  /** No longer than it can be by a clock that nobody sets; and not so long that a clock which was set is found out late. */
  #pauseMs(): number {
    const [dueAt, longest] = this.#putWanted
      ? [this.#lastPutAt + this.#gapMs, this.#gapMs]
      : [this.#renewAt, LIMITS.publish.longestGapMs]
    return Math.min(longest, Math.max(0, dueAt - this.#init.clock.now()))
  }

  /** Also when the clock was set back: others may find that what was signed before ends too late. */
  #mustRenew(): boolean {
    const now = this.#init.clock.now()
    return now >= this.#renewAt || now < this.#signedAt
  }

  /** Never rejects: what failed is wanted again. */
  async #put(): Promise<void> {
    const { clock, put, signer, logger } = this.#init
    this.#putWanted = false
    try {
      if (this.#mustRenew()) await this.#renew()
      // Alone there is nothing to do but wait for a peer.
      if (this.#record === undefined || !this.#init.hasPeers()) return
      const { bytes } = this.#record
      const bounds = { signals: [this.#shutdown.signal], timeoutMs: LIMITS.publish.putMs, clock }
      const isTaken = await bounded(bounds, (signal) => put(recordKey(signer.account), bytes, signal))
      if (!isTaken) this.#putWanted = true
    } catch (thrown) {
      this.#putWanted = true
      if (!this.#shutdown.signal.aborted) {
        logger.debug('The enclave record could not be put into the DHT yet', { reason: messageOf(thrown) })
      }
    }
    this.#lastPutAt = clock.now()
    this.#gapMs = Math.min(LIMITS.publish.gapGrowth * this.#gapMs, LIMITS.publish.longestGapMs)
  }
}
