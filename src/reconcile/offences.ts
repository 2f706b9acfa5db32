import { type OffenceKind, SlotmeshError } from '../domain/index.js'
import type { Frames } from '../framing/index.js'
import { RefusingError } from './refusals.js'

const BY_CODE: Readonly<Record<string, OffenceKind>> = {
  'reconcile/oversized': 'oversized',
  'reconcile/crumbs': 'crumbs',
}

/**
 * What the peer did by which a session ended; undefined when it need not be its fault.
 * @param isKnown whether a record says whose enclave the peer is.
 * @param role the peer's.
 */
export function offenceOf(
  thrown: unknown,
  { frames, isKnown, role }: { frames: Pick<Frames, 'isWaiting'>; isKnown: boolean; role: 'requester' | 'provider' },
): OffenceKind | undefined {
  if (thrown instanceof Error && thrown.name === 'TimeoutError') {
    // What this side itself is slow at runs out of the same time.
    if (!frames.isWaiting) return undefined
    if (!isKnown) return 'silence'
    return role === 'provider' ? 'slow' : 'stall'
  }
  if (!(thrown instanceof SlotmeshError)) return undefined
  if (thrown instanceof RefusingError && thrown.refusal === 'MALFORMED') return 'malformed'
  const { cause } = thrown
  return BY_CODE[thrown.code] ?? (cause instanceof SlotmeshError ? BY_CODE[cause.code] : undefined)
}
