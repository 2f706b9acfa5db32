/** Bytes of the right kind and no meaning. */
export function unsuitable(length: number): Uint8Array {
  return new Uint8Array(length).fill(0xa5)
}
