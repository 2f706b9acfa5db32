import { type ClusterId, SlotmeshError } from '../domain/index.js'
import type { EnclaveName, Scenario, Step } from './scenario/index.js'

/** What a caller wants otherwise than the scenario says. */
export interface Overrides {
  readonly clusters?: number | undefined
  /** Minted by the timeline, over the whole run. */
  readonly secrets?: number | undefined
  readonly capsules?: number | undefined
  readonly threshold?: number | undefined
  readonly blockTimeMs?: number | undefined
  readonly generation?: 1 | 2 | undefined
}

/**
 * The same scenario in another size. Clusters that come later keep their part in it: with two clusters more, what was
 * said of c3 as the first to come is said of c5. What is minted is divided as before, at least one each time.
 * @throws SlotmeshError `simulation/bad-option` when there is nothing to be minted by the timeline.
 */
export function withOverrides(scenario: Scenario, overrides: Overrides): Scenario {
  const { clusters = scenario.clusters, threshold = scenario.threshold, blockTimeMs, generation } = overrides
  const moved = (id: ClusterId) => (id < scenario.clusters ? id : id + clusters - scenario.clusters)
  const { chain } = scenario
  const steps = counted(counted(scenario.timeline, 'secrets', overrides.secrets), 'capsules', overrides.capsules)
  return {
    ...scenario,
    clusters,
    threshold,
    chain: { ...chain, blockTime: blockTimeMs ?? chain.blockTime, generation: generation ?? chain.generation },
    timeline: steps.map((step) => ({ ...step, do: renamed(step.do, moved) })),
    expect: scenario.expect.map((expectation) => renamed(expectation, moved)),
  }
}

/** How many NFTs a timeline mints. */
function minted(timeline: readonly Step[], kind: 'secrets' | 'capsules'): number {
  return timeline.reduce((sum, { do: action }) => sum + (action.type === 'mint' ? action[kind] : 0), 0)
}

function counted(timeline: readonly Step[], kind: 'secrets' | 'capsules', wanted: number | undefined): readonly Step[] {
  if (wanted === undefined) return timeline
  const before = minted(timeline, kind)
  if (before === 0) {
    throw new SlotmeshError('simulation/bad-option', `The number of ${kind} is not for this scenario: it mints none.`)
  }
  let left = wanted
  // From the end: what the first gets is what the others leave.
  const steps = [...timeline].reverse().map((step, index): Step => {
    const { do: action } = step
    if (action.type !== 'mint' || action[kind] === 0) return step
    const isFirst = minted(timeline.slice(0, timeline.length - 1 - index), kind) === 0
    const part = isFirst ? left : Math.min(left, Math.ceil((wanted * action[kind]) / before))
    left -= part
    return { ...step, do: { ...action, [kind]: part } }
  })
  return steps.reverse()
}

/** Names of enclaves and numbers of clusters in what a scenario says, moved. */
function renamed<Part extends object>(part: Part, moved: (id: ClusterId) => ClusterId): Part {
  const entries = Object.entries(part).map(([key, value]: [string, unknown]) => {
    if (isName(value)) return [key, { ...value, cluster: moved(value.cluster) }]
    return [key, (key === 'cluster' || key === 'without') && typeof value === 'number' ? moved(value) : value]
  })
  return Object.assign({ ...part }, Object.fromEntries(entries))
}

function isName(value: unknown): value is EnclaveName {
  return typeof value === 'object' && value !== null && 'cluster' in value && 'slot' in value
}
