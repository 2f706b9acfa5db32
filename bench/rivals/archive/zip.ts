import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib'

/*
 * The entries of a zip archive, each deflated, without the directory at its end, which nobody needs who reads all of it
 * (APPNOTE.TXT 6.3.10, section 4.3.7).
 */

const SIGNATURE = 0x04034b50
const HEADER = 30
const VERSION = 20
const DEFLATED = 8

export interface Entry {
  readonly name: string
  readonly content: Buffer
}

export function zip(entries: Iterable<Entry>): Buffer {
  const parts: Buffer[] = []
  for (const { name, content } of entries) {
    const packed = deflateRawSync(content)
    const header = Buffer.alloc(HEADER + name.length)
    header.writeUInt32LE(SIGNATURE, 0)
    header.writeUInt16LE(VERSION, 4)
    header.writeUInt16LE(DEFLATED, 8)
    header.writeUInt32LE(crc32(content), 14)
    header.writeUInt32LE(packed.length, 18)
    header.writeUInt32LE(content.length, 22)
    header.writeUInt16LE(name.length, 26)
    header.write(name, HEADER, 'latin1')
    parts.push(header, packed)
  }
  return Buffer.concat(parts)
}

/** @throws Error at an entry that is not whole. */
export function* unzip(archive: Buffer): Generator<Entry> {
  for (let at = 0; at < archive.length; ) {
    const packed = archive.readUInt32LE(at + 18)
    const begin = at + HEADER + archive.readUInt16LE(at + 26)
    const name = archive.toString('latin1', at + HEADER, begin)
    const content = inflateRawSync(archive.subarray(begin, begin + packed))
    if (crc32(content) !== archive.readUInt32LE(at + 14)) throw new Error(`${name} is not whole.`)
    yield { name, content }
    at = begin + packed
  }
}
