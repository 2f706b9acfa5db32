import { EventEmitter } from 'node:events'
import type { BlockNumber } from '../../domain/index.js'

/** What becomes of notifications; `skip` leaves every second finalised head out, `none` leaves all of them out. */
export type NotificationMode = 'deliver' | 'duplicate' | 'skip' | 'none'

/** What one endpoint does wrong. All of it can be changed at any time and holds for open connections, too. */
export interface EndpointFaults {
  /** Milliseconds by which each answer and notification comes later. Their order is kept, and many can be under way. */
  latency: number
  /** While true, no connection is taken: the WebSocket handshake is answered with HTTP status 503. */
  refuseConnections: boolean
  /**
   * While true, the endpoint is as good as dead and yet connected: it takes new TCP connections and keeps the open
   * ones, but answers no handshake, ping or request and notifies nobody. What came meanwhile is answered afterwards.
   */
  isPaused: boolean
  notifications: NotificationMode
  /** The newest block that the endpoint knows of, as best and as final; lower than before, it goes backwards. */
  showUpTo: BlockNumber | undefined
  /** Cuts every connection without a goodbye. */
  dropConnections(): void
  /** Sends each client a text as it is. */
  sendGarbage(text: string): void
}

/** Tells the parts of an endpoint what is changed about it. */
export class Faults
  extends EventEmitter<Record<'pause' | 'view' | 'drop', []> & { garbage: [text: string] }>
  implements EndpointFaults
{
  latency: number
  refuseConnections = false
  notifications: NotificationMode = 'deliver'
  #isPaused = false
  #showUpTo: BlockNumber | undefined

  constructor(latency: number) {
    super()
    // Each connection listens.
    this.setMaxListeners(0)
    this.latency = latency
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  set isPaused(isPaused: boolean) {
    this.#isPaused = isPaused
    this.emit('pause')
  }

  get showUpTo(): BlockNumber | undefined {
    return this.#showUpTo
  }

  set showUpTo(newest: BlockNumber | undefined) {
    this.#showUpTo = newest
    this.emit('view')
  }

  dropConnections(): void {
    this.emit('drop')
  }

  sendGarbage(text: string): void {
    this.emit('garbage', text)
  }
}
