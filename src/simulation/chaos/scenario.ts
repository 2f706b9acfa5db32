import type { Hex } from '../../domain/index.js'
import { SeededRandom } from '../randomness.js'
import type { Mode } from '../record/index.js'
import type { NamedScenario, Scenario } from '../scenario/index.js'
import { SIDES } from './mesh-model.js'
import type { Chooser } from './moves.js'
import { Troublemaker } from './timeline.js'

/** How long trouble is made, with how many clusters, and from which seed. */
export interface ChaosOptions {
  /** How long it goes on, in ms; it ends when all has come to rest after that. */
  readonly duration: number
  /** Public clusters at the beginning: three are enough for any of them to be missed. */
  readonly clusters: number
  readonly mode: Mode
  readonly seed: Hex
}

/** More rounds than there is time for. */
const ROUNDS_PER_MINUTE = 8

/** Time to come to rest after each round, in ms: a view of the chain that is too old, and a busy machine. */
const PATIENCE_MS = 240_000

/**
 * A scenario of all kinds of trouble at random: alike for the same seed, mode and number of clusters, so that what has
 * failed can be played again.
 */
export function chaosScenario({ duration, clusters, mode, seed }: ChaosOptions): NamedScenario {
  const choose = chooserOf(seed)
  const trouble = new Troublemaker({ clusters, killable: mode === 'live' ? 'some' : 'all' })
  const rounds = Math.max(1, Math.ceil((duration / 60_000) * ROUNDS_PER_MINUTE))
  const half = Math.ceil(clusters / 2)
  const scenario: Scenario = {
    title: 'Everything at random',
    why: 'Whether anything is lost, or shown to anybody, whatever happens in whatever order.',
    clusters,
    chain: { generation: 2, blockTime: 1_000, finalityLag: 1 },
    regions: { [SIDES[0]]: { first: 0, last: half - 1 }, [SIDES[1]]: { first: half, last: clusters - 1 } },
    links: [{ between: [...SIDES], latency: 10, jitter: 5, loss: 0.01 }],
    arrivals: [],
    timeline: [...trouble.opening(), ...Array.from({ length: rounds }, () => trouble.round(choose)).flat()],
    until: duration,
    runFor: 0,
    patience: PATIENCE_MS,
    threshold: 3,
    expect: [{ type: 'complete' }, { type: 'recovery' }, { type: 'outsiders-get-nothing' }],
  }
  return { name: 'chaos', scenario }
}

function chooserOf(seed: Hex): Chooser {
  const random = new SeededRandom(seed)
  let turn = 0
  return {
    integer: (minimum, maximum) => {
      turn += 1
      return random.integer(`chaos/${turn}`, minimum, maximum)
    },
  }
}
