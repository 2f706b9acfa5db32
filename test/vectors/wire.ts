import { concat } from './tools.js'

/*
 * The messages of share.proto in protocol buffers version 3, by hand: fields in order of their numbers, none that has
 * its default value.
 */

export interface Token {
  readonly blockNumber: number
  readonly blockHash: Uint8Array
  readonly validity: number
}

export interface HelloBody {
  readonly genesisHash: Uint8Array
  readonly account: Uint8Array
  readonly nonce: Uint8Array
  readonly token?: Token | undefined
  readonly suites: readonly { readonly suite: number; readonly publicKey: Uint8Array }[]
}

export interface ChallengeBody {
  readonly account: Uint8Array
  readonly nonce: Uint8Array
  readonly token?: Token | undefined
  readonly suite: number
  readonly publicKey: Uint8Array
  readonly syncedBlock: number
  readonly takenInBlock: number
}

export interface RequestBody {
  readonly encapsulatedKey: Uint8Array
  readonly secrets: Uint8Array
  readonly capsules: Uint8Array
}

export interface LogHead {
  readonly account: Uint8Array
  readonly incarnation: Uint8Array
  readonly cluster: number
  readonly slot: number
  readonly size: number
  readonly root: Uint8Array
  readonly signature: Uint8Array
}

export type Kind = 'SECRET' | 'CAPSULE'

export interface Share {
  readonly kind: Kind
  readonly nftId: number
  readonly version: number
  readonly payload: Uint8Array
}

export interface Run {
  readonly head?: LogHead | undefined
  readonly firstIndex: number
  readonly shares: readonly Share[]
  readonly left: readonly Uint8Array[]
  readonly right: readonly Uint8Array[]
}

export interface Batch {
  readonly runs: readonly Run[]
  readonly secretsNotHeld: Uint8Array
  readonly capsulesNotHeld: Uint8Array
  readonly cursor?: { readonly kind: Kind; readonly nftId: number } | undefined
}

export interface End {
  readonly shareCount: number
  readonly notHeldCount: number
  readonly unfinished: boolean
}

export interface Refusal {
  readonly code: number
  readonly sentence: string
  readonly retryAfterMs: number
}

/** Section 7 */
export const REFUSALS = [
  'REFUSAL_UNSPECIFIED',
  'UNKNOWN_CHAIN',
  'NOT_REGISTERED',
  'WRONG_SLOT',
  'SAME_CLUSTER',
  'CLUSTER_NOT_PUBLIC',
  'BAD_SIGNATURE',
  'TOKEN_EXPIRED',
  'TOKEN_IN_FUTURE',
  'QUOTE_INVALID',
  'TCB_BELOW_POLICY',
  'MEASUREMENT_NOT_ALLOWED',
  'DEBUG_ENCLAVE',
  'BINDING_MISMATCH',
  'NOT_READY',
  'BUSY',
  'MALFORMED',
  'UNSUPPORTED_SUITE',
] as const

export type RefusalName = Exclude<(typeof REFUSALS)[number], 'REFUSAL_UNSPECIFIED'>

const KINDS: Record<Kind, number> = { SECRET: 1, CAPSULE: 2 }

export function encodeToken(token: Token): Uint8Array {
  return concat(uint(1, token.blockNumber), bytes(2, token.blockHash), uint(3, token.validity))
}

export function encodeHelloBody(body: HelloBody): Uint8Array {
  return concat(
    bytes(1, body.genesisHash),
    bytes(2, body.account),
    bytes(3, body.nonce),
    nested(4, body.token && encodeToken(body.token)),
    ...body.suites.map(({ suite, publicKey }) => nested(5, concat(uint(1, suite), bytes(2, publicKey)))),
  )
}

export function encodeHello(body: Uint8Array, signature: Uint8Array): Uint8Array {
  return nested(1, concat(bytes(1, body), bytes(2, signature)))
}

export function encodeChallengeBody(body: ChallengeBody): Uint8Array {
  return concat(
    bytes(1, body.account),
    bytes(2, body.nonce),
    nested(3, body.token && encodeToken(body.token)),
    uint(4, body.suite),
    bytes(5, body.publicKey),
    uint(6, body.syncedBlock),
    uint(7, body.takenInBlock),
  )
}

export function encodeChallenge(body: Uint8Array, quote: Uint8Array): Uint8Array {
  return nested(1, concat(bytes(1, body), bytes(2, quote)))
}

export function encodeRequestBody(body: RequestBody): Uint8Array {
  return concat(bytes(1, body.encapsulatedKey), bytes(2, body.secrets), bytes(3, body.capsules))
}

export function encodeRequest(body: Uint8Array, quote: Uint8Array): Uint8Array {
  return nested(2, concat(bytes(1, body), bytes(2, quote)))
}

export function encodeGrant(encapsulatedKey: Uint8Array): Uint8Array {
  return nested(2, bytes(1, encapsulatedKey))
}

export function encodeSealed(ciphertext: Uint8Array): Uint8Array {
  return nested(3, bytes(1, ciphertext))
}

export function encodeRefusal({ code, sentence, retryAfterMs }: Refusal): Uint8Array {
  return nested(15, concat(uint(1, code), bytes(2, new TextEncoder().encode(sentence)), uint(3, retryAfterMs)))
}

export function encodeHead(head: LogHead): Uint8Array {
  return concat(
    bytes(1, head.account),
    bytes(2, head.incarnation),
    uint(3, head.cluster),
    uint(4, head.slot),
    uint(5, head.size),
    bytes(6, head.root),
    bytes(7, head.signature),
  )
}

export function encodeShare({ kind, nftId, version, payload }: Share): Uint8Array {
  return concat(uint(1, KINDS[kind]), uint(2, nftId), uint(3, version), bytes(4, payload))
}

export function encodeRun(run: Run): Uint8Array {
  return concat(
    nested(1, run.head && encodeHead(run.head)),
    uint(2, run.firstIndex),
    ...run.shares.map((share) => nested(3, encodeShare(share))),
    ...run.left.map((hash) => nested(4, hash)),
    ...run.right.map((hash) => nested(5, hash)),
  )
}

/** As a SealedContent. */
export function encodeBatch({ runs, secretsNotHeld, capsulesNotHeld, cursor }: Batch): Uint8Array {
  return nested(
    1,
    concat(
      ...runs.map((run) => nested(1, encodeRun(run))),
      bytes(2, secretsNotHeld),
      bytes(3, capsulesNotHeld),
      nested(4, cursor && concat(uint(1, KINDS[cursor.kind]), uint(2, cursor.nftId))),
    ),
  )
}

/** As a SealedContent. */
export function encodeEnd({ shareCount, notHeldCount, unfinished }: End): Uint8Array {
  return nested(2, concat(uint(1, shareCount), uint(2, notHeldCount), uint(3, unfinished ? 1 : 0)))
}

/** A field of wire type 0. */
export function uint(field: number, value: number): Uint8Array {
  return value === 0 ? new Uint8Array() : concat(varint(field * 8), varint(value))
}

/** A field of wire type 2. */
export function bytes(field: number, value: Uint8Array): Uint8Array {
  return value.length === 0 ? value : nested(field, value)
}

/** A field of wire type 2 that is there also when it is empty. */
export function nested(field: number, value: Uint8Array | undefined): Uint8Array {
  return value === undefined ? new Uint8Array() : concat(varint(field * 8 + 2), varint(value.length), value)
}

/** Unsigned LEB128 of the least number of bytes. */
export function varint(value: number): Uint8Array {
  const rest = Math.floor(value / 128)
  return rest === 0 ? Uint8Array.of(value) : concat(Uint8Array.of((value % 128) + 128), varint(rest))
}
