import type { ShareKey, ShareKind } from '../../src/domain/index.js'
import type { NodeStatus } from '../../src/node/index.js'
import type { StoreRequest } from '../../src/owner/index.js'
import type { NodeInput } from './node.js'

/** How one process is to live. */
export interface Life extends NodeInput {
  /** Its store's so many-th write of more than the cursor is the end of it: before it is begun, so many ms after, or when it is acknowledged. */
  readonly deadlyWrite:
    | { readonly number: number; readonly when: 'before' | 'during' | 'after'; readonly spinMs: number }
    | undefined
  /** So many ms after it has handed so many transactions to the chain it ends, whatever it has heard of them by then. */
  readonly deadlySubmission?: { readonly number: number; readonly afterMs: number } | undefined
  /** Of LevelDB's buffer, if it is to be smaller than usual. */
  readonly tableBytes: number | undefined
}

/** What is asked of an enclave's process. */
interface Asked {
  live: { parameters: [life: Life]; result: undefined }
  status: { parameters: []; result: NodeStatus }
  /** Sets the process's clock by so many ms. */
  setClock: { parameters: [by: number]; result: undefined }
  store: { parameters: [kind: ShareKind, request: StoreRequest]; result: ShareKey }
}

export type Method = keyof Asked
export type Parameters<Name extends Method> = Asked[Name]['parameters']
export type Result<Name extends Method> = Asked[Name]['result']

export type Calls = {
  readonly [Name in Method]: (...parameters: Parameters<Name>) => Promise<Result<Name>>
}

export interface Call<Name extends Method = Method> {
  readonly id: number
  readonly method: Name
  readonly parameters: Parameters<Name>
}

export interface Answer {
  /** 0 when the process is ready for calls. */
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}
