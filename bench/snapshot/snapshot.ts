import assert from 'node:assert/strict'
import { syncedKinds } from '../../test/support/made-up-nfts.js'
import { runPair } from '../harness/child.js'
import { type Contestant, type ContestResult, hold } from '../harness/contest.js'
import type { ChainInput, ChainReady } from './chain.js'
import type { SnapshotOutput } from './slotmesh.js'

const here = (file: string) => new URL(file, import.meta.url)

/** A peak hardly varies (226 to 232 MB), and a million take their time. */
const MOST_RUNS = 1

/** What memory the list of all synced shares takes, by the number of NFTs. */
export async function snapshot(runs: number): Promise<ContestResult[]> {
  const memory = {
    id: 'snapshot-memory',
    name: 'snapshot, peak memory',
    unit: 'MB',
    better: 'less' as const,
    contestant: listing(1_000_000),
    others: [{ ...listing(100_000), role: 'itself' as const, target: 'snapshot-memory' as const }],
  }
  return [await hold(memory, Math.min(runs, MOST_RUNS))]
}

function listing(nfts: number): Contestant {
  const expected = Array.from({ length: nfts }, (_, nftId) => syncedKinds(nftId).length).reduce(
    (sum, each) => sum + each,
  )
  return {
    name: `${nfts / 1000}k NFTs`,
    setUp: `chain.syncedShares over ${nfts} NFTs of a made-up chain, the whole process with its garbage; ${expected} shares found.`,
    run: async () => {
      const { output } = await runPair<ChainReady, SnapshotOutput>({
        provider: { script: here('chain.js'), input: { nfts } satisfies ChainInput },
        requester: { script: here('slotmesh.js'), input: {} },
      })
      assert.equal(output.shares, expected)
      return output.peakMemory
    },
  }
}
