import type { PeerId, StreamHandler } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Counters } from './counters.js'
import type { EventLoop } from './loop.js'
import type { Network, Place } from './network.js'
import type { Processor } from './processor.js'

/** A host as those see it whom it sends to, and by whom it is sent for. */
export interface NetworkEndpoint {
  readonly peerId: PeerId
  readonly address: Multiaddr
  readonly loop: EventLoop
  readonly network: Network
  readonly place: Place
  readonly processor: Processor
  readonly counters: Counters
  readonly isListening: boolean
  /** Bytes have come in for this host; they are taken in turn, when its processor is free. */
  receive(bytes: number, deliver: () => void, cost?: number): void
  /** @param open inbound streams of the protocol on the same connection. */
  handlerOf(protocol: string, open: number): StreamHandler | undefined
}
