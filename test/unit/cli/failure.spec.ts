import assert from 'node:assert/strict'
import { describeFailure, Interruption } from '../../../src/cli/failure.js'
import { SlotmeshError } from '../../../src/domain/index.js'

describe('what a person is told about a failure', () => {
  it('is the sentence of an error that was thrown on purpose', () => {
    const failure = describeFailure(new SlotmeshError('mesh/address-in-use', 'The port is in use; choose another.'), {})
    assert.deepEqual(failure, { text: 'The port is in use; choose another.', exitCode: 1 })
  })

  it('is bad usage when an option was not accepted', () => {
    assert.equal(describeFailure(new SlotmeshError('simulation/bad-option', 'No.'), {}).exitCode, 2)
  })

  it('is a defect without a stack trace when the error is unexpected', () => {
    const { text, exitCode } = describeFailure(new TypeError('x is undefined\nmore'), {})
    assert.match(
      text,
      /^This is a defect in slotmesh, please report it: TypeError: x is undefined\nSet SLOTMESH_DEBUG=1/,
    )
    assert.ok(!text.includes(' at '))
    assert.equal(exitCode, 1)
  })

  it('has the stack trace when it is asked for', () => {
    const { text } = describeFailure(new TypeError('x'), { SLOTMESH_DEBUG: '1' })
    assert.match(text, /\n {4}at /)
  })

  it('is no failure of anything when it was interrupted', () => {
    const interruption = new Interruption('SIGINT')
    assert.deepEqual(describeFailure(interruption, {}), { text: 'Interrupted.', exitCode: 130 })
    assert.equal(describeFailure(new Error('gave up', { cause: interruption }), {}).exitCode, 130)
  })

  it('copes with what is no error', () => {
    assert.match(describeFailure('boom', {}).text, /boom/)
  })
})
