import type { BlockNumber } from '../domain/index.js'
import type { SyncChain } from './parts.js'

/**
 * Waits for a chain whose final block lies behind what was taken in before, as after a start with another endpoint: what it
 * says then may be older than what is known here, and pass for the newest.
 * @throws the signal's reason.
 */
export async function untilFinal(
  chain: Pick<SyncChain, 'finalised' | 'follow'>,
  block: BlockNumber,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const { number: final } = chain.finalised()
  if (final >= block) return
  for await (const { block: next } of chain.follow(final, { signal })) if (next.number >= block) return
}
