import { type DecodeOptions, type Reader, reader } from 'protons-runtime'

/** What decodes a message of one kind. */
export interface Decodable<T> {
  codec(): { decode(reader: Reader, length?: number, options?: DecodeOptions<T>): T }
}

/**
 * Decodes bytes from a peer. A field that comes again and again, in two bytes each, takes the decoder microseconds each
 * time: seconds for a large message, before anything is known of who sent it. Each field's tag is a number, and so is its
 * length.
 *
 * @param options.numbers the most that are read, tags and lengths included.
 * @throws Error when the bytes are no such message, have more numbers, or a list is longer than `options.limits`.
 */
export function decodeFrugally<T>(
  { codec }: Decodable<T>,
  bytes: Uint8Array,
  { numbers, ...options }: DecodeOptions<T> & { readonly numbers: number },
): T {
  const frugal = reader(bytes)
  let left = numbers
  const read = frugal.uint32.bind(frugal)
  frugal.uint32 = () => {
    if (left === 0) throw new RangeError(`It has more than ${numbers} numbers.`)
    left -= 1
    return read()
  }
  return codec().decode(frugal, undefined, options as DecodeOptions<T>)
}
