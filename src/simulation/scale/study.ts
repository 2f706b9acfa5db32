import { SlotmeshError } from '../../domain/index.js'
import type { SimulationOptions } from '../options.js'
import { runSimulation } from '../simulation.js'
import { type Phase, PhaseListener } from './phases.js'

/** The scenario of a study; its timeline makes the phases that {@link SizeResult} names. */
const SCENARIO = 'growth'

/** What a mesh of one size costs. */
export interface SizeResult {
  readonly clusters: number
  /** From nothing until every enclave has its seat and is in the DHT. */
  readonly beginning: Phase
  /** One share, synced. */
  readonly one: Phase
  /** Many shares, synced in one block or two. */
  readonly many: Phase
  /** A cluster joins, whose enclaves fetch everything. */
  readonly joining: Phase
  /** Where the run was written down; undefined when it was not. */
  readonly file: string | undefined
}

/** What {@link studyScale} is given. */
export type ScaleOptions = Pick<SimulationOptions, 'seed' | 'signal' | 'progress' | 'runs'> & {
  /** Sizes, in clusters. */
  readonly sizes: readonly number[]
}

/**
 * Plays the same scenario under a computed clock in one size after the other. What comes of it depends on the sizes and
 * the seed alone.
 * @throws SlotmeshError `simulation/not-held` when something that must hold did not: its costs mean nothing then;
 * otherwise as {@link runSimulation}.
 */
export async function studyScale({ sizes, ...options }: ScaleOptions): Promise<readonly SizeResult[]> {
  const results: SizeResult[] = []
  for (const clusters of [...new Set(sizes)].sort((one, other) => one - other)) {
    results.push(await studySize(clusters, options))
  }
  return results
}

async function studySize(clusters: number, options: Omit<ScaleOptions, 'sizes'>): Promise<SizeResult> {
  const listener = new PhaseListener()
  const { run, checks } = await runSimulation({
    ...options,
    scenario: SCENARIO,
    mode: 'discrete',
    clusters,
    watch: ({ run }) => run.subscribe(listener),
  })
  const failed = checks.find(({ passed }) => !passed)
  const [beginning, one, many, joining] = listener.phases
  if (failed !== undefined || !beginning || !one || !many || !joining) {
    const what = failed === undefined ? 'The run ended early' : `“${failed.name}” did not hold: ${failed.detail}`
    throw new SlotmeshError('simulation/not-held', `With ${clusters} clusters there are no costs to tell. ${what}.`)
  }
  return { clusters, beginning, one, many, joining, file: run?.file }
}
