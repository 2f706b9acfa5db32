import { expandMetadata, type GenericCall, type GenericExtrinsic, Metadata, TypeRegistry } from '@polkadot/types'
import { findUnknownExtensions } from '@polkadot/types/extrinsic/signedExtensions'
import type { Si1Field, Si1Variant, SiLookupTypeId, StorageEntryTypeV14 } from '@polkadot/types/interfaces'
import type { Codec } from '@polkadot/types/types'
import { compactStripLength, stringCamelCase, u8aConcat } from '@polkadot/util'
import { blake2AsHex } from '@polkadot/util-crypto'
import { toHex } from '../../crypto/index.js'
import { type Hex, messageOf, SlotmeshError } from '../../domain/index.js'
import { DispatchFailure } from './failure.js'
import { Value } from './value.js'

/** What the portable registry's `sp_runtime::DispatchError` is called by. */
const DISPATCH_ERROR = 'SpRuntimeDispatchError'

type Named = Readonly<Record<string, unknown>>

interface IndexedVariant {
  readonly pallet: number
  readonly variant: Si1Variant
}

interface StorageItem {
  readonly prefix: Hex
  /** How the keys of a map are hashed, and of what type they are; empty for a single value. */
  readonly keys: string
  readonly keyOf: (...keys: unknown[]) => Uint8Array
  readonly type: string
  readonly fallback: Uint8Array | undefined
}

/** Encodes and decodes a chain's storage, calls, events and errors by name, as its metadata says. */
export class RuntimeCodec {
  readonly metadata: Uint8Array
  readonly registry = new TypeRegistry()
  /** Signed extensions that put something into extrinsics or signatures of which nothing is known here. */
  readonly uncheckedExtensions: readonly string[]
  readonly #pallets = new Map<number, string>()
  readonly #items = new Map<string, StorageItem>()
  readonly #calls = new Map<string, IndexedVariant>()
  readonly #events = new Map<string, IndexedVariant>()
  readonly #errors = new Map<string, IndexedVariant>()
  readonly #constants = new Map<string, Value>()

  /** @throws SlotmeshError `devchain/bad-metadata` */
  static decode(metadata: Uint8Array): RuntimeCodec {
    try {
      return new RuntimeCodec(metadata)
    } catch (cause) {
      throw new SlotmeshError(
        'devchain/bad-metadata',
        `The metadata cannot be decoded: ${messageOf(cause)}; export it anew, in version 14.`,
        { cause },
      )
    }
  }

  constructor(metadata: Uint8Array) {
    this.metadata = metadata
    const decoded = new Metadata(this.registry, toHex(metadata))
    this.registry.setMetadata(decoded, undefined, undefined, true)
    this.uncheckedExtensions = this.#findUncheckedExtensions(decoded)
    const { query } = expandMetadata(this.registry, decoded)
    for (const pallet of decoded.asLatest.pallets) {
      const name = pallet.name.toString()
      const index = pallet.index.toNumber()
      this.#pallets.set(index, name)
      const enums = [
        [pallet.calls, this.#calls],
        [pallet.events, this.#events],
        [pallet.errors, this.#errors],
      ] as const
      for (const [option, into] of enums) {
        if (option.isNone) continue
        for (const variant of this.registry.lookup.getSiType(option.unwrap().type).def.asVariant.variants) {
          into.set(`${name}.${variant.name.toString()}`, { pallet: index, variant })
        }
      }
      for (const { name: constant, type, value } of pallet.constants) {
        const codec = this.registry.createTypeUnsafe(this.registry.createLookupType(type), [value.toU8a(true)])
        this.#constants.set(`${name}.${constant.toString()}`, new Value(codec))
      }
      for (const { name: item } of pallet.storage.unwrapOr({ items: [] }).items) {
        const entry = query[stringCamelCase(name)]?.[stringCamelCase(item.toString())]
        if (entry === undefined) continue
        const { type, modifier, fallback } = entry.meta
        this.#items.set(`${name}.${item.toString()}`, {
          prefix: toHex(entry.keyPrefix()),
          keys: type.isMap ? this.#describeKeys(type.asMap) : '',
          keyOf: (...keys) => compactStripLength(entry(...keys))[1],
          type: this.registry.createLookupType(type.isMap ? type.asMap.value : type.asPlain),
          fallback: modifier.isOptional ? undefined : fallback.toU8a(true),
        })
      }
    }
  }

  /** The names of all storage items, for example `NFT.Nfts`. */
  get storageItems(): readonly string[] {
    return [...this.#items.keys()]
  }

  hasStorage(pallet: string, item: string): boolean {
    return this.#items.has(`${pallet}.${item}`)
  }

  hasEvent(pallet: string, name: string): boolean {
    return this.#events.has(`${pallet}.${name}`)
  }

  hasError(pallet: string, name: string): boolean {
    return this.#errors.has(`${pallet}.${name}`)
  }

  /** The arguments of a call in camelCase; undefined when there is no such call. */
  callArguments(pallet: string, name: string): readonly string[] | undefined {
    return this.#calls.get(`${pallet}.${name}`)?.variant.fields.map(nameOf)
  }

  /** What all keys of an item begin with. */
  storagePrefix(pallet: string, item: string): Hex {
    return this.#item(pallet, item).prefix
  }

  /** Two items of which this is alike have keys that differ in the prefix only. */
  storageKeyType(pallet: string, item: string): string {
    return this.#item(pallet, item).keys
  }

  /** The storage key of an entry; without keys, of a single value. */
  storageKey(pallet: string, item: string, ...keys: unknown[]): Hex {
    return toHex(this.#item(pallet, item).keyOf(...keys))
  }

  encodeStorage(pallet: string, item: string, value: unknown): Uint8Array {
    return this.#create(this.#item(pallet, item).type, value).toU8a()
  }

  /** What a read of these bytes means, or of none: the metadata's fallback where it has one. */
  decodeStorage(pallet: string, item: string, bytes: Uint8Array | undefined): Value | undefined {
    const { type, fallback } = this.#item(pallet, item)
    const present = bytes ?? fallback
    return present === undefined ? undefined : new Value(this.registry.createTypeUnsafe(type, [present]))
  }

  constant(pallet: string, name: string): Value {
    return this.findConstant(pallet, name) ?? this.#missing('constant', pallet, name)
  }

  findConstant(pallet: string, name: string): Value | undefined {
    return this.#constants.get(`${pallet}.${name}`)
  }

  /** A call's bytes: pallet index, call index, arguments. */
  encodeCall(pallet: string, name: string, fields: Named): Uint8Array {
    return this.#encodeVariant(this.#calls.get(`${pallet}.${name}`) ?? this.#missing('call', pallet, name), fields)
  }

  /** The names of a call and of its arguments, as the metadata has them but for camelCase in the latter. */
  describeCall(call: GenericCall): { readonly name: string; readonly args: ReadonlyMap<string, Value> } {
    const [pallet = 0] = call.callIndex
    const args = call.argsEntries.map(([name, codec]) => [stringCamelCase(name), new Value(codec)] as const)
    return { name: `${this.#pallets.get(pallet)}.${call.meta.name.toString()}`, args: new Map(args) }
  }

  /**
   * An event's bytes: pallet index, event index, fields. Fields that the metadata does not know are left out; where it
   * gives them no names, they are taken in order.
   */
  encodeEvent(pallet: string, name: string, fields: Named): Uint8Array {
    return this.#encodeVariant(this.#events.get(`${pallet}.${name}`) ?? this.#missing('event', pallet, name), fields)
  }

  /** A pallet's own error; where the metadata has none of that name, one without a name. */
  moduleFailure(pallet: string, name: string): DispatchFailure {
    const found = this.#errors.get(`${pallet}.${name}`)
    if (found === undefined) return new DispatchFailure({ Other: null })
    const error = Uint8Array.of(found.variant.index.toNumber(), 0, 0, 0)
    return new DispatchFailure({ Module: { index: found.pallet, error } })
  }

  /** A `DispatchError`; one that this chain's metadata does not know becomes `Other`. */
  dispatchError({ error }: DispatchFailure): Codec {
    try {
      return this.registry.createTypeUnsafe(DISPATCH_ERROR, [error])
    } catch {
      return this.registry.createTypeUnsafe(DISPATCH_ERROR, [{ Other: null }])
    }
  }

  /** @throws Error when the bytes are not an extrinsic of this chain, to their last byte. */
  decodeExtrinsic(bytes: Uint8Array): GenericExtrinsic {
    const extrinsic = this.registry.createTypeUnsafe<GenericExtrinsic>('Extrinsic', [bytes])
    if (toHex(extrinsic.toU8a()) !== toHex(bytes)) throw new Error('The extrinsic is not in its canonical encoding.')
    return extrinsic
  }

  /** An extrinsic that the block's author adds: a call that nobody signed. */
  inherent(call: Uint8Array): { readonly call: GenericCall; readonly bytes: Hex } {
    const method = this.registry.createTypeUnsafe<GenericCall>('Call', [call])
    const extrinsic = this.registry.createTypeUnsafe('Extrinsic', [{ method }, { version: 4 }])
    return { call: method, bytes: toHex(extrinsic.toU8a()) }
  }

  encodeEventRecord(phase: unknown, event: Uint8Array): Uint8Array {
    const noTopics = Uint8Array.of(0)
    return u8aConcat(this.registry.createTypeUnsafe('Phase', [phase]).toU8a(), event, noTopics)
  }

  /** BLAKE2b-256 of the header's SCALE encoding, which is the block's hash. */
  headerHash(header: object): Hex {
    return blake2AsHex(this.registry.createTypeUnsafe('Header', [header]).toU8a())
  }

  #findUncheckedExtensions({ asV14: { extrinsic } }: Metadata): string[] {
    const isEmpty = (type: SiLookupTypeId) =>
      this.registry.createTypeUnsafe(this.registry.createLookupType(type), []).encodedLength === 0
    const unknown = new Set(findUnknownExtensions(this.registry.signedExtensions))
    return extrinsic.signedExtensions
      .filter(({ identifier }) => unknown.has(identifier.toString()))
      .filter(({ type, additionalSigned }) => !isEmpty(type) || !isEmpty(additionalSigned))
      .map(({ identifier }) => identifier.toString())
  }

  #describeKeys({ hashers, key }: StorageEntryTypeV14['asMap']): string {
    return `${hashers.map(({ type }) => type).join()} ${this.registry.createType(this.registry.createLookupType(key)).toRawType()}`
  }

  #item(pallet: string, item: string): StorageItem {
    return this.#items.get(`${pallet}.${item}`) ?? this.#missing('storage item', pallet, item)
  }

  #encodeVariant({ pallet, variant }: IndexedVariant, fields: Named): Uint8Array {
    const inOrder = Object.values(fields)
    const parts = variant.fields.map((field, position) => {
      const value = field.name.isSome ? fields[nameOf(field)] : inOrder[position]
      return this.#create(this.registry.createLookupType(field.type), value).toU8a()
    })
    return u8aConcat(Uint8Array.of(pallet, variant.index.toNumber()), ...parts)
  }

  #create(type: string, value: unknown) {
    return this.registry.createTypeUnsafe(type, value === undefined ? [] : [this.#unwrapped(value)])
  }

  /** Replaces values and failures by their codecs, also inside lists and plain objects. */
  #unwrapped(value: unknown): unknown {
    if (value instanceof Value) return value.codec
    if (value instanceof DispatchFailure) return this.dispatchError(value)
    if (Array.isArray(value)) return value.map((member) => this.#unwrapped(member))
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, this.#unwrapped(member)]))
  }

  #missing(what: string, pallet: string, name: string): never {
    throw new SlotmeshError(
      'devchain/missing-in-metadata',
      `The chain's metadata has no ${what} ${pallet}.${name}; serve metadata with the NFT and TEE pallets.`,
    )
  }
}

function nameOf({ name }: Si1Field): string {
  return stringCamelCase(name.unwrapOrDefault().toString())
}
