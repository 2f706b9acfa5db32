import assert from 'node:assert/strict'
import { runPart, startPart } from '../harness/child.js'
import { type ContestResult, hold } from '../harness/contest.js'
import type { ProviderReady } from './provider.js'
import type { ReconciliationOutput } from './slotmesh.js'

export interface ReconciliationInput {
  readonly shares: number
  readonly differences: number
}

const SETS: ReconciliationInput = { shares: 1_000_000, differences: 10 }

const here = (file: string) => new URL(file, import.meta.url)

/** What it takes two enclaves to find out in which of a million shares they differ. */
export async function reconciliation(runs: number): Promise<ContestResult[]> {
  return [
    await hold(
      contest('reconciliation, on the wire', 'KB', 64, ({ bytes }) => bytes / 1_000),
      runs,
    ),
    await hold(
      contest('reconciliation, time', 'ms', 1_000, ({ ms }) => ms),
      runs,
    ),
  ]
}

function contest(name: string, unit: string, target: number, figure: (output: ReconciliationOutput) => number) {
  return {
    name,
    unit,
    ratio: 1,
    bound: 'at most' as const,
    contestant: {
      name: 'slotmesh',
      setUp: `one session of /ternoa/reconcile/1 on loopback (TCP, Noise, Yamux), two processes of ${SETS.shares} shares that differ in ${SETS.differences}; all are found.`,
      run: async () => {
        const provider = await startPart<ProviderReady>(here('provider.js'), SETS)
        try {
          const output = await runPart<ReconciliationOutput>(here('slotmesh.js'), { ...SETS, ...provider.message })
          assert.equal(output.found, SETS.differences)
          return figure(output)
        } finally {
          await provider.stop()
        }
      },
    },
    against: { name: 'target', setUp: 'what is asked for.', run: async () => target },
  }
}
