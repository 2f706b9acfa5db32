import type { Clock, ClusterId } from '../../domain/index.js'
import type { RunTotals } from '../record/index.js'
import type { Check, EnclaveRow } from '../report.js'
import type { AuditedExpectation, MintOrder, Stage, StagedAction, StageInit } from '../stage.js'
import { audit } from './auditing.js'
import { Owners } from './minting.js'
import { Performer } from './performing.js'
import { untilSettled } from './settling.js'
import { launchCluster, seat } from './staging.js'
import { statusOf, Watcher } from './watching.js'
import { World } from './world.js'

/** Real nodes on real TCP: all in this process but those that a scenario kills, or each in one of its own. */
export async function createLiveStage(init: StageInit, mode: 'live' | 'processes'): Promise<Stage> {
  return new LiveStage(await World.create({ ...init, ownProcesses: mode === 'processes' ? 'all' : 'killed' }))
}

class LiveStage implements Stage {
  readonly clock: Clock
  readonly #world: World
  readonly #watcher: Watcher
  readonly #owners: Owners
  readonly #performer: Performer
  #opening: Promise<void> = Promise.resolve()

  constructor(world: World) {
    this.clock = world.clock
    this.#world = world
    this.#watcher = new Watcher(world)
    this.#owners = new Owners(world)
    this.#performer = new Performer(world, this.#watcher, this.#owners)
  }

  async open(): Promise<void> {
    this.#opening = this.#open()
    await this.#opening
  }

  async #open(): Promise<void> {
    const world = this.#world
    await world.openChain()
    world.note(`listening on ${world.actors.endpoint}`)
    this.#watcher.start()
    const { clusters } = world.scenario
    for (let started = 0; started < clusters; started++) {
      await launchCluster(world)
      world.count('clusters', started + 1, clusters)
    }
    await seat(world, world.officials)
  }

  clusters(): readonly ClusterId[] {
    return this.#world.clusters.filter((cluster) => this.#world.takesShares(cluster)).map(({ id }) => id)
  }

  mint(orders: readonly MintOrder[]): Promise<void> {
    return this.#owners.mint(orders)
  }

  perform(action: StagedAction): Promise<void> {
    return this.#performer.perform(action)
  }

  untilSettled(options: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<void> {
    return untilSettled(this.#world, this.#watcher, options)
  }

  audit(expectation: AuditedExpectation): Promise<readonly Check[]> {
    return audit(this.#world, this.#watcher, expectation)
  }

  async totals(): Promise<RunTotals> {
    await Promise.all(this.#world.everyone.map(statusOf))
    return this.#watcher.totals()
  }

  sample(): Promise<void> {
    return this.#watcher.sample()
  }

  rows(): Promise<readonly EnclaveRow[]> {
    return Promise.all(
      this.#world.everyone.map(async (enclave) => {
        const { cluster, slot, notes } = enclave
        const status = await statusOf(enclave)
        return { cluster, slot, status, note: status === undefined ? 'down' : notes.join(', ') }
      }),
    )
  }

  pause(): void {
    this.#world.clock.hold()
  }

  resume(): void {
    this.#world.clock.goOn()
  }

  async step(): Promise<void> {
    if (this.#world.clock.isHeld) this.#world.chain.seal()
  }

  async inspect(name: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const enclave = this.#world.find(name)
    const status = enclave && (await statusOf(enclave))
    return status && { ...status }
  }

  async close(): Promise<void> {
    // Whoever opened it is told when that fails; what it has started is ended here.
    await Promise.allSettled([this.#opening])
    await Promise.all([this.#watcher.end(), this.#performer.end()])
    await this.#world.close()
  }
}
