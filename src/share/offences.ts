import { type OffenceKind, SlotmeshError } from '../domain/index.js'
import { latenessOf } from '../framing/index.js'
import { type Refusal, RefusalError } from './refusals.js'

/**
 * What a refusal of this side's says of the peer. A measurement or a TCB that the policy does not allow is no offence: the
 * peer may be of a later build than this policy; nor is a view of the chain that is ahead.
 */
const BY_REFUSAL: Partial<Record<Refusal, OffenceKind>> = {
  MALFORMED: 'malformed',
  BAD_SIGNATURE: 'bad-signature',
  QUOTE_INVALID: 'bad-quote',
  DEBUG_ENCLAVE: 'bad-quote',
  BINDING_MISMATCH: 'bad-quote',
  UNKNOWN_CHAIN: 'bad-token',
  TOKEN_EXPIRED: 'bad-token',
  NOT_REGISTERED: 'no-right',
  WRONG_SLOT: 'no-right',
  SAME_CLUSTER: 'no-right',
}

const BY_CODE: Readonly<Record<string, OffenceKind>> = {
  'share/oversized': 'oversized',
  'share/crumbs': 'crumbs',
  'share/flood': 'flood',
  'share/unasked': 'unasked',
  'share/doubtful': 'doubtful',
  'share/endless': 'endless',
  'share/origin': 'bad-provenance',
  'share/unsealing': 'bad-seal',
  'share/incomplete': 'miscounted',
}

/**
 * Checks that a genuine platform can fail: its module is newer than what is known here of Intel's, it is older than that
 * goes back, its certificates have run out by the clock of this side, or the two judges here do not agree.
 */
const CHECKS_OF_GENUINE: ReadonlySet<unknown> = new Set([
  'tdx-module',
  'tcb-level',
  'tcb-status',
  'second-opinion',
  'pck-validity',
])

/**
 * What the peer did by which an exchange ended; undefined when it need not be its fault.
 * @param peer.isKnown whether its account had proved itself by then.
 */
export function offenceOf(thrown: unknown, peer: Parameters<typeof latenessOf>[1]): OffenceKind | undefined {
  if (!(thrown instanceof SlotmeshError)) return latenessOf(thrown, peer)
  const { cause } = thrown
  if (cause instanceof Error && 'check' in cause && CHECKS_OF_GENUINE.has(cause.check)) return undefined
  const refused = thrown instanceof RefusalError ? BY_REFUSAL[thrown.refusal] : undefined
  if (refused !== undefined) return refused
  const causeCode = cause instanceof SlotmeshError ? BY_CODE[cause.code] : undefined
  if (thrown.code.startsWith('provenance/')) return 'bad-provenance'
  return causeCode ?? BY_CODE[thrown.code]
}
