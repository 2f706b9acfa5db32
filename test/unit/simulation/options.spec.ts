import assert from 'node:assert/strict'
import { simulationOptions } from '../../../src/simulation/index.js'

describe('the options of a simulation', () => {
  it('have defaults that mint at least 24 NFTs', () => {
    const { secrets, capsules, seed } = simulationOptions({})
    assert.ok(secrets + capsules >= 24)
    assert.match(seed, /^0x[0-9a-f]{64}$/)
    assert.notEqual(simulationOptions({}).seed, seed)
  })

  it('are refused with a sentence that says what is accepted', () => {
    assert.throws(() => simulationOptions({ clusters: 1 }), {
      code: 'simulation/bad-option',
      message: 'The number of clusters must be a whole number from 2 to 8, not 1.',
    })
    assert.throws(() => simulationOptions({ threshold: 2.5 }), { code: 'simulation/bad-option' })
    assert.throws(() => simulationOptions({ seed: '0x12' }), { code: 'simulation/bad-option' })
  })
})
