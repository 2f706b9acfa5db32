import { Resolver } from 'node:dns/promises'
import { request as requestPlain } from 'node:http'
import { request as requestSecure } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isPrivateIp } from '@libp2p/utils'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { z } from 'zod'
import { abortable, bounded, type Clock, SlotmeshError } from '../domain/index.js'
import { LIMITS } from './limits.js'

export interface AskApi {
  readonly allowPrivateAddresses: boolean
  readonly signal: AbortSignal
  readonly clock?: Clock | undefined
}

const healthShape = z.object({ multiaddrs: z.array(z.string()) })

/**
 * Asks an enclave's client API where its libp2p host is: what its health endpoint says. The URI is what an operator has
 * registered on chain, so anything may stand in it. It is asked as nobody in particular, with one GET of one fixed path,
 * redirects are not followed, and private addresses are not asked unless they may be dialled, by whatever name they go.
 * What it says is a hint like the URI itself: who answers at those addresses is known only by its record.
 *
 * @returns those of its addresses that are some, at most so many as a record may have.
 * @throws SlotmeshError `mesh/bad-api-uri`, `mesh/private-address`, `mesh/api-unreadable`; what a socket throws; the
 * signal's reason.
 */
export async function multiaddrsAt(apiUri: string, { signal, clock, ...rules }: AskApi): Promise<Multiaddr[]> {
  const url = healthUrl(apiUri)
  return bounded({ signals: [signal], timeoutMs: LIMITS.entry.apiMs, clock }, async (limited) => {
    const addresses = await addressesOf(url.hostname, rules.allowPrivateAddresses, limited)
    return parsed(await get(url, addresses, limited))
  })
}

/** As the published clients make it of an `api_uri`, which may go without a scheme. */
function healthUrl(apiUri: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(apiUri) ? apiUri : `https://${apiUri}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isWeb = url !== undefined && ['http:', 'https:'].includes(url.protocol)
  if (!isWeb || url.username !== '' || url.password !== '') {
    throw new SlotmeshError(
      'mesh/bad-api-uri',
      'The api_uri is no address of an enclave’s API; register its https URL.',
    )
  }
  return new URL(`${url.pathname.replace(/\/$/, '')}/api/health`, url.origin)
}

async function addressesOf(hostname: string, allowPrivate: boolean, signal: AbortSignal): Promise<string[]> {
  const host = hostname.replace(/^\[|\]$/g, '')
  const found = isIP(host) !== 0 ? [host] : await resolve(host, signal)
  const allowed = allowPrivate ? found : found.filter((address) => isPrivateIp(address) === false)
  if (allowed.length > 0) return allowed
  throw new SlotmeshError(
    'mesh/private-address',
    'The api_uri leads to no public address: it is not asked, as private addresses are not dialled.',
  )
}

/** By the name server alone, and without the system's own threads, of which there are few. */
async function resolve(host: string, signal: AbortSignal): Promise<string[]> {
  if (host === 'localhost') return ['127.0.0.1', '::1']
  const resolver = new Resolver({ timeout: LIMITS.entry.resolveMs, tries: 2 })
  try {
    const answers = Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
    return (await abortable(answers, signal)).flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  } finally {
    resolver.cancel()
  }
}

function get(url: URL, addresses: readonly string[], signal: AbortSignal): Promise<string> {
  const request = url.protocol === 'https:' ? requestSecure : requestPlain
  const found = addresses.map((address) => ({ address, family: isIP(address) }))
  // The connection is to the addresses that were looked at, and not to what the name leads to a moment later.
  const lookup: LookupFunction = (_, { all }, done) => {
    if (all) return done(null, found)
    done(null, found[0]?.address ?? '', found[0]?.family)
  }
  const headers = { accept: 'application/json' }
  return new Promise((resolved, reject) => {
    const asked = request(url, { lookup, signal, agent: false, headers, maxHeaderSize: 8_192 }, (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes <= LIMITS.entry.apiBytes) chunks.push(chunk)
        else asked.destroy(unreadable())
      })
      response.once('end', () => resolved(Buffer.concat(chunks).toString('utf8')))
      response.once('error', reject)
    })
    asked.once('error', (thrown) => reject(signal.aborted ? signal.reason : thrown))
    asked.end()
  })
}

function parsed(text: string): Multiaddr[] {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw unreadable()
  }
  const { data, success } = healthShape.safeParse(body)
  if (!success) throw unreadable()
  return data.multiaddrs.slice(0, LIMITS.record.multiaddrs).flatMap((each) => {
    if (each.length > LIMITS.entry.multiaddrLetters) return []
    try {
      return [multiaddr(each)]
    } catch {
      // Others of them may be some.
      return []
    }
  })
}

function unreadable(): SlotmeshError {
  return new SlotmeshError('mesh/api-unreadable', 'What answers there does not say where a libp2p host is.')
}
