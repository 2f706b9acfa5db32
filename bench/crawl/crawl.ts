import assert from 'node:assert/strict'
import { runPart, startPart } from '../harness/child.js'
import { type Contest, type ContestResult, hold } from '../harness/contest.js'
import type { ChainInput, ChainReady } from './chain.js'

export interface CrawlInput {
  readonly url: string
  readonly first: number
  readonly last: number
}

export interface CrawlOutput {
  readonly seconds: number
  /** NFT ids in the order in which they were met. */
  readonly synced: readonly number[]
}

const BLOCKS = 500
const LATENCY = 50

/** The rival takes fewer blocks, for a figure in blocks per second does not need more. */
const RIVAL_BLOCKS = { direct: 100, slow: 12 }

const here = (file: string) => new URL(file, import.meta.url)

/** How fast the chain is crawled after downtime, against `api.at(hash)` block by block. */
export async function crawl(runs: number): Promise<ContestResult[]> {
  const chain = await startPart<ChainReady>(here('chain.js'), {
    blocks: BLOCKS,
    latency: LATENCY,
  } satisfies ChainInput)
  try {
    const { message } = chain
    return [
      await hold(contest('crawl-no-latency', 'crawl, no latency', message, 'direct'), runs),
      await hold(contest('crawl-latency', `crawl, ${LATENCY} ms for each call`, message, 'slow'), runs),
    ]
  } finally {
    await chain.stop()
  }
}

function contest(
  id: 'crawl-no-latency' | 'crawl-latency',
  name: string,
  chain: ChainReady,
  endpoint: 'direct' | 'slow',
): Contest {
  const { [endpoint]: url } = chain
  const { [endpoint]: rivalBlocks } = RIVAL_BLOCKS
  const run = async (script: string, blocks: number) => {
    const range = { url, first: chain.first, last: chain.first + blocks - 1 }
    const { seconds, synced } = await runPart<CrawlOutput>(here(script), range)
    // A crawl that misses something is no crawl.
    const expected = chain.synced.filter(({ block }) => block <= range.last).map(({ nftId }) => nftId)
    assert.deepEqual(synced, expected)
    return blocks / seconds
  }
  return {
    id,
    name,
    unit: 'blocks/s',
    better: 'more',
    contestant: {
      name: 'slotmesh',
      setUp: `chain.follow over ${BLOCKS} blocks, triggers with their origin cluster read.`,
      run: () => run('slotmesh.js', BLOCKS),
    },
    others: [
      {
        name: 'api.at',
        role: 'rival',
        target: id,
        setUp: `@polkadot/api, one block after the other: getBlockHash, api.at, query.system.events, over ${rivalBlocks} blocks.`,
        run: () => run('api-at.js', rivalBlocks),
      },
    ],
  }
}
