import assert from 'node:assert/strict'
import { combineShares, splitSecret } from '../../../src/owner/index.js'
import { combinations } from '../../../src/simulation/combinations.js'

describe('secret sharing', () => {
  it('makes five shares in text without underscores, any three of which recover the secret', async () => {
    const secret = new TextEncoder().encode('a secret that nobody may know')
    const shares = await splitSecret(secret, 3)
    assert.equal(shares.length, 5)
    for (const share of shares) assert.match(share, /^[0-9a-f]+$/)
    for (const three of combinations(shares, 3)) assert.deepEqual(await combineShares(three), secret)
  })

  it('does not recover from one share less', async () => {
    const secret = new Uint8Array(32).fill(1)
    const shares = await splitSecret(secret, 3)
    assert.notDeepEqual(await combineShares(shares.slice(0, 2)), secret)
  })
})
