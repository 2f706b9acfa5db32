import { bool, Compact, Enum, Int, Null, Option, Raw, Struct, Text, Tuple, UInt, Vec, VecFixed } from '@polkadot/types'
import type { Event } from '@polkadot/types/interfaces'
import type { Codec } from '@polkadot/types/types'
import { toHex } from '../../crypto/index.js'

/** A decoded SCALE value as plain data: bytes and accounts in hexadecimal, variants without content as their name. */
export type Plain = null | boolean | number | bigint | string | readonly Plain[] | PlainFields

/** Names are in camelCase, as `@polkadot/types` gives them. */
export interface PlainFields {
  readonly [name: string]: Plain
}

export function plain(codec: Codec): Plain {
  if (codec instanceof Option) return codec.isNone ? null : plain(codec.unwrap())
  if (codec instanceof Compact) return plain(codec.unwrap())
  if (codec instanceof Struct) return Object.fromEntries([...codec].map(([name, value]) => [name, plain(value)]))
  if (codec instanceof Enum) return codec.inner instanceof Null ? codec.type : { [codec.type]: plain(codec.inner) }
  if (codec instanceof Vec || codec instanceof VecFixed || codec instanceof Tuple) return [...codec].map(plain)
  if (codec instanceof UInt || codec instanceof Int) {
    const value = codec.toBigInt()
    return Number.isSafeInteger(Number(value)) ? Number(value) : value
  }
  if (codec instanceof bool) return codec.isTrue
  if (codec instanceof Text) return codec.toString()
  if (codec instanceof Null) return null
  return codec instanceof Raw ? toHex(codec.toU8a(true)) : codec.toHex()
}

/** An event's fields in their order; those without a name go by their position. */
export function eventFields({ data }: Pick<Event, 'data'>): PlainFields {
  return Object.fromEntries([...data].map((value, index) => [data.names?.[index] ?? `${index}`, plain(value)]))
}
