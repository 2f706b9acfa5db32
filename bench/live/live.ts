import assert from 'node:assert/strict'
import { runPart, startPart } from '../harness/child.js'
import { type ContestResult, hold } from '../harness/contest.js'
import type { PartsOutput } from './parts.js'
import type { LiveInput, LiveReady } from './provider.js'
import type { LiveOutput } from './slotmesh.js'

const here = (file: string) => new URL(file, import.meta.url)

/** Far fewer than a provider grants one account in a minute. */
const WHAT: LiveInput = { blocks: 40, perBlock: 1, bytes: 64 }

/** How long it takes from the head that says that a share is synced until a replica has it durably. */
export async function live(runs: number): Promise<ContestResult[]> {
  return [
    await hold(
      {
        id: 'live',
        name: 'live, one share',
        unit: 'ms',
        better: 'less',
        contestant: {
          name: 'slotmesh',
          setUp: `the engines of an origin and a replica, a process each, connected, both told of the head at once: from there until the share is durable at the replica, attested, proved and sealed; median of ${WHAT.blocks}, the first quarter left out.`,
          run: () => untilDurable(WHAT),
        },
        others: [
          {
            name: 'its parts',
            setUp:
              'two quotes of known platforms verified, three signatures made and four checked, a stream opened and two messages of 4 KB there and back between two processes, one record written and synced: each alone, the sum of their medians; neither key agreement nor sealing is in it.',
            role: 'ceiling',
            target: 'live-parts',
            run: () => sumOfParts(WHAT),
          },
        ],
      },
      runs,
    ),
  ]
}

/** Until all shares of a block are durable at a replica, ms. */
export function untilDurable(what: LiveInput): Promise<number> {
  return beside('provider.js', what, async (input) => {
    const { medianMs, shares } = await runPart<LiveOutput>(here('slotmesh.js'), input)
    assert.equal(shares, what.blocks * what.perBlock)
    return medianMs
  })
}

function sumOfParts(what: LiveInput): Promise<number> {
  return beside('echo.js', what, async (input) => {
    const { quotesMs, signaturesMs, roundTripsMs, writeMs } = await runPart<PartsOutput>(here('parts.js'), input)
    return quotesMs + signaturesMs + roundTripsMs + writeMs
  })
}

/** With the other side in a process of its own. */
async function beside(
  script: string,
  what: LiveInput,
  task: (input: LiveInput & LiveReady) => Promise<number>,
): Promise<number> {
  const other = await startPart<LiveReady>(here(script), what)
  try {
    return await task({ ...what, ...other.message })
  } finally {
    await other.stop()
  }
}
