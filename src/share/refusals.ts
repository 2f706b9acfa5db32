import { SlotmeshError, type SynchronisationBarrier } from '../domain/index.js'
import type { RefusalCode } from './wire/share.js'

/** SPEC 7: the refusal codes, by their names on the wire. */
export type Refusal = Exclude<`${RefusalCode}`, 'REFUSAL_UNSPECIFIED'>

/** What the peer is told; it says nothing of this node's inner state. */
const SENTENCES: Record<Refusal, string> = {
  UNKNOWN_CHAIN: 'The genesis hash or the anchor block is not of the chain that this enclave follows.',
  NOT_REGISTERED: 'No seat is assigned to that enclave account at the block that this enclave sees.',
  WRONG_SLOT: 'Shares are exchanged between enclaves of the same slot only.',
  SAME_CLUSTER: 'Enclaves of one cluster never share with each other.',
  CLUSTER_NOT_PUBLIC: 'Shares are exchanged between public clusters only.',
  BAD_SIGNATURE: 'The signature is not the stated account’s over these bytes.',
  TOKEN_EXPIRED: 'The token has expired; begin again with a newer block.',
  TOKEN_IN_FUTURE: 'The token is anchored in a block that this enclave has not seen final yet; try again soon.',
  QUOTE_INVALID: 'The quote does not verify.',
  TCB_BELOW_POLICY: 'The platform’s TCB status is not accepted; update its microcode.',
  MEASUREMENT_NOT_ALLOWED: 'The enclave’s measurement is not one that is allowed.',
  DEBUG_ENCLAVE: 'Debug enclaves are refused.',
  BINDING_MISMATCH: 'The quote is not bound to this exchange.',
  NOT_READY: 'This enclave cannot take part yet; try again later.',
  BUSY: 'Too many exchanges at once; try again later.',
  MALFORMED: 'A message does not follow the protocol.',
  UNSUPPORTED_SUITE: 'None of the offered suites is supported.',
}

/** This side refuses the exchange: the peer is told `refusal`, the `message` stays at home. */
export class RefusalError extends SlotmeshError {
  override readonly name = 'RefusalError'
  readonly refusal: Refusal
  readonly retryAfterMs: number

  constructor(refusal: Refusal, options?: ErrorOptions & { retryAfterMs?: number }) {
    super('share/refusing', SENTENCES[refusal], options)
    this.refusal = refusal
    this.retryAfterMs = options?.retryAfterMs ?? 0
  }
}

/** The peer refused the exchange. */
export class RefusedError extends SlotmeshError {
  override readonly name = 'RefusedError'
  readonly refusal: Refusal
  readonly retryAfterMs: number

  constructor(refusal: Refusal, retryAfterMs: number) {
    super('share/refused', `The peer refused with ${refusal}: ${SENTENCES[refusal]}`)
    this.refusal = refusal
    this.retryAfterMs = retryAfterMs
  }
}

export const BARRIER_REFUSALS: Record<SynchronisationBarrier, Refusal> = {
  'not-registered': 'NOT_REGISTERED',
  'same-cluster': 'SAME_CLUSTER',
  'wrong-slot': 'WRONG_SLOT',
  'cluster-not-public': 'CLUSTER_NOT_PUBLIC',
}

const ATTESTATION_REFUSALS: Readonly<Record<string, Refusal>> = {
  'attestation/quote-invalid': 'QUOTE_INVALID',
  'attestation/tcb-below-policy': 'TCB_BELOW_POLICY',
  'attestation/measurement-not-allowed': 'MEASUREMENT_NOT_ALLOWED',
  'attestation/debug-enclave': 'DEBUG_ENCLAVE',
}

/** What a failed quote verification is called on the wire; when the trouble is this side's own, it is not ready. */
export function attestationRefusal(thrown: unknown): RefusalError {
  const refusal = thrown instanceof SlotmeshError ? ATTESTATION_REFUSALS[thrown.code] : undefined
  return new RefusalError(refusal ?? 'NOT_READY', { cause: thrown })
}

export function isRefusal(code: string): code is Refusal {
  return Object.hasOwn(SENTENCES, code)
}
