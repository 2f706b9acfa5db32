import assert from 'node:assert/strict'
import type { AccountId } from '../../../../src/domain/index.js'
import { SUITE_X_WING } from '../../../../src/share/index.js'
import { modelAttestation } from '../../../../src/simulation/discrete/attestation.js'
import { modelCryptography, modelSigner } from '../../../../src/simulation/discrete/cryptography.js'
import { EventLoop } from '../../../../src/simulation/discrete/loop.js'
import { Core, Processor } from '../../../../src/simulation/discrete/processor.js'
import { Stream } from '../../../../src/simulation/discrete/random.js'
import { SeededRandom } from '../../../../src/simulation/randomness.js'

const ACCOUNT: AccountId = `0x${'11'.repeat(32)}`
const OTHER: AccountId = `0x${'22'.repeat(32)}`
const MESSAGE = new Uint8Array(32).fill(5)

describe('modelled cryptography', () => {
  const loop = new EventLoop(0)
  const processor = new Processor(loop, new Core())
  const random = new Stream(new SeededRandom(ACCOUNT), 'test')
  const cryptography = modelCryptography(processor, random)

  it('takes a signature of the account over the message, and no other', () => {
    const signature = modelSigner(ACCOUNT, processor).sign(MESSAGE)
    assert.equal(signature.length, 64)
    assert.ok(cryptography.verifySignature(ACCOUNT, MESSAGE, signature))
    assert.ok(!cryptography.verifySignature(OTHER, MESSAGE, signature))
    assert.ok(
      !cryptography.verifySignature(
        ACCOUNT,
        MESSAGE.map((byte) => byte + 1),
        signature,
      ),
    )
    assert.ok(!cryptography.verifySignature(ACCOUNT, MESSAGE, signature.subarray(1)))
  })

  it('opens what was sealed for this exchange, in its order, and nothing else', async () => {
    await loop.during(async () => {
      const [challengeHash, finalHash] = [random.bytes(32), random.bytes(32)]
      const requester = await cryptography.ephemeralKeys(SUITE_X_WING)
      const provider = await cryptography.ephemeralKeys(SUITE_X_WING)
      const offered = await cryptography.offerPreSharedKey(provider, challengeHash)
      const taken = await cryptography.takePreSharedKey(provider, offered.encapsulatedKey, challengeHash)
      assert.deepEqual(taken, offered.preSharedKey)
      const context = () => ({ challengeHash, finalHash, preSharedKey: taken.slice() })
      const sealer = await cryptography.createSealer(requester, context())
      const [first, second] = [await sealer.seal(MESSAGE.slice()), await sealer.seal(MESSAGE.slice())]

      const opener = await cryptography.createOpener(requester, sealer.encapsulatedKey, context())
      assert.deepEqual(await opener.open(first), MESSAGE)
      await assert.rejects(opener.open(first), { code: 'share/unsealing' })
      assert.deepEqual(await opener.open(second), MESSAGE)

      const ofAnother = { ...context(), finalHash: random.bytes(32) }
      const stranger = await cryptography.createOpener(requester, sealer.encapsulatedKey, ofAnother)
      await assert.rejects(stranger.open(first), { code: 'share/unsealing' })
      await assert.rejects(cryptography.createOpener(requester, new Uint8Array(32), context()), {
        refusal: 'MALFORMED',
      })
    })
  })

  it('judges quotes by their tag and their build', async () => {
    await loop.during(async () => {
      const { signal } = new AbortController()
      const reportData = random.bytes(64)
      const judge = modelAttestation(processor, 'official', 1)
      const quote = await modelAttestation(processor, 'official', 2).quote(reportData, { signal })
      assert.deepEqual((await judge.verify(quote)).reportData, reportData)
      const altered = quote.slice()
      altered[20] = (altered[20] ?? 0) ^ 1
      await assert.rejects(judge.verify(altered), { code: 'attestation/quote-invalid' })
      const unknown = await modelAttestation(processor, 'unknown', 3).quote(reportData, { signal })
      await assert.rejects(judge.verify(unknown), { code: 'attestation/measurement-not-allowed' })
    })
  })
})
