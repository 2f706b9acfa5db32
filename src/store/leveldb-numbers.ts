/** Bytes of the longest number that JavaScript holds. */
const NUMBER_BYTES = 8

/** Seven bits in each byte, the lowest first; undefined when it does not end, or is no number of bytes. */
export function readNumber(bytes: Uint8Array, from: number): { value: number; end: number } | undefined {
  let value = 0
  for (let at = from, scale = 1; at < Math.min(bytes.length, from + NUMBER_BYTES); at += 1, scale *= 128) {
    const byte = bytes[at] ?? 0
    value += (byte & 127) * scale
    if (value > Number.MAX_SAFE_INTEGER) return undefined
    if (byte < 128) return { value, end: at + 1 }
  }
  return undefined
}
