import { BlockList, isIP, isIPv6 } from 'node:net'
import { SlotmeshError } from '../domain/index.js'
import { listenAddress } from '../web/index.js'

/** What the API takes of anybody. */
export interface ApiLimits {
  /** Requests of one address; 240 when absent. */
  readonly requestsPerMinute?: number
  /** Requests of all together; 6,000 when absent. */
  readonly requestsPerMinuteInAll?: number
  /** Requests that are being answered; 256 when absent. */
  readonly atOnce?: number
  /** Open connections of one address, other than a proxy's; 64 when absent. */
  readonly connectionsPerAddress?: number
  /** Bytes of a body; 65,536 when absent. */
  readonly bodyBytes?: number
  /** How long a store request is answered, which waits until the confirmation is final, ms; 90,000 when absent. */
  readonly storeMs?: number
  /** How long any other request is answered, ms; 30,000 when absent. */
  readonly answerMs?: number
  /** How long a request may take to come in, ms; 10,000 when absent. */
  readonly requestMs?: number
}

/** Where and how clients are answered. */
export interface ApiSettings {
  /** `host:port`, an IPv6 address in brackets, or a port alone, of 127.0.0.1; port 0 is any that is free. */
  readonly listen: string
  /** Paths of PEM files; without them plain HTTP is spoken, on loopback or behind proxies alone. */
  readonly tls?: { readonly certificate: string; readonly key: string }
  /** Addresses or networks (`10.0.0.0/8`) of proxies before this node: nobody else is served then, and they say who asks. */
  readonly proxies?: readonly string[]
  /** Origins of web pages that may ask; any when absent. */
  readonly origins?: readonly string[]
  readonly limits?: ApiLimits
}

export const DEFAULT_LIMITS: Required<ApiLimits> = {
  requestsPerMinute: 240,
  requestsPerMinuteInAll: 6_000,
  atOnce: 256,
  connectionsPerAddress: 64,
  bodyBytes: 65_536,
  storeMs: 90_000,
  answerMs: 30_000,
  requestMs: 10_000,
}

/**
 * Addresses that are proxies.
 * @throws SlotmeshError `api/bad-proxy`
 */
export function proxyList(proxies: readonly string[]): BlockList {
  const list = new BlockList()
  for (const text of proxies) {
    const [address = '', prefix, ...rest] = text.split('/')
    const version = isIP(address)
    const bits = version === 6 ? 128 : 32
    const length = prefix === undefined ? bits : Number(prefix)
    const isRight = version !== 0 && rest.length === 0 && prefix !== '' && Number.isInteger(length) && length <= bits
    if (!isRight || length < 0) {
      const sentence = `"${text}" is no proxy's address: write one like 10.0.0.2, or a network like 10.0.0.0/8.`
      throw new SlotmeshError('api/bad-proxy', sentence)
    }
    list.addSubnet(address, length, version === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}

/** Also where an IPv4 address is written as an IPv6 one. */
export function isIn(list: BlockList, address: string): boolean {
  return isIP(address) !== 0 && list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

/**
 * Shares and the requests that open them must not cross a network in the clear.
 * @throws SlotmeshError `api/no-tls`
 */
function requireSecrecy({ listen, tls, proxies = [] }: ApiSettings): void {
  const { host } = listenAddress(listen)
  if (tls !== undefined || proxies.length > 0 || isLoopback(host)) return
  throw new SlotmeshError(
    'api/no-tls',
    `The api would send shares in the clear on ${listen}: give a certificate and its key, listen on a loopback address, or name the proxies that stand before it.`,
  )
}

/**
 * What can be said of settings before anything starts.
 * @throws SlotmeshError `api/no-tls`, `api/bad-proxy`, `web/bad-address`
 */
export function checkApi(settings: ApiSettings): void {
  requireSecrecy(settings)
  proxyList(settings.proxies ?? [])
}

const LOOPBACK = proxyList(['127.0.0.0/8', '::1'])

export function isLoopback(host: string): boolean {
  return host === 'localhost' || isIn(LOOPBACK, host)
}
