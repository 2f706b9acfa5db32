import type { AbortOptions, PeerId, PeerInfo, TypedEventTarget } from '@libp2p/interface'
import {
  type KadDHT,
  type KadDHTComponents,
  kadDHT,
  type QueryEvent,
  type RoutingTable,
  removePrivateAddressesMapper,
} from '@libp2p/kad-dht'
import { bounded, type Clock, type Hex, type Logger, messageOf, SlotmeshError } from '../domain/index.js'
import type { KnownRecords } from './known-records.js'
import { LIMITS } from './limits.js'
import { Neighbourhood } from './neighbourhood.js'
import { RECORD_NAMESPACE, selectRecord } from './record.js'

export interface TableEvents {
  'peer:add': CustomEvent<PeerId>
  'peer:remove': CustomEvent<PeerId>
}

/** kad-dht's only implementation has this too; its factory's declaration leaves it out. */
export interface MeshDht extends KadDHT {
  readonly routingTable: RoutingTable &
    TypedEventTarget<TableEvents> & {
      /** Does nothing when the peer does not answer a ping. */
      add(peer: PeerId, options: AbortOptions): Promise<void>
      remove(peer: PeerId): Promise<void>
    }
}

type EventOf<Name extends QueryEvent['name']> = Extract<QueryEvent, { readonly name: Name }>

/** What is looked at of what a query tells. */
export type MeshQueryEvent =
  | (Pick<EventOf<'PEER_RESPONSE'>, 'name' | 'messageName'> & {
      readonly record?: Pick<NonNullable<EventOf<'PEER_RESPONSE'>['record']>, 'value'>
    })
  | Pick<EventOf<'SEND_QUERY'>, 'name' | 'messageName'>
  | { readonly name: Exclude<QueryEvent['name'], 'PEER_RESPONSE' | 'SEND_QUERY'> }

/** What a host needs of the DHT of its mesh. */
export interface MeshTable {
  get(key: Uint8Array, options: AbortOptions): AsyncIterable<MeshQueryEvent>
  put(key: Uint8Array, value: Uint8Array, options: AbortOptions): AsyncIterable<MeshQueryEvent>
  getClosestPeers(key: Uint8Array, options: AbortOptions): AsyncIterable<MeshQueryEvent>
  readonly routingTable: Pick<MeshDht['routingTable'], 'size' | 'add'> &
    Pick<TypedEventTarget<TableEvents>, 'addEventListener'>
}

interface MeshDhtInit {
  readonly genesisHash: Hex
  readonly allowPrivateAddresses: boolean
  readonly known: KnownRecords
  readonly logger: Logger
}

/** A libp2p service: the DHT of one chain's mesh, which holds enclave records and nothing else. */
export function meshDht(init: MeshDhtInit): (components: KadDHTComponents) => MeshDht {
  const { genesisHash, allowPrivateAddresses, known, logger } = init
  const { bucketSize, parallelRequests, streams, selfQueryIntervalMs } = LIMITS.dht

  return (components) => {
    const { peerId, connectionManager, events } = components
    const neighbourhood = new Neighbourhood(peerId, bucketSize)
    const isConnected = (peer: PeerId) => connectionManager.getConnections(peer).length > 0
    // kad-dht asks this of peers that it hears of, and drops those that come back without addresses.
    const admit = (peer: PeerInfo): PeerInfo =>
      neighbourhood.admits(peer.id, isConnected) ? peer : { ...peer, multiaddrs: [] }

    const dht = kadDHT({
      protocol: `/ternoa/${genesisHash.slice(2, 10)}/kad/1.0.0`,
      clientMode: false,
      peerInfoMapper: allowPrivateAddresses ? admit : (peer) => removePrivateAddressesMapper(admit(peer)),
      validators: {
        [RECORD_NAMESPACE]: async (key, value) => {
          await known.accept(value, { key })
        },
        // kad-dht brings this namespace along, and would store what anyone puts there.
        pk: refuse,
      },
      selectors: { [RECORD_NAMESPACE]: (_key, records) => selectRecord(records) },
      kBucketSize: bucketSize,
      alpha: parallelRequests,
      maxInboundStreams: streams,
      maxOutboundStreams: streams,
      querySelfInterval: selfQueryIntervalMs,
      // The host itself looks for its neighbours once it has settled.
      initialQuerySelfInterval: selfQueryIntervalMs,
      // Else every lookup waits until this node has met all its neighbours.
      allowQueryWithZeroPeers: true,
    })(components) as MeshDht

    dht.routingTable.addEventListener('peer:add', ({ detail }) => neighbourhood.add(detail))
    dht.routingTable.addEventListener('peer:remove', ({ detail }) => neighbourhood.remove(detail))
    // kad-dht itself keeps, and tells others of, those who are gone for good.
    events.addEventListener('peer:reconnect-failure', ({ detail: peer }) => {
      dht.routingTable.remove(peer).catch((thrown: unknown) => {
        logger.debug('Could not forget a peer that is gone', { peer: peer.toString(), reason: messageOf(thrown) })
      })
    })
    return dht
  }
}

function refuse(): void {
  throw new SlotmeshError('mesh/namespace-refused', 'This DHT holds enclave records only.')
}

/**
 * Takes connected peers into an empty routing table. kad-dht tries each only once, when it connects, and a peer that is
 * too busy then to answer its ping would leave this node outside for good. Never rejects.
 */
export async function enterTable(
  dht: MeshTable,
  peers: () => readonly PeerId[],
  { shutdown, clock, logger }: { shutdown: AbortSignal; clock: Clock; logger: Logger },
): Promise<void> {
  if (dht.routingTable.size > 0) return
  const nearest = peers().slice(0, LIMITS.dht.bucketSize)
  const results = await bounded({ signals: [shutdown], timeoutMs: LIMITS.dht.meetingMs, clock }, (signal) =>
    Promise.allSettled(nearest.map((peer) => dht.routingTable.add(peer, { signal }))),
  )
  for (const result of results) {
    if (result.status === 'fulfilled' || shutdown.aborted) continue
    logger.debug('Could not take a peer into the routing table', { reason: messageOf(result.reason) })
  }
}

/** Kademlia's way in: a lookup of oneself, which makes oneself known to the peers on its way. Never rejects. */
export async function meetNeighbours(
  dht: Pick<MeshTable, 'getClosestPeers'>,
  self: PeerId,
  { shutdown, clock, logger }: { shutdown: AbortSignal; clock: Clock; logger: Logger },
): Promise<void> {
  try {
    let met = 0
    await bounded({ signals: [shutdown], timeoutMs: LIMITS.dht.meetingMs, clock }, async (signal) => {
      for await (const event of dht.getClosestPeers(self.toMultihash().bytes, { signal })) {
        if (event.name === 'FINAL_PEER') met += 1
      }
    })
    logger.debug('Met the neighbours in the DHT', { met })
  } catch (thrown) {
    if (!shutdown.aborted) logger.debug('Could not meet all neighbours in the DHT', { reason: messageOf(thrown) })
  }
}

/** @returns whether there were peers nearest to the key and all of them took the value. */
export async function putEverywhere(
  dht: Pick<MeshTable, 'put'>,
  key: Uint8Array,
  value: Uint8Array,
  signal: AbortSignal,
): Promise<boolean> {
  let sent = 0
  let taken = 0
  for await (const event of dht.put(key, value, { signal })) {
    if (event.name === 'SEND_QUERY' && event.messageName === 'PUT_VALUE') sent += 1
    if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') taken += 1
  }
  return sent > 0 && taken === sent
}
