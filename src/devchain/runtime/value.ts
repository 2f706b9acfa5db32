import { Compact, Enum, GenericCall, Option, Raw, Struct, Tuple, UInt, Vec } from '@polkadot/types'
import type { Codec } from '@polkadot/types/types'
import { toHex } from '../../crypto/index.js'
import { type AccountId, SlotmeshError } from '../../domain/index.js'

/**
 * A decoded SCALE value, read by the names that its metadata gives it. Every reader checks the shape: metadata from
 * elsewhere may differ from what a pallet here expects.
 */
export class Value {
  readonly codec: Codec

  constructor(codec: Codec) {
    this.codec = codec
  }

  /** A field of a struct, in camelCase. */
  field(name: string): Value {
    const field = this.codec instanceof Struct ? this.codec.get(name) : undefined
    return field === undefined ? this.#mismatch(`a struct with a field ${name}`) : new Value(field)
  }

  /** This struct with some fields replaced and the others, known here or not, kept. */
  with(changes: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    if (!(this.codec instanceof Struct)) return this.#mismatch('a struct')
    return { ...Object.fromEntries(this.codec.entries()), ...changes }
  }

  /** The members of a list or tuple. */
  items(): Value[] {
    if (!(this.codec instanceof Vec || this.codec instanceof Tuple)) return this.#mismatch('a list')
    return [...this.codec].map((item) => new Value(item))
  }

  /** Whether this is a list or tuple rather than one value. */
  isList(): boolean {
    return this.codec instanceof Vec || this.codec instanceof Tuple
  }

  isEnum(): boolean {
    return this.codec instanceof Enum
  }

  call(): GenericCall {
    return this.codec instanceof GenericCall ? this.codec : this.#mismatch('a call')
  }

  optional(): Value | undefined {
    if (!(this.codec instanceof Option)) return this.#mismatch('an option')
    return this.codec.isNone ? undefined : new Value(this.codec.unwrap())
  }

  /** What an option holds, if anything; what is no option is always there. */
  present(): Value | undefined {
    return this.codec instanceof Option ? this.optional() : this
  }

  /** What an enum holds if it is this variant. */
  only(variant: string): Value | undefined {
    if (!(this.codec instanceof Enum)) return this.#mismatch('an enum')
    return this.codec.type === variant ? new Value(this.codec.inner) : undefined
  }

  bigint(): bigint {
    const number = this.codec instanceof Compact ? this.codec.unwrap() : this.codec
    return number instanceof UInt ? number.toBigInt() : this.#mismatch('a number')
  }

  /** A number that is known to fit: every `u32`. */
  number(): number {
    return Number(this.bigint())
  }

  boolean(): boolean {
    const plain = this.codec.toPrimitive()
    return typeof plain === 'boolean' ? plain : this.#mismatch('a boolean')
  }

  bytes(): Uint8Array {
    return this.codec instanceof Raw ? this.codec.toU8a(true) : this.#mismatch('bytes')
  }

  /** An `AccountId32`, or a `MultiAddress` that is one. */
  account(): AccountId {
    const raw = this.codec instanceof Enum ? this.only('Id')?.codec : this.codec
    return raw instanceof Raw && raw.length === 32 ? toHex(raw.toU8a(true)) : this.#mismatch('an account')
  }

  #mismatch(expected: string): never {
    throw new SlotmeshError(
      'devchain/unexpected-type',
      `Expected ${expected} but the metadata declares ${this.codec.toRawType()}; serve a chain whose NFT and TEE pallets have the documented shape.`,
    )
  }
}
