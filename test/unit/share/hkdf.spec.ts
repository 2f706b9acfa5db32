import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { HkdfSha256 } from '@hpke/core'
import { NodeHkdfSha256 } from '../../../src/share/hkdf.js'

describe('HKDF by Node', () => {
  const kdf = new NodeHkdfSha256()
  const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
  const hex = (buffer: ArrayBuffer): string => Buffer.from(buffer).toString('hex')

  it('gives what RFC 5869 says, appendix A.1 and A.3', async () => {
    const ikm = bytes('0b'.repeat(22))
    const [salt, info] = [bytes('000102030405060708090a0b0c'), bytes('f0f1f2f3f4f5f6f7f8f9')]
    const prk = await kdf.extract(salt, ikm)
    assert.equal(hex(prk), '077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5')
    const okm = '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865'
    assert.equal(hex(await kdf.expand(prk, info, 42)), okm)
    assert.equal(hex(await kdf.extractAndExpand(salt, ikm, info, 42)), okm)
    const none = new Uint8Array(0)
    assert.equal(
      hex(await kdf.extractAndExpand(none, ikm, none, 42)),
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    )
  })

  it('gives what the library gives by WebCrypto, of any length and of parts of larger memory', async () => {
    const library = new HkdfSha256()
    for (const length of [1, 12, 31, 32, 33, 64, 100, 8_160]) {
      const [ikm, info] = [randomBytes(length), randomBytes(length % 40)]
      // As in mode_psk: the salt is a whole hash.
      const salt = randomBytes(64).subarray(16, 48)
      assert.equal(hex(await kdf.extract(salt, ikm)), hex(await library.extract(salt, ikm)))
      assert.equal(hex(await kdf.expand(salt, info, length)), hex(await library.expand(salt, info, length)))
    }
  })

  it('expands no further than its counter goes', async () => {
    await assert.rejects(kdf.expand(new Uint8Array(32), new Uint8Array(0), 8_161), RangeError)
  })
})
