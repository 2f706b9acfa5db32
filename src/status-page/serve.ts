import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Logger, messageOf, pause } from '../domain/index.js'
import type { EnclaveNode } from '../node/index.js'
import {
  Assets,
  answerJson,
  EventSender,
  hostText,
  type ListenAddress,
  namesHere,
  refuse,
  WebServer,
} from '../web/index.js'
import type { Messages } from './model/messages.js'
import { Recent } from './recent.js'
import { mapOf, overviewOf } from './view.js'

/** Between two looks at the node while somebody looks on, ms. */
const LOOK_EVERY_MS = 1_000
/** Pages that look on at once. */
const MOST_STREAMS = 16

const ASSETS = new Assets('status-page/page/page.html', /^\/status-page\/(?:page|model)\/[a-z-]+\.(?:js|css)$/)

export interface StatusPageOptions {
  readonly node: Pick<EnclaveNode, 'account' | 'status' | 'peers' | 'registry' | 'subscribe'>
  readonly listen: ListenAddress
  /** Names by which it may be reached, besides literal addresses and localhost. */
  readonly names?: readonly string[]
  readonly logger: Logger
  /** ms; a second when absent. */
  readonly lookEveryMs?: number
}

export interface RunningStatusPage {
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves a page that shows how a node is. It shows only, to whoever can reach the address: there is nothing to be changed by
 * it, and no secret on it.
 *
 * @throws SlotmeshError `web/cannot-listen`, `web/no-page` when the package was not built.
 */
export async function serveStatusPage(options: StatusPageOptions): Promise<RunningStatusPage> {
  await ASSETS.check()
  const page = new StatusPage(options)
  await page.open()
  return page
}

class StatusPage implements RunningStatusPage {
  readonly #options: StatusPageOptions
  readonly #server: WebServer
  readonly #recent = new Recent()
  readonly #streams = new Set<Stream>()
  readonly #closed = new AbortController()
  #unsubscribe: () => void = () => undefined
  #looking: Promise<void> | undefined

  constructor(options: StatusPageOptions) {
    this.#options = options
    this.#server = new WebServer({
      ...options.listen,
      isMeant: (request) => namesHere(request, options.names),
      answer: (request, response, { pathname }) => this.#answer(request, response, pathname),
    })
  }

  get url(): string {
    return `http://${hostText({ ...this.#options.listen, port: this.#server.port })}/`
  }

  async open(): Promise<void> {
    await this.#server.open()
    this.#unsubscribe = this.#options.node.subscribe((event) => this.#recent.heard(event))
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    this.#closed.abort()
    for (const { sender } of this.#streams) sender.close()
    await this.#looking
    await this.#server.close()
  }

  async #answer({ method }: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    if (method !== 'GET') return refuse(response, 405, 'This page shows only.')
    if (path === '/events') return this.#stream(response)
    if (path === '/status.json') {
      const { node } = this.#options
      const overview = overviewOf(await node.status(), Date.now())
      return answerJson(response, { ...overview, ...mapOf(node), ...this.#recent.news() })
    }
    const asset = await ASSETS.at(path)
    if (asset === undefined) return refuse(response, 404, 'There is no such page.')
    response.setHeader('content-type', asset.type)
    response.end(asset.content)
  }

  #stream(response: ServerResponse): void {
    const isStopping = this.#closed.signal.aborted
    if (isStopping || this.#streams.size >= MOST_STREAMS) {
      refuse(response, 503, isStopping ? 'The node is stopping.' : 'Too many pages are open; close some.')
      return
    }
    const stream = new Stream(new EventSender<Messages>(response))
    this.#streams.add(stream)
    stream.sender.ended.addEventListener('abort', () => this.#streams.delete(stream), { once: true })
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
  }

  /** For as long as anybody looks on. */
  async #look(): Promise<void> {
    const { node, logger, lookEveryMs = LOOK_EVERY_MS } = this.#options
    const { signal } = this.#closed
    while (this.#streams.size > 0 && !signal.aborted) {
      try {
        const overview = overviewOf(await node.status(), Date.now())
        const map = mapOf(node)
        for (const stream of this.#streams) stream.show(overview, map, this.#recent)
      } catch (thrown) {
        logger.warn('the status page could not be brought up to date', { reason: messageOf(thrown) })
      }
      await pause(lookEveryMs, { signal }).catch(() => undefined)
    }
  }
}

/** One page that looks on: it is told of what has changed since it was told the last time. */
class Stream {
  readonly sender: EventSender<Messages>
  #map = ''
  #news: number | undefined

  constructor(sender: EventSender<Messages>) {
    this.sender = sender
  }

  show(overview: Messages['overview'], map: Messages['map'], recent: Recent): void {
    // A slow reader gets the newest when it has taken what there was.
    if (this.sender.waiting > 0) return
    this.sender.send('overview', overview)
    const mapText = JSON.stringify(map)
    if (mapText !== this.#map) this.sender.send('map', map)
    this.#map = mapText
    if (recent.version !== this.#news) this.sender.send('news', recent.news())
    this.#news = recent.version
  }
}
