/** What one node has done over the network so far. */
export class Counters {
  /** Messages and bytes, sent and received. */
  messages = 0
  bytes = 0
  dials = 0
  dhtLookups = 0
  dhtMessages = 0
  /** Exchanges that came as far as a quote of this node's. */
  attestations = 0
  exchanges = 0
  failedExchanges = 0
  /** Exchanges that this node has served. */
  served = 0
}
