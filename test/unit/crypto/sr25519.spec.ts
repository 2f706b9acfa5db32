import assert from 'node:assert/strict'
import { accountSigner, verifySignature } from '../../../src/crypto/index.js'

describe('account signer', () => {
  const seed = new Uint8Array(32).fill(3)
  const message = new Uint8Array([1, 2, 3])

  it('signs as its account, without keeping the seed', () => {
    const given = seed.slice()
    const signer = accountSigner(given)
    given.fill(0)
    assert.equal(verifySignature(signer.account, message, signer.sign(message)), true)
    assert.equal(signer.account, accountSigner(seed).account)
  })

  it('signs nothing once its key is forgotten', () => {
    const signer = accountSigner(seed)
    signer.forget()
    assert.throws(() => signer.sign(message), RangeError)
    assert.equal(verifySignature(accountSigner(seed).account, message, accountSigner(seed).sign(message)), true)
  })
})
