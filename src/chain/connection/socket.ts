import { setMaxListeners } from 'node:events'
import { type RawData, WebSocket } from 'ws'
import { z } from 'zod'
import { abortable, messageOf, SlotmeshError } from '../../domain/index.js'
import { codeOf, RequestRefused } from '../errors.js'

/** The longest message that is taken in, bytes. Metadata has about one million, a page of storage a few. */
const LARGEST_MESSAGE = 32 * 2 ** 20

/** Requests that are sent and not yet answered; those beyond wait for their turn. */
const MOST_IN_FLIGHT = 1_024

/** Requests that wait for their turn; whoever asks for more is told so. */
const MOST_WAITING = 16_384

/** Notifications of subscriptions whose id is still under way. */
const MOST_EARLY = 256

/** Subscriptions that have ended and whose last notifications may still be under way. */
const MOST_ENDED = 1_024

const subscriptionId = z.union([z.string(), z.int()])
const version = { jsonrpc: z.literal('2.0') }

/** What a peer may say: JSON-RPC 2.0, sections 4.1 and 5, with Substrate's form of subscriptions. */
const refusalSchema = z.object({
  ...version,
  id: z.int(),
  error: z.object({ code: z.int(), message: z.string(), data: z.unknown().optional() }),
})
const answerSchema = z.object({ ...version, id: z.int(), result: z.unknown() })
const notificationSchema = z.object({
  ...version,
  method: z.string(),
  params: z.object({ subscription: subscriptionId, result: z.unknown() }),
})

type SubscriptionId = z.output<typeof subscriptionId>
type Listener = (result: unknown) => void

/** Times of a socket, ms. */
export interface SocketTimes {
  /** An endpoint that takes longer to answer is given up; pages of storage are the largest answers. */
  readonly request: number
  /** A WebSocket ping is sent this often, and the socket given up when nothing came since the last one. */
  readonly ping: number
}

const TIMES: SocketTimes = { request: 30_000, ping: 10_000 }

/** Why a socket is of no more use; its code is one of the room's. */
export class SocketLost extends SlotmeshError {
  override readonly name = 'SocketLost'
}

/** Whether opening a socket, or readying it, failed because nobody answers there, or not in time. */
export function isUnanswered(thrown: unknown): boolean {
  if (thrown instanceof SocketLost) return thrown.code === 'chain/disconnected'
  return thrown instanceof DOMException && thrown.name === 'TimeoutError'
}

interface Request {
  readonly method: string
  readonly params: readonly unknown[]
  readonly signal: AbortSignal
  readonly resolve: (result: unknown) => void
  readonly reject: (reason: unknown) => void
}

/**
 * A JSON-RPC client over one WebSocket, from opening to closing. It never reconnects, and gives the socket up at the
 * first message that is neither an answer to a request of its own nor news of one of its subscriptions.
 */
export class RpcSocket {
  readonly endpoint: string
  /** Aborts once the socket is of no more use; the reason is a SocketLost. */
  readonly closed: AbortSignal
  readonly #socket: WebSocket
  readonly #times: SocketTimes
  readonly #closed = new AbortController()
  readonly #inFlight = new Map<number, Request & { readonly timer: NodeJS.Timeout }>()
  readonly #waiting: Request[] = []
  readonly #listeners = new Map<SubscriptionId, Listener>()
  readonly #ended = new Set<SubscriptionId>()
  #opening = 0
  #early: { readonly id: SubscriptionId; readonly result: unknown }[] = []
  #lastId = 0

  private constructor(endpoint: string, times: SocketTimes) {
    this.endpoint = endpoint
    this.#times = times
    this.closed = this.#closed.signal
    setMaxListeners(0, this.closed)
    this.#socket = new WebSocket(endpoint, { maxPayload: LARGEST_MESSAGE, perMessageDeflate: false })
    this.#socket.on('message', (data, isBinary) => this.#receive(data, isBinary))
    this.#socket.on('error', (error) => this.lose('chain/disconnected', messageOf(error)))
    this.#socket.on('close', (code) => this.lose('chain/disconnected', `it closed the connection with code ${code}`))
  }

  /** @throws SocketLost when there is no connection, or the signal's reason. */
  static async open(endpoint: string, signal: AbortSignal, times: SocketTimes = TIMES): Promise<RpcSocket> {
    signal.throwIfAborted()
    const socket = new RpcSocket(endpoint, times)
    try {
      await abortable(socket.#opened(), signal)
      socket.#watch()
      return socket
    } catch (thrown) {
      socket.close()
      throw thrown
    }
  }

  /** @throws RequestRefused, SocketLost, SlotmeshError `chain/too-many-requests`, or the signal's reason. */
  call(method: string, params: readonly unknown[], signal: AbortSignal): Promise<unknown> {
    return abortable(this.#request(method, params, signal), signal)
  }

  /**
   * Sends a request and has its answer checked; an endpoint whose answers are not accepted is not used further.
   * @throws as `call` does, or what `check` throws.
   */
  async read<T>(
    method: string,
    params: readonly unknown[],
    signal: AbortSignal,
    check: (answer: unknown) => T,
  ): Promise<T> {
    const answer = await this.call(method, params, signal)
    try {
      return check(answer)
    } catch (thrown) {
      this.lose(codeOf(thrown), messageOf(thrown), { cause: thrown })
      throw thrown
    }
  }

  /**
   * Opens a subscription that lasts as long as the socket, or until it is ended.
   * @param listener hears everything from the first notification on; is not to throw
   * @returns what ends it.
   * @throws as `call` does.
   */
  async subscribe(
    [open, close]: readonly [open: string, close: string],
    params: readonly unknown[],
    listener: Listener,
    signal: AbortSignal,
  ): Promise<() => void> {
    this.#opening += 1
    const opened = this.#request(open, params, signal)
      .then((answer) => this.#listen(open, answer, listener))
      .finally(() => {
        this.#opening -= 1
        if (this.#opening === 0) this.#early = []
      })
    try {
      const id = await abortable(opened, signal)
      return () => this.#unsubscribe(close, id)
    } catch (thrown) {
      // Nobody waits for it any longer; should it still be opened, it is ended again.
      opened.then(
        (id) => this.#unsubscribe(close, id),
        () => undefined,
      )
      throw thrown
    }
  }

  /** Ends the socket, and every request on it, for a reason of the caller's. */
  lose(code: string, reason: string, options?: ErrorOptions): void {
    if (this.closed.aborted) return
    const sentence = `The connection to ${this.endpoint} is given up: ${reason.replace(/\.$/, '')}.`
    const lost = new SocketLost(code, sentence, options)
    this.#closed.abort(lost)
    this.#socket.terminate()
    for (const { timer } of this.#inFlight.values()) clearTimeout(timer)
    for (const { reject } of [...this.#inFlight.values(), ...this.#waiting]) reject(lost)
    this.#inFlight.clear()
    this.#waiting.length = 0
    this.#listeners.clear()
    this.#early = []
  }

  close(): void {
    this.lose('chain/closed', 'it is not needed any longer')
  }

  #opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.once('open', resolve)
      this.closed.addEventListener('abort', () => reject(this.closed.reason))
    })
  }

  /** A peer that is gone without a word answers no ping. */
  #watch(): void {
    let isAlive = true
    const live = () => {
      isAlive = true
    }
    this.#socket.on('pong', live).on('message', live)
    const timer = setInterval(() => {
      if (!isAlive) this.lose('chain/silent', `nothing came from it for ${this.#times.ping} ms`)
      isAlive = false
      if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping()
    }, this.#times.ping).unref()
    this.closed.addEventListener('abort', () => clearInterval(timer))
  }

  #request(method: string, params: readonly unknown[], signal: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const request = { method, params, signal, resolve, reject }
      if (this.closed.aborted) reject(this.closed.reason)
      else if (this.#inFlight.size < MOST_IN_FLIGHT) this.#send(request)
      else if (this.#waiting.length < MOST_WAITING) this.#waiting.push(request)
      else {
        const message = `${MOST_WAITING} requests wait for ${this.endpoint} already; ask for less at once.`
        reject(new SlotmeshError('chain/too-many-requests', message))
      }
    })
  }

  #send(request: Request): void {
    const { method, params } = request
    const id = ++this.#lastId
    const { request: limit } = this.#times
    const expire = () => this.lose('chain/silent', `it did not answer ${method} within ${limit} ms`)
    // An answer that nobody waits for any longer is still expected.
    this.#inFlight.set(id, { ...request, timer: setTimeout(expire, limit).unref() })
    this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.closed.aborted) return
    try {
      if (isBinary) throw new Error('it is binary')
      // Of a text message `ws` makes one buffer, and has checked that it is UTF-8.
      this.#take(JSON.parse(data.toString()))
    } catch (thrown) {
      this.lose('chain/malformed-answer', `it sent what is no JSON-RPC (${firstLine(thrown)})`, { cause: thrown })
    }
  }

  /** @throws Error when the message is none that was to be expected. */
  #take(message: unknown): void {
    if (!(message instanceof Object)) throw new Error('it is no object')
    if ('method' in message) this.#notify(notificationSchema.parse(message).params)
    else if ('error' in message) {
      const { id, error } = refusalSchema.parse(message)
      const { method, reject } = this.#answered(id)
      reject(new RequestRefused(method, error))
    } else {
      if (!('result' in message)) throw new Error('it has neither a result nor an error')
      const { id, result } = answerSchema.parse(message)
      this.#answered(id).resolve(result)
    }
  }

  #answered(id: number): Request {
    const request = this.#inFlight.get(id)
    if (request === undefined) throw new Error(`there is no request ${id}`)
    clearTimeout(request.timer)
    this.#inFlight.delete(id)
    this.#sendNext()
    return request
  }

  #sendNext(): void {
    let next = this.#waiting.shift()
    while (next?.signal.aborted) {
      next.reject(next.signal.reason)
      next = this.#waiting.shift()
    }
    if (next !== undefined) this.#send(next)
  }

  #notify({ subscription: id, result }: { subscription: SubscriptionId; result?: unknown }): void {
    // Substrate ends a subscription that it cannot keep up with an error in place of a result.
    if (result === undefined) throw new Error('it ended a subscription')
    const listener = this.#listeners.get(id)
    if (listener !== undefined) listener(result)
    else if (this.#opening > 0 && this.#early.length < MOST_EARLY) this.#early.push({ id, result })
    else if (!this.#ended.has(id)) throw new Error('there is no such subscription')
  }

  #listen(method: string, answer: unknown, listener: Listener): SubscriptionId {
    const id = subscriptionId.safeParse(answer)
    if (!id.success || this.#listeners.has(id.data)) {
      this.lose('chain/malformed-answer', `its answer to ${method} is no new subscription`)
      throw this.closed.reason
    }
    this.#listeners.set(id.data, listener)
    this.#ended.delete(id.data)
    const early = this.#early.filter((notification) => notification.id === id.data)
    this.#early = this.#early.filter((notification) => notification.id !== id.data)
    for (const { result } of early) listener(result)
    return id.data
  }

  #unsubscribe(close: string, id: SubscriptionId): void {
    if (!this.#listeners.delete(id)) return
    this.#ended.add(id)
    for (const oldest of this.#ended) {
      if (this.#ended.size <= MOST_ENDED) break
      this.#ended.delete(oldest)
    }
    // The peer may have ended it before, or be gone: in either case nothing more comes.
    this.#request(close, [id], this.closed).catch(() => undefined)
  }
}

/** Of what a parser or a schema complains about, on one line and not at length. */
function firstLine(thrown: unknown): string {
  const text = thrown instanceof z.ZodError ? z.prettifyError(thrown) : messageOf(thrown)
  return text.replaceAll(/\s+/g, ' ').slice(0, 200)
}
