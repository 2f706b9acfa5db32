import { WebSocket } from 'ws'
import type { Logger } from '../../domain/index.js'
import type { Faults } from './faults.js'

/** Bytes that wait for a client that does not read; then it is cut off. */
const UNSENT_BYTES = 64 * 1024 * 1024

/** What is on its way to one client: late by the endpoint's latency, in order, and nothing of it during a pause. */
export class Outbox {
  readonly #socket: WebSocket
  readonly #faults: Faults
  readonly #logger: Logger
  readonly #flushLater = (): void => this.#flush()
  #waiting: { readonly due: number; readonly text: string }[] = []
  #waitingLength = 0
  #timer: NodeJS.Timeout | undefined

  constructor(socket: WebSocket, faults: Faults, logger: Logger) {
    this.#socket = socket
    this.#faults = faults
    this.#logger = logger
    faults.on('pause', this.#flushLater)
  }

  send(text: string): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return
    if (this.#waitingLength + this.#socket.bufferedAmount > UNSENT_BYTES) {
      this.#logger.warn('A client does not read what it subscribed to and is cut off')
      this.#socket.terminate()
      return
    }
    this.#waiting.push({ due: performance.now() + this.#faults.latency, text })
    this.#waitingLength += text.length
    if (this.#timer === undefined) this.#flush()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#waiting = []
    this.#faults.off('pause', this.#flushLater)
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#faults.isPaused) return
    const now = performance.now()
    const later = this.#waiting.findIndex(({ due }) => due > now)
    const ready = this.#waiting.splice(0, later === -1 ? this.#waiting.length : later)
    for (const { text } of ready) {
      this.#waitingLength -= text.length
      this.#socket.send(text)
    }
    const [next] = this.#waiting
    if (next !== undefined) this.#timer = setTimeout(this.#flushLater, Math.ceil(next.due - now))
  }
}
