import type { AccountId, BlockNumber, Hex } from '../../domain/index.js'
import type { RuntimeCodec } from './codec.js'
import { DispatchFailure } from './failure.js'
import type { Value } from './value.js'

/** Who a call is made by, as Substrate's pallets tell apart. */
export type Origin =
  | { readonly kind: 'none' }
  | { readonly kind: 'root' }
  | { readonly kind: 'signed'; readonly account: AccountId }
  /** The technical committee, by a motion that enough of its members agreed to. */
  | { readonly kind: 'committee' }
  /** One member of the committee acting alone, without the committee's authority. */
  | { readonly kind: 'member'; readonly account: AccountId }

/** The state that a block starts from. */
export interface Base {
  get(key: Hex): Uint8Array | undefined
}

/** Storage and events while a block is made: named access for pallets, and transactions that can be undone. */
export class Execution {
  readonly codec: RuntimeCodec
  readonly block: BlockNumber
  readonly #base: Base
  #layers: Map<Hex, Uint8Array | undefined>[] = [new Map()]
  #events: Uint8Array[] = []

  constructor(codec: RuntimeCodec, base: Base, block: BlockNumber) {
    this.codec = codec
    this.#base = base
    this.block = block
  }

  /** Everything written so far, outside of transactions. */
  get changes(): ReadonlyMap<Hex, Uint8Array | undefined> {
    return this.#layers[0] ?? new Map()
  }

  /** Runs `body`; what it wrote and emitted is undone when it throws. */
  transaction<T>(body: () => T): T {
    const layers = this.#layers
    const events = this.#events.length
    const layer = new Map<Hex, Uint8Array | undefined>()
    this.#layers = [...layers, layer]
    try {
      const result = body()
      for (const [key, value] of layer) layers.at(-1)?.set(key, value)
      return result
    } catch (thrown) {
      this.#events.length = events
      throw thrown
    } finally {
      this.#layers = layers
    }
  }

  read(key: Hex): Uint8Array | undefined {
    const layer = this.#layers.findLast((candidate) => candidate.has(key))
    return layer === undefined ? this.#base.get(key) : layer.get(key)
  }

  write(key: Hex, value: Uint8Array | undefined): void {
    this.#layers.at(-1)?.set(key, value)
  }

  get(pallet: string, item: string, ...keys: unknown[]): Value | undefined {
    return this.codec.decodeStorage(pallet, item, this.read(this.codec.storageKey(pallet, item, ...keys)))
  }

  /** An item that always has a value: the metadata's fallback where nothing was written. */
  value(pallet: string, item: string, ...keys: unknown[]): Value {
    const value = this.get(pallet, item, ...keys)
    if (value === undefined) throw new DispatchFailure({ Corruption: null })
    return value
  }

  put(pallet: string, item: string, keys: readonly unknown[], value: unknown): void {
    this.write(this.codec.storageKey(pallet, item, ...keys), this.codec.encodeStorage(pallet, item, value))
  }

  remove(pallet: string, item: string, ...keys: unknown[]): void {
    this.write(this.codec.storageKey(pallet, item, ...keys), undefined)
  }

  /** An event that the metadata does not have is not told; those that matter are known to be there. */
  emit(pallet: string, name: string, fields: Readonly<Record<string, unknown>> = {}): void {
    if (!this.codec.hasEvent(pallet, name)) return
    this.#events.push(this.codec.encodeEvent(pallet, name, fields))
  }

  /** The events emitted since the last call of this. */
  takeEvents(): Uint8Array[] {
    const events = this.#events
    this.#events = []
    return events
  }

  /** Ends the call with one of a pallet's own errors. */
  fail(pallet: string, error: string): never {
    throw this.codec.moduleFailure(pallet, error)
  }
}
