import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import {
  type AccountId,
  bounded,
  causeOf,
  type Logger,
  messageOf,
  SlotmeshError,
  synchronisationBarrier,
  systemClock,
} from '../domain/index.js'
import { Frames, type Traffic } from '../framing/index.js'
import { Places } from './admission.js'
import type { Side } from './party.js'
import { RECONCILE_PROTOCOL, TIMEOUT_MS } from './protocol.js'
import { type ServedSession, serveSession } from './provider.js'
import { BARRIER_REFUSALS, type ReconcileRefusal, RefusingError } from './refusals.js'
import { type Comparison, type ComparisonRequest, compareHeld } from './requester.js'

/** What the protocol needs of libp2p. */
export type ReconcileHost = Pick<Libp2p, 'handle' | 'unhandle' | 'dialProtocol'>

export interface ReconcileServiceInit extends Side {
  readonly host: ReconcileHost
  readonly logger: Logger
  readonly onServed?: (served: ServedSession) => void
  readonly onRefusal?: (refusal: ReconcileRefusal) => void
}

/** Sessions of one connection, either way; one is enough, and another may not have been noticed to have ended. */
const STREAMS_OF_CONNECTION = 2

/** `/ternoa/reconcile/1` on a libp2p host: answers slot peers, and asks them. */
export class ReconcileService {
  readonly #init: ReconcileServiceInit
  readonly #places: Places
  readonly #stopped = new AbortController()

  constructor(init: ReconcileServiceInit) {
    this.#init = init
    this.#places = new Places(init.clock ?? systemClock)
  }

  async start(): Promise<void> {
    await this.#init.host.handle(RECONCILE_PROTOCOL, this.#serve, {
      maxInboundStreams: STREAMS_OF_CONNECTION,
      maxOutboundStreams: STREAMS_OF_CONNECTION,
    })
  }

  /** Ends running sessions: no new ones are taken, streams are reset. */
  async stop(): Promise<void> {
    this.#stopped.abort(new SlotmeshError('reconcile/stopped', 'This node is stopping.'))
    await this.#init.host.unhandle(RECONCILE_PROTOCOL)
  }

  /**
   * One session with the enclave `account` at `peer`, which must be connected or dialable, and the account's by its record.
   *
   * @throws as {@link compareHeld}; RefusingError when the two may not exchange shares; libp2p's errors when the peer
   * cannot be reached.
   */
  async compare(
    provider: { readonly account: AccountId; readonly peer: PeerId },
    request: ComparisonRequest,
  ): Promise<Comparison & { readonly traffic: Traffic }> {
    const { account, chain, clock, host } = this.#init
    const barrier = synchronisationBarrier(chain.registry(), account, provider.account)
    if (barrier !== undefined) throw new RefusingError(BARRIER_REFUSALS[barrier])
    return bounded({ signals: [request.signal, this.#stopped.signal] }, async (signal) => {
      const stream = await bounded({ signals: [signal], timeoutMs: TIMEOUT_MS.first, clock }, (limited) =>
        host.dialProtocol(provider.peer, RECONCILE_PROTOCOL, { signal: limited }),
      )
      const frames = new Frames(stream, clock, 'reconcile')
      const own = { account, genesisHash: chain.genesisHash, clock }
      const comparison = await compareHeld(own, frames, { ...request, signal })
      return { ...comparison, traffic: frames.traffic }
    })
  }

  readonly #serve = async (stream: Stream, connection: Connection): Promise<void> => {
    const { logger, onServed, onRefusal, clock } = this.#init
    const peer = connection.remotePeer.toString()
    const frames = new Frames(stream, clock, 'reconcile')
    try {
      const served = await serveSession(this.#init, this.#places, peer, frames, { signal: this.#stopped.signal })
      logger.debug('compared with a peer that asked', { account: served.account, questions: served.questions })
      onServed?.(served)
    } catch (thrown) {
      if (thrown instanceof RefusingError) onRefusal?.(thrown.refusal)
      const isRefusing = thrown instanceof RefusingError
      const code = isRefusing ? thrown.refusal : thrown instanceof SlotmeshError ? thrown.code : ''
      logger.info('a reconciliation ended early', { peer, code, reason: messageOf(thrown), ...causeOf(thrown) })
    }
  }
}
