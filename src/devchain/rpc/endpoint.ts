import type { Logger } from '../../domain/index.js'
import type { Ledger } from '../ledger/ledger.js'
import { type EndpointFaults, Faults } from './faults.js'
import { rpcMethods } from './methods.js'
import { Outlook } from './outlook.js'
import { RpcServer } from './server.js'

/** Where an endpoint of the chain listens, and how slow it is. */
export interface EndpointOptions {
  /** TCP port on the loopback interface; any free one by default. */
  readonly port?: number
  /** Milliseconds added to each answer and notification; none by default. */
  readonly latency?: number
}

/** One WebSocket address over a ledger, with faults of its own. */
export interface Endpoint {
  readonly url: string
  readonly faults: EndpointFaults
  /** Closes every connection and the port. */
  stop(): Promise<void>
}

/** @throws SlotmeshError `devchain/port-in-use` or `devchain/listen-failed`. */
export async function openEndpoint(
  ledger: Ledger,
  name: string,
  logger: Logger,
  { port = 0, latency = 0 }: EndpointOptions = {},
): Promise<Endpoint> {
  const faults = new Faults(latency)
  const outlook = new Outlook(ledger, faults)
  const server = await RpcServer.listen(port, rpcMethods(ledger, outlook, name), faults, logger)
  return {
    url: server.url,
    faults,
    stop: async () => {
      outlook.close()
      await server.close()
    },
  }
}
