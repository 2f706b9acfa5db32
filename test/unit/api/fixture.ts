import { type ApiBackend, type ApiServer, type ApiSettings, type ApiStatus, startApi } from '../../../src/api/index.js'
import { utf8 } from '../../../src/crypto/index.js'
import { type LogFields, type Logger, type NftFacts, type ShareKey, shareKeyText } from '../../../src/domain/index.js'
import { Lists } from '../../../src/node/lists.js'
import {
  keyNotExist,
  type MetricsRequestFacts,
  verifyIntervalRequest,
  verifyRemoveRequest,
  verifyRetrieveRequest,
  verifyStoreRequest,
} from '../../../src/owner/index.js'
import type { View } from '../../../src/store/index.js'
import { chainWith, NOW, SYNCED, stranger } from '../owner/fixture.js'

/** Keeps shares in memory; verifies as a node does. */
export class PaperNode implements ApiBackend {
  readonly account = stranger.account
  readonly chainName = 'paper'
  nft: NftFacts | undefined = SYNCED
  chain: MetricsRequestFacts | undefined
  state: ApiStatus['state'] = 'running'
  problems: { code: string }[] = []
  readonly shares = new Map<string, Uint8Array>()
  /** What was given out, as the API was given it. */
  readonly given: Uint8Array[] = []
  views: View[] = []
  readonly #lists = new Lists()
  /** What the next request meets in place of an answer. */
  trouble: ((signal: AbortSignal) => Promise<never>) | undefined

  get #facts(): MetricsRequestFacts {
    return this.chain ?? chainWith(this.nft)
  }

  async status(): Promise<ApiStatus> {
    const { state, problems } = this
    const multiaddrs = ['/ip4/192.0.2.1/tcp/4001/p2p/peer']
    const shares = { secret: this.shares.size, capsule: 1 }
    return { peerId: 'peer', multiaddrs, state, finalisedBlock: NOW, syncedBlock: NOW - 1, shares, problems }
  }

  storeShare: ApiBackend['storeShare'] = async (kind, request, { signal }) => {
    await this.trouble?.(signal)
    const { key, share } = await verifyStoreRequest(kind, request, this.#facts, { signal })
    this.shares.set(shareKeyText(key), share)
    return key
  }

  retrieveShare: ApiBackend['retrieveShare'] = async (kind, request, { signal }) => {
    await this.trouble?.(signal)
    const { key } = await verifyRetrieveRequest(kind, request, this.#facts, { signal })
    const share = this.shares.get(shareKeyText(key))?.slice()
    if (share === undefined) throw keyNotExist(key)
    this.given.push(share)
    return share
  }

  removeShare: ApiBackend['removeShare'] = async (kind, request, { signal }) => {
    await this.trouble?.(signal)
    const key = await verifyRemoveRequest(kind, request, this.#facts, { signal })
    this.shares.delete(shareKeyText(key))
    return key
  }

  async holdsShare(key: ShareKey): Promise<boolean> {
    await this.trouble?.(new AbortController().signal)
    return this.shares.has(shareKeyText(key))
  }

  shareViews: ApiBackend['shareViews'] = async ({ kind }, { signal }) => {
    await this.trouble?.(signal)
    if (this.nft === undefined) return { nft: 'unknown', views: [] }
    const isOfKind = kind === 'secret' ? this.nft.isSecret : this.nft.isCapsule
    return isOfKind ? { nft: 'known', views: this.views } : { nft: 'other-kind', views: [] }
  }

  syncedBetween: ApiBackend['syncedBetween'] = async (request, { signal }) => {
    const { sender, after } = await verifyIntervalRequest(request, this.#facts, { signal })
    return this.#lists.oneOf(sender, async () => {
      await this.trouble?.(signal)
      return [after + 1]
    })
  }

  clientQuote: ApiBackend['clientQuote'] = async ({ signal }) => {
    await this.trouble?.(signal)
    return { block: NOW, quote: utf8('a quote') }
  }
}

/** Keeps every line. */
export class PaperLog implements Logger {
  readonly lines: string[] = []

  readonly debug = (message: string, fields?: LogFields) => this.#add(message, fields)
  readonly info = (message: string, fields?: LogFields) => this.#add(message, fields)
  readonly warn = (message: string, fields?: LogFields) => this.#add(message, fields)
  readonly error = (message: string, fields?: LogFields) => this.#add(message, fields)

  #add(message: string, fields: LogFields = {}): void {
    this.lines.push(`${message} ${JSON.stringify(fields)}`)
  }
}

/** A node's API on a socket of this machine, and how it is asked. */
export class Stand {
  readonly node = new PaperNode()
  readonly log = new PaperLog()
  #server: ApiServer | undefined

  async start(settings: Partial<ApiSettings> = {}): Promise<void> {
    this.#server = await startApi({ listen: '127.0.0.1:0', ...settings }, this.node, this.log)
  }

  async stop(): Promise<void> {
    await this.#server?.stop()
    this.#server = undefined
  }

  get server(): ApiServer {
    if (this.#server === undefined) throw new Error('The stand is closed.')
    return this.#server
  }

  get port(): number {
    return Number(new URL(this.server.url).port)
  }

  get(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.server.url}${path}`, init)
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return this.get(path, { method: 'POST', body: text, headers: { 'content-type': 'application/json', ...headers } })
  }
}

/** What answers may hold. */
interface Body {
  readonly status: string
  readonly nft_id: number
  readonly enclave_account: string
  readonly keyshare_data: string
  readonly description: string
  readonly error: string
  readonly data: string
  readonly block_number: number
  readonly problems: readonly string[]
  readonly log: Readonly<Record<string, Readonly<Record<string, { readonly event: string }>>>>
}

export async function bodyOf(response: Response): Promise<Body> {
  return (await response.json()) as Body
}

/** A promise to be settled by hand. */
export function deferred<Value>(): {
  readonly promise: Promise<Value>
  resolve(value: Value): void
  reject(reason: unknown): void
} {
  let [resolve, reject]: [(value: Value) => void, (reason: unknown) => void] = [() => undefined, () => undefined]
  const promise = new Promise<Value>((...settle) => {
    ;[resolve, reject] = settle
  })
  return { promise, resolve, reject }
}
