const POLYNOMIAL = 0x82f63b78
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
  return crc
})

const MASK_DELTA = 0xa282ead8

/**
 * The checksum of LevelDB's files (CRC-32C, Castagnoli's). It tells of failing disks, and of nobody who means harm.
 *
 * @param former of the bytes before these, if there are any.
 */
export function crc32c(bytes: Uint8Array, former = 0): number {
  let crc = ~former
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
  return ~crc >>> 0
}

/** As LevelDB writes it, so that a checksum of bytes with checksums in them is of some use. */
export function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0
}

/** Checksums of any parts of some bytes: what one costs does not grow with its length. */
export class Checksums {
  /** Of all bytes before a place. */
  readonly #before: Uint32Array
  /** What so many bytes behind them make of a checksum's highest bit. */
  readonly #shifts: Uint32Array

  constructor(bytes: Uint8Array) {
    this.#before = new Uint32Array(bytes.length + 1)
    this.#shifts = new Uint32Array(bytes.length + 1)
    let [crc, shift] = [~0, HIGHEST_BIT]
    this.#shifts[0] = shift
    for (const [at, byte] of bytes.entries()) {
      crc = (TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
      shift = (TABLE[shift & 0xff] ?? 0) ^ (shift >>> 8)
      this.#before[at + 1] = ~crc
      this.#shifts[at + 1] = shift
    }
  }

  of(from: number, to: number): number {
    const shifted = times(this.#before[from] ?? 0, this.#shifts[to - from] ?? 0)
    return ((this.#before[to] ?? 0) ^ shifted) >>> 0
  }
}

const HIGHEST_BIT = 0x80000000

/** Of polynomials over two elements, each with its highest power in the lowest bit. */
function times(one: number, other: number): number {
  let [product, power] = [0, other]
  for (let bits = one; bits !== 0; bits <<= 1) {
    if (bits & HIGHEST_BIT) product ^= power
    power = power & 1 ? (power >>> 1) ^ POLYNOMIAL : power >>> 1
  }
  return product >>> 0
}
