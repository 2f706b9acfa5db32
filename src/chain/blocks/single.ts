import { abortable, type BlockNumber, type Trigger } from '../../domain/index.js'
import { isDiscarded, UnreadableBlock } from '../errors.js'
import type { Blocks } from './blocks.js'
import { triggersOf } from './triggers.js'

/**
 * What one final block meant, read on its own and perhaps long after.
 *
 * @returns undefined where it cannot be read any more: endpoints throw the state of old blocks away.
 * @throws what requests throw, or the signal's reason.
 */
export async function triggersIn(
  number: BlockNumber,
  blocks: Blocks,
  signal: AbortSignal,
): Promise<readonly Trigger[] | undefined> {
  const registryAt = async (block: BlockNumber) => blocks.registry({ number: block, hash: await blocks.hash(block) })
  try {
    const { events } = await abortable(blocks.facts(number), signal)
    const around = { before: () => registryAt(number - 1), after: () => registryAt(number) }
    return await abortable(triggersOf(number, events, around), signal)
  } catch (thrown) {
    if (thrown instanceof UnreadableBlock || isDiscarded(thrown)) return undefined
    throw thrown
  }
}
