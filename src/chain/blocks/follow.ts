import {
  abortable,
  type BlockNumber,
  type BlockTriggers,
  type Logger,
  messageOf,
  type Registry,
} from '../../domain/index.js'
import { isUnreachable, UnreadableBlock } from '../errors.js'
import type { BlockFacts, Blocks } from './blocks.js'
import type { HeadFollower } from './head.js'
import type { Progress } from './progress.js'
import { type RegistriesAround, triggersOf } from './triggers.js'

/** Blocks that are asked for ahead of the one in hand: a line with 50 ms to the chain carries some 500 of them a second. */
const WINDOW = 64

interface Parts {
  readonly blocks: Blocks
  readonly head: HeadFollower
  readonly progress: Progress
  readonly logger: Logger
  /** Has another endpoint tried for a block that cannot be read. */
  readonly tryAnother: (unreadable: UnreadableBlock) => void
}

/**
 * Every finalised block after `after`, exactly once and in order. No more than a window of them is asked for ahead of
 * whoever takes them, however many there are. While the chain is out of reach it waits.
 * @throws SlotmeshError `chain/unreadable-block` and the like: then the same block comes first when asked again.
 */
export async function* follow(after: BlockNumber, parts: Parts, signal: AbortSignal): AsyncGenerator<BlockTriggers> {
  const { blocks, head, progress } = parts
  const registries = new RegistriesAlong(blocks)
  const ahead: Promise<BlockFacts>[] = []
  for (let next = after + 1; ; next++) {
    await head.reached(next, signal)
    progress.at(next - 1, head.block.number)
    // Half a window at a time, so that hashes are asked for many at once.
    if (ahead.length <= WINDOW / 2)
      askFor(ahead, next + ahead.length, Math.min(next + WINDOW - 1, head.block.number), blocks)
    yield await read(next, ahead.shift(), registries, parts, signal)
    progress.at(next, head.block.number)
  }
}

function askFor(ahead: Promise<BlockFacts>[], first: BlockNumber, last: BlockNumber, blocks: Blocks): void {
  const numbers = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
  blocks.expect(numbers)
  for (const number of numbers) {
    const facts = blocks.facts(number)
    // A failure is met in the block's turn.
    facts.catch(() => undefined)
    ahead.push(facts)
  }
}

/** @param asked what was asked for ahead; asked for anew if the chain was out of reach then */
async function read(
  number: BlockNumber,
  asked: Promise<BlockFacts> | undefined,
  registries: RegistriesAlong,
  { blocks, head, logger, tryAnother }: Parts,
  signal: AbortSignal,
): Promise<BlockTriggers> {
  for (let reading = asked; ; reading = undefined) {
    try {
      const facts = await abortable(reading ?? blocks.facts(number), signal)
      const triggers = await abortable(triggersOf(number, facts.events, registries.around(facts)), signal)
      head.passed(number)
      return { block: facts.block, triggers, registryChanges: facts.registryChanges }
    } catch (thrown) {
      if (thrown instanceof UnreadableBlock) {
        head.met(thrown)
        blocks.forget()
        tryAnother(thrown)
      }
      // Requests have waited for a connection by themselves, so this does not spin.
      if (!isUnreachable(thrown)) throw thrown
      logger.warn('waiting for the chain to answer', { block: number, reason: messageOf(thrown) })
    }
  }
}

/** The registry at each block on the way, read only where it is needed and may have changed. */
class RegistriesAlong {
  readonly #blocks: Blocks
  #known: { readonly number: BlockNumber; readonly specVersion: number; readonly registry: Registry } | undefined

  constructor(blocks: Blocks) {
    this.#blocks = blocks
  }

  around({ block, registryChanges, specVersion }: BlockFacts): RegistriesAround {
    const { number } = block
    const known = this.#known?.number === number - 1 ? this.#known : undefined
    const before = known?.registry
    // An upgrade may change it, too, without an event.
    const isUnchanged = registryChanges.length === 0 && known?.specVersion === specVersion
    if (before !== undefined && isUnchanged) this.#known = { number, specVersion, registry: before }
    return {
      before: async () =>
        before ?? (await this.#blocks.registry({ number: number - 1, hash: await this.#blocks.hash(number - 1) })),
      after: async () => {
        const registry = this.#known?.number === number ? this.#known.registry : await this.#blocks.registry(block)
        this.#known = { number, specVersion, registry }
        return registry
      },
    }
  }
}
