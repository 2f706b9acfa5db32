import assert from 'node:assert/strict'
import { ACTIONS, enclaveName, nameOf, parseScenario } from '../../../../src/simulation/scenario/index.js'

const LEAST = 'title: A\nwhy: B\nclusters: 2\nexpect: [{ type: complete }]\n'

describe('a scenario file', () => {
  it('needs little, and is filled in', () => {
    const { chain, threshold, timeline, patience } = parseScenario(LEAST, 'a.yaml')
    assert.deepEqual(chain, { generation: 2, blockTime: 6_000, finalityLag: 1 })
    assert.deepEqual([threshold, timeline, patience], [3, [], 120_000])
  })

  const wrong: [line: string, what: RegExp][] = [
    ['clusters: none', /scenario a\.yaml/],
    ['timeline: [{ do: { type: explode } }]', /timeline/],
    ['timeline: [{ do: { type: kill, enclave: c1 } }]', /takes the name of an enclave such as c1-s2/],
    ['links: [{ latency: soon }]', /takes a time such as 250 ms/],
    ['regions: { east: 3-1 }', /from the lower to the higher/],
    ['runs: 3', /runs/],
  ]
  for (const [line, what] of wrong) {
    it(`is refused with "${line}"`, () => {
      const text = line.startsWith('clusters') ? LEAST.replace('clusters: 2', line) : `${LEAST}${line}\n`
      assert.throws(() => parseScenario(text, 'a.yaml'), { code: 'config/bad-value', message: what })
    })
  }

  it('names enclaves by cluster and slot, in actions given by hand, too', () => {
    assert.equal(nameOf(enclaveName.parse('c12-s4')), 'c12-s4')
    assert.deepEqual(ACTIONS.parse({ type: 'slow', enclave: 'c0-s1', latency: '2 s', bandwidth: '8 kbit/s' }), {
      type: 'slow',
      enclave: { cluster: 0, slot: 1 },
      latency: 2_000,
      bandwidth: 1,
    })
  })
})
