import assert from 'node:assert/strict'
import { runSoak } from '../../soak/soak.js'

describe('a chain that is followed through faults of every kind', () => {
  it('gives exactly the triggers that it emitted', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    console.info(`      seed ${seed}: npm run soak -- --blocks 300 --seed ${seed} repeats this`)
    const { triggers, faults } = await runSoak({ blocks: 300, seed })
    assert(triggers > 50 && Object.keys(faults).length > 0)
  }).timeout(120_000)
})
