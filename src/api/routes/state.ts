import type { FastifyInstance } from 'fastify'
import { toHex, toSs58 } from '../../crypto/index.js'
import { packageVersion } from '../../domain/index.js'
import type { Answering } from '../answering.js'
import type { ApiBackend, ApiStatus } from '../backend.js'
import { intervalBody, requestIn } from '../bodies.js'
import { listFailureOf, otherFailureOf } from '../replies.js'

/** With any of these a node gives nothing out, or cannot know that it may. */
const GRAVE: ReadonlySet<string> = new Set([
  'store/failed',
  'sync/stopped',
  'chain/stale-view',
  'chain/unreachable',
  'chain/unreadable-block',
])

/** As the contract names the states of an enclave, each with its HTTP status: section 1.5. */
const STATES: Readonly<Record<ApiStatus['state'], { http: number; sync: string; description: string }>> = {
  running: { http: 200, sync: '', description: 'The enclave is in step with the chain.' },
  unregistered: { http: 206, sync: '', description: 'The chain has no seat for this enclave.' },
  setup: { http: 205, sync: 'setup', description: 'The enclave fetches the shares that there are.' },
  stopped: { http: 406, sync: 'stopped', description: 'The enclave is stopping.' },
}

/** What anybody may ask of the node itself, and the list for metrics servers. */
export function addStateRoutes(app: FastifyInstance, node: ApiBackend, answering: Answering): void {
  const { account } = node

  app.get('/api/health', (request, reply) =>
    answering.answer(request, reply, {}, async () => {
      try {
        const status = await node.status()
        const { http, sync, description } = STATES[status.state]
        const body = {
          chain: node.chainName,
          block_number: status.finalisedBlock,
          sync_state: status.state === 'running' ? String(status.syncedBlock) : sync,
          secrets_number: status.shares.secret + status.shares.capsule,
          version: packageVersion(),
          description,
          enclave_address: toSs58(account),
          peer_id: status.peerId,
          multiaddrs: status.multiaddrs,
        }
        return { http, body }
      } catch (thrown) {
        return answering.failed(thrown, otherFailureOf(thrown))
      }
    }),
  )

  app.get('/api/quote', (request, reply) =>
    answering.answer(request, reply, {}, async (signal) => {
      try {
        const { block, quote } = await node.clientQuote({ signal })
        return { http: 200, body: { block_number: block, data: toHex(quote).slice(2) } }
      } catch (thrown) {
        const { finalisedBlock } = await node.status()
        const data = 'This enclave can make no quote now; its operator finds the reason in its log.'
        return answering.failed(thrown, { http: 500, body: { block_number: finalisedBlock, data }, isOwn: true })
      }
    }),
  )

  app.post('/api/metric/interval-nft-list', (request, reply) =>
    answering.answer(request, reply, {}, async (signal) => {
      try {
        const nftid = await node.syncedBetween(requestIn(intervalBody, request.body), { signal })
        return { http: 200, body: { nftid } }
      } catch (thrown) {
        return answering.failed(thrown, listFailureOf(thrown))
      }
    }),
  )

  app.get('/healthz', (request, reply) =>
    answering.answer(request, reply, {}, async () => ({ http: 200, body: { status: 'alive' } })),
  )

  app.get('/readyz', (request, reply) =>
    answering.answer(request, reply, {}, async () => {
      try {
        const { state, problems } = await node.status()
        const codes = problems.map(({ code }) => code)
        const isReady = state === 'running' && !codes.some((code) => GRAVE.has(code))
        return { http: isReady ? 200 : 503, body: { ready: isReady, state, problems: codes } }
      } catch (thrown) {
        return answering.failed(thrown, otherFailureOf(thrown))
      }
    }),
  )
}
