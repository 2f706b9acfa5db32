import { InvalidArgumentError } from 'commander'
import type { Hex } from '../domain/index.js'

/** A parser of whole numbers for commander; without limits, the part that takes the number knows them. */
export function wholeNumber(limits?: { readonly minimum: number; readonly maximum: number }): (text: string) => number {
  const { minimum, maximum } = limits ?? { minimum: 0, maximum: Number.MAX_SAFE_INTEGER }
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (value >= minimum && value <= maximum) return value
    const range = limits === undefined ? '' : ` from ${minimum} to ${maximum}`
    throw new InvalidArgumentError(`It takes a whole number${range}.`)
  }
}

/** A number with or without decimals; the part that takes it knows its limits. */
export function decimal(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It takes a number such as 2.5.')
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
  throw new InvalidArgumentError('A seed is 64 hexadecimal digits.')
}
