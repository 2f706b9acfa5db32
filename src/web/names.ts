import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

/**
 * Whether a request names this server by a literal address, as localhost, or by one of the names given. A web page that is
 * open in somebody's browser can have its own name point here (DNS rebinding); it cannot have the browser say another name.
 */
export function namesHere({ headers }: Pick<IncomingMessage, 'headers'>, names: readonly string[] = []): boolean {
  const { host } = headers
  if (host === undefined || !URL.canParse(`http://${host}`)) return false
  const { hostname, pathname, username } = new URL(`http://${host}`)
  if (pathname !== '/' || username !== '') return false
  const name = hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(name) !== 0 || name === 'localhost' || names.some((each) => each.toLowerCase() === name)
}
