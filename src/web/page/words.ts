/** Numbers as people read them. The page uses these, too: nothing here knows Node. */

const SPANS = [
  { ms: 86_400_000, unit: 'd' },
  { ms: 3_600_000, unit: 'h' },
  { ms: 60_000, unit: 'min' },
  { ms: 1_000, unit: 's' },
] as const

/** `950 ms`, `12 s`, `1.5 h` */
export function duration(ms: number): string {
  const { ms: size, unit } = SPANS.find((span) => ms >= span.ms * 0.9995) ?? { ms: 1, unit: 'ms' }
  return `${short(ms / size)} ${unit}`
}

/** A moment of a run: `0:42`, `12:05`, `3:07:09`, `1 d 3:07:09`. */
export function moment(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60,
  ]
  const two = (value: number) => String(value).padStart(2, '0')
  const clock =
    hours > 0 || days > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
  return days > 0 ? `${days} d ${clock}` : clock
}

const SIZES = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const

/** `740 bytes`, `1.2 MB` */
export function bytes(count: number): string {
  const power = count < 1_000 ? 0 : Math.min(SIZES.length - 1, Math.floor(Math.log10(count) / 3))
  return `${short(count / 1_000 ** power)} ${SIZES[power]}`
}

/** Whole numbers with thin spaces between thousands, others with three digits. */
export function count(value: number): string {
  if (!Number.isInteger(value)) return short(value)
  return String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f')
}

export function percent(part: number, whole: number): string {
  if (whole === 0) return '–'
  const value = (part / whole) * 100
  // Never all of it when something is missing.
  const shown = part < whole ? Math.min(value, 99.9) : value
  return `${shown >= 10 || shown === 0 ? Number(shown.toFixed(1)) : Number(shown.toPrecision(2))} %`
}

function short(value: number): string {
  if (value >= 1_000) return count(Math.round(value))
  if (value >= 100) return String(Math.round(value))
  return String(Number(value.toPrecision(value >= 10 ? 3 : 2)))
}
