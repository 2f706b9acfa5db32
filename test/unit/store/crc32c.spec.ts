import assert from 'node:assert/strict'
import { crc32c, masked } from '../../../src/store/crc32c.js'

const counted = Uint8Array.from({ length: 32 }, (_, at) => at)

describe('CRC-32C', () => {
  it('is that of RFC 3720, appendix B.4', () => {
    const vectors: [Uint8Array, number][] = [
      [new Uint8Array(32), 0x8a9136aa],
      [new Uint8Array(32).fill(0xff), 0x62a8ab43],
      [counted, 0x46dd794e],
      [counted.toReversed(), 0x113fdb5c],
      [Buffer.from('123456789'), 0xe3069283],
    ]
    for (const [bytes, crc] of vectors) assert.equal(crc32c(bytes), crc)
  })

  it('goes on from the bytes before', () => {
    assert.equal(crc32c(counted.subarray(9), crc32c(counted.subarray(0, 9))), crc32c(counted))
  })

  it('is masked as LevelDB does', () => {
    assert.equal(masked(0), 0xa282ead8)
    assert.equal(masked(0x00008001), 0xa282ead8 + 0x00020001)
  })
})
