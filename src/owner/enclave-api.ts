import { isIPv4 } from 'node:net'
import { z } from 'zod'
import { fromSs58 } from '../crypto/index.js'
import { type AccountId, type BlockNumber, bounded, messageOf, type ShareKind, SlotmeshError } from '../domain/index.js'
import type { RetrieveRequest, StoreRequest } from './wire.js'

/** Longer than an enclave takes to have a confirmation final, ms. */
const ANSWER_MS = 120_000

/** A share of 3,000 bytes, however it is escaped. */
const MOST_BYTES = 65_536

/** Letters of what an enclave says that are shown. */
const LONGEST_SAYING = 200

const STORE_PATHS = { secret: 'secret-nft/store-keyshare', capsule: 'capsule-nft/set-keyshare' } as const

const replyShape = z.object({
  status: z.string().optional(),
  description: z.string().optional(),
  keyshare_data: z.string().optional(),
  enclave_address: z.string().optional(),
  block_number: z.number().optional(),
})

type Reply = z.output<typeof replyShape>

interface Abortable {
  readonly signal: AbortSignal
}

/**
 * Hands a share over to an enclave, by the URL that is registered on chain.
 * @throws SlotmeshError `owner/refused-by-enclave` with what it says; `owner/enclave-unreachable`; the signal's reason.
 */
export async function storeAt(
  apiUri: string,
  kind: ShareKind,
  request: StoreRequest,
  options: Abortable,
): Promise<void> {
  const { status, description } = await post(apiUri, STORE_PATHS[kind], request, options)
  if (status !== 'STORESUCCESS') throw refused(status, description)
}

/**
 * Asks an enclave for a share.
 * @throws as {@link storeAt}.
 */
export async function retrieveAt(
  apiUri: string,
  kind: ShareKind,
  request: RetrieveRequest,
  options: Abortable,
): Promise<string> {
  const reply = await post(apiUri, `${kind}-nft/retrieve-keyshare`, request, options)
  const share = reply.keyshare_data?.split('_')[1]
  if (reply.status !== 'RETRIEVESUCCESS' || share === undefined) throw refused(reply.status, reply.description)
  return share
}

/**
 * Asks an enclave whether it is in step with the chain, as whoever asks has seen it: its own endpoint may be behind.
 *
 * @param options.block the final block that it must have seen.
 * @throws SlotmeshError `owner/not-in-step`; otherwise as {@link storeAt}.
 */
export async function requireHealthAt(
  apiUri: string,
  { block, ...options }: Abortable & { readonly block: BlockNumber },
): Promise<void> {
  const { http, description = '', block_number: seen } = await ask(apiUri, 'health', {}, options)
  if (http === 200 && seen !== undefined && seen >= block) return
  const sentence =
    http === 200
      ? `The enclave at ${apiUri} has seen block ${seen ?? 'none'} of the chain, which is at ${block}.`
      : `The enclave at ${apiUri} is not in step with the chain (${http}): ${shown(description) || 'it does not say why.'}`
  throw new SlotmeshError('owner/not-in-step', sentence)
}

/**
 * Which enclave answers there, by its own word.
 * @throws SlotmeshError `owner/not-an-enclave` when something else answers; otherwise as {@link storeAt}.
 */
export async function enclaveAt(apiUri: string, options: Abortable): Promise<AccountId> {
  const { enclave_address: address = '' } = await ask(apiUri, 'health', {}, options)
  try {
    return fromSs58(address)
  } catch (cause) {
    const sentence = `What answers at ${apiUri} is no enclave; correct the address.`
    throw new SlotmeshError('owner/not-an-enclave', sentence, { cause })
  }
}

/** @throws SlotmeshError `owner/bad-api-uri` where a share would cross a network in the clear, or it is no URL. */
function urlOf(apiUri: string, path: string): string {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(apiUri) ? apiUri : `https://${apiUri}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isLoopback =
    url !== undefined && (['localhost', '[::1]'].includes(url.hostname) || isLoopbackAddress(url.hostname))
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && isLoopback)) {
    const sentence = `An enclave is registered with "${apiUri}", by which no share can be sent in secret; tell its operator.`
    throw new SlotmeshError('owner/bad-api-uri', sentence)
  }
  return `${url.origin}${url.pathname.replace(/\/$/, '')}/api/${path}`
}

function isLoopbackAddress(host: string): boolean {
  return isIPv4(host) && host.startsWith('127.')
}

function post(apiUri: string, path: string, body: unknown, options: Abortable): Promise<Reply> {
  const headers = { 'content-type': 'application/json' }
  return ask(apiUri, path, { method: 'POST', body: JSON.stringify(body), headers }, options)
}

function ask(
  apiUri: string,
  path: string,
  init: RequestInit,
  { signal }: Abortable,
): Promise<Reply & { readonly http: number }> {
  const url = urlOf(apiUri, path)
  return bounded({ signals: [signal], timeoutMs: ANSWER_MS }, async (limited) => {
    try {
      const response = await fetch(url, { ...init, redirect: 'error', signal: limited })
      return { ...replyIn(await textOf(response), response.status), http: response.status }
    } catch (thrown) {
      signal.throwIfAborted()
      if (thrown instanceof SlotmeshError) throw thrown
      const reason = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown
      const sentence = `The enclave at ${apiUri} does not answer (${messageOf(reason)}); try again, or ask another one.`
      throw new SlotmeshError('owner/enclave-unreachable', sentence, { cause: thrown })
    }
  })
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > MOST_BYTES) throw refused(String(response.status), 'its answer is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Some refusals are plain text. */
function replyIn(text: string, http: number): Reply {
  try {
    const { success, data } = replyShape.safeParse(JSON.parse(text))
    if (success) return data
  } catch {
    // Then it is what it says.
  }
  return { status: String(http), description: text }
}

function refused(status = 'no status', description = ''): SlotmeshError {
  return new SlotmeshError(
    'owner/refused-by-enclave',
    `The enclave refuses with ${shown(status)}: ${shown(description)}`,
  )
}

/** What somebody else says, for a terminal: on one line, without what a terminal would obey, and not for long. */
function shown(text: string): string {
  return text.slice(0, LONGEST_SAYING).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
}
