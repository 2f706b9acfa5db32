import type {
  AbortOptions,
  Connection,
  ConnectionStatus,
  Logger,
  MessageStreamEvents,
  MultiaddrConnectionTimeline,
  PeerId,
  Stream,
} from '@libp2p/interface'
import { StreamCloseEvent, TypedEventEmitter } from '@libp2p/interface'
import { AbstractStream } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Uint8ArrayList } from 'uint8arraylist'
import { BYTES, COSTS } from './costs.js'
import type { NetworkEndpoint } from './network-endpoint.js'

/** libp2p's own log says nothing here. */
const NO_LOG: Logger = Object.assign(() => undefined, {
  enabled: false,
  error: () => undefined,
  trace: () => undefined,
  newScope: () => NO_LOG,
})

/** A host whose connections are kept account of. */
export interface ConnectedHost extends NetworkEndpoint {
  /** A connection is in use: others are closed before it. */
  used(connection: ModelConnection): void
  forget(connection: ModelConnection): void
}

/** What Yamux lets be under way on a stream before the other side has taken it, in bytes. */
const WINDOW_BYTES = 256 * 1024

/** One end of a connection between two nodes. What is sent arrives whole and in order, or not at all. */
export class ModelConnection
  extends TypedEventEmitter<Omit<MessageStreamEvents, 'drain' | 'message' | 'end'>>
  implements Connection
{
  readonly id: string
  readonly host: ConnectedHost
  readonly remote: ConnectedHost
  readonly direction: 'inbound' | 'outbound'
  readonly timeline: MultiaddrConnectionTimeline = { open: 0 }
  readonly multiplexer = '/yamux/1.0.0'
  readonly encryption = '/noise'
  readonly direct = true
  readonly log = NO_LOG
  readonly streams: ModelStream[] = []
  status: ConnectionStatus = 'open'
  #other: ModelConnection | undefined
  /** What was sent last arrives then; Unix ms. */
  #lastArrival = 0
  /** What cannot be sent while the network is cut. */
  readonly #held: (() => void)[] = []

  private constructor(id: string, host: ConnectedHost, remote: ConnectedHost, direction: 'inbound' | 'outbound') {
    super()
    this.id = id
    this.host = host
    this.remote = remote
    this.direction = direction
  }

  /** @returns the end of the one that dialled. */
  static between(id: string, dialler: ConnectedHost, dialled: ConnectedHost): ModelConnection {
    const one = new ModelConnection(id, dialler, dialled, 'outbound')
    const other = new ModelConnection(id, dialled, dialler, 'inbound')
    one.#other = other
    other.#other = one
    return one
  }

  get other(): ModelConnection | undefined {
    return this.#other
  }

  get remotePeer(): PeerId {
    return this.remote.peerId
  }

  get remoteAddr(): Multiaddr {
    return this.remote.address
  }

  /** Sends so many bytes; `deliver` is called at the other end when they are there and its processor is free. */
  transmit(bytes: number, deliver: (end: ModelConnection) => void): void {
    const other = this.#other
    if (this.status !== 'open' || other === undefined) return
    const { network, place, processor, loop, counters } = this.host
    const send = () => {
      const trip = network.delay(place, other.host.place, bytes + BYTES.frame)
      this.#lastArrival = Math.max(this.#lastArrival, processor.freeAt + trip)
      loop.at(this.#lastArrival, () => {
        if (other.status !== 'open') {
          this.#resetAfter(trip)
          return
        }
        other.host.receive(bytes, () => {
          if (other.status === 'open') deliver(other)
        })
      })
    }
    counters.messages += 1
    counters.bytes += bytes + BYTES.frame
    const isCut = network.cutSince(place, other.host.place) !== undefined
    if (!isCut && this.#held.length === 0) {
      send()
      return
    }
    if (this.#held.length === 0) {
      network.onHealing(() => {
        for (const each of this.#held.splice(0)) if (this.status === 'open') each()
      })
    }
    this.#held.push(send)
  }

  /** The machine at the other end knows of no such connection any more, and says so. */
  #resetAfter(ms: number): void {
    const { network, place, loop } = this.host
    const tell = () => loop.after(ms, () => this.drop(new Error('The connection was reset.')))
    if (network.cutSince(place, this.remote.place) === undefined) tell()
    else network.onHealing(tell)
  }

  async newStream(protocols: string | string[], options?: AbortOptions): Promise<Stream> {
    const [protocol = ''] = [protocols].flat()
    if (this.status !== 'open') throw new Error('The connection is closed.')
    options?.signal?.throwIfAborted()
    this.host.used(this)
    const stream = new ModelStream(this, protocol, 'outbound')
    this.streams.push(stream)
    this.host.processor.charge(COSTS.streamSide)
    await new Promise<void>((resolve, reject) => {
      const fail = (reason: unknown) => {
        stream.abort(reason instanceof Error ? reason : new Error(String(reason)))
        reject(reason)
      }
      const abort = () => fail(options?.signal?.reason)
      options?.signal?.addEventListener('abort', abort, { once: true })
      stream.addEventListener('close', () => reject(new Error('The connection closed meanwhile.')), { once: true })
      // Multistream-select takes one round trip.
      this.transmit(protocol.length, (end) => {
        const isTaken = end.#accept(stream, protocol)
        end.transmit(protocol.length, () => {
          options?.signal?.removeEventListener('abort', abort)
          if (isTaken) resolve()
          else fail(new Error(`The peer does not speak ${protocol}, or not more of it.`))
        })
      })
    })
    return stream
  }

  async close(): Promise<void> {
    this.#end(undefined)
  }

  abort(error: Error): void {
    this.#end(error)
  }

  /** Ends this side alone, as when nothing more can be heard of the other. */
  drop(error: Error | undefined): void {
    if (this.status !== 'open') return
    this.status = error === undefined ? 'closed' : 'aborted'
    this.host.forget(this)
    for (const stream of this.streams.splice(0)) stream.onTransportClosed(error)
    this.dispatchEvent(new StreamCloseEvent(error !== undefined, error))
  }

  /** Forgets a stream that has ended. */
  ended(stream: ModelStream): void {
    const at = this.streams.indexOf(stream)
    if (at >= 0) this.streams.splice(at, 1)
  }

  #end(error: Error | undefined): void {
    this.transmit(0, (end) => end.drop(error))
    this.drop(error)
  }

  /** @returns whether this side speaks the protocol, and has room for one more stream of it. */
  #accept(stream: ModelStream, protocol: string): boolean {
    const open = this.streams.filter((each) => each.protocol === protocol && each.direction === 'inbound').length
    const handler = this.host.handlerOf(protocol, open)
    if (handler === undefined) return false
    this.host.used(this)
    this.host.processor.charge(COSTS.streamSide)
    const inbound = new ModelStream(this, protocol, 'inbound')
    this.streams.push(inbound)
    stream.joinTo(inbound)
    void handler(inbound, this)
    return true
  }
}

/** libp2p's own stream, on modelled bytes. */
export class ModelStream extends AbstractStream {
  readonly #connection: ModelConnection
  #other: ModelStream | undefined
  /** Bytes on their way that the other side has not taken. */
  #underWay = 0
  /** Bytes that came while this side was paused. */
  #untaken = 0
  #mayResume: (() => void) | undefined

  constructor(connection: ModelConnection, protocol: string, direction: 'inbound' | 'outbound') {
    super({ id: protocol, protocol, log: NO_LOG, direction })
    this.#connection = connection
    this.addEventListener('close', () => connection.ended(this), { once: true })
  }

  joinTo(other: ModelStream): void {
    this.#other = other
    other.#other = this
  }

  override sendData(data: Uint8ArrayList): { sentBytes: number; canSendMore: boolean } {
    const sentBytes = data.byteLength
    this.#underWay += sentBytes
    this.#connection.transmit(sentBytes, () => this.#other?.receiveData(data))
    return { sentBytes, canSendMore: this.#underWay < WINDOW_BYTES }
  }

  override sendReset(): void {
    this.#connection.transmit(0, () => {
      if (this.#other?.status === 'open') this.#other.onRemoteReset()
    })
  }

  override async sendCloseWrite(): Promise<void> {
    this.#connection.transmit(0, () => this.#other?.onRemoteCloseWrite())
  }

  override async sendCloseRead(): Promise<void> {
    this.#connection.transmit(0, () => this.#other?.onRemoteCloseRead())
  }

  override sendPause(): void {
    // Nothing is told: the window is not opened again, that is all.
  }

  override sendResume(): void {
    this.#mayResume?.()
  }

  receiveData(data: Uint8ArrayList): void {
    this.#untaken += data.byteLength
    const take = () => {
      const taken = this.#untaken
      this.#untaken = 0
      if (taken > 0) this.#connection.transmit(0, () => this.#other?.openWindow(taken))
    }
    this.#mayResume = take
    this.onData(data)
    // The window is opened again when enough of it is used up, as Yamux does.
    if (this.readStatus === 'readable' && this.#untaken >= WINDOW_BYTES / 2) take()
  }

  openWindow(bytes: number): void {
    this.#underWay -= bytes
    if (this.writableNeedsDrain && this.#underWay < WINDOW_BYTES) this.safeDispatchEvent('drain')
  }
}
