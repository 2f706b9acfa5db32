// libp2p 3 calls Promise.withResolvers, which Node 20 lacks; before anything of libp2p is loaded.
import 'core-js/actual/promise/with-resolvers.js'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { type Identify, identify } from '@libp2p/identify'
import { type Ed25519PrivateKey, type Libp2p, type Metrics, type PeerId, setMaxListeners } from '@libp2p/interface'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { isPrivate } from '@libp2p/utils'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { AccountSigner } from '../crypto/index.js'
import {
  type AccountId,
  type Clock,
  type Hex,
  type Logger,
  messageOf,
  type Registry,
  SlotmeshError,
  systemClock,
} from '../domain/index.js'
import { multiaddrsAt } from './api-uri.js'
import { type EntryHost, stayConnected } from './bootstrap.js'
import { HostDatastore } from './datastore.js'
import { enterTable, type MeshDht, type MeshTable, meetNeighbours, meshDht, putEverywhere } from './dht.js'
import { countingDht, type DhtTraffic } from './dht-traffic.js'
import { Directory } from './directory.js'
import { Door } from './door.js'
import { dialRegistered, enterByRegistry } from './entry.js'
import { HandOver } from './hand-over.js'
import { KnownRecords } from './known-records.js'
import { LIMITS } from './limits.js'
import { RecordPublisher, type Seat } from './publisher.js'
import { type RecordCodec, recordAddresses } from './record.js'
import { type ResolvedEnclave, Resolver } from './resolver.js'
import { Settling } from './settling.js'

export interface MeshHostInit {
  /** Seed of the Ed25519 key behind the PeerId: 32 bytes; not kept, so the caller may zero it. */
  readonly privateKey: Uint8Array
  /** Multiaddrs to listen on; TCP. */
  readonly listen: readonly string[]
  /** Multiaddrs to tell others instead of those listened on. */
  readonly announce?: readonly string[]
  /** Multiaddrs to enter the mesh by, with or without `/p2p/<PeerId>`; one's own among them is passed over. */
  readonly bootstrap: readonly string[]
  /** Whether loopback and local-network addresses are dialled and told to others: for meshes that live there. */
  readonly allowPrivateAddresses: boolean
  /** New connections per second that are accepted from one address; 50 by default. */
  readonly inboundConnectionThreshold?: number
  /** Connections at most; 300 by default. */
  readonly maximumConnections?: number
  /** Whether there is to be no connection with this PeerId just now. */
  readonly isShut?: (peer: string) => boolean
  readonly genesisHash: Hex
  /** The enclave account. */
  readonly signer: AccountSigner
  /** The registry as of the latest finalised block. */
  readonly registry: () => Registry
  readonly logger: Logger
  /** The system's by default. */
  readonly clock?: Clock
  /** Plain TCP by default; a simulation's has links of its own making. */
  readonly transport?: MeshTransport
  /** What libp2p counts goes there; nowhere by default. */
  readonly metrics?: MeshMetrics
  /** In [0, 1), for jitter; the system's by default. */
  readonly random?: () => number
  /** Asks an enclave's API where its host is; by HTTP, by default. */
  readonly askApi?: (apiUri: string, options: { readonly signal: AbortSignal }) => Promise<readonly Multiaddr[]>
}

/** Makes the transport by which a host listens and dials. */
export type MeshTransport = ReturnType<typeof tcp>

/** Takes what libp2p counts. */
export type MeshMetrics = Metrics

/** What a host is made on: libp2p, as far as it is used here. */
export type MeshNode = EntryHost &
  Pick<
    Libp2p,
    'handle' | 'unhandle' | 'register' | 'unregister' | 'addEventListener' | 'getPeers' | 'start' | 'stop'
  > & {
    readonly peerStore: Pick<Libp2p['peerStore'], 'patch' | 'merge'>
    readonly services: { readonly dht: MeshTable }
  }

/** A libp2p host that finds enclaves by their accounts and can be found by its own. */
export interface MeshHost<Node extends MeshNode = Libp2p<NodeServices>> {
  readonly peerId: PeerId
  /** For other protocols to register on. */
  readonly libp2p: Node
  /** What others can dial, each with `/p2p/<PeerId>`; empty before the start. */
  multiaddrs(): string[]

  /**
   * Listens, and enters the mesh in the background. A host is started once.
   *
   * @throws SlotmeshError `mesh/address-in-use`, `mesh/cannot-listen`.
   */
  start(): Promise<void>
  /** Closes everything; safe to call twice. */
  stop(): Promise<void>

  /**
   * Tells the mesh where this enclave is, now and for as long as the host runs; again when the seat changes. It
   * returns when the record is signed: handing it to peers and to the DHT goes on in the background.
   *
   * @throws SlotmeshError `mesh/no-address` when there is no address that others could dial.
   */
  publish(seat: Seat): Promise<void>

  /** Whether the newest record known of an enclave names this peer. */
  knows(account: AccountId, peer: string): boolean

  /** Whether the newest record known of any enclave names this peer. */
  names(peer: string): boolean

  /** The PeerId that the newest record known of an enclave names. */
  peerOf(account: AccountId): string | undefined

  /** The PeerIds with which there is a connection. */
  connected(): ReadonlySet<string>

  /**
   * Where an enclave is, by its own signed record.
   *
   * @throws SlotmeshError `mesh/enclave-not-found` after a few lookups; the signal's reason when it aborts.
   */
  resolve(account: AccountId, options: { signal: AbortSignal }): Promise<ResolvedEnclave>

  dhtTraffic(): DhtTraffic
}

/** @throws SlotmeshError `mesh/bad-address` when a configured multiaddr is none. */
export function createMeshHost(init: MeshHostInit): Promise<MeshHost> {
  const { allowPrivateAddresses, clock } = init
  const askApi: MeshHostInit['askApi'] = (apiUri, { signal }) =>
    multiaddrsAt(apiUri, { allowPrivateAddresses, signal, clock })
  return createMeshHostOn(createNode, { askApi, ...init })
}

/**
 * As {@link createMeshHost}, on what `make` makes in place of libp2p: the discrete simulation has a model of it, and of
 * the signatures of records.
 */
export async function createMeshHostOn<Node extends MeshNode>(
  make: (init: MeshHostInit, parts: NodeParts) => Promise<Node>,
  init: MeshHostInit,
  codec?: RecordCodec,
): Promise<MeshHost<Node>> {
  const listen = parseAddresses('listen', init.listen)
  const announce = parseAddresses('announce', init.announce ?? [])
  const bootstrap = parseAddresses('bootstrap', init.bootstrap).slice(0, LIMITS.bootstrap.addresses)
  const privateKey = await generateKeyPairFromSeed('Ed25519', init.privateKey)
  const { genesisHash, registry, logger, signer, clock = systemClock, random = Math.random } = init

  const known: KnownRecords = new KnownRecords({
    genesisHash,
    registry,
    clock,
    ...(codec && { codec }),
    onNews: async ({ account, peerId, multiaddrs, sequence }, former) => {
      if (account === signer.account) {
        if (sequence > (publisher.record?.sequence ?? sequence)) publisher.outbid()
      } else if (former !== undefined) {
        // Where it was before it is not any more. Whoever is to be dialled for the first time is remembered then.
        await libp2p.peerStore.patch(peerId, { multiaddrs: [...multiaddrs] })
      }
    },
  })
  const libp2p = await make(init, { listen, announce, privateKey, known })
  const { dht } = libp2p.services
  const counting = countingDht(dht)
  const publisher = new RecordPublisher({
    genesisHash,
    signer,
    privateKey,
    known,
    addresses: () => recordAddresses(libp2p.getMultiaddrs(), init.allowPrivateAddresses),
    put: (key, value, signal) => putEverywhere(counting.dht, key, value, signal),
    hasPeers: () => dht.routingTable.size > 0 && settling.isOver,
    clock,
    ...(codec && { codec }),
    random,
    logger,
  })
  const handOver = new HandOver({ libp2p, known, own: () => publisher.record?.bytes, clock, logger })
  const shutdown = new AbortController()
  const join = () => {
    publisher.peerArrived({ alone: true })
    void meetNeighbours(counting.dht, libp2p.peerId, { shutdown: shutdown.signal, clock, logger })
  }
  const settling: Settling = new Settling({ registry, clock, random, onSettled: join })
  const isSettled = () => settling.isOver
  const directory = new Directory({
    libp2p,
    known,
    registry,
    account: signer.account,
    isSettled,
    clock,
    random,
    logger,
  })
  setMaxListeners(Infinity, shutdown.signal)
  const entry = { libp2p, registry, account: signer.account, clock, random, askApi: init.askApi, logger }
  const resolver = new Resolver({
    libp2p,
    dht: counting.dht,
    directory,
    patienceMs: () => {
      const { small, entering, settled } = LIMITS.directory.patienceMs
      if (settling.isSmall) return small
      return settling.isOver ? settled : entering
    },
    known,
    dialRegistered: (account, { signal }) => dialRegistered(account, { ...entry, signal }),
    clock,
    logger,
  })
  let background: Promise<unknown> = Promise.resolve()
  let stopEntering: (() => void) | undefined

  return {
    peerId: libp2p.peerId,
    libp2p,
    multiaddrs: () => libp2p.getMultiaddrs().map(String),

    async start() {
      await handOver.start()
      await directory.start()
      dht.routingTable.addEventListener('peer:add', () => {
        settling.entered()
        // All that come until then are there by then.
        if (!settling.isOver) return
        if (dht.routingTable.size === 1) join()
        else publisher.peerArrived({ alone: false })
      })
      await listenOrExplain(libp2p, init.listen)
      libp2p.addEventListener('self:peer:update', () => publisher.addressesChanged())
      const enter = (): void => {
        directory.registryMayHaveChanged()
        void enterTable(dht, () => libp2p.getPeers(), { shutdown: shutdown.signal, clock, logger })
        stopEntering = clock.after(LIMITS.dht.entryIntervalMs, enter)
      }
      stopEntering = clock.after(LIMITS.dht.entryIntervalMs, enter)
      const { signal } = shutdown
      background = Promise.all([
        ...bootstrap.map((address) => stayConnected({ libp2p, address, signal, clock, random, logger })),
        enterByRegistry({ ...entry, signal }),
      ])
    },

    async stop() {
      shutdown.abort()
      stopEntering?.()
      settling.stop()
      await Promise.all([publisher.stop(), handOver.stop(), directory.stop(), background])
      await libp2p.stop()
    },

    publish: (seat) => publisher.publish(seat),
    knows: (account, peer) => known.current(account)?.record.peerId.toString() === peer,
    names: (peer) => known.names(peer),
    peerOf: (account) => known.current(account)?.record.peerId.toString(),
    connected: () => new Set(libp2p.getPeers().map(String)),
    resolve: (account, { signal }) => resolver.resolve(account, signal),
    dhtTraffic: counting.traffic,
  }
}

/** What a host is made of besides what it was asked for. */
export interface NodeParts {
  readonly listen: readonly Multiaddr[]
  readonly announce: readonly Multiaddr[]
  readonly privateKey: Ed25519PrivateKey
  readonly known: KnownRecords
}

type NodeServices = { identify: Identify; ping: Ping; dht: MeshDht }

async function createNode(
  init: MeshHostInit,
  { listen, announce, privateKey, known }: NodeParts,
): Promise<Libp2p<NodeServices>> {
  const { connections } = LIMITS
  const {
    genesisHash,
    allowPrivateAddresses,
    inboundConnectionThreshold,
    isShut,
    transport = tcp(),
    metrics,
    logger,
  } = init
  const { maximumConnections = connections.total } = init
  const isKnown = (peer: string) => known.names(peer)
  const door = new Door({ maximum: maximumConnections, isKnown, isShut: isShut ?? (() => false) })
  const libp2p = await createLibp2p<NodeServices>({
    start: false,
    privateKey,
    datastore: new HostDatastore(known),
    // Nobody needs to know which versions of what run inside an enclave.
    nodeInfo: { name: 'slotmesh', version: '1', userAgent: 'slotmesh' },
    addresses: { listen: listen.map(String), announce: announce.map(String) },
    transports: [transport],
    connectionEncrypters: [noise()],
    // The connection monitor below already asks whether the other side lives. And with yamux's own pings its windows would
    // grow beyond what libp2p keeps of a stream that is paused (4 MiB), which then resets it.
    streamMuxers: [yamux({ enableKeepAlive: false, maxInboundStreams: connections.streams })],
    connectionGater: { ...door.gater, ...(!allowPrivateAddresses && { denyDialMultiaddr: isPrivate }) },
    connectionManager: {
      maxConnections: maximumConnections,
      maxIncomingPendingConnections: connections.pending,
      maxParallelDials: connections.parallelDials,
      dialTimeout: connections.dialMs,
      addressDialTimeout: connections.dialMs,
      inboundUpgradeTimeout: connections.dialMs,
      inboundConnectionThreshold: inboundConnectionThreshold ?? connections.inboundPerSecond,
    },
    ...(metrics && { metrics: () => metrics }),
    connectionMonitor: {
      pingInterval: connections.pingIntervalMs,
      pingTimeout: { minTimeout: connections.pingTimeoutMs },
    },
    services: {
      identify: identify(),
      ping: ping(),
      dht: meshDht({ genesisHash, allowPrivateAddresses, known, logger }),
    },
  })
  door.watch(libp2p)
  return libp2p
}

async function listenOrExplain(libp2p: MeshNode, listen: readonly string[]): Promise<void> {
  try {
    await libp2p.start()
  } catch (thrown) {
    const where = listen.join(', ')
    if (messageOf(thrown).includes('EADDRINUSE')) {
      throw new SlotmeshError(
        'mesh/address-in-use',
        `Cannot listen on ${where}: another program uses that port; stop it or configure another port.`,
        { cause: thrown },
      )
    }
    throw new SlotmeshError(
      'mesh/cannot-listen',
      `Cannot listen on ${where}: check that the addresses belong to this machine and that the ports may be used.`,
      { cause: thrown },
    )
  }
}

function parseAddresses(setting: string, addresses: readonly string[]): Multiaddr[] {
  return addresses.map((address) => {
    try {
      return multiaddr(address)
    } catch (thrown) {
      throw new SlotmeshError(
        'mesh/bad-address',
        `The ${setting} address "${address}" is no multiaddr; write it like /ip4/127.0.0.1/tcp/4001.`,
        { cause: thrown },
      )
    }
  })
}
