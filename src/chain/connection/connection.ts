import { EventEmitter, once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { bounded, type Logger, messageOf, SlotmeshError } from '../../domain/index.js'
import { closed, unreachable } from '../errors.js'
import { RpcSocket, SocketLost } from './socket.js'

/** Pauses before reconnecting, ms: doubled from the first to the last, each shortened at random by up to half. */
const BACK_OFF = { first: 250, last: 15_000 }

/** A read that fails with its socket is sent again on the next ones, this often at most. */
const READ_ATTEMPTS = 3

export interface ConnectionOptions {
  /** `ws://` or `wss://` URL. */
  readonly endpoint: string
  /** How long to wait for a connection, ms. */
  readonly timeoutMs: number
  readonly logger: Logger
  /** Readies every new socket, the first and those after a loss, before anything else uses it; may throw. */
  readonly prepare: (socket: RpcSocket, signal: AbortSignal) => Promise<void>
}

/** A connection that is made anew, with growing pauses, whenever its socket is lost. */
export class Connection {
  /** Aborts when the connection is closed. */
  readonly closing: AbortSignal
  readonly #options: ConnectionOptions
  readonly #closing = new AbortController()
  readonly #events = new EventEmitter()
  #socket: RpcSocket | undefined

  private constructor(options: ConnectionOptions) {
    this.#options = options
    this.closing = this.#closing.signal
    this.#events.setMaxListeners(0)
  }

  /** @throws SlotmeshError `chain/bad-endpoint`, `chain/unreachable`, or what `prepare` throws. */
  static async open(options: ConnectionOptions): Promise<Connection> {
    checkEndpoint(options.endpoint)
    const connection = new Connection(options)
    try {
      await connection.#connect()
      return connection
    } catch (thrown) {
      connection.close()
      throw thrown
    }
  }

  get endpoint(): string {
    return this.#options.endpoint
  }

  /**
   * Sends a request that may safely arrive twice: it is repeated when the socket is lost.
   * @throws RequestRefused; SlotmeshError `chain/unreachable` when there is no connection for too long; or the
   * signal's reason.
   */
  async read(method: string, params: unknown[], signal: AbortSignal): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      const socket = await this.socket(signal)
      try {
        return await socket.call(method, params, signal)
      } catch (thrown) {
        if (!(thrown instanceof SocketLost)) throw thrown
        if (attempt === READ_ATTEMPTS) throw unreachable(this.endpoint, thrown)
      }
    }
  }

  /** The socket in use, waiting for one if need be. @throws as `read` does. */
  async socket(signal: AbortSignal): Promise<RpcSocket> {
    signal.throwIfAborted()
    if (this.closing.aborted) throw closed()
    if (this.#socket?.closed.aborted === false) return this.#socket
    try {
      await bounded({ signals: [signal, this.closing], timeoutMs: this.#options.timeoutMs }, (limited) =>
        once(this.#events, 'connected', { signal: limited }),
      )
    } catch (thrown) {
      signal.throwIfAborted()
      throw this.closing.aborted ? closed() : unreachable(this.endpoint, thrown)
    }
    return this.socket(signal)
  }

  close(): void {
    this.#closing.abort(closed())
    this.#socket?.close()
  }

  async #connect(): Promise<void> {
    const { endpoint, timeoutMs, prepare } = this.#options
    let socket: RpcSocket | undefined
    try {
      socket = await bounded({ signals: [this.closing], timeoutMs }, async (signal) => {
        socket = await RpcSocket.open(endpoint, signal)
        await prepare(socket, signal)
        signal.throwIfAborted()
        return socket
      })
    } catch (thrown) {
      socket?.close()
      const isTooLate = thrown instanceof DOMException && thrown.name === 'TimeoutError'
      throw thrown instanceof SocketLost || isTooLate ? unreachable(endpoint, thrown) : thrown
    }
    // Lost in the meantime, it is left to whoever called: the first connection fails, a later one is tried again.
    if (socket.closed.aborted) throw unreachable(endpoint)
    this.#socket = socket
    socket.closed.addEventListener('abort', () => void this.#reconnect())
    this.#events.emit('connected')
  }

  async #reconnect(): Promise<void> {
    const { endpoint, logger } = this.#options
    for (let attempt = 0; !this.closing.aborted; attempt++) {
      const pause = backOff(attempt)
      logger.warn('the connection to the chain is lost', { endpoint, retryInMs: Math.round(pause) })
      try {
        await delay(pause, undefined, { signal: this.closing })
        await this.#connect()
        logger.info('connected to the chain again', { endpoint })
        return
      } catch (thrown) {
        if (!this.closing.aborted) logger.warn('no connection to the chain yet', { reason: messageOf(thrown) })
      }
    }
  }
}

function backOff(attempt: number): number {
  const longest = Math.min(BACK_OFF.first * 2 ** attempt, BACK_OFF.last)
  return longest * (1 - Math.random() / 2)
}

function checkEndpoint(endpoint: string): void {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url !== undefined && /^wss?:$/.test(url.protocol) && url.hash === '') return
  throw new SlotmeshError(
    'chain/bad-endpoint',
    `"${endpoint}" is no address of a chain: give the ws:// or wss:// URL of one of its nodes.`,
  )
}
