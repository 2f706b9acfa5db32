import assert from 'node:assert/strict'
import { withOverrides } from '../../../src/simulation/overrides.js'
import { findScenario, type Scenario } from '../../../src/simulation/scenario/index.js'

function minted({ timeline }: Scenario): [secrets: number, capsules: number][] {
  return timeline.flatMap(({ do: action }) => (action.type === 'mint' ? [[action.secrets, action.capsules]] : []))
}

describe('a scenario in another size', () => {
  let life: Scenario

  before(async () => {
    life = (await findScenario('life-of-a-share')).scenario
  })

  it('is as written when nothing is wanted otherwise', () => {
    assert.deepEqual(withOverrides(life, {}), life)
  })

  it('mints as many as wanted, divided as before, and at least one each time', () => {
    assert.deepEqual(minted(life), [
      [12, 7],
      [4, 3],
    ])
    const small = withOverrides(life, { secrets: 4, capsules: 3 })
    assert.deepEqual(minted(small), [
      [3, 2],
      [1, 1],
    ])
    const least = withOverrides(life, { secrets: 2, capsules: 1 })
    assert.deepEqual(minted(least), [
      [1, 0],
      [1, 1],
    ])
  })

  it('keeps the part of a cluster that comes late', () => {
    const detour = (cluster: number) =>
      ({ type: 'failed-over', enclave: { cluster, slot: 4 }, peer: { cluster: 0, slot: 4 } }) as const
    const { clusters, expect } = withOverrides({ ...life, expect: [detour(3)] }, { clusters: 2 })
    assert.equal(clusters, 2)
    assert.deepEqual(expect, [detour(2)])
  })

  it('has another chain', () => {
    const { chain } = withOverrides(life, { generation: 1, blockTimeMs: 200 })
    assert.deepEqual(chain, { ...life.chain, generation: 1, blockTime: 200 })
  })

  it('is refused a number of what it does not mint', async () => {
    const { scenario } = await findScenario('region-lost-for-an-hour')
    assert.throws(() => withOverrides(scenario, { secrets: 5 }), { code: 'simulation/bad-option' })
  })
})
