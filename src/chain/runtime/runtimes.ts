import type { BlockHash, BlockNumber } from '../../domain/index.js'
import type { Rpc, RuntimeVersion } from '../connection/rpc.js'
import { Runtime } from './runtime.js'

/** Blocks that are known to be made with one runtime, the first and the last included. */
interface Span {
  first: BlockNumber
  last: BlockNumber
  readonly runtime: Runtime
}

/**
 * Which runtime made which block. What a block holds is encoded as the state before it says, so a block that carries
 * an upgrade still belongs to the old runtime.
 */
export class Runtimes {
  readonly #rpc: Rpc
  readonly #hash: (number: BlockNumber) => Promise<BlockHash>
  readonly #lifetime: AbortSignal
  readonly #spans: Span[] = []
  readonly #loaded = new Map<string, Runtime>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(rpc: Rpc, hash: (number: BlockNumber) => Promise<BlockHash>, lifetime: AbortSignal) {
    this.#rpc = rpc
    this.#hash = hash
    this.#lifetime = lifetime
  }

  /** @throws what requests throw; Error when the metadata cannot be read. */
  async at(number: BlockNumber): Promise<Runtime> {
    return this.#known(number) ?? this.#inTurn(async () => this.#known(number) ?? this.#learn(number))
  }

  /** The one that the next block will be made with, for signing. */
  async newest(): Promise<Runtime> {
    const version = await this.#rpc.runtimeVersion(undefined, this.#lifetime)
    return this.#loaded.get(keyOf(version)) ?? this.#inTurn(() => this.#load(version, undefined))
  }

  #known(number: BlockNumber): Runtime | undefined {
    return this.#spans.find(({ first, last }) => first <= number && number <= last)?.runtime
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }

  async #learn(number: BlockNumber): Promise<Runtime> {
    const version = await this.#versionAt(number)
    const runtime = await this.#load(version, await this.#parentHash(number))
    const span = this.#spans.find((known) => known.runtime === runtime)
    if (span === undefined) {
      this.#spans.push({ first: number, last: await this.#lastWith(version, number), runtime })
    } else {
      // A version is in force once and without a break, so all blocks between have it, too.
      span.first = Math.min(span.first, number)
      span.last = Math.max(span.last, number)
    }
    return runtime
  }

  /** Finds by halving where a version ends, when it is known to end: so an upgrade costs a crawl a few requests once. */
  async #lastWith(version: RuntimeVersion, number: BlockNumber): Promise<BlockNumber> {
    const later = this.#spans.map(({ first }) => first).filter((first) => first > number)
    if (later.length === 0) return number
    let [last, beyond] = [number, Math.min(...later)]
    while (beyond - last > 1) {
      const middle = last + Math.floor((beyond - last) / 2)
      if (keyOf(await this.#versionAt(middle)) === keyOf(version)) last = middle
      else beyond = middle
    }
    return last
  }

  async #versionAt(number: BlockNumber): Promise<RuntimeVersion> {
    return this.#rpc.runtimeVersion(await this.#parentHash(number), this.#lifetime)
  }

  #parentHash(number: BlockNumber): Promise<BlockHash> {
    return this.#hash(Math.max(0, number - 1))
  }

  async #load(version: RuntimeVersion, parent: BlockHash | undefined): Promise<Runtime> {
    const known = this.#loaded.get(keyOf(version))
    if (known !== undefined) return known
    const runtime = new Runtime(await this.#rpc.metadata(parent, this.#lifetime), version)
    this.#loaded.set(keyOf(version), runtime)
    return runtime
  }
}

function keyOf({ specName, specVersion }: RuntimeVersion): string {
  return `${specName}/${specVersion}`
}
