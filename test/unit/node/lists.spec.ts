import assert from 'node:assert/strict'
import type { AccountId } from '../../../src/domain/index.js'
import { Lists } from '../../../src/node/lists.js'
import { deferred } from '../api/fixture.js'

describe('the lists that a node makes', () => {
  const account = (seed: number): AccountId => `0x${String(seed).repeat(64)}`
  const [one, other] = [account(1), account(2)]

  it('are one at a time of each sender, and as many as some senders have made together', async () => {
    const lists = new Lists()
    const end = deferred<string>()
    const made = lists.oneOf(one, () => end.promise)
    await assert.rejects(
      lists.oneOf(one, async () => 'no'),
      { code: 'node/busy' },
    )
    assert.equal(await lists.oneOf(other, async () => 'another'), 'another')
    const more = [2, 3, 4].map((seed) => lists.oneOf(account(seed), () => end.promise))
    await assert.rejects(
      lists.oneOf(account(5), async () => 'no'),
      { code: 'node/busy' },
    )
    end.resolve('done')
    assert.deepEqual(await Promise.all([made, ...more]), ['done', 'done', 'done', 'done'])
  })

  it('give their place free when they fail', async () => {
    const lists = new Lists()
    await assert.rejects(
      lists.oneOf(one, () => Promise.reject(new Error('no disk'))),
      /no disk/,
    )
    assert.equal(await lists.oneOf(one, async () => 'done'), 'done')
  })
})
