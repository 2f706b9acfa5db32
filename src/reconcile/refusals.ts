import { SlotmeshError, type SynchronisationBarrier } from '../domain/index.js'
import type { RefusalCode } from './wire/reconcile.js'

/** SPEC 7: the refusal codes, by their names on the wire. */
export type ReconcileRefusal = Exclude<`${RefusalCode}`, 'REFUSAL_UNSPECIFIED'>

const SENTENCES: Record<ReconcileRefusal, string> = {
  UNKNOWN_CHAIN: 'The genesis hash is not of the chain that this enclave follows.',
  NOT_REGISTERED: 'No seat is assigned to that enclave account at the block that this enclave sees.',
  WRONG_SLOT: 'Shares are compared between enclaves of the same slot only.',
  SAME_CLUSTER: 'Enclaves of one cluster have no share in common.',
  CLUSTER_NOT_PUBLIC: 'Shares are compared between public clusters only.',
  UNKNOWN_PEER: 'No enclave record is known by which this peer is that account’s.',
  NOT_READY: 'This enclave is not set up, or sees no new final block; try again later.',
  BUSY: 'Too many sessions or questions; try again later.',
  MALFORMED: 'A message does not follow the protocol.',
}

/** This side refuses the session; a requester is told which, and nothing more. */
export class RefusingError extends SlotmeshError {
  override readonly name = 'RefusingError'
  readonly refusal: ReconcileRefusal

  constructor(refusal: ReconcileRefusal, options?: ErrorOptions) {
    super('reconcile/refusing', SENTENCES[refusal], options)
    this.refusal = refusal
  }
}

/** The provider refused the session. */
export class RefusedSessionError extends SlotmeshError {
  override readonly name = 'RefusedSessionError'
  readonly refusal: ReconcileRefusal
  readonly retryAfterMs: number

  constructor(refusal: ReconcileRefusal, retryAfterMs: number) {
    super('reconcile/refused', `The peer refused with ${refusal}: ${SENTENCES[refusal]}`)
    this.refusal = refusal
    this.retryAfterMs = retryAfterMs
  }
}

export const BARRIER_REFUSALS: Record<SynchronisationBarrier, ReconcileRefusal> = {
  'not-registered': 'NOT_REGISTERED',
  'same-cluster': 'SAME_CLUSTER',
  'wrong-slot': 'WRONG_SLOT',
  'cluster-not-public': 'CLUSTER_NOT_PUBLIC',
}

export function isRefusal(code: string): code is ReconcileRefusal {
  return Object.hasOwn(SENTENCES, code)
}

/** @throws RefusingError MALFORMED */
export function malformed(cause?: unknown): never {
  throw new RefusingError('MALFORMED', { cause })
}
