import assert from 'node:assert/strict'
import { chaosScenario } from '../../../../src/simulation/chaos/index.js'
import { type Action, nameOf } from '../../../../src/simulation/scenario/index.js'

const SEED = `0x${'09'.repeat(32)}` as const
const DURATION = 30 * 60_000

function actionsOf(mode: 'live' | 'processes' | 'discrete', seed: `0x${string}` = SEED): readonly Action[] {
  const { scenario } = chaosScenario({ duration: DURATION, clusters: 3, mode, seed })
  return scenario.timeline.map((step) => step.do)
}

describe('trouble at random', () => {
  it('is alike for one seed, and other for another', () => {
    assert.deepEqual(actionsOf('discrete'), actionsOf('discrete'))
    assert.notDeepEqual(actionsOf('discrete'), actionsOf('discrete', `0x${'0a'.repeat(32)}`))
  })

  it('is of every kind that there is, but for whole regions', () => {
    const kinds = new Set(actionsOf('processes').map(({ type }) => type))
    assert.deepEqual([...kinds].sort(), [
      'add-cluster',
      'burn',
      'chain-outage',
      'convert-to-hybrid',
      'disconnect',
      'heal',
      'hostile',
      'impostor',
      'kill',
      'mint',
      'partition',
      'restart',
      'runtime-upgrade',
      'set-access',
      'slow',
      'stop',
      'stranger',
      'swap-slots',
      'unassign',
      'verify',
    ])
  })

  it('kills a few only where each of them needs a process of its own', () => {
    const killed = (mode: 'live' | 'processes') =>
      actionsOf(mode).flatMap((action) => (action.type === 'kill' ? [action.enclave] : []))
    assert.ok(killed('live').length > 0)
    assert.ok(killed('live').every(({ slot }) => slot < 2))
    assert.ok(killed('processes').some(({ slot }) => slot >= 2))
  })

  it('starts again whoever is down, heals, and hurries whoever is slow before all is looked at', () => {
    const down = new Set<string>()
    const slow = new Set<string>()
    let isCut = false
    let looks = 0
    for (const action of actionsOf('processes')) {
      if (action.type === 'kill' || action.type === 'stop') down.add(nameOf(action.enclave))
      if (action.type === 'restart') assert.ok(down.delete(nameOf(action.enclave)))
      if (action.type === 'slow' && action.latency > 0) slow.add(nameOf(action.enclave))
      if (action.type === 'slow' && action.latency === 0) slow.delete(nameOf(action.enclave))
      if (action.type === 'partition' || action.type === 'heal') isCut = action.type === 'partition'
      if (action.type !== 'verify') continue
      looks += 1
      assert.deepEqual([[...down], [...slow], isCut], [[], [], false])
    }
    assert.ok(looks > 100)
  })

  it('moves nobody, and shuts nobody in, while there are shares that only the origin has', () => {
    let isOpen = false
    for (const action of actionsOf('processes')) {
      if (action.type === 'verify') isOpen = false
      if (action.type === 'swap-slots' || action.type === 'unassign') assert.equal(isOpen, false)
      if (action.type === 'set-access' && action.access === 'private') assert.equal(isOpen, false)
      if (['mint', 'convert-to-hybrid', 'swap-slots', 'add-cluster', 'set-access', 'unassign'].includes(action.type)) {
        isOpen = true
      }
    }
  })
})
