import type { FastifyInstance } from 'fastify'
import { toSs58, utf8, zero } from '../../crypto/index.js'
import { type NftId, type ShareKind, U32_MAX } from '../../domain/index.js'
import type { View } from '../../store/index.js'
import type { Answering } from '../answering.js'
import type { ApiBackend, ShareViews } from '../backend.js'
import { BodyError, removeBody, requestIn, retrieveBody, storeBody } from '../bodies.js'
import { failureOf, otherFailureOf, shareReply } from '../replies.js'

/** The names that the contract has for the two kinds. */
const NAMES = {
  secret: { path: 'secret-nft', store: 'store-keyshare', log: 'secret_nft' },
  capsule: { path: 'capsule-nft', store: 'set-keyshare', log: 'capsule' },
} as const

/** How long a share that was given out may be used, in blocks; the published client passes it over. */
const VALIDITY = 15

/** Sections 1.3 to 1.6 of the contract, for one kind of share. */
export function addShareRoutes(app: FastifyInstance, node: ApiBackend, answering: Answering, kind: ShareKind): void {
  const names = NAMES[kind]
  const { account } = node
  const base = `/api/${names.path}`

  app.post(`${base}/${names.store}`, (request, reply) =>
    answering.answer(request, reply, { isLong: true }, async (signal) => {
      try {
        const { nftId } = await node.storeShare(kind, requestIn(storeBody, request.body), { signal })
        const description = 'The share is sealed here, and confirmed on chain.'
        return { http: 200, body: shareReply(account, { status: 'STORESUCCESS', nftId, description }) }
      } catch (thrown) {
        return answering.failed(thrown, failureOf(thrown, account, kind, 'DATABASEFAILURE'))
      }
    }),
  )

  app.post(`${base}/retrieve-keyshare`, (request, reply) =>
    answering.answer(request, reply, {}, async (signal) => {
      try {
        const asked = requestIn(retrieveBody, request.body)
        const share = await node.retrieveShare(kind, asked, { signal })
        try {
          return {
            http: 200,
            secret: retrieved(node, nftIdOf(asked.data), share, (await node.status()).finalisedBlock),
          }
        } finally {
          zero(share)
        }
      } catch (thrown) {
        return answering.failed(thrown, failureOf(thrown, account, kind, 'KEYNOTREADABLE'))
      }
    }),
  )

  app.post(`${base}/remove-keyshare`, (request, reply) =>
    answering.answer(request, reply, {}, async (signal) => {
      try {
        const { nftId } = await node.removeShare(kind, requestIn(removeBody, request.body), { signal })
        const description = 'The chain has no such share any more, and neither has this enclave.'
        return { http: 200, body: shareReply(account, { status: 'REMOVESUCCESS', nftId, description }) }
      } catch (thrown) {
        return answering.failed(thrown, failureOf(thrown, account, kind, 'DATABASEFAILURE'))
      }
    }),
  )

  app.get<{ Params: { nftId: string } }>(`${base}/is-keyshare-available/:nftId`, (request, reply) =>
    answering.answer(request, reply, {}, async () => {
      try {
        const nftId = idIn(request.params.nftId)
        const exists = await node.holdsShare({ kind, nftId })
        const { finalisedBlock } = await node.status()
        const body = { enclave_account: toSs58(account), block_number: finalisedBlock, nft_id: nftId, exists }
        return { http: exists || kind === 'capsule' ? 200 : 404, body }
      } catch (thrown) {
        return answering.failed(thrown, otherFailureOf(thrown))
      }
    }),
  )

  app.get<{ Params: { nftId: string } }>(`${base}/get-views-log/:nftId`, (request, reply) =>
    answering.answer(request, reply, {}, async (signal) => {
      try {
        const nftId = idIn(request.params.nftId)
        const { nft, views } = await node.shareViews({ kind, nftId }, { signal })
        const log = { secret_nft: {}, capsule: {}, [names.log]: logOf(views) }
        const { http, description } = VIEW_REPLIES[nft === 'known' && views.length === 0 ? 'unseen' : nft]
        return { http, body: { enclave_account: toSs58(account), nft_id: nftId, log, description } }
      } catch (thrown) {
        return answering.failed(thrown, otherFailureOf(thrown))
      }
    }),
  )
}

const VIEW_REPLIES: Readonly<Record<ShareViews['nft'] | 'unseen', { http: number; description: string }>> = {
  known: { http: 200, description: 'The latest requests, the last one last.' },
  unseen: { http: 404, description: 'Nobody has asked this enclave for the share.' },
  unknown: { http: 404, description: 'There is no such NFT, or it was burned.' },
  'other-kind': { http: 406, description: 'The NFT has no share of this kind.' },
}

function logOf(views: readonly View[]): Readonly<Record<string, unknown>> {
  const entries = views.map(({ at, block, account, role, event }) => {
    const date = new Date(at).toISOString().slice(0, 19).replace('T', ' ')
    return { date, block, account: { address: toSs58(account), role }, event }
  })
  return Object.fromEntries(entries.entries())
}

/** The answer as bytes, which the caller zeroes when they are sent. */
function retrieved(node: ApiBackend, nftId: NftId, share: Uint8Array, block: number): Uint8Array {
  const text = Buffer.from(share.buffer, share.byteOffset, share.length).toString('utf8')
  const description = 'The share that this enclave keeps.'
  const reply = shareReply(node.account, { status: 'RETRIEVESUCCESS', nftId, description })
  return utf8(JSON.stringify({ ...reply, keyshare_data: `${nftId}_${text}_${block}_${VALIDITY}` }))
}

/** Of data that was verified. */
function nftIdOf(data: string): NftId {
  return Number.parseInt(data.replace('<Bytes>', ''), 10)
}

function idIn(text: string): NftId {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (id <= U32_MAX) return id
  throw new BodyError(400, 'The NFT id in the path must be a whole number below 2^32.')
}
