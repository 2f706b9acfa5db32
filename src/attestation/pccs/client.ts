import { bounded, messageOf } from '../../domain/index.js'
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

/**
 * Fetches all parts for one platform family ("Intel SGX and Intel TDX Provisioning Certification Service", API v4).
 *
 * @throws Error with what went wrong where; the signal's reason when it aborts.
 */
export async function fetchCollateral(
  address: PccsAddress,
  { tee, fmspc, ca }: CollateralRequest,
  { signal }: { signal: AbortSignal },
): Promise<QuoteCollateral> {
  const base = `${address.url.replace(/\/+$/, '')}`
  const at = (technology: 'sgx' | 'tdx', path: string) => `${base}/${technology}/certification/v4/${path}`
  const isIntels = new URL(base).hostname === INTEL_PCS_HOST
  const rootCrlUrl = address.rootCrlUrl ?? (isIntels ? INTEL_ROOT_CRL : at('sgx', 'rootcacrl'))

  // One after the other: a service that is out of order is asked once, and one that works is asked once a day.
  const tcb = await get(at(tee, `tcb?fmspc=${fmspc}`), signal)
  const qe = await get(at(tee, 'qe/identity'), signal)
  const pckCrl = await get(at('sgx', `pckcrl?ca=${ca}&encoding=der`), signal, MAXIMUM_LIST)
  const rootCrl = await get(rootCrlUrl, signal, MAXIMUM_LIST)

  const [tcb_info, tcb_info_signature] = signedPart(tcb, 'tcbInfo')
  const [qe_identity, qe_identity_signature] = signedPart(qe, 'enclaveIdentity')
  return {
    pck_crl_issuer_chain: chainIn(pckCrl, 'SGX-PCK-CRL-Issuer-Chain'),
    root_ca_crl: hexadecimal(rootCrl.body),
    pck_crl: hexadecimal(pckCrl.body),
    tcb_info_issuer_chain: chainIn(tcb, 'TCB-Info-Issuer-Chain', 'SGX-TCB-Info-Issuer-Chain'),
    tcb_info,
    tcb_info_signature,
    qe_identity_issuer_chain: chainIn(qe, 'SGX-Enclave-Identity-Issuer-Chain'),
    qe_identity,
    qe_identity_signature,
  }
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
