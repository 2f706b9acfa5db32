import assert from 'node:assert/strict'
import { simulationOptions } from '../../../src/simulation/index.js'

describe('the options of a simulation', () => {
  it('have defaults: the story that the README tells, live, with a seed of its own', () => {
    const { scenario, mode, seed } = simulationOptions({})
    assert.deepEqual([scenario, mode], ['life-of-a-share', 'live'])
    assert.match(seed, /^0x[0-9a-f]{64}$/)
    assert.notEqual(simulationOptions({}).seed, seed)
  })

  it('are refused with a sentence that says what is accepted', () => {
    assert.throws(() => simulationOptions({ clusters: 1 }), {
      code: 'simulation/bad-option',
      message: 'The number of clusters must be a whole number from 2 to 8, not 1.',
    })
    assert.throws(() => simulationOptions({ clusters: 9, mode: 'processes' }), { code: 'simulation/bad-option' })
    assert.equal(simulationOptions({ clusters: 1_000, mode: 'discrete' }).clusters, 1_000)
    assert.equal(simulationOptions({ slower: 2.5, mode: 'discrete' }).slower, 2.5)
    assert.throws(() => simulationOptions({ slower: 2.5 }), { code: 'simulation/bad-option', message: /real nodes/ })
    assert.throws(() => simulationOptions({ slower: 0, mode: 'discrete' }), { code: 'simulation/bad-option' })
    assert.throws(() => simulationOptions({ threshold: 2.5 }), { code: 'simulation/bad-option' })
    assert.throws(() => simulationOptions({ seed: '0x12' }), { code: 'simulation/bad-option' })
  })
})
