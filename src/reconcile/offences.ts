import { type OffenceKind, SlotmeshError } from '../domain/index.js'
import { latenessOf } from '../framing/index.js'
import { RefusingError } from './refusals.js'

const BY_CODE: Readonly<Record<string, OffenceKind>> = {
  'reconcile/oversized': 'oversized',
  'reconcile/crumbs': 'crumbs',
}

/**
 * What the peer did by which a session ended; undefined when it need not be its fault.
 * @param peer.isKnown whether a record says whose enclave it is.
 */
export function offenceOf(thrown: unknown, peer: Parameters<typeof latenessOf>[1]): OffenceKind | undefined {
  if (!(thrown instanceof SlotmeshError)) return latenessOf(thrown, peer)
  if (thrown instanceof RefusingError && thrown.refusal === 'MALFORMED') return 'malformed'
  const { cause } = thrown
  return BY_CODE[thrown.code] ?? (cause instanceof SlotmeshError ? BY_CODE[cause.code] : undefined)
}
