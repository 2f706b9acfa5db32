import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { AttestationError, type QuoteVerifier } from '../attestation/index.js'
import { fromHex, toHex } from '../crypto/index.js'
import { messageOf, type Registry } from '../domain/index.js'
import { MEASUREMENT, type Stage } from './stage.js'

/** Where a peer under test gets what it need not implement itself. */
export interface ServiceUrls {
  /** POST `{"reportData": hex}` gives `{"quote": hex}` of an enclave of the allowed build. */
  readonly quoteUrl: string
  /** POST `{"quote": hex}` gives `{"reportData": hex}`, or `{"refusal": code}`. */
  readonly verifyUrl: string
  /** GET gives the newest final block and all seats; `/blocks/<number>` one block with its seats and events. */
  readonly chainUrl: string
}

const BODY_BYTES = 65_536
const hexText = z.string().regex(/^0x(?:[0-9a-f]{2})*$/)

const REFUSALS: Readonly<Record<string, string>> = {
  'attestation/quote-invalid': 'QUOTE_INVALID',
  'attestation/tcb-below-policy': 'TCB_BELOW_POLICY',
  'attestation/measurement-not-allowed': 'MEASUREMENT_NOT_ALLOWED',
  'attestation/debug-enclave': 'DEBUG_ENCLAVE',
}

/** An HTTP server on loopback that stands in for the hardware, the verifier and the chain's client of a small peer. */
export class Service {
  readonly urls: ServiceUrls
  readonly #server: Server

  private constructor(server: Server, urls: ServiceUrls) {
    this.#server = server
    this.urls = urls
  }

  static async start(stage: Stage, verifier: QuoteVerifier): Promise<Service> {
    const { quoteSource } = stage.pki.platform({ machineId: 'peer under test', measurement: MEASUREMENT })
    const signal = new AbortController().signal
    const answers: Readonly<Record<string, (body: unknown) => Promise<unknown>>> = {
      'POST /quote': async (body) => {
        const { reportData } = z.object({ reportData: hexText.length(130) }).parse(body)
        return { quote: toHex(await quoteSource.quote(fromHex(reportData), { signal })) }
      },
      'POST /verify': async (body) => {
        const { quote } = z.object({ quote: hexText }).parse(body)
        try {
          return { reportData: toHex((await verifier.verify(fromHex(quote))).reportData) }
        } catch (thrown) {
          if (!(thrown instanceof AttestationError)) throw thrown
          return { refusal: REFUSALS[thrown.code] ?? 'NOT_READY' }
        }
      },
      'GET /chain': async () => ({
        genesisHash: stage.view.genesisHash,
        finalised: stage.view.finalised(),
        finalisedAgeMs: stage.view.finalisedAgeMs(),
        ...seatsOf(stage.view.registry()),
      }),
    }
    const server = createServer((request, response) => {
      const path = request.url ?? ''
      const block = /^\/chain\/blocks\/(\d{1,10})$/.exec(path)?.[1]
      const work = async () => {
        if (request.method === 'GET' && block !== undefined) return blockOf(stage, Number(block))
        const answer = answers[`${request.method} ${path}`]
        return answer === undefined ? undefined : answer(request.method === 'POST' ? await bodyOf(request) : undefined)
      }
      work().then(
        (value) => respond(response, value === undefined ? 404 : 200, value ?? { error: 'There is nothing here.' }),
        (thrown: unknown) => respond(response, 400, { error: messageOf(thrown) }),
      )
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(0, '127.0.0.1', resolve)
    })
    const { port } = server.address() as AddressInfo
    const base = `http://127.0.0.1:${port}`
    return new Service(server, { quoteUrl: `${base}/quote`, verifyUrl: `${base}/verify`, chainUrl: `${base}/chain` })
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
  }
}

async function blockOf(stage: Stage, number: number): Promise<unknown> {
  const signal = AbortSignal.timeout(10_000)
  const { view } = stage
  const hash = await view.blockHash(number, { signal })
  const registry = await view.registryAt({ number, hash }, { signal })
  for await (const { triggers } of view.follow(number - 1, { signal })) {
    return { number, hash, ...seatsOf(registry), events: triggers }
  }
  return undefined
}

function seatsOf(registry: Registry) {
  const clusters = registry.clusters()
  return {
    clusters: clusters.map(({ id, type }) => ({ cluster: id, type })),
    seats: clusters.flatMap(({ seats }) => seats.map(({ account, cluster, slot }) => ({ account, cluster, slot }))),
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > BODY_BYTES) throw new Error('The body is too large.')
  }
  return JSON.parse(text)
}

function respond(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(value)}\n`)
}
