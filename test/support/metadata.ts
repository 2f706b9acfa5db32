import assert from 'node:assert/strict'
import { expandMetadata, Metadata, type PortableRegistry, TypeRegistry } from '@polkadot/types'
import type { Codec } from '@polkadot/types/types'
import { toHex } from '../../src/crypto/index.js'
import { developmentMetadata } from '../../src/devchain/metadata/index.js'
import type { Hex } from '../../src/domain/index.js'

const MAGIC_AND_VERSION = 5

/** The parts of version 14 metadata, as JSON, that tests change. */
export interface MetadataParts {
  readonly pallets: { name: string; index: number }[]
  readonly lookup: {
    readonly types: {
      readonly type: {
        readonly path: string[]
        readonly def: {
          variant?: { variants: { name: string; index: number; fields: { name: string | null; type: number }[] }[] }
          composite?: { fields: { name: string | null; type: number }[] }
        }
      }
    }[]
  }
}

/** The development chain's metadata, with whatever `edit` changes about it. */
export function editedMetadata(generation: 1 | 2, edit: (parts: MetadataParts) => void = () => undefined): Uint8Array {
  const bytes = developmentMetadata(generation)
  const registry = new TypeRegistry()
  const parts = new Metadata(registry, bytes).asV14.toJSON()
  edit(parts as unknown as MetadataParts)
  const body = new TypeRegistry().createType('MetadataV14', parts).toU8a()
  return new Uint8Array([...bytes.subarray(0, MAGIC_AND_VERSION), ...body])
}

/** Gives a pallet another index, and those of its events, too. */
export function moveIndices({ pallets, lookup }: MetadataParts, pallet: string, by: number): void {
  for (const each of pallets) if (each.name === pallet) each.index += by
  for (const { type } of lookup.types) {
    const path = type.path.join('::')
    for (const variant of type.def.variant?.variants ?? []) {
      if (/::Runtime(Call|Event)$/.test(path) && variant.name === pallet) variant.index += by
      if (path === `pallet_${pallet.toLowerCase()}::pallet::Event`) variant.index += by
    }
  }
}

/** Encodes what a chain with this metadata would store, by `@polkadot/types`. */
export class Encoder {
  readonly registry = new TypeRegistry()
  readonly metadata: Metadata
  readonly types: PortableRegistry
  readonly #storage: ReturnType<typeof expandMetadata>['query']

  constructor(metadataBytes: Uint8Array) {
    this.metadata = new Metadata(this.registry, metadataBytes)
    this.registry.setMetadata(this.metadata, undefined, undefined, true)
    this.types = this.metadata.asLatest.lookup
    this.#storage = expandMetadata(this.registry, this.metadata).query
  }

  /** The storage key of a value, or of a map's entry. */
  key(pallet: string, item: string, ...args: unknown[]): Hex {
    const key = this.#entry(pallet, item)(...args)
    return toHex(key.slice(lengthPrefix(key)))
  }

  /** The value of a map's entry. */
  value(pallet: string, item: string, value: unknown): Hex {
    const { type } = this.#entry(pallet, item).meta
    return this.encode((type.isMap ? type.asMap.value : type.asPlain).toNumber(), value).toHex()
  }

  encode(type: number, value: unknown): Codec {
    return this.registry.createTypeUnsafe(this.registry.createLookupType(type), [value])
  }

  /** An event record: `fields` by position, those left out with nothing in them. */
  event(extrinsic: number, pallet: string, name: string, ...fields: unknown[]): number[] {
    const { index, events } = this.metadata.asLatest.pallets.find((each) => each.name.eq(pallet)) ?? {}
    const type = events?.unwrap().type
    const variant = type && this.types.getSiType(type).def.asVariant.variants.find((each) => each.name.eq(name))
    assert.ok(index !== undefined && variant !== undefined, `${pallet}.${name}`)
    const data = variant.fields.map(({ type: field }, at) => {
      const value = fields[at]
      return value === undefined
        ? this.registry.createTypeUnsafe(this.registry.createLookupType(field), [])
        : this.encode(field.toNumber(), value)
    })
    const phase = [0, extrinsic & 0xff, extrinsic >> 8, 0, 0]
    return [...phase, index.toNumber(), variant.index.toNumber(), ...data.flatMap((value) => [...value.toU8a()]), 0]
  }

  events(...records: readonly (readonly number[])[]): Hex {
    const count = this.registry.createType('Compact<u32>', records.length).toU8a()
    return toHex(Uint8Array.from([...count, ...records.flat()]))
  }

  #entry(pallet: string, item: string) {
    const entry = this.#storage[pallet]?.[item]
    assert.ok(entry !== undefined, `${pallet}.${item}`)
    return entry
  }
}

/** `@polkadot/types` puts a compact length before storage keys. */
function lengthPrefix(key: Uint8Array): number {
  return 1 << ((key[0] ?? 0) & 3)
}
