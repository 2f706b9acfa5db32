import { z } from 'zod'
import type { Hex } from '../domain/index.js'

/** So many bytes in hexadecimal, either case. */
export function hex(bytes: number): z.ZodType<Hex> {
  return z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${2 * bytes}}$`), `takes ${bytes} bytes in hexadecimal (0x…)`)
    .transform((text): Hex => `0x${text.slice(2).toLowerCase()}`)
}

/** A URL of one of the schemes. */
export function url(...schemes: readonly string[]): z.ZodType<string> {
  const isOne = (text: string) => URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1))
  return z
    .string()
    .refine(isOne, `takes a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`)
}
