import { getTypeDef, TypeDefInfo } from '@polkadot/types'
import { SlotmeshError } from '../../domain/index.js'

/** Named fields, in SCALE order: field name to type text. */
export type Fields = Readonly<Record<string, string>>

export interface VariantDefinition {
  readonly index: number
  /** Named fields, or the types of a tuple variant; none for a plain name. */
  readonly fields?: Fields | readonly string[]
}

/** A type that has a name. Types are written as text: `u32`, `Bytes`, `Option<AccountId32>`, `(u32, AccountId32)`. */
export interface NamedType {
  /** The Rust path, which readers of metadata use to recognise well-known types. */
  readonly path: string
  /** Generic parameters, where readers look at them; null for a parameter without a type. */
  readonly parameters?: Readonly<Record<string, string | null>>
  readonly shape:
    | { readonly fields: Fields }
    | { readonly tuple: readonly string[] }
    | { readonly variants: Readonly<Record<string, VariantDefinition>> }
}

const PRIMITIVES = new Set(['bool', 'u8', 'u16', 'u32', 'u64', 'u128', 'str'])

interface PortableField {
  readonly name: string | null
  readonly type: number
  readonly typeName: string
}

/** One entry of the metadata's portable registry, as the `PortableTypeV14` codec takes it. */
interface PortableType {
  readonly path: readonly string[]
  readonly params: readonly { readonly name: string; readonly type: number | null }[]
  readonly def: Readonly<Record<string, unknown>>
}

/** Collects types by their text and gives each the number under which metadata v14 knows it. */
export class TypeBook {
  readonly #named: Readonly<Record<string, NamedType>>
  readonly #ids = new Map<string, number>()
  readonly #types: (PortableType | undefined)[] = []

  constructor(named: Readonly<Record<string, NamedType>>) {
    this.#named = named
  }

  /** The number of a type; it and all that it refers to are entered on first use. */
  id(text: string): number {
    const known = this.#ids.get(text)
    if (known !== undefined) return known
    const id = this.#types.push(undefined) - 1
    // Before the parts are looked at, because a type may contain itself: a call holds calls.
    this.#ids.set(text, id)
    this.#types[id] = this.#describe(text)
    return id
  }

  /** Every type entered so far, for `MetadataV14.lookup.types`. */
  entries(): { id: number; type: PortableType }[] {
    return this.#types.flatMap((type, id) => (type === undefined ? [] : [{ id, type }]))
  }

  #describe(text: string): PortableType {
    const named = this.#named[text]
    if (named !== undefined) return this.#describeNamed(named)
    if (PRIMITIVES.has(text)) return unnamed({ Primitive: text })
    if (text === 'Bytes') return unnamed({ Sequence: { type: this.id('u8') } })
    const definition = getTypeDef(text)
    const parts = [definition.sub ?? []].flat().map(({ type }) => type)
    const [first = '', second = ''] = parts
    switch (definition.info) {
      case TypeDefInfo.Null:
        return unnamed({ Tuple: [] })
      case TypeDefInfo.Tuple:
        return unnamed({ Tuple: parts.map((part) => this.id(part)) })
      case TypeDefInfo.Vec:
        return unnamed({ Sequence: { type: this.id(first) } })
      case TypeDefInfo.VecFixed:
        return unnamed({ Array: { len: definition.length, type: this.id(first) } })
      case TypeDefInfo.Compact:
        return unnamed({ Compact: { type: this.id(first) } })
      case TypeDefInfo.Option:
        return this.#describeNamed({
          path: 'Option',
          parameters: { T: first },
          shape: { variants: { None: { index: 0 }, Some: { index: 1, fields: [first] } } },
        })
      case TypeDefInfo.Result:
        return this.#describeNamed({
          path: 'Result',
          parameters: { T: first, E: second },
          shape: { variants: { Ok: { index: 0, fields: [first] }, Err: { index: 1, fields: [second] } } },
        })
      default:
        throw new SlotmeshError('devchain/unknown-type', `No type is called "${text}"; define it beside the others.`)
    }
  }

  #describeNamed({ path, parameters = {}, shape }: NamedType): PortableType {
    return {
      path: path.split('::'),
      params: Object.entries(parameters).map(([name, type]) => ({ name, type: type === null ? null : this.id(type) })),
      def: this.#shape(shape),
    }
  }

  #shape(shape: NamedType['shape']): Readonly<Record<string, unknown>> {
    if ('fields' in shape) return { Composite: { fields: this.#fields(shape.fields) } }
    if ('tuple' in shape) return { Composite: { fields: this.#fields(shape.tuple) } }
    const variants = Object.entries(shape.variants).map(([name, { index, fields = [] }]) => ({
      name,
      index,
      fields: this.#fields(fields),
    }))
    return { Variant: { variants } }
  }

  #fields(fields: Fields | readonly string[]): PortableField[] {
    const named: (readonly [string | null, string])[] = isTuple(fields)
      ? fields.map((type) => [null, type])
      : Object.entries(fields)
    return named.map(([name, typeName]) => ({ name, type: this.id(typeName), typeName }))
  }
}

function isTuple(fields: Fields | readonly string[]): fields is readonly string[] {
  return Array.isArray(fields)
}

function unnamed(def: PortableType['def']): PortableType {
  return { path: [], params: [], def }
}
