import { type BlockNumber, type BlockTriggers, type Logger, messageOf, type Registry } from '../../domain/index.js'
import { abortable } from '../connection/abort.js'
import { isUnreachable } from '../errors.js'
import type { BlockFacts, Blocks } from './blocks.js'
import type { HeadFollower } from './head.js'
import { type RegistriesAround, triggersOf } from './triggers.js'

/** Blocks that are asked for ahead of the one in hand. */
const AHEAD = 16

interface Parts {
  readonly blocks: Blocks
  readonly head: HeadFollower
  readonly logger: Logger
}

/**
 * Every finalised block after `after`, exactly once and in order. While the chain is out of reach it waits.
 * @throws SlotmeshError `chain/unreadable-block` and the like: then the same block comes first when asked again.
 */
export async function* follow(
  after: BlockNumber,
  { blocks, head, logger }: Parts,
  signal: AbortSignal,
): AsyncGenerator<BlockTriggers> {
  const registries = new RegistriesAlong(blocks)
  let asked = after
  for (let next = after + 1; ; next++) {
    await head.reached(next, signal)
    for (const last = Math.min(next + AHEAD, head.block.number); asked < last; ) {
      // `blocks` remembers it; a failure is met again in the block's turn.
      blocks.facts(++asked).catch(() => undefined)
    }
    yield await read(next, registries, { blocks, head, logger }, signal)
  }
}

async function read(
  number: BlockNumber,
  registries: RegistriesAlong,
  { blocks, logger }: Parts,
  signal: AbortSignal,
): Promise<BlockTriggers> {
  for (;;) {
    try {
      const facts = await abortable(blocks.facts(number), signal)
      const triggers = await abortable(triggersOf(number, facts.events, registries.around(facts)), signal)
      return { block: facts.block, triggers, registryChanges: facts.registryChanges }
    } catch (thrown) {
      // Requests have waited for a connection by themselves, so this does not spin.
      if (!isUnreachable(thrown)) throw thrown
      logger.warn('waiting for the chain to answer', { block: number, reason: messageOf(thrown) })
    }
  }
}

/** The registry at each block on the way, read only where it is needed and may have changed. */
class RegistriesAlong {
  readonly #blocks: Blocks
  #known: { readonly number: BlockNumber; readonly registry: Registry } | undefined

  constructor(blocks: Blocks) {
    this.#blocks = blocks
  }

  around({ block, registryChanges }: BlockFacts): RegistriesAround {
    const { number } = block
    const before = this.#known?.number === number - 1 ? this.#known.registry : undefined
    if (before !== undefined && registryChanges.length === 0) this.#known = { number, registry: before }
    return {
      before: async () =>
        before ?? (await this.#blocks.registry({ number: number - 1, hash: await this.#blocks.hash(number - 1) })),
      after: async () => {
        const registry = this.#known?.number === number ? this.#known.registry : await this.#blocks.registry(block)
        this.#known = { number, registry }
        return registry
      },
    }
  }
}
