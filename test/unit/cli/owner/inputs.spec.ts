import assert from 'node:assert/strict'
import { SEED_VARIABLE } from '../../../../src/cli/owner/flags.js'
import { secretIn, signerOf } from '../../../../src/cli/owner/inputs.js'
import { recovered } from '../../../../src/cli/owner/retrieve.js'
import { utf8 } from '../../../../src/crypto/index.js'
import { splitSecret } from '../../../../src/owner/index.js'

async function* said(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield utf8(chunk)
}

describe('what an owner gives the commands', () => {
  it('is a seed in the environment, with or without 0x', async () => {
    const plain = await signerOf(undefined, { [SEED_VARIABLE]: '7'.repeat(64) })
    const prefixed = await signerOf(undefined, { [SEED_VARIABLE]: `0x${'7'.repeat(64)}\n` })
    assert.equal(plain.account, prefixed.account)
  })

  it('is no seed that is none, and it is not said again', async () => {
    for (const text of ['', 'a long secret phrase', '7'.repeat(63), `${'7'.repeat(64)}8`]) {
      await assert.rejects(signerOf(undefined, { [SEED_VARIABLE]: text }), (thrown: Error) => {
        assert.match(thrown.message, /SLOTMESH_OWNER_SEED/)
        return text === '' || !thrown.message.includes(text)
      })
    }
    await assert.rejects(signerOf('/nowhere/seed', {}), { code: 'cli/bad-seed', message: /\/nowhere\/seed/ })
  })

  it('is a secret whose shares fit', async () => {
    assert.deepEqual(await secretIn('-', said('a sec', 'ret')), utf8('a secret'))
    for (const size of [7, 1_499]) {
      const shares = await splitSecret(await secretIn('-', said('x'.repeat(size))), 3)
      for (const share of shares) assert.ok(share.length >= 16 && share.length <= 3_000)
    }
    for (const size of [0, 6, 1_500, 100_000]) {
      await assert.rejects(secretIn('-', said('x'.repeat(size))), { code: 'cli/bad-secret' })
    }
    await assert.rejects(secretIn('/nowhere/secret'), { code: 'cli/bad-secret' })
  })
})

describe('shares that were had back', () => {
  const secret = utf8('a secret of some length')

  it('recover the secret, as many as there are', async () => {
    const shares = await splitSecret(secret, 3)
    for (const count of [3, 4, 5]) assert.deepEqual(await recovered(shares.slice(0, count), 3), secret)
  })

  it('are refused when one of them is wrong', async () => {
    const [one = '', ...others] = await splitSecret(secret, 3)
    const [wrong = ''] = await splitSecret(utf8('another of that length'), 3)
    const altered = one.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))
    for (const first of [altered, wrong, 'no hexadecimal', '']) {
      await assert.rejects(recovered([first, ...others], 3), { code: 'cli/shares-disagree' })
    }
  })
})
