import { type ContestFigures, resultOf } from '../../../bench/harness/contest.js'
import type { Results } from '../../../bench/harness/results.js'

/** What a contest with one ceiling came to. */
export function madeUpContest(
  figures: readonly number[],
  ceiling: readonly number[],
  changes: Partial<ContestFigures> = {},
): ContestFigures {
  return {
    id: 'bootstrap-3k',
    name: 'bootstrap',
    unit: 'shares/s',
    better: 'more',
    contestant: { name: 'slotmesh', setUp: 'All of it.', figures },
    others: [
      { name: 'raw', role: 'ceiling', target: 'bootstrap-3k-stream', setUp: 'The bytes alone.', figures: ceiling },
    ],
    ...changes,
  }
}

/** What a contest without others came to. */
export function alone(figures: readonly number[], changes: Partial<ContestFigures> = {}): ContestFigures {
  const contestant = { name: 'slotmesh', setUp: 'All of it.', figures }
  const contest = { id: 'idle-memory', name: 'idle', unit: 'MB', better: 'less', target: 'idle-memory' } as const
  return { ...contest, contestant, others: [], ...changes }
}

export function madeUpResults(contests: readonly ContestFigures[], machine: Partial<Results['machine']> = {}): Results {
  return {
    at: '2026-11-30T12:00:00.000Z',
    machine: { processor: 'AMD EPYC', cores: 2, memoryGiB: 24, node: 'v20.20.2', commit: '1b65481', ...machine },
    seconds: { bootstrap: 12 },
    contests: contests.map(resultOf),
  }
}
