import { z } from 'zod'

const MS = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const
const BITS = { kbit: 1e3, Mbit: 1e6, Gbit: 1e9 } as const

/** A span of time as people write it, `250 ms`, `2 min`, in ms. */
export const duration = quantity(MS, 'takes a time such as 250 ms, 30 s, 2 min, 1 h or 1 d').refine(
  (ms) => ms <= 30 * MS.d,
  'takes at most 30 d',
)

/** A rate of transfer, `10 Mbit/s`, in bytes per ms. */
export const bandwidth = z
  .string()
  .regex(/^\d+(\.\d+)? ?(kbit|Mbit|Gbit)\/s$/, 'takes a rate such as 500 kbit/s or 10 Mbit/s')
  .transform((text) => {
    const [, amount = '', unit = 'kbit'] = /^([\d.]+) ?(\w+)/.exec(text) ?? []
    return (Number(amount) * BITS[unit as keyof typeof BITS]) / 8_000
  })
  .refine((bytesPerMs) => bytesPerMs > 0, 'takes more than nothing')

/** `0.5 %`, as a fraction of one. */
export const fraction = z
  .string()
  .regex(/^\d+(\.\d+)? ?%$/, 'takes a percentage such as 0.5 %')
  .transform((text) => Number.parseFloat(text) / 100)
  .refine((value) => value <= 1, 'takes at most 100 %')

function quantity(units: Readonly<Record<string, number>>, words: string) {
  const pattern = new RegExp(`^(\\d+(?:\\.\\d+)?) ?(${Object.keys(units).join('|')})$`)
  return z
    .string()
    .regex(pattern, words)
    .transform((text) => {
      const [, amount = '', unit = ''] = pattern.exec(text) ?? []
      return Number(amount) * (units[unit] ?? Number.NaN)
    })
}
