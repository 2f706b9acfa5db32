import assert from 'node:assert/strict'
import { OwnQuotes } from '../../../src/node/quotes.js'

describe('the node’s own quotes', () => {
  let now: number
  let answer: () => Promise<Uint8Array>
  const signal = () => new AbortController().signal
  const quotes = () => new OwnQuotes({ kind: 'sgx', quote: () => answer() }, () => now)
  const fail = async () => {
    throw new Error('The device that makes quotes failed: EIO.')
  }

  beforeEach(() => {
    now = 1_000
    answer = fail
  })

  it('are watched: a failure is told until a quote is made', async () => {
    const own = quotes()
    await assert.rejects(own.quote(new Uint8Array(64), { signal: signal() }), /EIO/)
    assert.deepEqual(own.failure, { at: new Date(1_000), reason: 'The device that makes quotes failed: EIO' })
    answer = async () => Uint8Array.of(1)
    assert.deepEqual(await own.quote(new Uint8Array(64), { signal: signal() }), Uint8Array.of(1))
    assert.equal(own.failure, undefined)
  })

  it('are not held to have failed by whoever gave up at once, but by whoever waited', async () => {
    const own = quotes()
    await assert.rejects(own.quote(new Uint8Array(64), { signal: AbortSignal.abort() }))
    assert.equal(own.failure, undefined)
    answer = () => {
      now += 5_000
      return fail()
    }
    await assert.rejects(own.quote(new Uint8Array(64), { signal: AbortSignal.abort() }))
    assert.ok(own.failure)
  })
})
