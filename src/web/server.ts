import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { messageOf, SlotmeshError } from '../domain/index.js'
import { refuse, SECURITY_HEADERS } from './answers.js'

/** At once, streams that stay open included. */
const MOST_CONNECTIONS = 128

/** For paths alone. */
const ORIGIN = 'http://127.0.0.1'

export interface WebServerOptions {
  readonly host: string
  /** Any that is free when it is 0. */
  readonly port: number
  /** Whether a request was meant for this server by name; see {@link namesHere}. */
  readonly isMeant: (request: IncomingMessage) => boolean
  /** Throws SlotmeshError for what the asker has done wrong. */
  readonly answer: (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void> | void
}

/** A small HTTP server with bounds, for what a program shows of itself. */
export class WebServer {
  readonly #options: WebServerOptions
  readonly #server: Server
  #port = 0

  constructor(options: WebServerOptions) {
    this.#options = options
    this.#server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
      void this.#answer(request, response)
    })
    this.#server.maxConnections = MOST_CONNECTIONS
  }

  /** 0 before it listens. */
  get port(): number {
    return this.#port
  }

  /** @throws SlotmeshError `web/cannot-listen` */
  async open(): Promise<void> {
    const { host, port } = this.#options
    try {
      this.#server.listen(port, host)
      await once(this.#server, 'listening')
    } catch (cause) {
      const sentence = `Cannot listen on ${host}, port ${port}: ${messageOf(cause)}; choose another address or port.`
      throw new SlotmeshError('web/cannot-listen', sentence, { cause })
    }
    const address = this.#server.address()
    if (address !== null && typeof address === 'object') this.#port = address.port
  }

  /** Ends streams as well; safe to call twice. */
  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
    const { url = '/' } = request
    try {
      if (!this.#options.isMeant(request)) {
        refuse(response, 403, 'This server is not known by that name; open it by the address that was printed.')
      } else if (!URL.canParse(url, ORIGIN)) {
        refuse(response, 404, 'There is no such page.')
      } else {
        await this.#options.answer(request, response, new URL(url, ORIGIN))
      }
    } catch (thrown) {
      const isExpected = thrown instanceof SlotmeshError
      refuse(response, isExpected ? 400 : 500, isExpected ? thrown.message : 'That could not be done.')
    }
  }
}
