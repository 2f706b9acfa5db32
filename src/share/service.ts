import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import {
  type AccountId,
  abortable,
  bounded,
  causeOf,
  type Logger,
  messageOf,
  type Offence,
  SlotmeshError,
  systemClock,
} from '../domain/index.js'
import { Frames, type Traffic } from '../framing/index.js'
import { Admissions } from './admission.js'
import { offenceOf } from './offences.js'
import type { Party } from './party.js'
import { PROVIDER_LIMITS, SHARE_PROTOCOL } from './protocol.js'
import { type ServedExchange, serveExchange } from './provider.js'
import { type Refusal, RefusalError } from './refusals.js'
import { type ExchangeRequest, type ExchangeResult, requestShares } from './requester.js'
import { allowedSuites } from './sealing.js'
import { phase } from './session.js'
import type { ShareSource } from './source.js'

/** What the protocol needs of libp2p. */
export type ShareHost = Pick<Libp2p, 'handle' | 'unhandle' | 'dialProtocol' | 'peerId'>

export interface ShareServiceInit {
  readonly host: ShareHost
  readonly party: Omit<Party, 'peer'>
  readonly shares: ShareSource
  readonly logger: Logger
  /** Whether this peer is known to be the account's, by a record that the account has signed. */
  readonly isKnown?: (account: AccountId, peer: string) => boolean
  readonly onServed?: (served: ServedExchange & { readonly traffic: Traffic; readonly ms: number }) => void
  readonly onRefusal?: (refusal: Refusal) => void
  /** An exchange that was served ended early, and not by a refusal of this side's. */
  readonly onCut?: (thrown: unknown) => void
  /** Whenever an enclave has proved itself genuine, in either role. */
  readonly onProved?: (account: AccountId) => void
  /** How long a handshake took, from the Hello to the Grant. */
  readonly onHandshake?: (handshake: { readonly role: 'requester' | 'provider'; readonly ms: number }) => void
  /** What peers did that no honest one does, in either role. */
  readonly onOffence?: (offence: Offence) => void
  /** Whether nothing is done for a peer, or for an account that has proved itself, since it has offended. */
  readonly isShut?: (who: string | AccountId) => boolean
}

/** `/ternoa/share/1` on a libp2p host: serves other enclaves, and asks them. */
export class ShareService {
  readonly #init: ShareServiceInit
  readonly #party: Party
  readonly #stopped = new AbortController()
  readonly #admissions: Admissions
  /** Exchanges under way, in either role. */
  readonly #underWay = new Set<Promise<unknown>>()
  #isDraining = false

  /** @throws SlotmeshError `share/suites` when the party allows none, or one that does not exist. */
  constructor(init: ShareServiceInit) {
    this.#init = init
    const suites = allowedSuites(init.party.suites)
    this.#party = { ...init.party, suites, peer: init.host.peerId.toMultihash().bytes }
    const { isKnown, isShut } = init
    this.#admissions = new Admissions({ clock: init.party.clock ?? systemClock, isKnown, isShut })
  }

  /** How many exchanges wait for a place, out of at most {@link PROVIDER_LIMITS}.waiting. */
  get waiting(): number {
    return this.#admissions.waiting
  }

  async start(): Promise<void> {
    await this.#init.host.handle(SHARE_PROTOCOL, this.#serve, {
      maxInboundStreams: PROVIDER_LIMITS.exchangesPerPeer,
      maxOutboundStreams: PROVIDER_LIMITS.exchangesPerPeer,
    })
  }

  /**
   * Begins no more exchanges, and takes no more, but lets those under way come to their ends.
   * @throws the signal's reason, when they take too long.
   */
  async drain({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    this.#isDraining = true
    await this.#init.host.unhandle(SHARE_PROTOCOL)
    while (this.#underWay.size > 0) await abortable(Promise.allSettled(this.#underWay), signal)
  }

  /** Ends running exchanges: no new ones are taken, streams are reset. */
  async stop(): Promise<void> {
    this.#stopped.abort(new SlotmeshError('share/stopped', 'This node is stopping.'))
    await this.#init.host.unhandle(SHARE_PROTOCOL)
  }

  /**
   * One exchange with the enclave `account` at `peer`, which must be connected or dialable.
   * @throws as {@link requestShares}, and libp2p's errors when the peer cannot be reached.
   */
  async request(
    provider: { account: AccountId; peer: PeerId },
    request: ExchangeRequest,
  ): Promise<ExchangeResult & { readonly traffic: Traffic }> {
    return bounded({ signals: [request.signal, this.#stopped.signal] }, async (signal) => {
      // Its wants stay open: whoever asks is told so by the end of the service, and not by a failure.
      if (this.#isDraining) return abortable(new Promise<never>(() => undefined), signal)
      return this.#during(this.#request(provider, request, signal))
    })
  }

  async #request(
    provider: { account: AccountId; peer: PeerId },
    request: ExchangeRequest,
    signal: AbortSignal,
  ): Promise<ExchangeResult & { readonly traffic: Traffic }> {
    const stream = await phase('handshake', { signal, clock: this.#party.clock }, (options) =>
      this.#init.host.dialProtocol(provider.peer, SHARE_PROTOCOL, options),
    )
    const counterpart = { account: provider.account, peer: provider.peer.toMultihash().bytes }
    const frames = new Frames(stream, this.#party.clock)
    let account: AccountId | undefined
    const onProved = () => {
      account = provider.account
      this.#init.onProved?.(account)
    }
    const onGranted = (ms: number) => this.#init.onHandshake?.({ role: 'requester', ms })
    try {
      const result = await requestShares(this.#party, counterpart, frames, {
        ...request,
        onProved,
        onGranted,
        signal,
      })
      return { ...result, traffic: frames.traffic }
    } catch (thrown) {
      if (!signal.aborted) this.#blame(thrown, frames, 'provider', { peer: provider.peer.toString(), account })
      throw thrown
    }
  }

  /** Counts it among the exchanges under way. */
  async #during<T>(exchange: Promise<T>): Promise<T> {
    this.#underWay.add(exchange)
    try {
      return await exchange
    } finally {
      this.#underWay.delete(exchange)
    }
  }

  readonly #serve = async (stream: Stream, connection: Connection): Promise<void> => {
    await this.#during(this.#serveOne(stream, connection))
  }

  async #serveOne(stream: Stream, connection: Connection): Promise<void> {
    const { shares, logger, onServed, onRefusal, onCut, onProved, onHandshake, isShut } = this.#init
    const peer = connection.remotePeer
    const name = peer.toString()
    if (isShut?.(name)) {
      stream.abort(new SlotmeshError('share/shut', 'The peer has offended too often.'))
      return
    }
    if (!this.#admissions.admitsStream(name)) {
      stream.abort(new SlotmeshError('share/flood', 'The peer opens too many streams.'))
      this.#init.onOffence?.({ kind: 'flood', peer: name })
      return
    }
    const admission = this.#admissions.of(name)
    const { clock = systemClock } = this.#party
    const begun = clock.now()
    const frames = new Frames(stream, this.#party.clock)
    try {
      const served = await serveExchange(this.#party, shares, admission, peer.toMultihash().bytes, frames, {
        signal: this.#stopped.signal,
        ...(onProved && { onProved }),
        onGranted: (ms) => onHandshake?.({ role: 'provider', ms }),
      })
      logger.debug('served an exchange', { account: served.account, shares: served.sent })
      onServed?.({ ...served, traffic: frames.traffic, ms: clock.now() - begun })
    } catch (thrown) {
      if (thrown instanceof RefusalError) onRefusal?.(thrown.refusal)
      else if (!this.#stopped.signal.aborted) onCut?.(thrown)
      const code = thrown instanceof RefusalError ? thrown.refusal : thrown instanceof SlotmeshError ? thrown.code : ''
      const fields = { peer: name, code, reason: messageOf(thrown), ...causeOf(thrown) }
      logger.info('an exchange ended early', fields)
      this.#blame(thrown, frames, 'requester', { peer: name, account: admission.proved })
    } finally {
      admission.leave()
    }
  }

  #blame(thrown: unknown, frames: Frames, role: 'requester' | 'provider', who: Omit<Offence, 'kind'>): void {
    const kind = offenceOf(thrown, { frames, isKnown: who.account !== undefined, role })
    if (kind !== undefined) this.#init.onOffence?.({ kind, ...who })
  }
}
