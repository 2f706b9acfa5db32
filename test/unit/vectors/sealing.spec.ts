import assert from 'node:assert/strict'
import { fromHex, toHex } from '../../../src/crypto/index.js'
import type { Suite } from '../../../src/share/protocol.js'
import { createOpener, createSealer, offerPreSharedKey, takePreSharedKey } from '../../../src/share/sealing.js'
import { fixedKeys } from './keys.js'
import { vectorsOf } from './vectors.js'

describe('the test vectors of sealing', () => {
  for (const vector of vectorsOf('share/1/vectors/sealing.json').suites) {
    const suite = vector.suite as Suite
    const [T4, T6] = [fromHex(vector.T4), fromHex(vector.T6)]
    const provider = () => fixedKeys(suite, vector.provider)
    const requester = () => fixedKeys(suite, vector.requester)
    const context = (psk = vector.presharing.psk) => ({
      challengeHash: T4,
      finalHash: T6,
      preSharedKey: fromHex(psk),
    })
    const opener = async () => createOpener(await requester(), fromHex(vector.sealing.encapsulatedKey), context())

    describe(`suite ${suite}`, () => {
      it('gives the provider the PSK', async () => {
        const psk = await takePreSharedKey(await provider(), fromHex(vector.presharing.encapsulatedKey), T4)
        assert.equal(toHex(psk), vector.presharing.psk)
      })

      it('opens the sealed stream', async () => {
        const stream = await opener()
        for (const { plaintext, ciphertext } of vector.messages) {
          assert.equal(toHex(await stream.open(fromHex(ciphertext))), plaintext)
        }
      })

      it('fits together the other way round', async () => {
        const offered = await offerPreSharedKey({ suite, publicKey: fromHex(vector.provider.publicKey) }, T4)
        const preSharedKey = await takePreSharedKey(await provider(), offered.encapsulatedKey, T4)
        assert.deepEqual(preSharedKey, offered.preSharedKey)
        const sealer = await createSealer(
          { suite, publicKey: fromHex(vector.requester.publicKey) },
          { ...context(), preSharedKey },
        )
        const stream = await createOpener(await requester(), sealer.encapsulatedKey, {
          ...context(),
          preSharedKey: offered.preSharedKey,
        })
        const sealed = await sealer.seal(fromHex(vector.messages[1]?.plaintext ?? ''))
        assert.equal(toHex(await stream.open(sealed)), vector.messages[1]?.plaintext)
      })

      for (const { name, ciphertexts, opened } of vector.streams) {
        it(`opens no further: ${name}`, async () => {
          const stream = await opener()
          for (const ciphertext of ciphertexts.slice(0, opened)) await stream.open(fromHex(ciphertext))
          await assert.rejects(stream.open(fromHex(ciphertexts[opened] ?? '')), { code: 'share/unsealing' })
        })
      }

      for (const { name, what, bytes, outcome } of vector.keys) {
        it(`${what}, ${name}: ${outcome}`, async () => {
          const key = fromHex(bytes)
          const refused = { refusal: outcome }
          if (what === 'publicKey') {
            await assert.rejects(offerPreSharedKey({ suite, publicKey: key }, T4), refused)
            await assert.rejects(createSealer({ suite, publicKey: key }, context()), refused)
          } else {
            await assert.rejects(takePreSharedKey(await provider(), key, T4), refused)
            await assert.rejects(createOpener(await requester(), key, context()), refused)
          }
        })
      }
    })
  }
})
