import { toSs58 } from '../crypto/index.js'
import { type AccountId, type NftId, type ShareKind, SlotmeshError } from '../domain/index.js'
import { OwnerRequestError } from '../owner/index.js'
import { IngestError } from '../sync/index.js'
import { BodyError } from './bodies.js'

/** An answer that is no success. */
export interface Failure {
  readonly http: number
  /** Plain text where it is a string. */
  readonly body: string | Readonly<Record<string, unknown>>
  /** Whether nobody outside is to blame, so that it belongs into the log. */
  readonly isOwn: boolean
}

/** What a route makes of a failure of the store, which clients of the reference know by these. */
type StoreStatus = 'DATABASEFAILURE' | 'KEYNOTREADABLE'

/** Answers to requests about one share, as clients of the reference know them: sections 1.3 and 1.4 of the contract. */
export function shareReply(
  account: AccountId,
  { status, nftId, description }: { readonly status: string; readonly nftId: NftId; readonly description: string },
): Readonly<Record<string, unknown>> {
  return { status, nft_id: nftId, enclave_account: toSs58(account), description }
}

/** What to answer where a request about a share was not granted. */
export function failureOf(thrown: unknown, account: AccountId, kind: ShareKind, store: StoreStatus): Failure {
  const reply = (http: number, status: string, nftId: NftId, description: string, isOwn = false): Failure => ({
    http,
    body: shareReply(account, { status, nftId, description }),
    isOwn,
  })
  if (thrown instanceof OwnerRequestError && thrown.status !== 'INVALIDBODY') {
    return reply(thrown.httpStatus, thrown.status, thrown.nftId, thrown.message)
  }
  if (thrown instanceof IngestError) {
    const isHeld = thrown.outcome === 'held'
    return reply(isHeld ? 409 : 504, isHeld ? 'NFTIDEXISTS' : 'ORACLEFAILURE', thrown.key.nftId, thrown.message)
  }
  const common = commonFailureOf(thrown)
  if (common !== undefined) return common
  const { code } = thrown as Partial<SlotmeshError>
  if (isChain(thrown)) return reply(503, 'CHAINUNAVAILABLE', 0, (thrown as Error).message)
  if (code?.startsWith('node/') || code === 'sync/busy') return reply(503, 'UNAVAILABLE', 0, (thrown as Error).message)
  if (code?.startsWith('store/')) {
    return reply(500, store, 0, `The ${kind} cannot be kept or read here now; ask another enclave.`, true)
  }
  return reply(500, 'INTERNALERROR', 0, 'This enclave has failed; ask another one, and tell its operator.', true)
}

/** What to answer to a metrics server whose list is not given. */
export function listFailureOf(thrown: unknown): Failure {
  if (thrown instanceof OwnerRequestError) {
    return { http: thrown.status === 'CHAINUNAVAILABLE' ? 503 : 400, body: { error: thrown.message }, isOwn: false }
  }
  return commonFailureOf(thrown) ?? otherFailureOf(thrown)
}

/** Failures that read the same on every route; undefined for others. */
function commonFailureOf(thrown: unknown): Failure | undefined {
  if (thrown instanceof BodyError) return { http: thrown.httpStatus, body: thrown.message, isOwn: false }
  if (thrown instanceof OwnerRequestError && thrown.status === 'INVALIDBODY') {
    return { http: 422, body: thrown.message, isOwn: false }
  }
  if (thrown instanceof DOMException && thrown.name === 'TimeoutError') {
    return { http: 408, body: 'Request took too long', isOwn: false }
  }
  return undefined
}

/** What to answer where the route has no words of its own. */
export function otherFailureOf(thrown: unknown): Failure {
  const common = commonFailureOf(thrown)
  if (common !== undefined) return common
  const isOwn = !isChain(thrown) && !isCode(thrown, 'node/')
  const error = isOwn ? 'This enclave has failed; ask another one, and tell its operator.' : (thrown as Error).message
  return { http: isOwn ? 500 : 503, body: { error }, isOwn }
}

function isChain(thrown: unknown): boolean {
  return isCode(thrown, 'chain/') || isCode(thrown, 'node/stale-view')
}

function isCode(thrown: unknown, prefix: string): boolean {
  return thrown instanceof SlotmeshError && thrown.code.startsWith(prefix)
}
