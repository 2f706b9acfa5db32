/** What one node has done over the network so far. */
export class Counters {
  /** All messages and bytes on the wire, sent and received. */
  messages = 0
  bytes = 0
  dials = 0
  dhtLookups = 0
  /** Requests sent. */
  dhtMessages = 0
  /** Quotes of this node's, as requester and as provider. */
  quotes = 0
  /** Exchanges that this node asked for and that went well, with what both sides handed to the stream. */
  exchanges = 0
  shareBytes = 0
  shareMessages = 0
  failedExchanges = 0
  /** Exchanges that this node has served. */
  served = 0
}
