import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'

/** What a wire does with a message from the chain: what this returns is passed on. */
type Rewrite = (message: string) => string[]

/** What a wire makes of the chain's answer to a request. */
type Tamper = (result: unknown, request: { readonly method: string; readonly params: readonly unknown[] }) => unknown

/** What a wire says to a request itself; `undefined` when the chain is to answer. */
type Intercept = (request: {
  readonly method: string
  readonly params: readonly unknown[]
}) => { readonly result: unknown } | { readonly error: { code: number; message: string; data?: string } } | undefined

/** Stands between a node and its chain, to break their connection and to tamper with what the chain says. */
export class Wire {
  readonly url: string
  rewrite: Rewrite = (message) => [message]
  tamper: Tamper = (result) => result
  intercept: Intercept = () => undefined
  /** The methods of the requests that came. */
  readonly requests: string[] = []
  /** While false, nobody gets in. */
  isUp = true
  /** How many connections there were. */
  connections = 0
  readonly #server: WebSocketServer

  private constructor(server: WebSocketServer, target: string) {
    this.#server = server
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('connection', (client) => this.#join(client, target))
  }

  static async start(target: string): Promise<Wire> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    await once(server, 'listening')
    return new Wire(server, target)
  }

  /** Breaks every connection without a word. */
  cut(): void {
    for (const client of this.#server.clients) client.terminate()
  }

  /** Says something of its own. */
  say(message: string): void {
    for (const client of this.#server.clients) client.send(message)
  }

  async stop(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(client: WebSocket, target: string): void {
    if (!this.isUp) {
      client.terminate()
      return
    }
    this.connections += 1
    const chain = new WebSocket(target)
    const waiting: string[] = []
    const requests = new Map<number, { method: string; params: unknown[] }>()
    client.on('message', (data) => {
      const { id, method, params } = JSON.parse(data.toString())
      this.requests.push(method)
      const own = this.intercept({ method, params })
      if (own !== undefined) {
        client.send(JSON.stringify({ jsonrpc: '2.0', id, ...own }))
        return
      }
      requests.set(id, { method, params })
      if (chain.readyState === WebSocket.OPEN) chain.send(data.toString())
      else waiting.push(data.toString())
    })
    chain.on('open', () => {
      for (const message of waiting) chain.send(message)
    })
    chain.on('message', (data) => {
      const answer = JSON.parse(data.toString())
      const request = requests.get(answer.id)
      requests.delete(answer.id)
      if (request !== undefined && 'result' in answer) answer.result = this.tamper(answer.result, request)
      for (const message of this.rewrite(JSON.stringify(answer))) client.send(message)
    })
    chain.on('error', () => client.terminate())
    chain.on('close', () => client.terminate())
    client.on('close', () => chain.terminate())
  }
}
