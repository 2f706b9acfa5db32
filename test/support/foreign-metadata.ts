import assert from 'node:assert/strict'
import { Metadata, TypeRegistry } from '@polkadot/types'
import { hexToU8a } from '@polkadot/util'
import { editedMetadata, type MetadataParts } from './metadata.js'

const MAGIC_AND_VERSION = 5

interface Field {
  name: string | null
  type: number
}

interface Definition {
  composite?: { fields: Field[] }
  variant?: { variants: { name: string; index: number; fields: Field[] }[] }
  sequence?: { type: number }
  array?: { type: number }
  compact?: { type: number }
  tuple?: number[]
  primitive?: string
}

interface PortableType {
  path: string[]
  params: { type: number | null }[]
  def: Definition
}

interface Pallet {
  name: string
  index: number
  storage: { items: { name: string; type: { plain?: number; map?: { key: number; value: number } } }[] } | null
  calls: { type: number } | null
  events: { type: number } | null
  errors: { type: number } | null
  constants: { name: string; type: number }[]
}

/** Version 14 metadata as JSON. */
interface Parts {
  pallets: Pallet[]
  lookup: { types: { id: number; type: PortableType }[] }
  extrinsic: { signedExtensions: { identifier: string; type: number; additionalSigned: number }[] }
}

export interface Splice {
  /** Which of the development chain's pallets to take over, and under which index. */
  readonly pallets: Readonly<Record<string, number>>
  readonly generation?: 1 | 2
  /** Changes the development chain's metadata before. */
  readonly before?: (parts: MetadataParts) => void
  /** Changes the result. */
  readonly after?: (foreign: Foreign) => void
}

/** Another chain's metadata that has some of the development chain's pallets among its own. */
export function splicedMetadata(foreignHex: string, { pallets, generation = 2, before, after }: Splice): Uint8Array {
  const donor = partsOf(editedMetadata(generation, before))
  const bytes = hexToU8a(foreignHex)
  const foreign = new Foreign(partsOf(bytes))
  for (const [name, index] of Object.entries(pallets)) {
    const pallet = donor.pallets.find((each) => each.name === name)
    assert.ok(pallet !== undefined)
    foreign.takeOver(pallet, index, donor)
  }
  after?.(foreign)
  const body = new TypeRegistry().createType('MetadataV14', foreign.parts).toU8a()
  return new Uint8Array([...bytes.subarray(0, MAGIC_AND_VERSION), ...body])
}

function partsOf(bytes: Uint8Array): Parts {
  return new Metadata(new TypeRegistry(), bytes).asV14.toJSON() as unknown as Parts
}

/** Metadata that grows. */
class Foreign {
  readonly parts: Parts
  /** What the donor's types are here. */
  readonly #ids = new Map<number, number>()

  constructor(parts: Parts) {
    this.parts = parts
  }

  /** A type by the end of its path. */
  type(path: string): PortableType {
    const id = this.#find(path)
    assert.ok(id !== undefined, path)
    return this.#at(id)
  }

  add(type: PortableType): number {
    const id = this.parts.lookup.types.length
    this.parts.lookup.types.push({ id, type })
    return id
  }

  takeOver(pallet: Pallet, index: number, donor: Parts): void {
    const copied = structuredClone(pallet)
    const take = (id: number) => this.#take(id, donor)
    for (const { type } of copied.storage?.items ?? []) {
      if (type.plain !== undefined) type.plain = take(type.plain)
      if (type.map !== undefined) Object.assign(type.map, { key: take(type.map.key), value: take(type.map.value) })
    }
    for (const part of [copied.calls, copied.events, copied.errors, ...copied.constants]) {
      if (part !== null) part.type = take(part.type)
    }
    this.parts.pallets.push({ ...copied, index })
    for (const [outer, type] of [
      ['RuntimeCall', copied.calls],
      ['RuntimeEvent', copied.events],
    ] as const) {
      if (type === null) continue
      const { variants } = this.type(outer).def.variant ?? { variants: [] }
      variants.push({ name: pallet.name, index, fields: [{ name: null, type: type.type }] })
    }
  }

  #take(id: number, donor: Parts): number {
    const known = this.#ids.get(id)
    if (known !== undefined) return known
    const type = structuredClone(donor.lookup.types[id]?.type)
    assert.ok(type !== undefined)
    const path = type.path.join('::')
    const own = this.#find(/::Runtime(Call|Event)$/.test(path) ? (type.path.at(-1) ?? '') : path)
    if (own !== undefined && type.path.length > 1) return own
    const added = this.add(type)
    this.#ids.set(id, added)
    const take = (part: number) => this.#take(part, donor)
    const { composite, variant, sequence, array, compact, tuple } = type.def
    const fields = [...(composite?.fields ?? []), ...(variant?.variants.flatMap((each) => each.fields) ?? [])]
    for (const part of [sequence, array, compact, ...fields]) if (part !== undefined) part.type = take(part.type)
    for (const parameter of type.params) if (parameter.type !== null) parameter.type = take(parameter.type)
    if (tuple !== undefined) type.def.tuple = tuple.map(take)
    return added
  }

  #find(path: string): number | undefined {
    return this.parts.lookup.types.find(({ type }) => `::${type.path.join('::')}`.endsWith(`::${path}`))?.id
  }

  #at(id: number): PortableType {
    const type = this.parts.lookup.types[id]?.type
    assert.ok(type !== undefined)
    return type
  }
}
