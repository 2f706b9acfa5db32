import { CLUSTER_SIZE, type Hex, SlotmeshError } from '../domain/index.js'
import type { Overrides } from './overrides.js'
import type { SimulationProgress } from './progress.js'
import { freshSeed } from './randomness.js'
import type { Mode, RecordedRun, RunRecorder } from './record/index.js'
import type { NamedScenario } from './scenario/index.js'
import type { RunControls } from './view/index.js'

/** What a simulation is made of; everything has a default. */
export interface SimulationOptions extends Overrides {
  /** Of a scenario that comes with the package, or the path of a file; or one that was made. */
  readonly scenario: string | NamedScenario
  readonly mode: Mode
  /** Of the discrete mode: how many processors all nodes share, as they do on one machine; else each has its own. */
  readonly processors: number | undefined
  /** Of the discrete mode: how many times as long all work takes a processor as its table of costs says; 1 when undefined. */
  readonly slower: number | undefined
  /** 32 bytes: the same seed makes the same accounts, machines, keys and secrets. */
  readonly seed: Hex
  /** Holds every enclave's store. Must be empty or absent; kept at the end. A temporary one when undefined. */
  readonly folder: string | undefined
  /** Keeps the temporary folder, too. A run that fails keeps it anyway, to be looked into. */
  readonly keepFolder: boolean
  /** Where the run's file and the page about it are written; nothing is when undefined. Made when absent. */
  readonly runs: string | undefined
  /** Lets somebody watch: told of the run when it begins, and not waited for. */
  readonly watch: (run: WatchedRun) => void
  readonly signal: AbortSignal
  readonly progress: SimulationProgress
}

/** A run that goes on, and what can be done to it meanwhile. */
export interface WatchedRun {
  readonly run: RecordedRun & Pick<RunRecorder, 'subscribe'>
  readonly controls: RunControls
}

/** The story that the README tells. */
export const DEFAULT_SCENARIO = 'life-of-a-share'

/** The whole numbers that a run accepts, both ends included, and what a sentence calls them. */
const LIMITS = {
  // Below two clusters there is nobody to replicate to.
  clusters: { name: 'number of clusters', minimum: 2, maximum: 5_000 },
  // One for each of the times that the default scenario mints.
  secrets: { name: 'number of secret NFTs', minimum: 2, maximum: 100_000 },
  capsules: { name: 'number of capsules', minimum: 1, maximum: 100_000 },
  threshold: { name: 'threshold', minimum: 2, maximum: CLUSTER_SIZE },
  // Tokens allow a reader's view to lag by two blocks: shorter blocks than this make a busy machine look dishonest.
  blockTimeMs: { name: 'block time in ms', minimum: 100, maximum: 60_000 },
  processors: { name: 'number of processors', minimum: 1, maximum: 1_000 },
} as const

/** What real nodes on one machine can be: above these, two cores no longer keep up with the blocks. */
const REAL_LIMITS = { clusters: 8, secrets: 500, capsules: 500 } as const

/**
 * Fills in the defaults and checks the rest.
 * @throws SlotmeshError `simulation/bad-option` with a sentence that names the option and what it may be.
 */
export function simulationOptions(given: Partial<SimulationOptions>): SimulationOptions {
  const options: SimulationOptions = {
    scenario: DEFAULT_SCENARIO,
    mode: 'live',
    seed: freshSeed(),
    folder: undefined,
    keepFolder: false,
    processors: undefined,
    slower: undefined,
    runs: undefined,
    watch: () => undefined,
    signal: new AbortController().signal,
    progress: () => undefined,
    ...given,
  }
  const limits: Record<keyof typeof LIMITS, { name: string; minimum: number; maximum: number }> = { ...LIMITS }
  if (options.mode !== 'discrete') {
    for (const key of ['clusters', 'secrets', 'capsules'] as const) {
      limits[key] = { ...LIMITS[key], maximum: REAL_LIMITS[key] }
    }
  }
  for (const key of Object.keys(LIMITS) as (keyof typeof LIMITS)[]) {
    const { name, minimum, maximum } = limits[key]
    const value = options[key]
    if (value === undefined || (Number.isInteger(value) && value >= minimum && value <= maximum)) continue
    throw badOption(`The ${name} must be a whole number from ${minimum} to ${maximum}, not ${value}.`)
  }
  if (options.processors !== undefined && options.mode !== 'discrete') {
    throw badOption('The number of processors is for --mode discrete: real nodes have those of the machine.')
  }
  const { slower } = options
  if (slower !== undefined && options.mode !== 'discrete') {
    throw badOption('How much slower everything is can only be chosen for --mode discrete: real nodes take their time.')
  }
  if (slower !== undefined && !(slower >= 0.1 && slower <= 100)) {
    throw badOption(`How many times as slow everything is must be a number from 0.1 to 100, not ${slower}.`)
  }
  if (!/^0x[0-9a-f]{64}$/.test(options.seed)) {
    throw badOption('The seed must be 0x and 64 lower-case hexadecimal digits.')
  }
  return options
}

/** @throws SlotmeshError `simulation/bad-option` when real nodes of so many clusters are too much for a machine. */
export function requireFeasible(mode: Mode, clusters: number): void {
  if (mode === 'discrete' || clusters <= REAL_LIMITS.clusters) return
  throw badOption(
    `${clusters} clusters of real nodes are too many for one machine, which can have ${REAL_LIMITS.clusters}: use --mode discrete, or fewer --clusters.`,
  )
}

function badOption(sentence: string): SlotmeshError {
  return new SlotmeshError('simulation/bad-option', sentence)
}
