import type { IncomingMessage, ServerResponse } from 'node:http'
import { hostText, type ListenAddress, namesHere, refuse, WebServer } from '../web/index.js'
import type { NodeMetrics } from './node-metrics.js'

export interface ServedMetrics {
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves `/metrics` for Prometheus.
 * @param options.names by which it may be reached, besides literal addresses and localhost.
 * @throws SlotmeshError `web/cannot-listen`
 */
export async function serveMetrics(
  metrics: Pick<NodeMetrics, 'text' | 'contentType'>,
  { listen, names = [] }: { readonly listen: ListenAddress; readonly names?: readonly string[] },
): Promise<ServedMetrics> {
  const answer = async ({ method }: IncomingMessage, response: ServerResponse, { pathname }: URL) => {
    if (pathname !== '/metrics') return refuse(response, 404, 'There is /metrics here, and nothing else.')
    if (method !== 'GET' && method !== 'HEAD') return refuse(response, 405, 'Metrics can be read only.')
    const text = await metrics.text()
    response.setHeader('content-type', metrics.contentType)
    response.end(text)
  }
  const server = new WebServer({ ...listen, isMeant: (request) => namesHere(request, names), answer })
  await server.open()
  const url = `http://${hostText({ ...listen, port: server.port })}/metrics`
  return { url, close: () => server.close() }
}
