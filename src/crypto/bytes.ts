import { timingSafeEqual } from 'node:crypto'
import { type Hex, SlotmeshError } from '../domain/index.js'

export function toHex(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
}

/** @throws SlotmeshError `crypto/not-hex` when the text is not an even number of hexadecimal digits behind `0x`. */
export function fromHex(hex: string): Uint8Array {
  if (!/^0x(?:[0-9a-fA-F]{2})*$/.test(hex)) {
    throw new SlotmeshError('crypto/not-hex', 'Expected an even number of hexadecimal digits behind 0x.')
  }
  return new Uint8Array(Buffer.from(hex.slice(2), 'hex'))
}

/** Compares in constant time for a given length; lengths are not secret. */
export function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}

/** Overwrites secrets with zeroes once they are done with. */
export function zero(...secrets: Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0)
}

/** A `u32` as 4 big-endian bytes, so that byte order is number order. */
export function u32Bytes(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
}

const ENCODER = new TextEncoder()

export function utf8(text: string): Uint8Array {
  return ENCODER.encode(text)
}
