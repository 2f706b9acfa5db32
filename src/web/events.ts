import type { ServerResponse } from 'node:http'

/** Bytes that a slow reader may leave waiting before it is cut off. */
const TOO_SLOW = 16_000_000
/** ms between two signs of life. */
const HEARTBEAT_MS = 15_000

/** Server-sent events to one page that looks on. `Messages`: what goes under which name. */
export class EventSender<Messages extends object> {
  readonly #response: ServerResponse
  readonly #ended = new AbortController()
  readonly #heartbeat: NodeJS.Timeout

  constructor(response: ServerResponse) {
    this.#response = response
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    // Without a byte the page would not know yet that it is connected.
    response.write(':\n\n')
    this.#heartbeat = setInterval(() => response.write(':\n\n'), HEARTBEAT_MS).unref()
    response.on('close', () => this.#end())
    response.on('error', () => this.#end())
  }

  /** Aborts when the page is gone, or the stream was closed. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  /** Bytes that the page has not taken yet. */
  get waiting(): number {
    return this.#response.writableLength
  }

  send<Name extends keyof Messages & string>(name: Name, message: Messages[Name]): void {
    if (this.#ended.signal.aborted) return
    this.#response.write(`event: ${name}\ndata: ${JSON.stringify(message)}\n\n`)
    if (this.#response.writableLength > TOO_SLOW) this.#response.destroy()
  }

  close(): void {
    this.#response.end()
    this.#end()
  }

  #end(): void {
    clearInterval(this.#heartbeat)
    this.#ended.abort()
  }
}
