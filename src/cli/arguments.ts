import { InvalidArgumentError } from 'commander'
import type { Hex } from '../domain/index.js'

/** A parser for commander that accepts whole numbers within limits, and says so when it is given anything else. */
export function wholeNumber(limits: { readonly minimum: number; readonly maximum: number }): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (value >= limits.minimum && value <= limits.maximum) return value
    throw new InvalidArgumentError(`It takes a whole number from ${limits.minimum} to ${limits.maximum}.`)
  }
}

/** @returns the generation of the TEE pallet. */
export function palletGeneration(text: string): 1 | 2 {
  if (text === '1') return 1
  if (text === '2') return 2
  throw new InvalidArgumentError('There are two generations of the TEE pallet: 1 (slots by position) and 2.')
}

/** 32 bytes in hexadecimal, with or without `0x`, in either case. */
export function seed(text: string): Hex {
  const digits = text.replace(/^0x/, '').toLowerCase()
  if (/^[0-9a-f]{64}$/.test(digits)) return `0x${digits}`
  throw new InvalidArgumentError('A seed is 64 hexadecimal digits, as an earlier report printed it.')
}
