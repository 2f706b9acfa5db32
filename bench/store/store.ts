import { runPart } from '../harness/child.js'
import { type Contest, type ContestResult, hold, SharedRuns } from '../harness/contest.js'

export interface StoreInput {
  readonly shares: number
  readonly bytes: number
  /** Whether each record is sealed; ours always is. */
  readonly isSealed: boolean
}

/** Shares in a second. */
export interface StoreOutput {
  readonly written: number
  /** Each for itself, in no order. */
  readonly one: number
  /** All of them, run by run. */
  readonly inRuns: number
}

/** Single reads; by then their rate is steady. */
export const SINGLE_READS = 2_048

const SIZES = [
  { name: '64', shares: 8_192, bytes: 64 },
  { name: '3k', shares: 2_048, bytes: 3_000 },
] as const

const SAME = 'the same bytes in the database alone'
const SEALED = 'the same, each record sealed on its own by AES-256-GCM'

/** What is measured, and how each side does it. */
const FIGURES = [
  {
    figure: 'written',
    name: 'write',
    what: 'writes of runs',
    ours: 'putRun of verified shares that are wanted, each run synced, with their provenance; afterwards all are there.',
    level: `${SAME}: a batch for each run, synced.`,
    sealed: `${SEALED}.`,
  },
  {
    figure: 'one',
    name: 'one',
    what: 'single reads',
    ours: 'share of one after the other, in no order, once the folder was opened again: opened, and checked against the hash vouched for.',
    level: `${SAME}: get, in the same order.`,
    sealed: `${SEALED}, and opened.`,
  },
  {
    figure: 'inRuns',
    name: 'runs',
    what: 'reads of runs',
    ours: 'runs of all shares, as a provider gives them, with the proof of each run.',
    level: `${SAME}: getMany for each run.`,
    sealed: `${SEALED}, and opened.`,
  },
] as const satisfies readonly {
  readonly figure: keyof StoreOutput
  readonly name: string
  readonly what: string
  readonly ours: string
  readonly level: string
  readonly sealed: string
}[]

/** What sealing, provenance and the account of what is wanted cost at rest. */
export async function store(runs: number): Promise<ContestResult[]> {
  const results: ContestResult[] = []
  for (const size of SIZES) {
    const { shares, bytes } = size
    const ours = new SharedRuns(() => side('slotmesh.js', { shares, bytes, isSealed: true }))
    const level = new SharedRuns(() => side('level.js', { shares, bytes, isSealed: false }))
    const sealed = new SharedRuns(() => side('level.js', { shares, bytes, isSealed: true }))
    for (const { figure, name, what, ...setUps } of FIGURES) {
      const contest: Contest = {
        id: `store-${name}-${size.name}`,
        name: `store, ${what}, ${shares.toLocaleString('en')} shares of ${bytes.toLocaleString('en')} bytes`,
        unit: 'shares/s',
        better: 'more',
        contestant: { name: 'slotmesh', setUp: setUps.ours, run: ours.figure((output) => output[figure]) },
        others: [
          { name: 'level', role: 'ceiling', setUp: setUps.level, run: level.figure((output) => output[figure]) },
          { name: 'sealed', role: 'ceiling', setUp: setUps.sealed, run: sealed.figure((output) => output[figure]) },
        ],
      }
      results.push(await hold(contest, runs))
    }
  }
  return results
}

function side(script: string, input: StoreInput): Promise<StoreOutput> {
  return runPart(new URL(script, import.meta.url), input)
}
