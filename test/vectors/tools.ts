import { createHash } from 'node:crypto'
import { getPublicKey, secretFromSeed, sign } from '@scure/sr25519'

/*
 * What the makers of the test vectors have in common. Nothing here or beside it uses the code under src, so that the
 * vectors say what the specification says and not what the code does.
 */

/** What a vector file holds: `Hex` where the maker has bytes. */
export type Json<T> = T extends Uint8Array
  ? Hex
  : T extends readonly (infer Item)[]
    ? readonly Json<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Json<T[Key]> }
      : T

export type Hex = `0x${string}`

/** The value as it stands in a vector file: bytes as hexadecimal, nothing for what is undefined. */
export function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return hex(value)
  if (Array.isArray(value)) return value.map(toJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => [key, toJson(member)]),
  )
}

export function hex(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes).toString('hex')}`
}

export function ascii(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'ascii'))
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

export function u32be(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255)
}

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(
    createHash('sha256')
      .update(concat(...parts))
      .digest(),
  )
}

/** Share exchange, 1.1 */
export function H(tag: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return sha256(...[ascii(tag), ...parts].flatMap((part) => [u32be(part.length), part]))
}

/** Bytes that look random and are the same each time. */
export function made(name: string, length = 32): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, at) => sha256(ascii(`vectors/${name}/${at}`)))
  return concat(...blocks).subarray(0, length)
}

/** The same bytes, with one bit of this one changed (the last, when none is named). */
export function altered(bytes: Uint8Array, at = bytes.length - 1): Uint8Array {
  return bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))
}

/** An enclave, or another that can sign. */
export interface Actor {
  readonly seed: Uint8Array
  readonly account: Uint8Array
  readonly peer: Uint8Array
  /** The signer's randomness comes of the message, so that the vectors stay the same. */
  sign(message: Uint8Array): Uint8Array
}

export function actor(name: string): Actor {
  const seed = made(`account of ${name}`)
  const secretKey = secretFromSeed(seed)
  return {
    seed,
    account: getPublicKey(secretKey),
    peer: concat(Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20), made(`peer of ${name}`)),
    sign: (message) => sign(secretKey, message, sha256(ascii('vectors/signing'), message)),
  }
}
