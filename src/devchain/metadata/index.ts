import { Metadata, TypeRegistry } from '@polkadot/types'
import { toHex } from '../../crypto/index.js'
import type { Hex } from '../../domain/index.js'
import { type Generation, type PalletDefinition, palletsOf } from './pallets.js'
import { SIGNED_EXTENSIONS, SUBSTRATE_TYPES } from './substrate-types.js'
import { type NamedType, TypeBook } from './type-book.js'

export { openMetadata } from './envelope.js'
export { type Generation, ONE_CAPS } from './pallets.js'

const MAGIC = [0x6d, 0x65, 0x74, 0x61]
const VERSION = 14
const EXTRINSIC_VERSION = 4

/** The development chain's metadata, SCALE-encoded in version 14 behind the magic number "meta". */
export function developmentMetadata(generation: Generation): Uint8Array {
  return metadataOf(palletsOf(generation))
}

/**
 * The same runtime as a later version of it might number it: pallets, other than System, and all events have moved.
 * @param by at most 200
 */
export function movedMetadata(generation: Generation, by: number): Uint8Array {
  const { pallets, types } = palletsOf(generation)
  const moved = Object.entries(pallets).map(([name, pallet]): [string, PalletDefinition] => {
    if (name === 'System') return [name, pallet]
    const events = Object.entries(pallet.events ?? {}).map(([event, { index, fields }]) => [
      event,
      { index: index + by, fields },
    ])
    return [name, { ...pallet, index: pallet.index + by, ...(pallet.events && { events: Object.fromEntries(events) }) }]
  })
  return metadataOf({ pallets: Object.fromEntries(moved), types })
}

function metadataOf(parts: Parts): Uint8Array {
  // Constants and fallbacks are values of the very types that the metadata declares, so those are declared first.
  const draft = new TypeRegistry()
  const withoutValues = encodeMetadata(parts, () => '0x')
  draft.setMetadata(new Metadata(draft, withoutValues))
  return encodeMetadata(parts, (type, value) =>
    toHex(draft.createTypeUnsafe(draft.createLookupType(type), value === null ? [] : [value]).toU8a()),
  )
}

type Parts = ReturnType<typeof palletsOf>
type EncodeValue = (type: number, value: unknown) => Hex

function encodeMetadata({ pallets, types }: Parts, encode: EncodeValue): Uint8Array {
  const book = new TypeBook({ ...SUBSTRATE_TYPES, ...types, ...callEventErrorTypes(pallets) })
  const described = {
    pallets: Object.entries(pallets).map(([name, pallet]) => describePallet(book, name, pallet, encode)),
    extrinsic: {
      type: book.id('UncheckedExtrinsic'),
      version: EXTRINSIC_VERSION,
      signedExtensions: Object.entries(SIGNED_EXTENSIONS).map(([identifier, additionalSigned]) => ({
        identifier,
        type: book.id(identifier),
        additionalSigned: book.id(additionalSigned),
      })),
    },
    type: book.id('Runtime'),
  }
  const body = new TypeRegistry().createType('MetadataV14', { lookup: { types: book.entries() }, ...described }).toU8a()
  return new Uint8Array([...MAGIC, VERSION, ...body])
}

/** The enums of calls, events and errors: one for each pallet, and those of the runtime that hold them. */
function callEventErrorTypes(pallets: Readonly<Record<string, PalletDefinition>>): Record<string, NamedType> {
  const types: Record<string, NamedType> = { Runtime: { path: 'slotmesh_runtime::Runtime', shape: { tuple: [] } } }
  for (const [name, { calls, events, errors }] of Object.entries(pallets)) {
    const path = `pallet_${name.toLowerCase()}::pallet`
    if (calls !== undefined) types[`${name}Call`] = { path: `${path}::Call`, shape: { variants: calls } }
    if (events !== undefined) types[`${name}Event`] = { path: `${path}::Event`, shape: { variants: events } }
    if (errors !== undefined) {
      const variants = Object.fromEntries(errors.map((error, index) => [error, { index }]))
      types[`${name}Error`] = { path: `${path}::Error`, shape: { variants } }
    }
  }
  const outer = (kind: 'Call' | 'Event'): NamedType => ({
    path: `slotmesh_runtime::Runtime${kind}`,
    shape: {
      variants: Object.fromEntries(
        Object.entries(pallets)
          .filter(([name]) => types[`${name}${kind}`] !== undefined)
          .map(([name, { index }]) => [name, { index, fields: [`${name}${kind}`] }]),
      ),
    },
  })
  return { ...types, RuntimeCall: outer('Call'), RuntimeEvent: outer('Event') }
}

function describePallet(book: TypeBook, name: string, pallet: PalletDefinition, encode: EncodeValue): object {
  const items = Object.entries(pallet.storage ?? {}).map(([item, { key, value, fallback }]) => {
    const type = book.id(value)
    return {
      name: item,
      modifier: fallback === undefined ? 'Optional' : 'Default',
      type:
        key === undefined ? { Plain: type } : { Map: { hashers: [key.hasher], key: book.id(key.type), value: type } },
      fallback: fallback === undefined ? '0x00' : encode(type, fallback),
    }
  })
  return {
    name,
    index: pallet.index,
    storage: items.length === 0 ? null : { prefix: name, items },
    calls: pallet.calls === undefined ? null : { type: book.id(`${name}Call`) },
    events: pallet.events === undefined ? null : { type: book.id(`${name}Event`) },
    errors: pallet.errors === undefined ? null : { type: book.id(`${name}Error`) },
    constants: Object.entries(pallet.constants ?? {}).map(([constant, { type, value }]) => ({
      name: constant,
      type: book.id(type),
      value: encode(book.id(type), value),
    })),
  }
}
