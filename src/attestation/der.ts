/** One element of DER (X.690): its tag, its content, and the whole of it. */
export interface DerElement {
  readonly tag: number
  readonly content: Uint8Array
  readonly raw: Uint8Array
}

/**
 * The elements that stand one after another in `bytes`, for single-byte tags, which is all that certificates use.
 *
 * @throws RangeError when the bytes are not a row of whole elements.
 */
export function derElements(bytes: Uint8Array): DerElement[] {
  const elements: DerElement[] = []
  for (let start = 0; start < bytes.length; ) {
    const first = bytes[start + 1] ?? 0x80
    const lengthBytes = first < 0x80 ? 0 : first - 0x80
    if (first === 0x80 || lengthBytes > 3) throw new RangeError('A DER length is malformed.')
    const contentStart = start + 2 + lengthBytes
    const length =
      lengthBytes === 0 ? first : bytes.subarray(start + 2, contentStart).reduce((sum, byte) => sum * 256 + byte, 0)
    const end = contentStart + length
    if (end > bytes.length) throw new RangeError('A DER element is cut short.')
    elements.push({
      tag: bytes[start] ?? 0,
      content: bytes.subarray(contentStart, end),
      raw: bytes.subarray(start, end),
    })
    start = end
  }
  return elements
}

/** One element of at most 65 535 bytes of content, which is its parts one after another. */
export function derElement(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts)
  const { length } = content
  const header = length < 0x80 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff]
  // DER wants the shortest length.
  if (length >= 0x80 && length < 0x100) header.splice(1, 2, 0x81)
  return new Uint8Array(Buffer.concat([Uint8Array.from(header), content]))
}
