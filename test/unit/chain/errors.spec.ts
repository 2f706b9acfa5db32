import assert from 'node:assert/strict'
import { codeOf, isUnreachable, unreachable } from '../../../src/chain/errors.js'

describe('errors of the chain room', () => {
  it('take no mistake of the program for an outage', () => {
    assert.equal(isUnreachable(unreachable(['ws://a'])), true)
    assert.equal(isUnreachable(new TypeError('undefined is not a function')), false)
    assert.equal(codeOf(new TypeError('undefined is not a function')), 'chain/unexpected')
  })
})
