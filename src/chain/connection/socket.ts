import { setMaxListeners } from 'node:events'
import { WsProvider } from '@polkadot/api'
import { messageOf } from '../../domain/index.js'
import { RequestRefused } from '../errors.js'
import { abortable } from './abort.js'

/** An endpoint that takes longer to answer is given up, ms. Pages of storage are the largest answers. */
const REQUEST_TIMEOUT_MS = 30_000

/** The socket closed, gave no answer in time, or answered with something that is no JSON-RPC. */
export class SocketLost extends Error {
  override readonly name = 'SocketLost'
}

/**
 * One WebSocket from opening to closing. It never reconnects by itself: `WsProvider` would, but without an end, in
 * steps of equal length, and with lines on the console.
 */
export class RpcSocket {
  /** Aborts once the socket is of no more use. */
  readonly closed: AbortSignal
  readonly #provider: WsProvider
  readonly #closed = new AbortController()

  private constructor(endpoint: string) {
    this.#provider = new WsProvider(endpoint, false, {}, REQUEST_TIMEOUT_MS)
    this.closed = this.#closed.signal
    setMaxListeners(0, this.closed)
  }

  /** @throws SocketLost when there is no connection, or the signal's reason. */
  static async open(endpoint: string, signal: AbortSignal): Promise<RpcSocket> {
    signal.throwIfAborted()
    const socket = new RpcSocket(endpoint)
    try {
      await abortable(socket.#open(), signal)
      return socket
    } catch (thrown) {
      socket.close()
      throw thrown
    }
  }

  /** @throws RequestRefused, SocketLost, or the signal's reason. */
  call(method: string, params: unknown[], signal: AbortSignal): Promise<unknown> {
    return this.#guarded(method, this.#provider.send<unknown>(method, params, false), signal)
  }

  /**
   * Opens a subscription that lasts as long as the socket, or until it is ended.
   * @param notification the method of its notifications
   * @returns what ends it.
   */
  async subscribe(
    notification: string,
    [open, close]: readonly [open: string, close: string],
    params: unknown[],
    listener: (result: unknown) => void,
    signal: AbortSignal,
  ): Promise<() => void> {
    const opened = this.#provider.subscribe(notification, open, params, (error, result: unknown) => {
      if (error === null) listener(result)
      else this.close()
    })
    const id = await this.#guarded(open, opened, signal)
    return () => {
      // The peer may have ended it before, or be gone: in either case nothing more comes.
      this.#provider.unsubscribe(notification, close, id).catch(() => undefined)
    }
  }

  close(): void {
    this.#closed.abort()
    // Resolves at once in any case; the peer may take its time to close its side.
    void this.#provider.disconnect()
  }

  async #open(): Promise<void> {
    const opened = new Promise<void>((resolve, reject) => {
      let reason = 'closed'
      this.#provider.on('error', (error: unknown) => {
        reason = messageOf(error instanceof Object && 'message' in error ? error.message : error)
      })
      this.#provider.on('disconnected', () => {
        this.#closed.abort()
        reject(new SocketLost(reason))
      })
      this.#provider.on('connected', () => resolve())
    })
    await Promise.all([opened, this.#provider.connect()])
  }

  async #guarded<T>(method: string, answer: Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await abortable(answer, signal)
    } catch (thrown) {
      if (signal.aborted) throw thrown
      if (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'number') {
        const detail = 'data' in thrown && typeof thrown.data === 'string' ? thrown.data : thrown.message
        throw new RequestRefused(method, thrown.code, detail)
      }
      this.close()
      throw new SocketLost(messageOf(thrown), { cause: thrown })
    }
  }
}
