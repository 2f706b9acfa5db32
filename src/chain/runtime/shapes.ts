import { z } from 'zod'
import { type AccountId, messageOf, U32_MAX } from '../../domain/index.js'

/** What the chain's values must look like once they are plain data; metadata may declare them otherwise. */
export const u32 = z.int().min(0).max(U32_MAX)
export const account = z.custom<AccountId>((value) => typeof value === 'string' && /^0x[0-9a-f]{64}$/.test(value))
export const bytes = z.custom<`0x${string}`>((value) => typeof value === 'string' && /^0x(?:[0-9a-f]{2})*$/.test(value))

/** Why a value could not be read, in one line. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof z.ZodError ? z.prettifyError(thrown).replaceAll(/\s+/g, ' ') : messageOf(thrown)
}
