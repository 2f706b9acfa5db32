import assert from 'node:assert/strict'
import { materialsOfBoth, partsOfBoth } from '../exchange/exchange.js'
import { USUAL_SIGNATURES } from '../exchange/world.js'
import { runPair, runPart } from '../harness/child.js'
import { type ContestResult, hold, SharedRuns } from '../harness/contest.js'
import type { PartsOutput } from './parts.js'
import type { LiveInput, LiveReady } from './provider.js'
import type { LiveOutput } from './slotmesh.js'

const here = (file: string) => new URL(file, import.meta.url)

/** Far fewer exchanges than a provider grants one account in a minute. */
const WHAT: LiveInput = { blocks: 32, perBlock: 1, bytes: 64 }

const ALONE = 'each alone, warm, the sides in two processes; the sum of the medians'

/** How long it takes from the head that says that a share is synced until a replica has it durably. */
export async function live(runs: number): Promise<ContestResult[]> {
  const materials = await materialsOfBoth()
  const parts = new SharedRuns(async () => {
    const { quotes, signatures, 'round trips': trips, keys, device, ...more } = await partsOfBoth(materials)
    const { headMs, usualHeadMs, writeMs } = await runPart<PartsOutput>(here('parts.js'), WHAT)
    const others = quotes.warm + trips.warm + writeMs
    const ours = others + signatures.warm + headMs
    const usual = others + more[USUAL_SIGNATURES].warm + usualHeadMs
    return { usual, ours, all: ours + keys.warm + device.warm }
  })
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
            setUp: `two quotes verified, three signatures made and four checked, two round trips on an open stream, one record written and synced: ${ALONE}. Signatures are those of @scure/sr25519, as when the target was set; it is not to be met the less because ours take less.`,
            role: 'ceiling',
            target: 'live-parts',
            run: parts.figure(({ usual }) => usual),
          },
          {
            name: 'as done here',
            setUp: `the same, but signatures are checked as it is done here: ${ALONE}.`,
            role: 'ceiling',
            run: parts.figure(({ ours }) => ours),
          },
          {
            name: 'with keys',
            setUp: `as done here, and the two quotes made and the keys made, encapsulated and taken: ${ALONE}.`,
            role: 'ceiling',
            run: parts.figure(({ all }) => all),
          },
        ],
      },
      runs,
    ),
  ]
}

/** Until all shares of a block are durable at a replica, ms. */
export async function untilDurable(what: LiveInput): Promise<number> {
  const { output } = await runPair<LiveReady, LiveOutput>({
    provider: { script: here('provider.js'), input: what },
    requester: { script: here('slotmesh.js'), input: what },
  })
  assert.equal(output.shares, what.blocks * what.perBlock)
  return output.medianMs
}
