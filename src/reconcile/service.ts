import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import {
  type AccountId,
  bounded,
  causeOf,
  type Logger,
  messageOf,
  type Offence,
  type OffenceKind,
  SlotmeshError,
  synchronisationBarrier,
  systemClock,
} from '../domain/index.js'
import { Frames, type Traffic } from '../framing/index.js'
import { Places } from './admission.js'
import { offenceOf } from './offences.js'
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
  /** Whether an enclave record names this peer, whatever account it is. */
  readonly isNamed: (peer: string) => boolean
  /** What peers did that no honest one does, in either role. */
  readonly onOffence?: (offence: Offence) => void
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
   * @throws as {@link compareHeld}; RefusingError when the two may not exchange shares; SlotmeshError `reconcile/shut` when
   * the peer has offended; libp2p's errors when it cannot be reached.
   */
  async compare(
    provider: { readonly account: AccountId; readonly peer: PeerId },
    request: ComparisonRequest,
  ): Promise<Comparison & { readonly traffic: Traffic }> {
    const { account, chain, clock, host, isShut } = this.#init
    const name = provider.peer.toString()
    const barrier = synchronisationBarrier(chain.registry(), account, provider.account)
    if (barrier !== undefined) throw new RefusingError(BARRIER_REFUSALS[barrier])
    if (isShut?.(provider.account) || isShut?.(name)) throw shut()
    return bounded({ signals: [request.signal, this.#stopped.signal] }, async (signal) => {
      const stream = await bounded({ signals: [signal], timeoutMs: TIMEOUT_MS.first, clock }, (limited) =>
        host.dialProtocol(provider.peer, RECONCILE_PROTOCOL, { signal: limited }),
      )
      const frames = new Frames(stream, clock, 'reconcile')
      const own = { account, genesisHash: chain.genesisHash, clock }
      try {
        const comparison = await compareHeld(own, frames, { ...request, signal })
        return { ...comparison, traffic: frames.traffic }
      } catch (thrown) {
        if (!signal.aborted) {
          const kind = offenceOf(thrown, { frames, isKnown: true, role: 'provider' })
          this.#blame(kind, { peer: name, account: provider.account })
        }
        throw thrown
      }
    })
  }

  readonly #serve = async (stream: Stream, connection: Connection): Promise<void> => {
    const { logger, onServed, onRefusal, clock, isShut, isNamed } = this.#init
    const peer = connection.remotePeer.toString()
    if (isShut?.(peer)) {
      stream.abort(shut())
      return
    }
    const turnedAway = this.#places.turnsAway(peer, { isStranger: !isNamed(peer) })
    if (turnedAway !== undefined) {
      stream.abort(new SlotmeshError('reconcile/flood', 'The peer, or all strangers, open too many streams.'))
      if (turnedAway === 'peer') this.#blame('flood', { peer })
      return
    }
    let account: AccountId | undefined
    const onKnown = (known: AccountId) => {
      account = known
    }
    const { signal } = this.#stopped
    const frames = new Frames(stream, clock, 'reconcile')
    try {
      const served = await serveSession(this.#init, this.#places, peer, frames, { signal, onKnown })
      logger.debug('compared with a peer that asked', { account: served.account, questions: served.questions })
      onServed?.(served)
    } catch (thrown) {
      if (thrown instanceof RefusingError) onRefusal?.(thrown.refusal)
      const isRefusing = thrown instanceof RefusingError
      const code = isRefusing ? thrown.refusal : thrown instanceof SlotmeshError ? thrown.code : ''
      const fields = { peer, code, reason: messageOf(thrown), ...causeOf(thrown) }
      // Strangers cost nothing, and could fill the log.
      if (account === undefined) logger.debug('somebody unknown was not compared with', fields)
      else logger.info('a reconciliation ended early', fields)
      if (!signal.aborted) {
        this.#blame(offenceOf(thrown, { frames, isKnown: account !== undefined, role: 'requester' }), { peer, account })
      }
    }
  }

  #blame(kind: OffenceKind | undefined, who: Omit<Offence, 'kind'>): void {
    if (kind !== undefined) this.#init.onOffence?.({ kind, ...who })
  }
}

function shut(): SlotmeshError {
  return new SlotmeshError('reconcile/shut', 'The peer has offended too often: nothing is done for it for a while.')
}
