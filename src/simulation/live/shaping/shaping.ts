import { EventEmitter, once } from 'node:events'
import {
  type Connection,
  type CreateListenerOptions,
  type DialTransportOptions,
  type Listener,
  type MultiaddrConnection,
  type Transport,
  transportSymbol,
  type Upgrader,
} from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import type { Multiaddr } from '@multiformats/multiaddr'
import { pause } from '../../../domain/index.js'
import type { MeshTransport } from '../../../mesh/index.js'
import { ShapedConnection, type ShapedLink } from './connection.js'
import { type LinkShape, PLAIN_LINK } from './link.js'

/** The links of one enclave that are not plain, by the PeerId at their other end. */
export type LinkTable = readonly (readonly [peer: string, shape: LinkShape])[]

/**
 * The network as one enclave sees it: TCP, on which the connections that this enclave dials take the time of their
 * links. What links are like can change at any time, and holds for open connections, too.
 */
export class Shaping {
  readonly #random: () => number
  readonly #connections = new Set<MultiaddrConnection>()
  readonly #shaped = new Set<ShapedConnection>()
  readonly #changes = new EventEmitter().setMaxListeners(0)
  #links: ReadonlyMap<string, LinkShape> = new Map()

  /** @param random from 0 up to 1: which segments are lost, and how much each piece is late. */
  constructor(random: () => number) {
    this.#random = random
  }

  /** Makes the transport for a node; of one node at a time. */
  readonly transport: MeshTransport = (components) => new ShapedTransport(tcp()(components), this)

  change(links: LinkTable): void {
    this.#links = new Map(links)
    this.#changes.emit('change')
  }

  /** Drops every connection, dialled or not, as a router that forgets them would. */
  dropConnections(): void {
    const dropped = new Error('The connection was dropped.')
    for (const connection of [...this.#connections]) connection.abort(dropped)
  }

  /** Lets go of what waits for a link that is cut; nothing of this enclave crosses any more. */
  end(): void {
    const ended = new Error('The enclave has ended.')
    for (const connection of [...this.#shaped]) connection.cutOff(ended)
  }

  /** Waits as long as a TCP connection to this peer takes to open: a way there and one back, without end when cut. */
  async reach(peer: string | undefined, signal: AbortSignal): Promise<void> {
    const link = this.#link(peer)
    while (link.shape().isCut) await once(this.#changes, 'change', { signal })
    const { latency, jitter } = link.shape()
    if (latency + jitter > 0) await pause(2 * latency + jitter * this.#random(), { signal })
  }

  shaped(inner: MultiaddrConnection, peer: string | undefined): MultiaddrConnection {
    const connection = new ShapedConnection(inner, this.#link(peer))
    this.#shaped.add(connection)
    inner.addEventListener('close', () => this.#shaped.delete(connection), { once: true })
    return connection
  }

  keep<Kept extends MultiaddrConnection>(connection: Kept): Kept {
    this.#connections.add(connection)
    connection.addEventListener('close', () => this.#connections.delete(connection), { once: true })
    return connection
  }

  #link(peer: string | undefined): ShapedLink {
    return {
      shape: () => (peer === undefined ? undefined : this.#links.get(peer)) ?? PLAIN_LINK,
      random: this.#random,
      onChange: (listener) => {
        this.#changes.on('change', listener)
        return () => this.#changes.off('change', listener)
      },
    }
  }
}

/** TCP with the upgrader put between, which is where libp2p's connections are to be had. */
class ShapedTransport implements Transport {
  readonly [transportSymbol] = true
  readonly [Symbol.toStringTag] = 'shaped-tcp'
  readonly #inner: Transport
  readonly #shaping: Shaping

  constructor(inner: Transport, shaping: Shaping) {
    this.#inner = inner
    this.#shaping = shaping
  }

  async dial(address: Multiaddr, options: DialTransportOptions): Promise<Connection> {
    const peer = address.getComponents().findLast(({ name }) => name === 'p2p')?.value
    await this.#shaping.reach(peer, options.signal)
    const shape = (inner: MultiaddrConnection) => this.#shaping.keep(this.#shaping.shaped(inner, peer))
    return this.#inner.dial(address, { ...options, upgrader: upgradeWith(options.upgrader, shape) })
  }

  createListener(options: CreateListenerOptions): Listener {
    const keep = (inner: MultiaddrConnection) => this.#shaping.keep(inner)
    return this.#inner.createListener({ ...options, upgrader: upgradeWith(options.upgrader, keep) })
  }

  listenFilter(addresses: Multiaddr[]): Multiaddr[] {
    return this.#inner.listenFilter(addresses)
  }

  dialFilter(addresses: Multiaddr[]): Multiaddr[] {
    return this.#inner.dialFilter(addresses)
  }
}

function upgradeWith(upgrader: Upgrader, change: (inner: MultiaddrConnection) => MultiaddrConnection): Upgrader {
  return {
    upgradeOutbound: (inner: MultiaddrConnection, options: Parameters<Upgrader['upgradeOutbound']>[1]) =>
      upgrader.upgradeOutbound(change(inner), options),
    upgradeInbound: (inner: MultiaddrConnection, options: Parameters<Upgrader['upgradeInbound']>[1]) =>
      upgrader.upgradeInbound(change(inner), options),
    createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
    getStreamMuxers: () => upgrader.getStreamMuxers(),
    getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
  }
}
