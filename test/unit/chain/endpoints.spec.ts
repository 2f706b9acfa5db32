import assert from 'node:assert/strict'
import { Endpoints } from '../../../src/chain/connection/endpoints.js'
import { SlotmeshError } from '../../../src/domain/index.js'

const failure = new SlotmeshError('chain/silent', 'It says nothing.')

describe('a list of endpoints', () => {
  it('has each rest longer, the more often it failed in a row, but never for long', () => {
    const [endpoint] = new Endpoints(['ws://one']).all
    assert(endpoint !== undefined)
    const rests = Array.from({ length: 12 }, () => {
      endpoint.failed(failure)
      return endpoint.pause
    })
    for (const [index, rest] of rests.entries()) {
      const longest = Math.min(250 * 2 ** index, 15_000)
      assert(rest > longest / 2 - 50 && rest <= longest, `${rest}`)
    }
    endpoint.proved()
    endpoint.failed(failure)
    assert(endpoint.pause <= 250)
  })

  it('gives the first that need not rest, then the one that has rested soonest', () => {
    const endpoints = new Endpoints(['ws://one', 'ws://two', 'ws://one'])
    const [one, two, ...more] = endpoints.all
    assert(one !== undefined && two !== undefined)
    assert.deepEqual(more, [])
    assert.equal(endpoints.next(), one)
    one.failed(failure)
    assert.equal(endpoints.next(), two)
    for (let times = 0; times < 3; times += 1) two.failed(failure)
    assert.equal(endpoints.next(), one)
    assert.deepEqual([one.lastFailure?.code, one.lastFailure?.message], ['chain/silent', 'It says nothing.'])
  })

  it('puts another first once, unless it has to rest', () => {
    const endpoints = new Endpoints(['ws://one', 'ws://two'])
    const [one, two] = endpoints.all
    assert(one !== undefined && two !== undefined)
    endpoints.prefer(two)
    assert.deepEqual([endpoints.next(), endpoints.next()], [two, one])
    two.failed(failure)
    endpoints.prefer(two)
    assert.equal(endpoints.next(), one)
  })
})
