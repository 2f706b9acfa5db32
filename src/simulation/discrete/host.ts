import type {
  AbortOptions,
  Connection,
  Libp2pEvents,
  PeerId,
  Stream,
  StreamHandler,
  StreamHandlerOptions,
  Topology,
} from '@libp2p/interface'
import { TypedEventEmitter } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { bounded } from '../../domain/index.js'
import { MESH_LIMITS, type MeshNode } from '../../mesh/index.js'
import { type ConnectedHost, ModelConnection } from './connection.js'
import { BYTES, COSTS } from './costs.js'
import type { Counters } from './counters.js'
import type { DhtHost, ModelTable } from './dht.js'
import { Fifo } from './fifo.js'
import type { EventLoop } from './loop.js'
import type { Network, Place } from './network.js'
import type { Processor } from './processor.js'

/** TCP, multistream and Noise, multistream and Yamux. */
const DIAL_ROUND_TRIPS = 4

/** What a host stands on. */
export interface HostParts {
  readonly peerId: PeerId
  /** Where it listens, without its PeerId. */
  readonly address: Multiaddr
  readonly loop: EventLoop
  readonly network: Network
  readonly place: Place
  readonly processor: Processor
  readonly counters: Counters
  readonly directory: HostDirectory
  readonly makeTable: (host: ModelHost) => ModelTable
}

/** Who listens where, in the whole network. */
export class HostDirectory {
  readonly #byPeer = new Map<string, ModelHost>()
  readonly #byAddress = new Map<string, ModelHost>()
  #connections = 0

  listening(host: ModelHost): void {
    this.#byPeer.set(host.peerId.toString(), host)
    this.#byAddress.set(host.address.toString(), host)
  }

  gone(host: ModelHost): void {
    if (this.#byPeer.get(host.peerId.toString()) === host) this.#byPeer.delete(host.peerId.toString())
    if (this.#byAddress.get(host.address.toString()) === host) this.#byAddress.delete(host.address.toString())
  }

  at(target: PeerId | Multiaddr | readonly Multiaddr[]): ModelHost | undefined {
    if ('toMultihash' in target) return this.#byPeer.get(target.toString())
    const [address] = [target].flat()
    return address && this.#byAddress.get(address.toString().replace(/\/p2p\/.*/, ''))
  }

  nextConnection(): string {
    this.#connections += 1
    return String(this.#connections)
  }
}

/** A libp2p host, as far as slotmesh uses one, on a modelled network. */
export class ModelHost extends TypedEventEmitter<Libp2pEvents> implements MeshNode, ConnectedHost, DhtHost {
  readonly peerId: PeerId
  readonly address: Multiaddr
  readonly loop: EventLoop
  readonly network: Network
  readonly place: Place
  readonly processor: Processor
  readonly counters: Counters
  readonly services: { readonly dht: ModelTable }
  /** Where somebody listens is known of everybody whose PeerId is. */
  readonly peerStore: MeshNode['peerStore'] = { patch: noPeer, merge: noPeer }
  readonly #directory: HostDirectory
  readonly #handlers = new Map<string, { readonly handler: StreamHandler; readonly most: number }>()
  readonly #topologies = new Map<string, { readonly protocol: string; readonly topology: Topology }>()
  readonly #byPeer = new Map<string, Connection[]>()
  /** The one that was used longest ago first. */
  readonly #connections = new Set<ModelConnection>()
  readonly #dials = new Map<ModelHost, Promise<ModelConnection>>()
  readonly #inbox = new Fifo<{ readonly cost: number; readonly deliver: () => void }>()
  #isReceiving = false
  #isListening = false

  constructor(parts: HostParts) {
    super()
    this.peerId = parts.peerId
    this.address = parts.address
    this.loop = parts.loop
    this.network = parts.network
    this.place = parts.place
    this.processor = parts.processor
    this.counters = parts.counters
    this.#directory = parts.directory
    this.services = { dht: parts.makeTable(this) }
  }

  get isListening(): boolean {
    return this.#isListening
  }

  get connections(): ReadonlySet<ModelConnection> {
    return this.#connections
  }

  start(): void {
    this.#isListening = true
    this.#directory.listening(this)
    this.services.dht.start()
  }

  async stop(): Promise<void> {
    this.vanish()
    for (const connection of [...this.#connections]) await connection.close()
  }

  /** Its process has ended: its machine tells those who are connected so. */
  crash(): void {
    this.vanish()
    for (const { other } of this.#connections) {
      if (other === undefined) continue
      const { network, place } = this
      const reset = () => other.drop(new Error('The connection was reset.'))
      const tell = () => this.loop.after(network.delay(place, other.host.place, BYTES.frame), reset)
      if (network.cutSince(place, other.host.place) === undefined) tell()
      else network.onHealing(tell)
    }
    this.processor.end()
  }

  /** Nobody can connect any more. */
  vanish(): void {
    this.#isListening = false
    this.#directory.gone(this)
    this.services.dht.stop()
  }

  getMultiaddrs(): Multiaddr[] {
    return this.#isListening ? [this.address] : []
  }

  getPeers(): PeerId[] {
    return [...this.#connections].map(({ remotePeer }) => remotePeer)
  }

  getConnections(peer?: PeerId): Connection[] {
    if (peer === undefined) return [...this.#connections]
    return this.#byPeer.get(peer.toString()) ?? NO_CONNECTIONS
  }

  async handle(protocols: string | string[], handler: StreamHandler, options?: StreamHandlerOptions): Promise<void> {
    for (const protocol of [protocols].flat()) {
      this.#handlers.set(protocol, { handler, most: options?.maxInboundStreams ?? Number.POSITIVE_INFINITY })
    }
  }

  async unhandle(protocols: string | string[]): Promise<void> {
    for (const protocol of [protocols].flat()) this.#handlers.delete(protocol)
  }

  /** @param open inbound streams of the protocol on the same connection. */
  handlerOf(protocol: string, open: number): StreamHandler | undefined {
    const known = this.#handlers.get(protocol)
    return known !== undefined && open < known.most ? known.handler : undefined
  }

  async register(protocol: string, topology: Topology): Promise<string> {
    const id = String(this.#topologies.size)
    this.#topologies.set(id, { protocol, topology })
    return id
  }

  unregister(id: string): void {
    this.#topologies.delete(id)
  }

  async dial(target: PeerId | Multiaddr | Multiaddr[], options?: AbortOptions): Promise<Connection> {
    options?.signal?.throwIfAborted()
    const host = this.#directory.at(target)
    if (host === undefined) return this.#refused('toMultihash' in target ? target.toString() : String(target))
    return await this.connect(host, options)
  }

  async dialProtocol(
    target: PeerId | Multiaddr | Multiaddr[],
    protocols: string | string[],
    options?: AbortOptions,
  ): Promise<Stream> {
    const connection = await this.dial(target, options)
    return await connection.newStream(protocols, options)
  }

  connectionTo(host: DhtHost): ModelConnection | undefined {
    const [connection] = this.#byPeer.get(host.peerId.toString()) ?? []
    return connection instanceof ModelConnection ? connection : undefined
  }

  /** The connection there is, or a new one; one dial at a time to each. */
  async connect(host: ModelHost, options?: AbortOptions): Promise<ModelConnection> {
    const open = this.connectionTo(host)
    if (open !== undefined) return open
    const running = this.#dials.get(host)
    if (running !== undefined) return running
    const dial = this.#dialHost(host, options)
    this.#dials.set(host, dial)
    try {
      return await dial
    } finally {
      this.#dials.delete(host)
    }
  }

  /** Bytes have come in for this host; they are taken in turn, when its processor is free. */
  receive(bytes: number, deliver: () => void, cost = COSTS.message + bytes * COSTS.messageByte): void {
    this.#inbox.push({ cost, deliver })
    if (!this.#isReceiving) this.#receiveNext()
  }

  /** A connection is in use: others are closed before it. */
  used(connection: ModelConnection): void {
    if (!this.#connections.delete(connection)) return
    this.#connections.add(connection)
  }

  forget(connection: ModelConnection): void {
    this.#connections.delete(connection)
    const name = connection.remotePeer.toString()
    const others = (this.#byPeer.get(name) ?? []).filter((each) => each !== connection)
    if (others.length === 0) this.#byPeer.delete(name)
    else this.#byPeer.set(name, others)
    this.safeDispatchEvent('connection:close', { detail: connection })
  }

  /** What a dial takes on the line, in ms; it is counted on both sides. */
  dialTrip(host: DhtHost): number {
    this.counters.dials += 1
    for (const counters of [this.counters, host.counters]) counters.bytes += BYTES.dial / 2
    return DIAL_ROUND_TRIPS * this.network.roundTrip(this.place, host.place)
  }

  /** Waits out what the network takes for a dial, and charges both sides. @throws when nobody answers. */
  async #shakeHands(host: ModelHost, signal: AbortSignal): Promise<void> {
    const { network, place, loop, processor } = this
    await processor.work(COSTS.dialSide)
    while (network.cutSince(place, host.place) !== undefined) await this.#healed(signal)
    const trip = this.dialTrip(host)
    await new Promise<void>((resolve) => loop.after(host.isListening ? trip : trip / DIAL_ROUND_TRIPS, resolve))
    signal.throwIfAborted()
    if (!host.isListening) this.#refused(host.peerId.toString())
    await host.processor.work(COSTS.dialSide)
  }

  async #dialHost(host: ModelHost, options?: AbortOptions): Promise<ModelConnection> {
    const signals = options?.signal ? [options.signal] : []
    const bounds = { signals, timeoutMs: MESH_LIMITS.connections.dialMs, clock: this.processor }
    await bounded(bounds, (signal) => aborting(this.#shakeHands(host, signal), signal))
    if (!this.#isListening || !host.#isListening) this.#refused(host.peerId.toString())
    // Both may have dialled each other meanwhile; libp2p keeps both, and so does this.
    const connection = ModelConnection.between(this.#directory.nextConnection(), this, host)
    if (connection.other !== undefined) host.#opened(connection.other)
    this.#opened(connection)
    return connection
  }

  #opened(connection: ModelConnection): void {
    const { network, place, loop } = this
    const name = connection.remotePeer.toString()
    this.#connections.add(connection)
    this.#byPeer.set(name, [...(this.#byPeer.get(name) ?? []), connection])
    this.services.dht.connected(connection.remotePeer)
    // Identify tells what the other speaks.
    loop.after(network.roundTrip(place, connection.remote.place), () => {
      this.processor.whenFree(() => {
        if (connection.status !== 'open') return
        for (const { protocol, topology } of this.#topologies.values()) {
          if (connection.remote.handlerOf(protocol, 0) !== undefined)
            void topology.onConnect?.(connection.remotePeer, connection)
        }
      })
    })
    this.#prune()
  }

  /** As libp2p does when there are too many. */
  #prune(): void {
    for (const connection of this.#connections) {
      if (this.#connections.size <= MESH_LIMITS.connections.total) break
      if (connection.streams.length === 0) void connection.close()
    }
  }

  #receiveNext(): void {
    this.#isReceiving = true
    this.processor.whenFree(() => {
      const next = this.#inbox.shift()
      if (next !== undefined) {
        this.processor.charge(next.cost)
        next.deliver()
      }
      if (this.#inbox.size > 0) this.#receiveNext()
      else this.#isReceiving = false
    })
  }

  #refused(peer: string): never {
    throw new Error(`The dial to ${peer} was refused.`)
  }

  #healed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        callOff()
        reject(signal.reason)
      }
      const callOff = this.network.onHealing(() => {
        signal.removeEventListener('abort', abort)
        resolve()
      })
      if (signal.aborted) return abort()
      signal.addEventListener('abort', abort, { once: true })
    })
  }
}

const NO_CONNECTIONS: Connection[] = []

/** Addresses are known without being remembered; nobody looks at what this returns. */
async function noPeer(id: PeerId): ReturnType<MeshNode['peerStore']['patch']> {
  return { id, addresses: [], protocols: [], metadata: new Map(), tags: new Map() }
}

function aborting<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject)
  })
}

/** What every mesh node listens on: a private address of its own. */
export function addressOf(number: number): Multiaddr {
  return multiaddr(`/ip4/10.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}/tcp/4001`)
}
