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
  if (chain.finalised().number >= block) return
  // Those before it are taken in already, and many may wait for this at once: none of them is read again.
  for await (const _block of chain.follow(block - 1, { signal })) return
}
