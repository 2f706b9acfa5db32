import type { Server } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify'
import { type Logger, messageOf, SlotmeshError } from '../domain/index.js'
import { listenAddress } from '../web/index.js'
import { Answering } from './answering.js'
import type { ApiBackend } from './backend.js'
import { BodyError, parseJson } from './bodies.js'
import { allowOrigins } from './cors.js'
import { codeOf, Guard, type Refusal } from './guard.js'
import { addShareRoutes } from './routes/shares.js'
import { addStateRoutes } from './routes/state.js'
import { type ApiSettings, checkApi, DEFAULT_LIMITS, proxyList } from './settings.js'
import { type Credentials, readCredentials } from './tls.js'

/** Open connections of everybody together. */
const MOST_CONNECTIONS = 2_048
/** Of a handshake, of headers, and of a connection on which nothing is asked any more; ms. */
const [HANDSHAKE_MS, HEADERS_MS, IDLE_MS] = [10_000, 5_000, 30_000]
/** How often it is looked for requests that take too long to come in, ms. */
const CHECK_EVERY_MS = 1_000
/** What is under way may end within this after the stop, ms. */
const GRACE_MS = 3_000
/** A certificate is good for weeks; whoever renews it has days for that. */
const RENEWAL_MS = 600_000

export interface ApiServer {
  /** For example `https://127.0.0.1:8443`; the port is the one that was given. */
  readonly url: string
  /** Takes the certificate's files anew. @throws SlotmeshError `api/bad-certificate`: the former stays in use. */
  renew(): Promise<void>
  /** Ends what is under way, and closes every connection. */
  stop(): Promise<void>
}

/**
 * Serves the client API of a node.
 *
 * @throws SlotmeshError `api/no-tls`, `api/bad-address`, `api/bad-proxy`, `api/bad-certificate`, `api/cannot-listen`.
 */
export async function startApi(settings: ApiSettings, node: ApiBackend, logger: Logger): Promise<ApiServer> {
  checkApi(settings)
  const { host, port } = listenAddress(settings.listen)
  const proxies = settings.proxies?.length ? proxyList(settings.proxies) : undefined
  const limits = { ...DEFAULT_LIMITS, ...settings.limits }
  const guard = new Guard(limits, proxies)
  const closing = new AbortController()
  const app = create(settings.tls && (await readCredentials(settings.tls)), limits.requestMs, guard, limits.bodyBytes)
  const { server } = app
  server.maxConnections = MOST_CONNECTIONS
  server.headersTimeout = Math.min(HEADERS_MS, limits.requestMs)
  server.on('connection', (socket) => guard.admit(socket))
  allowOrigins(app, settings.origins)
  prepare(app, guard, logger)
  const answering = new Answering(limits, closing.signal, logger)
  for (const kind of ['secret', 'capsule'] as const) addShareRoutes(app, node, answering, kind)
  addStateRoutes(app, node, answering)
  try {
    await app.listen({ host, port })
  } catch (cause) {
    await app.close()
    const sentence = `The api cannot listen on ${settings.listen} (${messageOf(cause)}): check that the address is this machine's and the port free.`
    throw new SlotmeshError('api/cannot-listen', sentence, { cause })
  }
  const scheme = settings.tls === undefined ? 'http' : 'https'
  const bound = (server.address() as AddressInfo).port
  const url = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${bound}`
  const renew = () => renewCredentials(server, settings)
  const renewing = setInterval(() => {
    renew().catch((thrown) => logger.warn(messageOf(thrown), { code: codeOf(thrown) }))
  }, RENEWAL_MS).unref()
  logger.info('Clients are answered', { url })
  return {
    url,
    renew,
    stop: async () => {
      clearInterval(renewing)
      closing.abort(new SlotmeshError('node/stopped', 'The enclave is stopping; ask another one.'))
      const forced = setTimeout(() => server.closeAllConnections(), GRACE_MS).unref()
      await app.close()
      clearTimeout(forced)
    },
  }
}

async function renewCredentials(server: Server | SecureServer, { tls }: ApiSettings): Promise<void> {
  if (tls === undefined || !('setSecureContext' in server)) return
  const credentials = await readCredentials(tls)
  server.setSecureContext(credentials)
  credentials.key.fill(0)
}

function create(
  credentials: Credentials | undefined,
  requestTimeout: number,
  guard: Guard,
  bodyLimit: number,
): FastifyInstance {
  const options = {
    // What there is to say is said by the node's own log, without a body or an address.
    logger: false,
    bodyLimit,
    requestTimeout,
    keepAliveTimeout: IDLE_MS,
    forceCloseConnections: 'idle',
    trustProxy: (address: string) => guard.isProxy(address),
    routerOptions: { maxParamLength: 32 },
  } as const
  const http = { connectionsCheckingInterval: CHECK_EVERY_MS }
  if (credentials === undefined) return fastify({ ...options, http })
  const https = { ...credentials, ...http, handshakeTimeout: HANDSHAKE_MS, minVersion: 'TLSv1.2' as const }
  const app: unknown = fastify({ ...options, https })
  return app as FastifyInstance
}

const REFUSALS: Readonly<Record<Refusal, readonly [http: number, status: string, description: string]>> = {
  'too-many': [429, 'TOOMANYREQUESTS', 'There were too many requests from your address; wait a little.'],
  'too-busy': [503, 'BUSY', 'This enclave has too much to do; ask another one, or wait a little.'],
  'not-a-proxy': [403, 'NOTALLOWED', 'This enclave is asked by way of its proxy alone.'],
}

/** What holds for every route: who is heard, how bodies are read, and what is answered where there is no route. */
function prepare(app: FastifyInstance, guard: Guard, logger: Logger): void {
  app.addHook('onRequest', async (request, reply) => {
    const refusal = guard.refusal(request.ip, request.socket.remoteAddress)
    if (refusal === undefined) {
      guard.begun()
      reply.raw.once('close', () => guard.ended())
      return undefined
    }
    const [http, status, description] = REFUSALS[refusal]
    // Its body is not read: the connection cannot be used for anything else.
    return reply.code(http).headers({ 'retry-after': '1', connection: 'close' }).send({ status, description })
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJson(body as Buffer))
    } catch (thrown) {
      done(thrown as Error)
    }
  })
  app.setErrorHandler((thrown: Error & { statusCode?: number }, _request, reply) => {
    if (thrown instanceof BodyError) return text(reply, thrown.httpStatus, thrown.message)
    const { statusCode = 500 } = thrown
    const sentence = TEXTS[statusCode]
    if (sentence !== undefined) return text(reply, statusCode, sentence)
    if (statusCode < 500) return text(reply, statusCode, 'The request cannot be read.')
    logger.error('a client was not answered', { code: codeOf(thrown) })
    return text(reply, 500, 'This enclave has failed; ask another one, and tell its operator.')
  })
  app.setNotFoundHandler((request, reply) =>
    reply.code(400).send({ description: `No route to URL : ${request.url.slice(0, LONGEST_URL)}` }),
  )
}

/** Of what is said back to whoever asked for it. */
const LONGEST_URL = 200

const TEXTS: Readonly<Record<number, string>> = {
  413: 'The body is too large.',
  415: 'The body must be JSON: send the header content-type: application/json.',
}

function text(reply: FastifyReply, http: number, sentence: string): FastifyReply {
  return reply.code(http).type('text/plain; charset=utf-8').send(sentence)
}
