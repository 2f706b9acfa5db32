import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { KEY_HEADER } from '../model/messages.js'

/**
 * Who may see and who may steer. The page is for whoever sits at this machine: another web page that is open there must
 * neither read the run (by a name that it makes point here) nor steer it (by a form, or a request across origins), and
 * another user of the machine must not steer it either.
 */
export interface Guard {
  /** Whether it was meant for this server by name. */
  maySee(request: IncomingMessage): boolean
  maySteer(request: IncomingMessage): boolean
}

/** @param key that only the page's address holds */
export function createGuard({ port, key }: { readonly port: () => number; readonly key: string }): Guard {
  const hosts = () => ['127.0.0.1', 'localhost'].map((host) => `${host}:${port()}`)
  const maySee = ({ headers }: IncomingMessage) => headers.host !== undefined && hosts().includes(headers.host)
  return {
    maySee,
    maySteer: (request) => {
      const { origin, [KEY_HEADER]: given } = request.headers
      if (!maySee(request) || origin !== `http://${request.headers.host}` || typeof given !== 'string') return false
      const [expected, actual] = [Buffer.from(key), Buffer.from(given)]
      return expected.length === actual.length && timingSafeEqual(expected, actual)
    },
  }
}
