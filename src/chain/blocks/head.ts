import { EventEmitter, once } from 'node:events'
import { type BlockNumber, type BlockRef, bounded, type Logger, messageOf, type Registry } from '../../domain/index.js'
import type { RuntimeVersion } from '../connection/rpc.js'
import { closed, codeOf, isUnreachable, UnreadableBlock } from '../errors.js'
import type { Blocks } from './blocks.js'

/** After a longer gap between two announcements the registry is read anew instead of looking for changes to it. */
const LONGEST_GAP = 32

/** The latest finalised block with the registry as of it and the runtime that made it, which change together. */
interface Head {
  readonly block: BlockRef
  readonly registry: Registry
  readonly runtime: RuntimeVersion
}

/** Follows the announcements of finalised heads; these may repeat, go back, leave gaps or be of no block at all. */
export class HeadFollower {
  readonly #blocks: Blocks
  readonly #logger: Logger
  readonly #closing: AbortSignal
  readonly #events = new EventEmitter()
  #head: Head
  #announced: BlockNumber
  #advancing = false
  #advanced = now()
  #unreadable: UnreadableBlock | undefined

  private constructor(head: Head, blocks: Blocks, logger: Logger, closing: AbortSignal) {
    this.#head = head
    this.#announced = head.block.number
    this.#blocks = blocks
    this.#logger = logger
    this.#closing = closing
    this.#events.setMaxListeners(0)
  }

  static async start(block: BlockRef, blocks: Blocks, logger: Logger, closing: AbortSignal): Promise<HeadFollower> {
    const { version: runtime } = await blocks.runtimes.at(block.number)
    return new HeadFollower({ block, registry: await blocks.registry(block), runtime }, blocks, logger, closing)
  }

  get block(): BlockRef {
    return this.#head.block
  }

  get registry(): Registry {
    return this.#head.registry
  }

  get runtime(): RuntimeVersion {
    return this.#head.runtime
  }

  /** When `block` was first seen: Unix ms, and how long that is ago, ms, whatever happens to the clock. */
  get seen(): { readonly at: number; readonly ageMs: number } {
    return { at: this.#advanced.at, ageMs: performance.now() - this.#advanced.tick }
  }

  /** The first block that could not be read, until it can be. */
  get unreadable(): UnreadableBlock | undefined {
    return this.#unreadable
  }

  /** Whoever reads blocks reports what it met. */
  met(unreadable: UnreadableBlock): void {
    if (unreadable.block <= (this.#unreadable?.block ?? unreadable.block)) this.#unreadable = unreadable
  }

  /** Whoever reads blocks reports what could be read. */
  passed(number: BlockNumber): void {
    if (this.#unreadable?.block === number) this.#unreadable = undefined
  }

  announce(number: BlockNumber): void {
    this.#announced = Math.max(this.#announced, number)
    if (!this.#advancing) void this.#advance()
  }

  /** Waits until a block is final. @throws the signal's reason, `chain/closed`, or why the chain cannot be read. */
  async reached(number: BlockNumber, signal: AbortSignal): Promise<void> {
    while (this.block.number < number) {
      signal.throwIfAborted()
      if (this.#closing.aborted) throw closed()
      try {
        // An `error` event rejects this: a head that cannot be read is the business of everybody who waits for it.
        await bounded({ signals: [signal, this.#closing] }, (limited) =>
          once(this.#events, 'advanced', { signal: limited }),
        )
      } catch (thrown) {
        signal.throwIfAborted()
        throw this.#closing.aborted ? closed() : thrown
      }
    }
  }

  async #advance(): Promise<void> {
    this.#advancing = true
    while (this.#announced > this.block.number && !this.#closing.aborted) {
      const target = this.#announced
      try {
        this.#head = await this.#read(target)
        this.#advanced = now()
        this.#events.emit('advanced')
      } catch (thrown) {
        if (this.#closing.aborted) break
        this.#logger.warn('the latest finalised block could not be read', { block: target, reason: messageOf(thrown) })
        if (thrown instanceof UnreadableBlock) this.met(thrown)
        // No such block: whoever announced it is left, and the next endpoint says by itself how far it is.
        if (codeOf(thrown) === 'chain/block-unknown' && this.#announced === target) this.#announced = this.block.number
        // Out of reach it may come back; anything else is tried again with the next announcement.
        if (isUnreachable(thrown)) continue
        if (this.#events.listenerCount('error') > 0) this.#events.emit('error', thrown)
        break
      }
    }
    this.#advancing = false
  }

  async #read(number: BlockNumber): Promise<Head> {
    const block = { number, hash: await this.#blocks.hash(number) }
    const { version: runtime } = await this.#blocks.runtimes.at(number)
    // An upgrade may change what the registry is made of without telling in an event.
    const changed = !isSame(runtime, this.runtime) || (await this.#registryChangedUpTo(number))
    return { block, registry: changed ? await this.#blocks.registry(block) : this.registry, runtime }
  }

  async #registryChangedUpTo(number: BlockNumber): Promise<boolean> {
    const length = number - this.block.number
    if (length > LONGEST_GAP) return true
    const numbers = Array.from({ length }, (_, index) => this.block.number + 1 + index)
    try {
      const facts = await Promise.all(numbers.map((each) => this.#blocks.facts(each)))
      return facts.some(({ registryChanges }) => registryChanges.length > 0)
    } catch (thrown) {
      // Whoever follows stops there; the registry can still be told, from storage.
      if (!(thrown instanceof UnreadableBlock)) throw thrown
      this.met(thrown)
      return true
    }
  }
}

function isSame(one: RuntimeVersion, other: RuntimeVersion): boolean {
  return one.specName === other.specName && one.specVersion === other.specVersion
}

function now(): { readonly at: number; readonly tick: number } {
  return { at: Date.now(), tick: performance.now() }
}
