import { z } from 'zod'

/** An enclave as a scenario names it: cluster and slot. */
export interface EnclaveName {
  readonly cluster: number
  readonly slot: number
}

export const enclaveName = z
  .string()
  .regex(/^c\d{1,4}-s[0-4]$/, 'takes the name of an enclave such as c1-s2 (cluster 1, slot 2)')
  .transform((text): EnclaveName => {
    const [, cluster = '', slot = ''] = /^c(\d+)-s(\d)$/.exec(text) ?? []
    return { cluster: Number(cluster), slot: Number(slot) }
  })

export function nameOf({ cluster, slot }: EnclaveName): string {
  return `c${cluster}-s${slot}`
}

export const regionName = z
  .string()
  .regex(/^(\*|[a-z][a-z-]{0,31})$/, 'takes the name of a region in small letters, or *')

/** `3`, or `3-7`, both ends included. */
export const clusterRange = z
  // YAML takes a single cluster for a number.
  .union([z.int().transform(String), z.string()])
  .pipe(z.string().regex(/^\d{1,4}(-\d{1,4})?$/, 'takes clusters such as 3 or 3-7'))
  .transform((text) => {
    const [first = 0, last = first] = text.split('-').map(Number)
    return { first, last }
  })
  .refine(({ first, last }) => first <= last, 'takes clusters from the lower to the higher')
