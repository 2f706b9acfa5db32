import assert from 'node:assert/strict'
import { Standings } from '../../../src/node/standings.js'

const account = (number: number) => `0x${number.toString(16).padStart(64, '0')}` as const

describe('what is known of a peer', () => {
  it('is when it has proved itself the last time, and what came of the last exchange in either role', () => {
    const standings = new Standings()
    standings.heard({ type: 'peer-attested', peer: account(1), at: 100 })
    standings.heard({ type: 'exchange-served', peer: account(1), shares: 2, bytes: 9, messages: 4, ms: 5, at: 110 })
    assert.deepEqual(standings.of(account(1)), {
      attestedAt: 100,
      lastExchange: { role: 'provider', code: undefined, shares: 2, bytes: 9, at: 110 },
    })
    standings.heard({ type: 'refusal-received', code: 'BUSY', from: account(1), ms: 5, at: 120 })
    const { attestedAt, lastExchange } = standings.of(account(1))
    assert.deepEqual([attestedAt, lastExchange?.role, lastExchange?.code], [100, 'requester', 'BUSY'])
  })

  it('is nothing of one that was never met', () => {
    const standings = new Standings()
    standings.heard({ type: 'exchange-failed', peer: account(1), code: 'share/cut', ms: 1, at: 5 })
    assert.equal(standings.of(account(1)).lastExchange?.code, 'share/cut')
    assert.deepEqual(standings.of(account(2)), { attestedAt: undefined, lastExchange: undefined })
  })

  it('is forgotten of the one that was not heard of for the longest time, when they are too many', () => {
    const standings = new Standings()
    const attested = (number: number) => standings.heard({ type: 'peer-attested', peer: account(number), at: number })
    for (let number = 1; number <= 4_096; number += 1) attested(number)
    attested(1)
    attested(4_097)
    assert.equal(standings.of(account(1)).attestedAt, 1)
    assert.equal(standings.of(account(2)).attestedAt, undefined)
    assert.equal(standings.of(account(3)).attestedAt, 3)
  })
})
