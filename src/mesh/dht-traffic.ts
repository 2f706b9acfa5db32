import type { MeshQueryEvent, MeshTable } from './dht.js'

/** What a host has asked of the DHT since it was made; kad-dht's own upkeep of its table is not in it. */
export interface DhtTraffic {
  readonly lookups: number
  readonly messages: number
}

type Counted = Pick<MeshTable, 'get' | 'put' | 'getClosestPeers'>

/** A DHT that counts what it is asked for: each call is a lookup, and each query to a peer a message. */
export function countingDht(dht: Counted): { readonly dht: Counted; readonly traffic: () => DhtTraffic } {
  const traffic = { lookups: 0, messages: 0 }
  async function* count(events: AsyncIterable<MeshQueryEvent>): AsyncGenerator<MeshQueryEvent> {
    traffic.lookups += 1
    for await (const event of events) {
      if (event.name === 'SEND_QUERY') traffic.messages += 1
      yield event
    }
  }
  return {
    dht: {
      get: (...call) => count(dht.get(...call)),
      put: (...call) => count(dht.put(...call)),
      getClosestPeers: (...call) => count(dht.getClosestPeers(...call)),
    },
    traffic: () => ({ ...traffic }),
  }
}
