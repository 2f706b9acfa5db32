import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { untilFinal } from '../../../src/sync/until-final.js'
import { ScriptedChain } from '../../integration/sync/fixture.js'

describe('the wait for a chain that is behind', () => {
  const { signal } = new AbortController()

  it('ends with the block that it is for, and has none of those before it read', async () => {
    const chain = new ScriptedChain()
    let isOver = false
    const waiting = untilFinal(chain, 5, { signal }).then(() => {
      isOver = true
    })
    // Of the chain that is behind any block before it may be one that cannot be read.
    assert.deepEqual(chain.followedFrom, [4])
    for (let block = 1; block < 5; block += 1) chain.finalise()
    for (let turn = 0; turn < 5; turn += 1) await nextTurn()
    assert.equal(isOver, false)
    chain.finalise()
    await waiting
  })

  it('is none where the chain has come that far, and ends with its signal', async () => {
    const chain = new ScriptedChain()
    chain.finalise()
    await untilFinal(chain, 1, { signal })
    assert.deepEqual(chain.followedFrom, [])
    const leaving = new AbortController()
    const waiting = untilFinal(chain, 2, leaving)
    leaving.abort(new Error('enough'))
    await assert.rejects(waiting, { message: 'enough' })
  })
})
