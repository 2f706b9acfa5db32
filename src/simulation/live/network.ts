import type { Action, EnclaveName, Scenario } from '../scenario/index.js'
import { nameOf } from '../scenario/index.js'
import { type LinkShape, PLAIN_LINK } from './shaping/index.js'

/** Where the clusters are that a scenario puts nowhere. */
const ELSEWHERE = 'elsewhere'
const EVERYWHERE = '*'

type ActionOf<Type extends Action['type']> = Extract<Action, { readonly type: Type }>

/** What lies between any two enclaves: what the scenario says, and what was done to it since. */
export class Network {
  readonly #scenario: Pick<Scenario, 'regions' | 'links'>
  #partitions: ActionOf<'partition'>[] = []
  readonly #slow = new Map<string, ActionOf<'slow'>>()

  constructor(scenario: Pick<Scenario, 'regions' | 'links'>) {
    this.#scenario = scenario
  }

  /** Every region that clusters can be in. */
  get regions(): string[] {
    return [...new Set([...Object.keys(this.#scenario.regions), ELSEWHERE])]
  }

  regionOf(cluster: number): string {
    const found = Object.entries(this.#scenario.regions).find(
      ([, { first, last }]) => cluster >= first && cluster <= last,
    )
    return found?.[0] ?? ELSEWHERE
  }

  isIn(cluster: number, region: string): boolean {
    return region === EVERYWHERE || this.regionOf(cluster) === region
  }

  partition(action: ActionOf<'partition'>): void {
    this.#partitions.push(action)
  }

  heal(): void {
    this.#partitions = []
  }

  slow(action: ActionOf<'slow'>): void {
    const name = nameOf(action.enclave)
    if (action.latency === 0 && action.bandwidth === undefined) this.#slow.delete(name)
    else this.#slow.set(name, action)
  }

  /** The last of the scenario's links that fits holds; slow enclaves add to it, and are as narrow as they are. */
  between(one: EnclaveName, other: EnclaveName): LinkShape {
    const regions = [this.regionOf(one.cluster), this.regionOf(other.cluster)] as const
    const link = this.#scenario.links.findLast(({ between }) => between === undefined || joins(between, regions))
    const { latency, jitter, loss, bandwidth } = link ?? { ...PLAIN_LINK, bandwidth: undefined }
    const slow = [one, other].flatMap((name) => this.#slow.get(nameOf(name)) ?? [])
    const widths = [bandwidth, ...slow.map((each) => each.bandwidth)].filter((width) => width !== undefined)
    return {
      latency: slow.reduce((sum, each) => sum + each.latency, latency),
      jitter,
      loss,
      ...(widths.length > 0 && { bandwidth: Math.min(...widths) }),
      isCut: this.#partitions.some((partition) => divides(partition, regions)),
    }
  }
}

type Pair = readonly [string, string]

function joins([from, to]: Pair, [one, other]: Pair): boolean {
  return (fits(from, one) && fits(to, other)) || (fits(from, other) && fits(to, one))
}

/** Whether two regions are on different sides; `*` on the other side is everything that is not on this one. */
function divides(partition: ActionOf<'partition'>, [one, other]: Pair): boolean {
  const isOne = (region: string) => partition.one.some((each) => fits(each, region))
  const isOther = (region: string) => partition.other.some((each) => fits(each, region))
  return (isOne(one) && !isOne(other) && isOther(other)) || (isOne(other) && !isOne(one) && isOther(one))
}

function fits(pattern: string, region: string): boolean {
  return pattern === EVERYWHERE || pattern === region
}
