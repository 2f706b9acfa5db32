import assert from 'node:assert/strict'
import type { RunEvent, RunTotals } from '../../../../src/simulation/record/index.js'
import { formatScale, type SizeResult } from '../../../../src/simulation/scale/index.js'
import { type Phase, PhaseListener } from '../../../../src/simulation/scale/phases.js'

function totals(each: number, enclaves: number): RunTotals {
  return {
    enclaves,
    triggers: each,
    exchanges: each,
    failedExchanges: 0,
    attestations: each,
    bytes: 100 * each,
    messages: 10 * each,
    dhtLookups: each,
    dhtMessages: 12 * each,
    busiestServed: each,
  }
}

const key = { kind: 'secret', nftId: 7 } as const
const exchanged = { type: 'exchange', requester: 'c1-s3', provider: 'c0-s3', shares: 1, bytes: 10, ms: 5 } as const

describe('the phases of a run', () => {
  it('are what lies between two moments at which everybody held everything, each with its own costs', () => {
    const listener = new PhaseListener()
    const events: RunEvent[] = [
      { at: 1, type: 'enclave', enclave: 'c0-s0', state: 'running' },
      { at: 2, type: 'settled', totals: totals(4, 10) },
      { at: 3, type: 'action', action: { type: 'mint', secrets: 1, capsules: 0 }, text: 'mint' },
      { at: 4, type: 'trigger', block: 1, ...key, cluster: 0 },
      { at: 5, ...exchanged },
      { at: 5, ...exchanged, provider: 'c0-s1', shares: 0 },
      { at: 5, ...exchanged, provider: 'c0-s1', code: 'BUSY' },
      { at: 6, type: 'stored', enclave: 'c1-s3', ...key, from: 'c0-s3', ms: 20 },
      { at: 7, type: 'stored', enclave: 'c1-s1', ...key, from: 'c0-s1', ms: 30 },
      { at: 8, type: 'caught-up', enclave: 'c1-s1', ms: 90, shares: 0 },
      { at: 8, type: 'caught-up', enclave: 'c1-s1', ms: 80, shares: 2 },
      { at: 9, type: 'settled', totals: totals(6, 15) },
    ]
    for (const event of events) listener.event(event)
    assert.deepEqual(listener.phases, [
      {
        actions: [],
        enclaves: 10,
        shares: 0,
        fetched: 0,
        totals: totals(4, 10),
        coverageMs: 0,
        catchUpMs: 0,
        inVain: 0,
        busiest: 0,
        bySlot: [],
      },
      {
        actions: ['mint'],
        enclaves: 15,
        shares: 1,
        fetched: 2,
        totals: totals(2, 5),
        coverageMs: 30,
        catchUpMs: 80,
        inVain: 1,
        busiest: 1,
        bySlot: [0, 1, 0, 1],
      },
    ] satisfies Phase[])
  })
})

describe('the page about scale', () => {
  const phase = (clusters: number, busiest: number): Phase => ({
    actions: [],
    enclaves: 5 * clusters,
    shares: 1,
    fetched: 5 * (clusters - 1),
    totals: totals(5 * (clusters - 1), 5),
    coverageMs: 250,
    catchUpMs: 300,
    inVain: 0,
    busiest,
    bySlot: [1, 2, 3, 4, 5],
  })
  const result = (clusters: number, busiest: number): SizeResult => {
    const same = phase(clusters, busiest)
    return {
      clusters,
      beginning: same,
      one: same,
      many: same,
      joining: { ...same, totals: totals(5, 5) },
      file: undefined,
    }
  }

  it('names what grows faster than it should, and nothing else', () => {
    const good = formatScale([result(10, 8), result(1_000, 8)])
    assert.match(good, /^Nothing grows faster than it should\.\n/)
    const bad = formatScale([result(10, 9), result(1_000, 999)])
    assert.match(bad, /- One share: Exchanges that the busiest provider served\n/)
    assert.match(bad, /\| Exchanges that the busiest provider served +\| 9 +\| 999 +\| 1\.02 +\| 0, exceeded +\|/)
    assert.doesNotMatch(bad, /- One share: Handshakes/)
    assert.match(bad, /\| Handshakes per trigger +\| 45 +\| 4.995 +\| 1\.02 +\| 1 +\|/)
  })

  it('sets a mesh in which all ask the origin beside the others, and fits nothing to it', () => {
    const page = formatScale([result(5, 1), result(50, 8), result(500, 8)])
    assert.match(page, /\| Exchanges that the busiest provider served +\| 1 +\| 8 +\| 8 +\| 0\.00 +\| 0 +\|/)
    const small = formatScale([result(4, 1), result(8, 8)])
    assert.match(small, /\| Exchanges that the busiest provider served +\| 1 +\| 8 +\| 3\.00 +\| 0, exceeded +\|/)
  })

  it('sets the slots side by side', () => {
    assert.match(formatScale([result(10, 8)]), /\| 10 +\| 1 +\| 2 +\| 3 +\| 4 +\| 5 +\|/)
  })
})
