import { bounded, messageOf } from '../../domain/index.js'
import type { Tee } from '../claims.js'
import { type CollateralRequest, MAXIMUM_PART, type QuoteCollateral } from '../collateral.js'

/**
 * Where collateral is fetched: a PCCS, or Intel's own service. What comes from there is signed, so plain HTTP does; TLS
 * only hides which platforms one asks about.
 */
export interface PccsAddress {
  /** Base URL, for example `https://api.trustedservices.intel.com` or `https://localhost:8081`. */
  readonly url: string
  /** Of the root's revocation list; by default what a PCCS has, or Intel's publication where `url` is Intel's. */
  readonly rootCrlUrl?: string | undefined
}

const INTEL_PCS_HOST = 'api.trustedservices.intel.com'
const INTEL_ROOT_CRL = 'https://certificates.trustedservices.intel.com/IntelSGXRootCA.der'

/** Bytes of a list, which may come as its digits. */
const MAXIMUM_LIST = 2 * MAXIMUM_PART

/** Between asking and the last byte, ms. */
const ANSWER_TIMEOUT_MS = 15_000

/** What Intel publishes in rounds. */
export type RoundPart = 'TCB info' | 'QE identity'

/** Which round is asked for; the standard one where nothing is said. Intel's service takes only one of the two words. */
export type RoundQuery = 'update=early' | `tcbEvaluationDataNumber=${number}`

/**
 * Fetches all parts for one platform family ("Intel SGX and Intel TDX Provisioning Certification Service", API v4).
 *
 * @throws Error with what went wrong where; the signal's reason when it aborts.
 */
export async function fetchCollateral(
  address: PccsAddress,
  request: CollateralRequest,
  { signal }: { signal: AbortSignal },
): Promise<QuoteCollateral> {
  const isIntels = new URL(address.url).hostname === INTEL_PCS_HOST
  const rootCrlUrl = address.rootCrlUrl ?? (isIntels ? INTEL_ROOT_CRL : urlOf(address, 'sgx', 'rootcacrl'))

  // One after the other: a service that is out of order is asked once, and one that works is asked once a day.
  const tcb = await fetchTcbInfo(address, request, { signal })
  const qe = await fetchQeIdentity(address, request, { signal })
  const pckCrl = await get(urlOf(address, 'sgx', `pckcrl?ca=${request.ca}&encoding=der`), signal, MAXIMUM_LIST)
  const rootCrl = await get(rootCrlUrl, signal, MAXIMUM_LIST)
  return {
    ...tcb,
    ...qe,
    pck_crl_issuer_chain: chainIn(pckCrl, 'SGX-PCK-CRL-Issuer-Chain'),
    root_ca_crl: hexadecimal(rootCrl.body),
    pck_crl: hexadecimal(pckCrl.body),
  }
}

/**
 * Fetches one part alone, of a certain round.
 *
 * @throws as `fetchCollateral`.
 */
export function fetchOfRound(
  address: PccsAddress,
  request: CollateralRequest,
  { part, query, signal }: { part: RoundPart; query: RoundQuery; signal: AbortSignal },
): Promise<Partial<QuoteCollateral>> {
  const fetchPart = { 'TCB info': fetchTcbInfo, 'QE identity': fetchQeIdentity }[part]
  return fetchPart(address, request, { query, signal })
}

interface PartOptions {
  readonly query?: RoundQuery
  readonly signal: AbortSignal
}

async function fetchTcbInfo(address: PccsAddress, { tee, fmspc }: CollateralRequest, { query, signal }: PartOptions) {
  const words = query === undefined ? '' : `&${query}`
  const answer = await get(urlOf(address, tee, `tcb?fmspc=${fmspc}${words}`), signal)
  const [tcb_info, tcb_info_signature] = signedPart(answer, 'tcbInfo')
  const tcb_info_issuer_chain = chainIn(answer, 'TCB-Info-Issuer-Chain', 'SGX-TCB-Info-Issuer-Chain')
  return { tcb_info_issuer_chain, tcb_info, tcb_info_signature }
}

async function fetchQeIdentity(address: PccsAddress, { tee }: CollateralRequest, { query, signal }: PartOptions) {
  const words = query === undefined ? '' : `?${query}`
  const answer = await get(urlOf(address, tee, `qe/identity${words}`), signal)
  const [qe_identity, qe_identity_signature] = signedPart(answer, 'enclaveIdentity')
  const qe_identity_issuer_chain = chainIn(answer, 'SGX-Enclave-Identity-Issuer-Chain')
  return { qe_identity_issuer_chain, qe_identity, qe_identity_signature }
}

function urlOf({ url }: PccsAddress, technology: Tee, path: string): string {
  return `${url.replace(/\/+$/, '')}/${technology}/certification/v4/${path}`
}

interface Answer {
  readonly url: string
  readonly headers: Headers
  readonly body: Buffer
}

function get(url: string, outer: AbortSignal, maximumBytes = MAXIMUM_PART): Promise<Answer> {
  return bounded({ signals: [outer], timeoutMs: ANSWER_TIMEOUT_MS }, async (signal) => {
    try {
      const response = await fetch(url, { signal, redirect: 'error', headers: { accept: '*/*' } })
      if (response.status !== 200) {
        await response.body?.cancel()
        throw new Error(`it answers with status ${response.status}`)
      }
      return { url, headers: response.headers, body: await bodyOf(response, maximumBytes) }
    } catch (thrown) {
      outer.throwIfAborted()
      throw new Error(`${url}: ${reasonOf(thrown)}`, { cause: thrown })
    }
  })
}

async function bodyOf(response: Response, maximumBytes: number): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of response.body ?? []) {
    length += part.length
    if (length > maximumBytes) throw new Error(`it answers with more than ${maximumBytes} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** `fetch` says "fetch failed", and why in the cause. */
function reasonOf(thrown: unknown): string {
  return thrown instanceof TypeError && thrown.cause !== undefined ? messageOf(thrown.cause) : messageOf(thrown)
}

/** The exact text that was signed, out of `{"name":{…},"signature":"…"}`: parsed and written again it might differ. */
function signedPart({ url, body }: Answer, name: string): readonly [text: string, signature: string] {
  const pattern = new RegExp(
    `^\\s*\\{\\s*"${name}"\\s*:\\s*(\\{.*\\})\\s*,\\s*"signature"\\s*:\\s*"([0-9a-fA-F]{128})"\\s*\\}\\s*$`,
    's',
  )
  const [, text, signature] = pattern.exec(body.toString('utf8')) ?? []
  if (text === undefined || signature === undefined) throw new Error(`${url}: it answers with no signed ${name}`)
  return [text, signature.toLowerCase()]
}

function chainIn({ url, headers }: Answer, ...names: readonly string[]): string {
  const value = names.map((name) => headers.get(name)).find((found) => found !== null)
  if (value === undefined || value === null) throw new Error(`${url}: it answers without ${names[0]}`)
  try {
    return decodeURIComponent(value)
  } catch (cause) {
    throw new Error(`${url}: it answers with a ${names[0]} that is not URL-encoded`, { cause })
  }
}

/** Lists come as DER, or from some services as its hexadecimal digits. */
function hexadecimal(body: Buffer): string {
  const text = body.toString('latin1').trim()
  return /^(?:[0-9a-fA-F]{2})+$/.test(text) ? text.toLowerCase() : body.toString('hex')
}
