import assert from 'node:assert/strict'
import { runPair } from '../harness/child.js'
import { type Contestant, type ContestResult, hold, SharedRuns } from '../harness/contest.js'
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
  const sessions = new SharedRuns(session)
  const bytes = contestant(sessions.figure((output) => output.bytes / 1_000))
  const time = contestant(sessions.figure(({ ms }) => ms))
  const [onTheWire, inTime] = ['reconciliation-bytes', 'reconciliation-time'] as const
  const better = 'less'
  return [
    await hold(
      { id: onTheWire, name: 'reconciliation, on the wire', unit: 'KB', better, contestant: bytes, target: onTheWire },
      runs,
    ),
    await hold(
      { id: inTime, name: 'reconciliation, time', unit: 'ms', better, contestant: time, target: inTime },
      runs,
    ),
  ]
}

function contestant(run: () => Promise<number>): Contestant {
  return {
    name: 'slotmesh',
    setUp: `one session of /ternoa/reconcile/1 on loopback (TCP, Noise, Yamux), two processes of ${SETS.shares} shares that differ in ${SETS.differences}; all are found.`,
    run,
  }
}

async function session(): Promise<ReconciliationOutput> {
  const { output } = await runPair<ProviderReady, ReconciliationOutput>({
    provider: { script: here('provider.js'), input: SETS },
    requester: { script: here('slotmesh.js'), input: SETS },
  })
  assert.equal(output.found, SETS.differences)
  return output
}
