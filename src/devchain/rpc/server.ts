import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { z } from 'zod'
import { type Logger, messageOf, SlotmeshError } from '../../domain/index.js'
import type { Faults } from './faults.js'
import { Outbox } from './outbox.js'

/** What one client, or all of them, may use. The first and third are the limits that Substrate's server has. */
const LIMITS = {
  messageBytes: 15 * 1024 * 1024,
  connections: 1000,
  subscriptionsPerConnection: 1024,
  callsPerBatch: 1000,
  goodbyeMilliseconds: 1000,
}

const LOOPBACK = '127.0.0.1'

/** An HTTP status. */
const UNAVAILABLE = 503

/** An error as JSON-RPC 2.0 section 5.1 and Substrate number them. */
export class RpcError extends Error {
  readonly code: number
  readonly data: string | undefined

  constructor(code: number, message: string, data?: string) {
    super(message)
    this.code = code
    this.data = data
  }
}

/** What a method does with the subscription that it opened. */
export interface Subscription {
  /** Sends one notification. */
  send(result: unknown): void
  /** Ends it from this side: nothing will follow. */
  end(): void
}

/** The client that a method answers. */
export interface Client {
  /**
   * Opens a subscription. `start` returns what is to be done when it ends. What is sent while the method still runs
   * follows the method's own answer.
   * @returns the subscription's id, which is the method's answer.
   */
  subscribe(notification: string, start: (subscription: Subscription) => () => void): string
  /** False when there is no such subscription. */
  unsubscribe(id: string): boolean
}

/** Answers a request; it may throw `RpcError`, and `ZodError` for parameters that are not as they should be. */
export type Method = (params: readonly unknown[], client: Client) => unknown

export type Methods = Readonly<Record<string, Method>>

const requestSchema = z.object({
  jsonrpc: z.literal('2.0'),
  id: z.union([z.number(), z.string(), z.null()]),
  method: z.string(),
  params: z.array(z.unknown()).default([]),
})

/** A JSON-RPC 2.0 server with subscriptions on a loopback WebSocket. */
export class RpcServer {
  readonly url: string
  readonly #server: WebSocketServer
  readonly #gate: Gate

  private constructor(server: WebSocketServer, gate: Gate, port: number) {
    this.#server = server
    this.#gate = gate
    this.url = `ws://${LOOPBACK}:${port}`
  }

  /**
   * @param port 0 for any free one.
   * @throws SlotmeshError `devchain/port-in-use` or `devchain/listen-failed`.
   */
  static async listen(port: number, methods: Methods, faults: Faults, logger: Logger): Promise<RpcServer> {
    const gate = new Gate(faults)
    const server = new WebSocketServer({
      host: LOOPBACK,
      port,
      maxPayload: LIMITS.messageBytes,
      verifyClient: (_, answer) => gate.pass(answer),
    })
    try {
      await once(server, 'listening')
    } catch (thrown) {
      const inUse = thrown instanceof Error && 'code' in thrown && thrown.code === 'EADDRINUSE'
      throw inUse
        ? new SlotmeshError(
            'devchain/port-in-use',
            `Port ${port} is already in use; stop what listens there or choose another port.`,
            { cause: thrown },
          )
        : new SlotmeshError(
            'devchain/listen-failed',
            `The development chain could not listen on port ${port}: ${messageOf(thrown)}.`,
            { cause: thrown },
          )
    }
    server.on('error', (error) => logger.error('The development chain’s socket failed', { reason: messageOf(error) }))
    server.on('connection', (socket) => {
      if (server.clients.size > LIMITS.connections) socket.close(1013, 'too many connections')
      else new Session(socket, methods, faults, logger)
    })
    faults.on('pause', () => {
      for (const socket of server.clients) {
        if (faults.isPaused) socket.pause()
        else socket.resume()
      }
    })
    faults.on('drop', () => {
      for (const socket of server.clients) socket.terminate()
    })
    faults.on('garbage', (text) => {
      if (faults.isPaused) return
      for (const socket of server.clients) socket.send(text)
    })
    return new RpcServer(server, gate, (server.address() as AddressInfo).port)
  }

  /** Says goodbye to every client, and cuts off those that do not answer. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#gate.close()
    for (const socket of this.#server.clients) {
      if (socket.isPaused) socket.terminate()
      else socket.close(1001, 'the chain stops')
    }
    const cutOff = setTimeout(() => {
      for (const socket of this.#server.clients) socket.terminate()
    }, LIMITS.goodbyeMilliseconds)
    await closed
    clearTimeout(cutOff)
  }
}

type Verdict = (isWelcome: boolean, status?: number) => void

/** Decides on new connections, at once or when a pause ends. */
class Gate {
  readonly #faults: Faults
  readonly #waiting = new Set<Verdict>()

  constructor(faults: Faults) {
    this.#faults = faults
    faults.on('pause', () => this.#release())
    faults.on('drop', () => this.close())
  }

  pass(answer: Verdict): void {
    if (this.#faults.isPaused && this.#waiting.size < LIMITS.connections) this.#waiting.add(answer)
    else if (this.#faults.refuseConnections) answer(false, UNAVAILABLE)
    else answer(true)
  }

  close(): void {
    for (const answer of this.#waiting) answer(false, UNAVAILABLE)
    this.#waiting.clear()
  }

  #release(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const answer of waiting) this.pass(answer)
  }
}

/** One connection: answers its requests and owns its subscriptions. */
class Session implements Client {
  readonly #methods: Methods
  readonly #faults: Faults
  readonly #logger: Logger
  readonly #outbox: Outbox
  readonly #stops = new Map<string, () => void>()
  /** Notifications that must not overtake the answer to the request in hand. */
  #held: object[] | undefined
  #nextId = 1

  constructor(socket: WebSocket, methods: Methods, faults: Faults, logger: Logger) {
    this.#methods = methods
    this.#faults = faults
    this.#logger = logger
    this.#outbox = new Outbox(socket, faults, logger)
    socket.on('message', (data) => this.#receive(data))
    socket.on('close', () => this.#end())
    socket.on('error', (error) => logger.debug('A client’s connection failed', { reason: messageOf(error) }))
  }

  subscribe(notification: string, start: (subscription: Subscription) => () => void): string {
    if (this.#stops.size >= LIMITS.subscriptionsPerConnection) {
      throw new RpcError(-32006, 'Too many subscriptions on the connection')
    }
    const subscription = `slotmesh${this.#nextId++}`
    let sent = 0
    const stop = start({
      send: (result) => {
        for (let times = this.#timesToSend(notification, sent++); times > 0; times--) {
          this.#send({ jsonrpc: '2.0', method: notification, params: { subscription, result } })
        }
      },
      end: () => this.unsubscribe(subscription),
    })
    this.#stops.set(subscription, stop)
    return subscription
  }

  unsubscribe(id: string): boolean {
    this.#stops.get(id)?.()
    return this.#stops.delete(id)
  }

  #timesToSend(notification: string, sentBefore: number): number {
    switch (this.#faults.notifications) {
      case 'deliver':
        return 1
      case 'duplicate':
        return 2
      case 'skip':
        return notification === 'chain_finalizedHead' && sentBefore % 2 === 1 ? 0 : 1
      case 'none':
        return 0
    }
  }

  #receive(data: RawData): void {
    // What the methods send meanwhile waits until the answer, which names its subscription, is out.
    this.#held = []
    const answer = this.#answerAll(data.toString())
    const held = this.#held
    this.#held = undefined
    for (const message of [answer, ...held]) this.#send(message)
  }

  #answerAll(text: string): object {
    let message: unknown
    try {
      message = JSON.parse(text)
    } catch {
      return failure(null, new RpcError(-32700, 'Parse error'))
    }
    if (!Array.isArray(message)) return this.#answer(message)
    if (message.length === 0 || message.length > LIMITS.callsPerBatch) {
      return failure(null, new RpcError(-32600, 'Invalid request'))
    }
    return message.map((request) => this.#answer(request))
  }

  #answer(message: unknown): object {
    const request = requestSchema.safeParse(message)
    if (!request.success) return failure(null, new RpcError(-32600, 'Invalid request'))
    const { id, method, params } = request.data
    const handler = Object.hasOwn(this.#methods, method) ? this.#methods[method] : undefined
    if (handler === undefined) return failure(id, new RpcError(-32601, 'Method not found'))
    try {
      return { jsonrpc: '2.0', id, result: handler(params, this) ?? null }
    } catch (thrown) {
      if (thrown instanceof RpcError) return failure(id, thrown)
      if (thrown instanceof z.ZodError)
        return failure(id, new RpcError(-32602, 'Invalid params', z.prettifyError(thrown)))
      this.#logger.error('A method of the development chain failed', { method, reason: messageOf(thrown) })
      return failure(id, new RpcError(-32603, 'Internal error', messageOf(thrown)))
    }
  }

  #send(message: object): void {
    if (this.#held !== undefined) {
      this.#held.push(message)
      return
    }
    this.#outbox.send(JSON.stringify(message))
  }

  #end(): void {
    for (const stop of this.#stops.values()) stop()
    this.#stops.clear()
    this.#outbox.close()
  }
}

function failure(id: number | string | null, { code, message, data }: RpcError): object {
  return { jsonrpc: '2.0', id, error: { code, message, ...(data === undefined ? {} : { data }) } }
}
