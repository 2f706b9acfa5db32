import { CLUSTER_SIZE, type Hex, SlotmeshError } from '../domain/index.js'
import type { SimulationProgress } from './progress.js'
import { freshSeed } from './randomness.js'

/** What a simulation is made of; everything has a default. */
export interface SimulationOptions {
  /** Public clusters of five enclaves at the start; one more joins late. */
  readonly clusters: number
  /** Secret NFTs to mint over the whole run; one of them becomes a hybrid. */
  readonly secrets: number
  /** Capsules to mint over the whole run. */
  readonly capsules: number
  /** Shares that recover a secret, of the five. */
  readonly threshold: number
  /** Block time of the development chain, in ms. */
  readonly blockTimeMs: number
  /** Generation of the TEE pallet, see the chain's facts. */
  readonly generation: 1 | 2
  /** 32 bytes: the same seed makes the same accounts, machines, keys and secrets. */
  readonly seed: Hex
  /** Holds every enclave's store. Must be empty or absent; kept at the end. A temporary one when undefined. */
  readonly folder: string | undefined
  /** Keeps the temporary folder, too. A run that fails keeps it anyway, to be looked into. */
  readonly keepFolder: boolean
  readonly signal: AbortSignal
  readonly progress: SimulationProgress
}

/** The whole numbers that a run accepts, both ends included, and what a sentence calls them. */
const LIMITS = {
  // Below two clusters there is nobody to replicate to; above eight, two cores no longer keep up with the blocks.
  clusters: { name: 'number of clusters', minimum: 2, maximum: 8 },
  // One for each of the phases that mint.
  secrets: { name: 'number of secret NFTs', minimum: 2, maximum: 500 },
  capsules: { name: 'number of capsules', minimum: 1, maximum: 500 },
  threshold: { name: 'threshold', minimum: 2, maximum: CLUSTER_SIZE },
  // Tokens allow a reader's view to lag by two blocks: shorter blocks than this make a busy machine look dishonest.
  blockTimeMs: { name: 'block time in ms', minimum: 100, maximum: 60_000 },
} as const

const DEFAULTS = { clusters: 3, secrets: 16, capsules: 10, threshold: 3, blockTimeMs: 500, generation: 2 } as const

/**
 * Fills in the defaults and checks the rest.
 * @throws SlotmeshError `simulation/bad-option` with a sentence that names the option and what it may be.
 */
export function simulationOptions(given: Partial<SimulationOptions>): SimulationOptions {
  const options: SimulationOptions = {
    ...DEFAULTS,
    seed: freshSeed(),
    folder: undefined,
    keepFolder: false,
    signal: new AbortController().signal,
    progress: () => undefined,
    ...given,
  }
  for (const key of Object.keys(LIMITS) as (keyof typeof LIMITS)[]) {
    const { name, minimum, maximum } = LIMITS[key]
    const value = options[key]
    if (Number.isInteger(value) && value >= minimum && value <= maximum) continue
    throw badOption(`The ${name} must be a whole number from ${minimum} to ${maximum}, not ${value}.`)
  }
  if (!/^0x[0-9a-f]{64}$/.test(options.seed)) {
    throw badOption('The seed must be 0x and 64 lower-case hexadecimal digits.')
  }
  return options
}

function badOption(sentence: string): SlotmeshError {
  return new SlotmeshError('simulation/bad-option', sentence)
}
