import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Chooser, chaosScenario, Troublemaker } from '../../../src/simulation/chaos/index.js'
import type { Scenario } from '../../../src/simulation/scenario/index.js'
import { failed, play } from './playing.js'

/** Of runs in all; `npx slotmesh simulate chaos --mode discrete` does more. */
const RUNS = 12

const CLUSTERS = 3

/** Rounds of a few moves each, and what decides on them; fewer and smaller numbers are simpler. */
const ROUNDS = fc.array(
  fc.record({ moves: fc.integer({ min: 1, max: 5 }), choices: fc.array(fc.nat(), { maxLength: 30 }) }),
  { minLength: 1, maxLength: 5 },
)

/** Goes by the numbers that it is given, and chooses the least when there are no more. */
function chooserOf(choices: readonly number[]): Chooser {
  let turn = 0
  return {
    integer: (minimum, maximum) => {
      const choice = choices[turn] ?? 0
      turn += 1
      return minimum + (choice % (maximum - minimum + 1))
    },
  }
}

function scenarioOf(timeline: Scenario['timeline']): Scenario {
  const { scenario } = chaosScenario({
    duration: 1,
    clusters: CLUSTERS,
    mode: 'discrete',
    seed: `0x${'07'.repeat(32)}`,
  })
  const { until: _ends, ...endless } = scenario
  return { ...endless, timeline }
}

describe('a mesh that anything may happen to', function () {
  this.timeout(180_000)

  // Each round ends with a look at whether everybody holds exactly what the chain lists, and the run with all the rest.
  it('loses nothing and shows nothing, and has come to rest after each round', async () => {
    await fc.assert(
      fc.asyncProperty(ROUNDS, async (rounds) => {
        const trouble = new Troublemaker({ clusters: CLUSTERS, killable: 'all' })
        const opening = trouble.opening()
        const steps = rounds.flatMap(({ moves, choices }) => trouble.round(chooserOf(choices), moves))
        const timeline = [...opening, ...steps]
        const played = await play(scenarioOf(timeline))
        // On failure fast-check prints its seed, and the least that fails.
        assert.deepEqual(failed(played), [], JSON.stringify(timeline.map((step) => step.do)))
      }),
      { numRuns: RUNS },
    )
  })

  it('plays what a seed says', async () => {
    const { scenario } = chaosScenario({
      duration: 60_000,
      clusters: CLUSTERS,
      mode: 'discrete',
      seed: `0x${'0b'.repeat(32)}`,
    })
    const played = await play(scenario)
    assert.deepEqual(failed(played), [])
    assert.ok(played.checks.length >= 5)
  })
})
