import { on, once } from 'node:events'
import { WebSocket } from 'ws'
import { z } from 'zod'

const messageSchema = z.object({
  id: z.number().nullish(),
  method: z.string().optional(),
  result: z.unknown().optional(),
  params: z.object({ result: z.unknown() }).optional(),
})

type Message = z.infer<typeof messageSchema>

/** A block may be large, and the machine busy. */
const PATIENCE_MS = 30_000

/** A plain JSON-RPC client, for what `@polkadot/api` would not send and not show. */
export class RawClient {
  readonly socket: WebSocket
  /** What came and is no JSON-RPC message. */
  readonly garbage: string[] = []
  readonly #received: Message[] = []
  #nextId = 1

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data) => {
      const text = data.toString()
      try {
        this.#received.push(messageSchema.parse(JSON.parse(text)))
      } catch {
        this.garbage.push(text)
      }
    })
  }

  static async connect(url: string): Promise<RawClient> {
    const socket = new WebSocket(url)
    socket.setMaxListeners(0)
    const client = new RawClient(socket)
    await once(socket, 'open')
    return client
  }

  /** Sends a message and gives the next answer; notifications that come first are passed over. */
  async ask(text: string): Promise<unknown> {
    const messages = on(this.socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) })
    this.socket.send(text)
    for await (const [data] of messages) {
      const message: unknown = JSON.parse(`${data}`)
      if (typeof message !== 'object' || message === null || !('method' in message)) return message
    }
    return undefined
  }

  call(method: string, ...params: unknown[]): Promise<unknown> {
    return this.ask(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))
  }

  /** What a method answers, while others may be under way. */
  async result(method: string, ...params: unknown[]): Promise<unknown> {
    const id = this.#nextId++
    this.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    await this.until(() => this.#received.some((message) => message.id === id))
    return this.#received.find((message) => message.id === id)?.result
  }

  /** What subscriptions told so far. */
  notified(notification: string): unknown[] {
    return this.#received.flatMap(({ method, params }) => (method === notification ? [params?.result] : []))
  }

  /** Waits until a message made it true. */
  async until(isMet: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    while (!isMet()) await once(this.socket, 'message', { signal })
  }

  close(): void {
    this.socket.close()
  }
}
