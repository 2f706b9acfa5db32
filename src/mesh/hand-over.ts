import {
  type AbortOptions,
  type Connection,
  type Libp2p,
  type Stream,
  type StreamHandler,
  setMaxListeners,
} from '@libp2p/interface'
import { bounded, type Clock, type Logger, messageOf } from '../domain/index.js'
import { framesOf } from './frames.js'
import type { KnownRecords } from './known-records.js'
import { LIMITS } from './limits.js'

/** Whoever opens a stream of this protocol is sent the record of the one who answers, or nothing if it has none. */
const PROTOCOL = '/ternoa/enclave-record/1'

interface HandOverInit {
  readonly libp2p: Pick<Libp2p, 'handle' | 'unhandle' | 'register' | 'unregister'>
  readonly known: KnownRecords
  /** This host's own record. */
  readonly own: () => Uint8Array | undefined
  readonly clock?: Clock
  readonly logger: Logger
}

/** Peers that connect read each other's record at once: in a small mesh that alone makes everyone known. */
export class HandOver {
  readonly #init: HandOverInit
  readonly #shutdown = new AbortController()
  #topology: string | undefined

  constructor(init: HandOverInit) {
    this.#init = init
    setMaxListeners(Infinity, this.#shutdown.signal)
  }

  async start(): Promise<void> {
    const { libp2p } = this.#init
    await libp2p.handle(PROTOCOL, this.#serve, {
      maxInboundStreams: LIMITS.handOver.streams,
      maxOutboundStreams: LIMITS.handOver.streams,
    })
    this.#topology = await libp2p.register(PROTOCOL, {
      // Not awaited: libp2p tells the next topology only when this one is done.
      onConnect: (_peer, connection) => void this.#read(connection),
    })
  }

  async stop(): Promise<void> {
    this.#shutdown.abort()
    if (this.#topology !== undefined) this.#init.libp2p.unregister(this.#topology)
    await this.#init.libp2p.unhandle(PROTOCOL)
  }

  readonly #serve: StreamHandler = async (stream) => {
    await this.#inTime(async (options) => {
      await framesOf(stream, LIMITS.record.bytes).write(this.#init.own() ?? new Uint8Array(0), options)
      await stream.close(options)
    })
  }

  /** Never rejects: a peer that hands over nothing, or nonsense, is one whose record is not known. */
  async #read(connection: Connection): Promise<void> {
    let stream: Stream | undefined
    try {
      const bytes = await this.#inTime(async (options) => {
        stream = await connection.newStream(PROTOCOL, options)
        const frame = await framesOf(stream, LIMITS.record.bytes).read(options)
        await stream.close(options)
        return frame.subarray()
      })
      if (bytes.length === 0) return
      await this.#init.known.accept(bytes, { peer: connection.remotePeer })
    } catch (thrown) {
      const reason = messageOf(thrown)
      stream?.abort(thrown instanceof Error ? thrown : new Error(reason))
      if (this.#shutdown.signal.aborted) return
      this.#init.logger.debug('No enclave record was handed over', { peer: connection.remotePeer.toString(), reason })
    }
  }

  #inTime<T>(work: (options: AbortOptions) => Promise<T>): Promise<T> {
    const bounds = { signals: [this.#shutdown.signal], timeoutMs: LIMITS.handOver.timeoutMs, clock: this.#init.clock }
    return bounded(bounds, (signal) => work({ signal }))
  }
}
