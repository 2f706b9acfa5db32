import { type OffenceKind, SlotmeshError } from '../domain/index.js'
import { RefusingError } from './refusals.js'

const BY_CODE: Readonly<Record<string, OffenceKind>> = {
  'reconcile/oversized': 'oversized',
  'reconcile/crumbs': 'crumbs',
  'reconcile/flood': 'flood',
}

/** What the peer did by which a session ended; undefined when it need not be its fault. */
export function offenceOf(thrown: unknown): OffenceKind | undefined {
  if (!(thrown instanceof SlotmeshError)) return undefined
  if (thrown instanceof RefusingError && thrown.refusal === 'MALFORMED') return 'malformed'
  const { cause } = thrown
  return BY_CODE[thrown.code] ?? (cause instanceof SlotmeshError ? BY_CODE[cause.code] : undefined)
}
