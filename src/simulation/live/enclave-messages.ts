import type { AccountId, ShareKey, ShareKind } from '../../domain/index.js'
import type { NodeEvent, NodeStatus } from '../../node/index.js'
import type { RetrieveRequest, StoreRequest } from '../../owner/index.js'
import type { HeldShare } from '../audit.js'
import type { EnclaveSpec } from './enclave.js'
import type { LinkTable } from './shaping/index.js'

/** What the simulation asks of an enclave in a process of its own. */
export interface EnclaveCalls {
  create: { parameters: [spec: EnclaveSpec]; result: { readonly account: AccountId; readonly peerId: string } }
  start: { parameters: []; result: unknown }
  stop: { parameters: []; result: unknown }
  status: { parameters: []; result: NodeStatus }
  heldShares: { parameters: []; result: HeldShare[] }
  shape: { parameters: [links: LinkTable]; result: unknown }
  disconnect: { parameters: []; result: unknown }
  storeShare: { parameters: [kind: ShareKind, request: StoreRequest]; result: ShareKey }
  retrieveShare: { parameters: [kind: ShareKind, request: RetrieveRequest]; result: Uint8Array }
}

export type EnclaveMethod = keyof EnclaveCalls

export type EnclaveMethods = {
  readonly [Method in EnclaveMethod]: (
    ...parameters: EnclaveCalls[Method]['parameters']
  ) => Promise<EnclaveCalls[Method]['result']>
}

/** One call, as it crosses to the enclave's process. */
export interface EnclaveCall<Method extends EnclaveMethod = EnclaveMethod> {
  readonly id: number
  readonly method: Method
  readonly parameters: EnclaveCalls[Method]['parameters']
}

/** What comes back: the outcome of a call, or an event of the node. */
export type EnclaveReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly code: string; readonly message: string } }
  | { readonly event: NodeEvent }
