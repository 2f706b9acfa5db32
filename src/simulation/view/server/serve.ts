import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { messageOf, pause, SlotmeshError } from '../../../domain/index.js'
import { answerJson, refuse, WebServer } from '../../../web/index.js'
import type { RunControls } from '../controls.js'
import { ASSETS } from './assets.js'
import { createGuard } from './guard.js'
import { actionOf, actionSchema, bodyOf } from './requests.js'
import { EventStream, type ShownRun } from './stream.js'

/** Which run is shown, where, and whether it can be meddled with. */
export interface ServeOptions {
  readonly run: ShownRun
  /** Of a run that goes on; without them the page only shows. */
  readonly controls?: RunControls
  /** Any that is free when undefined. */
  readonly port?: number | undefined
}

/** The page of a run while it is served. */
export interface RunningView {
  /** For a browser on this machine; it holds the key that the controls ask for. */
  readonly url: string
  /** Ends the server and its connections. */
  close(): Promise<void>
}

/** Pages that look on at once. */
const MOST_STREAMS = 16
/** So long does a page wait to hear that something was done, ms. */
const PROMPTLY_MS = 1_500

/**
 * Serves the page that shows a run, to this machine alone.
 * @throws SlotmeshError `simulation/port` when the port cannot be used; `web/no-page` when there is no page.
 */
export async function serveView(options: ServeOptions): Promise<RunningView> {
  await ASSETS.check()
  const view = new View(options)
  await view.open()
  return view
}

class View implements RunningView {
  readonly #options: ServeOptions
  readonly #key = randomBytes(16).toString('hex')
  readonly #guard
  readonly #server: WebServer
  readonly #streams = new Set<EventStream>()
  readonly #closed = new AbortController()
  #isPaused = false

  constructor(options: ServeOptions) {
    this.#options = options
    this.#guard = createGuard({ port: () => this.#server.port, key: this.#key })
    this.#server = new WebServer({
      host: '127.0.0.1',
      port: options.port ?? 0,
      isMeant: (request) => this.#guard.maySee(request),
      answer: (request, response, url) => this.#answer(request, response, url),
    })
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}/#key=${this.#key}`
  }

  async open(): Promise<void> {
    try {
      await this.#server.open()
    } catch (cause) {
      const reason = messageOf(cause instanceof Error && cause.cause !== undefined ? cause.cause : cause)
      const sentence = `The page cannot be served at port ${this.#options.port ?? 0}: ${reason}. Choose another port with --ui.`
      throw new SlotmeshError('simulation/port', sentence, { cause })
    }
  }

  async close(): Promise<void> {
    this.#closed.abort()
    for (const stream of this.#streams) stream.close()
    await this.#server.close()
  }

  async #answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { pathname, searchParams } = url
    if (request.method === 'GET') return this.#show(pathname, searchParams, response)
    if (request.method !== 'POST') return refuse(response, 405, 'There is nothing of that kind here.')
    if (!this.#guard.maySteer(request)) {
      return refuse(response, 403, 'Only the page at the address that was printed, key included, may steer the run.')
    }
    await this.#steer(pathname, request, response)
  }

  async #show(path: string, search: URLSearchParams, response: ServerResponse): Promise<void> {
    if (path === '/events') return this.#stream(response)
    if (path === '/actions') return answerJson(response, actionSchema())
    if (path === '/inspect') return this.#inspect(search.get('enclave') ?? '', response)
    const asset = await ASSETS.at(path)
    if (asset === undefined) return refuse(response, 404, 'There is no such page.')
    response.setHeader('content-type', asset.type)
    response.end(asset.content)
  }

  async #stream(response: ServerResponse): Promise<void> {
    if (this.#streams.size >= MOST_STREAMS) return refuse(response, 503, 'Too many pages are open; close some.')
    const { run } = this.#options
    const stream = new EventStream(response)
    this.#streams.add(stream)
    stream.send('controls', { isPaused: this.#isPaused })
    try {
      await stream.play(run, { isLive: this.#controls() !== undefined })
    } finally {
      this.#streams.delete(stream)
    }
  }

  async #inspect(enclave: string, response: ServerResponse): Promise<void> {
    const status = await this.#controls()?.inspect(enclave)
    if (status === undefined) return refuse(response, 404, `There is no enclave ${enclave} that is up.`)
    answerJson(response, status)
  }

  async #steer(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const controls = this.#controls()
    if (controls === undefined) return refuse(response, 409, 'The run is over.')
    const body = await bodyOf(request)
    switch (path) {
      case '/pause':
        controls.pause()
        this.#tellPaused(true)
        break
      case '/resume':
        controls.resume()
        this.#tellPaused(false)
        break
      case '/step':
        await controls.step()
        break
      case '/action':
        await this.#promptly(controls.perform(actionOf(body)))
        break
      default:
        return refuse(response, 404, 'There is no such control.')
    }
    answerJson(response, { done: true })
  }

  /** What takes long, or waits for a run that is paused, goes on by itself; all pages are told if it fails. */
  async #promptly(work: Promise<void>): Promise<void> {
    let isAwaited = true
    const told = work.catch((thrown: unknown) => {
      if (isAwaited) throw thrown
      const message = thrown instanceof SlotmeshError ? thrown.message : 'What was asked for could not be done.'
      for (const stream of this.#streams) stream.send('trouble', { message })
    })
    try {
      await Promise.race([told, pause(PROMPTLY_MS, { signal: this.#closed.signal })])
    } finally {
      isAwaited = false
    }
  }

  #tellPaused(isPaused: boolean): void {
    this.#isPaused = isPaused
    for (const stream of this.#streams) stream.send('controls', { isPaused })
  }

  /** None any more once the run is over. */
  #controls(): RunControls | undefined {
    return this.#options.run.outcome === undefined ? this.#options.controls : undefined
  }
}
