import assert from 'node:assert/strict'
import { outdated } from '../../vectors/make.js'

describe('the test vectors', () => {
  it('are what their makers make', async () => {
    assert.deepEqual(await outdated(), [], 'run npm run vectors')
  })
})
