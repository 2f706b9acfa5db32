import type { PortableRegistry } from '@polkadot/types'
import type { Si1Field, SiType } from '@polkadot/types/interfaces'
import { stringCamelCase } from '@polkadot/util'

/** Values within values; calls within calls, as the runtime itself takes them, stay far below. */
const DEEPEST = 1024

/** Finds the end of a value that begins at `offset`. @throws Error when the bytes are no such value. */
export type Skip = (bytes: Uint8Array, offset: number, depth?: number) => number

/** Bytes of a value that has the same length whatever it holds; undefined for all others. */
type FixedSize = number | undefined

const PRIMITIVES: Readonly<Record<string, number>> = {
  Bool: 1,
  Char: 4,
  U8: 1,
  U16: 2,
  U32: 4,
  U64: 8,
  U128: 16,
  U256: 32,
  I8: 1,
  I16: 2,
  I32: 4,
  I64: 8,
  I128: 16,
  I256: 32,
}

/**
 * Finds where SCALE values end without decoding them, by the types that a runtime's metadata declares. That costs
 * nanoseconds where decoding costs microseconds. Lengths are checked against what is there before anything is skipped.
 * Source: https://docs.polkadot.com/polkadot-protocol/basics/data-encoding/ and `scale-info`.
 */
export class Skipper {
  readonly #types: PortableRegistry
  readonly #compiled = new Map<number, Skip>()
  readonly #sizes = new Map<number, FixedSize>()

  constructor(types: PortableRegistry) {
    this.#types = types
  }

  /** @throws Error when the metadata declares no such type. */
  skip(type: number): Skip {
    const known = this.#compiled.get(type)
    if (known !== undefined) return known
    // A type that holds itself must find this in place of its own unfinished function.
    this.#compiled.set(type, (bytes, offset, depth = 0) => this.skip(type)(bytes, offset, depth))
    const skip = this.#compile(type)
    this.#compiled.set(type, skip)
    return skip
  }

  /**
   * Finds the beginning of a field, given that of the struct.
   * @param path of names within one another, in camelCase
   * @returns the field's type, too. @throws Error when there is no such field.
   */
  field(type: number, path: readonly string[]): { readonly type: number; readonly find: Skip } {
    const [name, ...rest] = path
    if (name === undefined) return { type, find: (_, offset) => offset }
    const { def } = this.#types.getSiType(type)
    const fields = def.isComposite ? [...def.asComposite.fields] : []
    const position = fields.findIndex((field) => stringCamelCase(field.name.unwrapOr('').toString()) === name)
    const field = fields[position]
    if (field === undefined) throw new Error(`there is no field ${name}`)
    const before = this.#sequentially(typesOf(fields.slice(0, position)))
    const within = this.field(field.type.toNumber(), rest)
    return {
      type: within.type,
      find: (bytes, offset, depth) => within.find(bytes, before(bytes, offset, depth), depth),
    }
  }

  #compile(type: number): Skip {
    const size = this.#size(type)
    if (size !== undefined) return (bytes, offset) => within(bytes, offset + size)
    const { def } = this.#types.getSiType(type)
    if (def.isComposite) return this.#sequentially(typesOf(def.asComposite.fields))
    if (def.isTuple) return this.#sequentially(def.asTuple.map((each) => each.toNumber()))
    if (def.isVariant) return this.#variant(def.asVariant.variants)
    if (def.isCompact) return (bytes, offset) => readCompact(bytes, offset).end
    if (def.isSequence) return this.#repeatedly(def.asSequence.type.toNumber())
    if (def.isArray) return this.#repeatedly(def.asArray.type.toNumber(), def.asArray.len.toNumber())
    if (def.isBitSequence) return this.#bits(def.asBitSequence.bitStoreType.toNumber())
    if (def.isPrimitive && def.asPrimitive.isStr) return skipBytes
    throw new Error(`type ${type} is of no known kind`)
  }

  #sequentially(types: readonly number[]): Skip {
    const skips = types.map((type) => this.skip(type))
    return (bytes, offset, depth = 0) => {
      let end = offset
      for (const skip of skips) end = skip(bytes, end, deeper(depth))
      return end
    }
  }

  #variant(variants: Iterable<{ readonly index: { toNumber(): number }; readonly fields: Iterable<Si1Field> }>): Skip {
    const skips = new Map<number, Skip>()
    for (const { index, fields } of variants) skips.set(index.toNumber(), this.#sequentially(typesOf(fields)))
    return (bytes, offset, depth = 0) => {
      const index = bytes[offset]
      const skip = index === undefined ? undefined : skips.get(index)
      if (skip === undefined) throw new Error(`there is no variant ${index ?? 'past the end'}`)
      return skip(bytes, offset + 1, deeper(depth))
    }
  }

  /** @param count of a list without a length of its own */
  #repeatedly(type: number, count?: number): Skip {
    const size = this.#size(type)
    const skip = this.skip(type)
    return (bytes, offset, depth = 0) => {
      const { value, end: begin } = count === undefined ? readCompact(bytes, offset) : { value: count, end: offset }
      if (size !== undefined) return within(bytes, begin + value * size)
      // Every value without a fixed size takes at least a byte, so the bytes bound this loop.
      let end = begin
      for (let done = 0; done < value; done++) end = skip(bytes, end, deeper(depth))
      return end
    }
  }

  /** Bits come in whole words of their store. */
  #bits(store: number): Skip {
    const word = this.#size(store) ?? 1
    return (bytes, offset) => {
      const { value, end } = readCompact(bytes, offset)
      return within(bytes, end + Math.ceil(value / (word * 8)) * word)
    }
  }

  #size(type: number): FixedSize {
    if (this.#sizes.has(type)) return this.#sizes.get(type)
    // A type that holds itself has no fixed size.
    this.#sizes.set(type, undefined)
    const size = this.#measure(this.#types.getSiType(type))
    this.#sizes.set(type, size)
    return size
  }

  #measure({ def }: SiType): FixedSize {
    if (def.isPrimitive) return PRIMITIVES[def.asPrimitive.type]
    if (def.isComposite) return this.#sum(typesOf(def.asComposite.fields))
    if (def.isTuple) return this.#sum(def.asTuple.map((each) => each.toNumber()))
    if (def.isArray) {
      const length = def.asArray.len.toNumber()
      const size = length === 0 ? 0 : this.#size(def.asArray.type.toNumber())
      return size === undefined ? undefined : size * length
    }
    // The compact form of nothing is nothing.
    if (def.isCompact && this.#size(def.asCompact.type.toNumber()) === 0) return 0
    return undefined
  }

  #sum(types: readonly number[]): FixedSize {
    let sum = 0
    for (const type of types) {
      const size = this.#size(type)
      if (size === undefined) return undefined
      sum += size
    }
    return sum
  }
}

/** A compact whole number and where it ends; those past the safe integers come as an approximation. @throws Error. */
export function readCompact(bytes: Uint8Array, offset: number): { readonly value: number; readonly end: number } {
  const first = bytes[offset]
  if (first === undefined) throw pastTheEnd(offset)
  const mode = first & 3
  const length = mode === 3 ? (first >> 2) + 5 : 1 << mode
  const end = within(bytes, offset + length)
  let value = 0
  for (let at = end - 1; at > offset; at--) value = value * 256 + (bytes[at] ?? 0)
  return { value: mode === 3 ? value : value * 64 + (first >> 2), end }
}

function skipBytes(bytes: Uint8Array, offset: number): number {
  const { value, end } = readCompact(bytes, offset)
  return within(bytes, end + value)
}

function typesOf(fields: Iterable<Si1Field>): number[] {
  return [...fields].map(({ type }) => type.toNumber())
}

function deeper(depth: number): number {
  if (depth >= DEEPEST) throw new Error(`its values are more than ${DEEPEST} deep`)
  return depth + 1
}

function within(bytes: Uint8Array, end: number): number {
  if (end <= bytes.length) return end
  throw pastTheEnd(end)
}

function pastTheEnd(offset: number): Error {
  return new Error(`it ends before its byte ${offset}`)
}
