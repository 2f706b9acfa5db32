import { EventEmitter, once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { bounded, type Logger, messageOf, type SlotmeshError } from '../../domain/index.js'
import { closed, codeOf, isMalformed, isUnknownBlock, noneUsable, unreachable } from '../errors.js'
import { type Endpoint, type EndpointFailure, Endpoints } from './endpoints.js'
import { isUnanswered, RpcSocket, SocketLost } from './socket.js'

/** A read that fails with its socket is sent again on the next ones, this often at most. */
const READ_ATTEMPTS = 3

/** An endpoint that was in use for this long, ms, is trusted as if it had never failed. */
const PROBATION_MS = 60_000

export interface ConnectionOptions {
  /** `ws://` or `wss://` URLs, the first that works is used. */
  readonly endpoints: readonly string[]
  /** How long to wait for a connection to one of them, ms. */
  readonly timeoutMs: number
  readonly logger: Logger
  /** Readies every new socket, the first and those after a loss, before anything else uses it; throws to refuse it. */
  readonly prepare: (socket: RpcSocket, signal: AbortSignal) => Promise<void>
}

/** How a connection is. */
export interface ConnectionHealth {
  readonly state: 'connected' | 'connecting'
  /** In use now, or before it was lost. */
  readonly endpoint: string
  /** When it came into that state, Unix ms. */
  readonly since: number
  /** All of them, in the order in which they were given. */
  readonly endpoints: readonly { readonly url: string; readonly lastFailure: EndpointFailure | undefined }[]
}

/** A connection to one of several endpoints, made anew, with growing pauses for each, whenever its socket is lost. */
export class Connection {
  /** Aborts when the connection is closed. */
  readonly closing: AbortSignal
  readonly #options: ConnectionOptions
  readonly #endpoints: Endpoints
  readonly #closing = new AbortController()
  readonly #events = new EventEmitter()
  #socket: RpcSocket | undefined
  #since = Date.now()
  /** Which endpoints were of no help, and at what. */
  #tried = { reason: '', endpoints: new Set<string>() }

  private constructor(options: ConnectionOptions) {
    this.#options = options
    this.#endpoints = new Endpoints(options.endpoints)
    this.closing = this.#closing.signal
    this.#events.setMaxListeners(0)
  }

  /** @throws SlotmeshError `chain/bad-endpoint`, `chain/unreachable`, or what `prepare` throws at every endpoint. */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(options)
    try {
      await connection.#connectFirst()
      return connection
    } catch (thrown) {
      connection.close()
      throw thrown
    }
  }

  /** In use now, or before it was lost. */
  get endpoint(): string {
    return this.#socket?.endpoint ?? this.#options.endpoints[0] ?? ''
  }

  /** The socket in use, if there is one. */
  get current(): RpcSocket | undefined {
    return this.#socket?.closed.aborted === false ? this.#socket : undefined
  }

  /** Those that are not in use. */
  get others(): readonly Endpoint[] {
    return this.#endpoints.all.filter(({ url }) => url !== this.current?.endpoint)
  }

  get health(): ConnectionHealth {
    return {
      state: this.current === undefined ? 'connecting' : 'connected',
      endpoint: this.endpoint,
      since: this.#since,
      endpoints: this.#endpoints.all.map(({ url, lastFailure }) => ({ url, lastFailure })),
    }
  }

  /**
   * Sends a request that may safely arrive twice: it is repeated when the socket is lost.
   * @param check reads the answer; where it throws, the endpoint is left
   * @throws RequestRefused; SlotmeshError `chain/unreachable` when there is no connection for too long, or no readable
   * answer; what else `check` throws, or the signal's reason.
   */
  async read<T>(
    method: string,
    params: readonly unknown[],
    signal: AbortSignal,
    check: (answer: unknown) => T,
  ): Promise<T> {
    let first: string | undefined
    for (let attempt = 1; ; attempt++) {
      const socket = await this.socket(signal)
      first ??= socket.endpoint
      try {
        return await socket.read(method, params, signal, check)
      } catch (thrown) {
        if (isUnknownBlock(thrown)) {
          // What was asked for may rest on the word of the former endpoint, and is to be asked for anew.
          if (socket.endpoint !== first) throw this.#unreachable(thrown)
          socket.lose('chain/block-unknown', 'it does not have a block that is final')
        }
        if (!isUnknownBlock(thrown) && !(thrown instanceof SocketLost) && !isMalformed(thrown)) throw thrown
        if (attempt === READ_ATTEMPTS) throw this.#unreachable(thrown)
      }
    }
  }

  /** The socket in use, waiting for one if need be. @throws as `read` does. */
  async socket(signal: AbortSignal): Promise<RpcSocket> {
    for (;;) {
      signal.throwIfAborted()
      if (this.closing.aborted) throw closed()
      if (this.current !== undefined) return this.current
      // Each endpoint may take its time.
      const timeoutMs = this.#options.timeoutMs * this.#endpoints.all.length
      try {
        await bounded({ signals: [signal, this.closing], timeoutMs }, (limited) =>
          once(this.#events, 'connected', { signal: limited }),
        )
      } catch (thrown) {
        signal.throwIfAborted()
        throw this.closing.aborted ? closed() : this.#unreachable(thrown)
      }
    }
  }

  /** Leaves the endpoint in use for another that is known to be better. */
  switchTo(better: Endpoint, code: string, reason: string): void {
    this.#endpoints.prefer(better)
    this.current?.lose(code, reason)
  }

  /** Leaves the endpoint in use for another, if there is one that has not been left for the same reason before. */
  tryAnother(code: string, reason: string): void {
    const current = this.current
    if (current === undefined) return
    if (this.#tried.reason !== reason) this.#tried = { reason, endpoints: new Set() }
    this.#tried.endpoints.add(current.endpoint)
    const other = this.others.find(({ url, pause }) => pause === 0 && !this.#tried.endpoints.has(url))
    if (other !== undefined) this.switchTo(other, code, reason)
  }

  close(): void {
    this.#closing.abort(closed())
    this.#socket?.close()
  }

  async #connectFirst(): Promise<void> {
    const failures: unknown[] = []
    for (const endpoint of this.#endpoints.all) {
      try {
        await this.#connect(endpoint)
        return
      } catch (thrown) {
        failures.push(thrown)
      }
    }
    throw noneUsable(
      this.#endpoints.all.map(({ url }) => url),
      failures,
    )
  }

  /** @throws SlotmeshError why not; the endpoint's record has it then. */
  async #connect(endpoint: Endpoint): Promise<void> {
    const { logger } = this.#options
    try {
      const socket = await this.#open(endpoint.url)
      this.#socket = socket
      this.#since = Date.now()
      const proof = setTimeout(() => endpoint.proved(), PROBATION_MS).unref()
      socket.closed.addEventListener('abort', () => {
        clearTimeout(proof)
        this.#lost(endpoint, socket.closed.reason)
      })
      this.#events.emit('connected')
    } catch (thrown) {
      if (this.closing.aborted) throw closed()
      endpoint.failed(thrown)
      const level = codeOf(thrown) === 'chain/forked' ? 'error' : 'warn'
      logger[level]('a chain endpoint cannot be used', { endpoint: endpoint.url, ...told(thrown) })
      throw thrown
    }
  }

  /** A socket that is ready for use. */
  async #open(url: string): Promise<RpcSocket> {
    const { timeoutMs, prepare } = this.#options
    let socket: RpcSocket | undefined
    try {
      return await bounded({ signals: [this.closing], timeoutMs }, async (signal) => {
        socket = await RpcSocket.open(url, signal)
        await prepare(socket, signal)
        signal.throwIfAborted()
        socket.closed.throwIfAborted()
        return socket
      })
    } catch (thrown) {
      socket?.close()
      throw isUnanswered(thrown) ? unreachable([url], thrown) : thrown
    }
  }

  #lost(endpoint: Endpoint, reason: unknown): void {
    if (this.closing.aborted) return
    this.#since = Date.now()
    endpoint.failed(reason)
    const level = codeOf(reason) === 'chain/forked' ? 'error' : 'warn'
    this.#options.logger[level]('a chain endpoint is left', { endpoint: endpoint.url, ...told(reason) })
    void this.#reconnect()
  }

  async #reconnect(): Promise<void> {
    while (!this.closing.aborted) {
      const endpoint = this.#endpoints.next()
      try {
        await delay(endpoint.pause, undefined, { signal: this.closing })
        await this.#connect(endpoint)
        this.#options.logger.info('connected to the chain again', { endpoint: endpoint.url })
        return
      } catch {
        // `#connect` has recorded and told why; the next endpoint, or the same after a pause, may fare better.
      }
    }
  }

  #unreachable(cause: unknown): SlotmeshError {
    return unreachable(
      this.#endpoints.all.map(({ url }) => url),
      cause,
    )
  }
}

/** For a log: the stable reason and the sentence. */
function told(thrown: unknown): { code: string; reason: string } {
  return { code: codeOf(thrown), reason: messageOf(thrown) }
}
