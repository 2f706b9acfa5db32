import {
  type BlockHash,
  type BlockNumber,
  type BlockRef,
  messageOf,
  type Registry,
  type RegistryChange,
} from '../../domain/index.js'
import type { Rpc } from '../connection/rpc.js'
import { isDiscarded, unreadableBlock } from '../errors.js'
import { Memo } from '../memo.js'
import { Runtimes } from '../runtime/runtimes.js'
import { readRegistry } from '../state/registry.js'
import { type RelevantEvent, readEvents } from './events.js'

/** Remembered: hashes for quotes and tokens of the last hours, the rest for those who look at the same blocks. */
const REMEMBERED = { hashes: 4096, blocks: 256, registries: 16 }

/** What of a block matters to a node. */
export interface BlockFacts {
  readonly block: BlockRef
  readonly events: readonly RelevantEvent[]
  readonly registryChanges: readonly RegistryChange[]
  /** Of the runtime that made it. */
  readonly specVersion: number
}

/**
 * Finalised blocks and what stood in the chain's storage at them. What is read is shared by everybody who asks for it,
 * so it ends with the connection and not with who asked first.
 */
export class Blocks {
  readonly runtimes: Runtimes
  readonly #rpc: Rpc
  readonly #lifetime: AbortSignal
  readonly #hashes = new Memo<BlockNumber, BlockHash>(REMEMBERED.hashes)
  readonly #facts = new Memo<BlockNumber, BlockFacts>(REMEMBERED.blocks)
  readonly #registries = new Memo<BlockHash, Registry>(REMEMBERED.registries)

  constructor(rpc: Rpc, lifetime: AbortSignal) {
    this.#rpc = rpc
    this.#lifetime = lifetime
    this.runtimes = new Runtimes(rpc, (number) => this.hash(number), lifetime)
  }

  /** Of a block that is final, which the caller has to know. */
  hash(number: BlockNumber): Promise<BlockHash> {
    return this.#hashes.get(number, () => this.#rpc.blockHash(number, this.#lifetime))
  }

  /** Has the hashes of blocks that are about to be read sent in one answer. */
  expect(numbers: readonly BlockNumber[]): void {
    const unknown = numbers.filter((number) => !this.#hashes.has(number))
    if (unknown.length < 2) return
    const answer = this.#rpc.blockHashes(unknown, this.#lifetime)
    for (const number of unknown) {
      void this.#hashes.get(number, async () => {
        return (await answer).get(number) ?? this.#rpc.blockHash(number, this.#lifetime)
      })
    }
  }

  /** @throws SlotmeshError `chain/unreadable-block`, or what requests throw. */
  facts(number: BlockNumber): Promise<BlockFacts> {
    return this.#facts.get(number, async () => {
      const hash = await this.hash(number)
      const runtime = await this.runtimes.readable(number)
      const records = await kept(number, 'System.Events', this.#rpc.storage(runtime.eventsKey, hash, this.#lifetime))
      const events = readEvents(runtime, number, records)
      const registryChanges = events.flatMap((event) => (event.type === 'registry' ? [event.change] : []))
      return { block: { number, hash }, events, registryChanges, specVersion: runtime.version.specVersion }
    })
  }

  /** Has blocks read anew when they are asked for again: where one makes no sense another endpoint may tell the truth. */
  forget(): void {
    this.#facts.clear()
    this.#registries.clear()
  }

  /** Has everything asked for anew: who told it is not asked any more. */
  forgetAll(): void {
    this.forget()
    this.#hashes.clear()
    this.runtimes.forget()
  }

  /** As of the end of a block. @throws as `facts`. */
  registry(block: BlockRef): Promise<Registry> {
    return this.#registries.get(block.hash, async () => {
      const runtime = await this.runtimes.readable(block.number)
      return kept(block.number, 'TEE', readRegistry(this.#rpc, runtime, block, this.#lifetime))
    })
  }
}

/** Where an endpoint has thrown a block's state away, that block cannot be read. */
async function kept<T>(block: BlockNumber, item: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (thrown) {
    throw isDiscarded(thrown) ? unreadableBlock(block, item, messageOf(thrown)) : thrown
  }
}
