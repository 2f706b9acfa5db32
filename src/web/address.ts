import { isIP } from 'node:net'
import { SlotmeshError } from '../domain/index.js'

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/**
 * Reads `127.0.0.1:9615`, `[::1]:9615`, or a port alone, which is one of 127.0.0.1.
 * @throws SlotmeshError `web/bad-address`
 */
export function listenAddress(text: string): ListenAddress {
  const [, bracketed, plain, port = ''] =
    /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(/^\d+$/.test(text) ? `127.0.0.1:${text}` : text) ?? []
  const host = bracketed ?? plain ?? ''
  const isAddress = isIP(host) === (bracketed === undefined ? 4 : 6) || host === 'localhost'
  if (isAddress && Number(port) <= 65_535) return { host, port: Number(port) }
  const sentence = `"${text}" is no address to listen on; one looks like 127.0.0.1:9615 or [::1]:9615.`
  throw new SlotmeshError('web/bad-address', sentence)
}

/** As it stands in a URL, and in {@link listenAddress}. */
export function hostText({ host, port }: ListenAddress): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
}
