import { startPart } from '../harness/child.js'
import { type ContestResult, hold, SharedRuns } from '../harness/contest.js'
import type { TargetId } from '../harness/targets.js'
import type { ChainReady } from './chain.js'
import { IdleMesh, type Usage } from './mesh.js'

/** One block. */
const WINDOW_MS = 6_000

const SET_UP = `\`slotmesh join\` in a process of its own, with its metrics and client API, in its seat beside a slot peer, on a development chain with a block of nothing every six seconds; by its own metrics, in windows of ${WINDOW_MS / 1_000} s after it has settled.`

/** What a node takes that has nothing to do. */
export async function idle(runs: number): Promise<ContestResult[]> {
  const chain = await startPart<ChainReady>(new URL('chain.js', import.meta.url), {})
  const mesh = new IdleMesh(chain.message.url)
  try {
    await mesh.settle()
    const windows = new SharedRuns<Usage>(() => mesh.use(WINDOW_MS))
    const figure = (id: TargetId, what: string, unit: string, of: (usage: Usage) => number) =>
      hold(
        {
          id,
          name: `idle, ${what}`,
          unit,
          better: 'less',
          contestant: { name: 'slotmesh', setUp: SET_UP, run: windows.figure(of) },
          target: id,
        },
        runs,
      )
    return [
      await figure('idle-processor', 'processor', '% of a core', ({ percent }) => percent),
      await figure('idle-memory', 'memory', 'MB', ({ megabytes }) => megabytes),
    ]
  } finally {
    await mesh.stop()
    await chain.stop()
  }
}
