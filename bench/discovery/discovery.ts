import { runPart } from '../harness/child.js'
import { type Contestant, type ContestResult, hold, SharedRuns } from '../harness/contest.js'
import type { DiscoveryInput, DiscoveryOutput } from './slotmesh.js'

const [FEW, MANY] = [25, 250]

/** Whatever the number of runs: it takes a minute, and so many nodes are a mean in themselves. */
const RUNS = 1

/** What it costs a node to enter a mesh and to find enclaves in it, in one of 25 and in one of 250. */
export async function discovery(): Promise<ContestResult[]> {
  const [few, many] = [sized(FEW), sized(MANY)]
  const growth = (id: string, what: string, unit: string, figureOf: (output: DiscoveryOutput) => number) => ({
    id,
    name: `discovery, ${what}`,
    unit,
    better: 'less' as const,
    contestant: { ...described(MANY), run: many.figure(figureOf) },
    others: [{ ...described(FEW), run: few.figure(figureOf), role: 'itself' as const }],
  })
  const processor = growth('discovery', 'processor time of each node', 's', ({ secondsPerNode }) => secondsPerNode)
  const others = processor.others.map((other) => ({ ...other, target: 'discovery-growth' as const }))
  return [
    await hold({ ...processor, others }, RUNS),
    await hold(
      growth('discovery-messages', 'messages of each node', 'messages', ({ messagesPerNode }) => messagesPerNode),
      RUNS,
    ),
    await hold(
      {
        id: 'discovery-found',
        name: 'discovery, slot peers found',
        unit: '%',
        better: 'more',
        contestant: { ...described(MANY), run: many.figure(({ foundPercent }) => foundPercent) },
        target: 'discovery-found',
      },
      RUNS,
    ),
  ]
}

/** One run in a process of its own. */
export function discover(nodes: number): Promise<DiscoveryOutput> {
  return runPart<DiscoveryOutput>(new URL('slotmesh.js', import.meta.url), { nodes } satisfies DiscoveryInput)
}

function sized(nodes: number): SharedRuns<DiscoveryOutput> {
  return new SharedRuns(() => discover(nodes))
}

function described(nodes: number): Omit<Contestant, 'run'> {
  return {
    name: `${nodes} nodes`,
    setUp: `${nodes} libp2p hosts in one process, on TCP of loopback: 25 at a time enter by one of five, each publishes its record and finds four of its slot peers, and after that all others of its slot; two minutes at most.`,
  }
}
