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
