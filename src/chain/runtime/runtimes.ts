import { type BlockHash, type BlockNumber, SlotmeshError } from '../../domain/index.js'
import type { Rpc, RuntimeVersion } from '../connection/rpc.js'
import { unreadableBlock } from '../errors.js'
import { Memo } from '../memo.js'
import { generationOf, missingForReading } from './requirements.js'
import { Runtime } from './runtime.js'
import { reasonOf } from './shapes.js'

/** Each takes tens of megabytes. Three are in use when a crawl passes an upgrade while the chain has gone on to another. */
const LOADED = 3

/** Upgrades to remember, more than a chain has in a lifetime. */
const REMEMBERED = 1000

/** Blocks that are known to be made with one version, the first and the last included. */
interface Span {
  first: BlockNumber
  last: BlockNumber
  readonly version: RuntimeVersion
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
  readonly #loaded = new Memo<string, Runtime>(LOADED)
  readonly #missing = new WeakMap<Runtime, readonly string[]>()
  #latest: { readonly number: BlockNumber; readonly generation: 1 | 2 } = { number: 0, generation: 1 }
  #turn: Promise<unknown> = Promise.resolve()

  constructor(rpc: Rpc, hash: (number: BlockNumber) => Promise<BlockHash>, lifetime: AbortSignal) {
    this.#rpc = rpc
    this.#hash = hash
    this.#lifetime = lifetime
  }

  /** Of the latest block that was looked at, for there can be an upgrade. */
  get generation(): 1 | 2 {
    return this.#latest.generation
  }

  /** @throws SlotmeshError `chain/unreadable-block` when its metadata cannot be read, or what requests throw. */
  async at(number: BlockNumber): Promise<Runtime> {
    const version = this.#known(number) ?? (await this.#inTurn(async () => this.#known(number) ?? this.#learn(number)))
    const runtime = await this.#loaded.get(keyOf(version), async () =>
      this.#load(version, await this.#parentHash(number), (reason) => unreadableBlock(number, METADATA, reason)),
    )
    if (number >= this.#latest.number) this.#latest = { number, generation: generationOf(runtime) }
    return runtime
  }

  /** As `at`, for a block whose events and storage are to be read. @throws also when something of that is missing. */
  async readable(number: BlockNumber): Promise<Runtime> {
    const runtime = await this.at(number)
    const missing = this.#missing.get(runtime) ?? missingForReading(runtime)
    this.#missing.set(runtime, missing)
    if (missing.length === 0) return runtime
    throw unreadableBlock(number, METADATA, `it has no ${missing.join(', no ')}`)
  }

  /** The one that the next block will be made with, for signing. @throws SlotmeshError `chain/unsupported`, or as `at`. */
  async newest(): Promise<Runtime> {
    const best = await this.#rpc.bestHash(this.#lifetime)
    const version = await this.#rpc.runtimeVersion(best, this.#lifetime)
    return this.#loaded.get(keyOf(version), () => this.#load(version, best, (reason) => unsupported(version, reason)))
  }

  /** Has versions and metadata asked for anew. */
  forget(): void {
    this.#spans.length = 0
    this.#loaded.clear()
  }

  #known(number: BlockNumber): RuntimeVersion | undefined {
    return this.#spans.find(({ first, last }) => first <= number && number <= last)?.version
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }

  async #learn(number: BlockNumber): Promise<RuntimeVersion> {
    const version = await this.#versionAt(number)
    const span = this.#spans.find((known) => keyOf(known.version) === keyOf(version))
    if (span === undefined) {
      this.#spans.push({ first: number, last: await this.#lastWith(version, number), version })
      if (this.#spans.length > REMEMBERED) this.#spans.shift()
    } else {
      // A version is in force once and without a break, so all blocks between have it, too.
      span.first = Math.min(span.first, number)
      span.last = Math.max(span.last, number)
    }
    return version
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

  async #load(version: RuntimeVersion, at: BlockHash, unreadable: (reason: string) => SlotmeshError): Promise<Runtime> {
    const metadata = await this.#rpc.metadata(at, this.#lifetime)
    try {
      return new Runtime(metadata, version)
    } catch (thrown) {
      throw unreadable(reasonOf(thrown))
    }
  }
}

const METADATA = 'its metadata'

function keyOf({ specName, specVersion }: RuntimeVersion): string {
  return `${specName}/${specVersion}`
}

function unsupported(version: RuntimeVersion, reason: string): SlotmeshError {
  return new SlotmeshError(
    'chain/unsupported',
    `The metadata of the chain's runtime ${keyOf(version)} cannot be read: ${reason}; check that this version knows the chain.`,
  )
}
