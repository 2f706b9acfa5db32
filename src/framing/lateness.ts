import type { OffenceKind } from '../domain/index.js'
import type { Frames } from './frames.js'

/**
 * What a peer did by which time ran out; undefined when something else has ended the stream, or this side was slow itself.
 * @param isKnown whether it has shown by then whose enclave it is.
 * @param role the peer's.
 */
export function latenessOf(
  thrown: unknown,
  { frames, isKnown, role }: { frames: Pick<Frames, 'isWaiting'>; isKnown: boolean; role: 'requester' | 'provider' },
): OffenceKind | undefined {
  const isLate = thrown instanceof Error && thrown.name === 'TimeoutError'
  // What this side itself is slow at runs out of the same time.
  if (!isLate || !frames.isWaiting) return undefined
  if (!isKnown) return 'silence'
  return role === 'provider' ? 'slow' : 'stall'
}
