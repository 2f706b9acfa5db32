import { pause, SlotmeshError } from '../../domain/index.js'
import type { StagedAction } from '../stage.js'
import { IMPOSTOR_BUILD } from './enclave.js'
import { besetByStrangers } from './hostile.js'
import type { Owners } from './minting.js'
import type { SimulatedEnclave } from './simulated-enclave.js'
import { launch, launchCluster, reshape, seat } from './staging.js'
import { askAsStranger } from './stranger.js'
import type { Watcher } from './watching.js'
import type { World } from './world.js'

type ActionOf<Type extends StagedAction['type']> = Extract<StagedAction, { readonly type: Type }>
type Performances = {
  readonly [Type in StagedAction['type']]: (action: ActionOf<Type>) => Promise<void>
}

/** Does to a live mesh what a scenario says. */
export class Performer {
  readonly #world: World
  readonly #watcher: Watcher
  /** What has not ended yet. */
  readonly #pending = new Set<Promise<void>>()
  #besieged = 0
  readonly #ended = new AbortController()
  readonly #performances: Performances

  constructor(world: World, watcher: Watcher, owners: Owners) {
    this.#world = world
    this.#watcher = watcher
    const regionally = (region: string) => world.officials.filter(({ cluster }) => world.network.isIn(cluster, region))
    this.#performances = {
      kill: ({ enclave }) => this.#kill(this.#up(world.enclave(enclave))),
      stop: ({ enclave }) => this.#stop(this.#up(world.enclave(enclave))),
      restart: ({ enclave }) => this.#restart(world.enclave(enclave)),
      'kill-region': ({ region }) =>
        each(
          regionally(region).filter(({ isUp }) => isUp),
          (one) => this.#kill(one),
        ),
      'restart-region': ({ region }) =>
        each(
          regionally(region).filter(({ isUp }) => !isUp),
          (one) => this.#restart(one),
        ),
      partition: async (action) => {
        world.network.partition(action)
        await reshape(world)
      },
      heal: async () => {
        world.network.heal()
        await reshape(world)
      },
      slow: async (action) => {
        world.enclave(action.enclave)
        world.network.slow(action)
        await reshape(world)
      },
      disconnect: ({ enclave }) => this.#up(world.enclave(enclave)).handle.disconnect(),
      impostor: ({ slot }) => this.#impostor(slot),
      stranger: () => this.#stranger(),
      hostile: async ({ lasts }) => this.#beset(lasts),
      'chain-outage': async (action) => this.#outage(action),
      'runtime-upgrade': async () => world.chain.upgrade(),
      'add-cluster': ({ access }) => this.#addCluster(access),
      'set-access': (action) => this.#setAccess(action),
      'swap-slots': (action) => this.#swapSlots(action),
      unassign: ({ enclave }) => this.#unassign(world.enclave(enclave)),
      'convert-to-hybrid': () => owners.convertToHybrid(),
      burn: ({ nfts }) => owners.burn(nfts),
    }
  }

  /** @throws SlotmeshError that says why it cannot be done. */
  async perform(action: StagedAction): Promise<void> {
    const perform = this.#performances[action.type] as (of: typeof action) => Promise<void>
    await perform(action)
  }

  /** Calls off what would still come. */
  async end(): Promise<void> {
    this.#ended.abort(new SlotmeshError('simulation/ended', 'The run has ended.'))
    await Promise.allSettled([...this.#pending])
  }

  async #kill(enclave: SimulatedEnclave): Promise<void> {
    await enclave.remember()
    await enclave.kill()
    enclave.notes.push('killed')
    this.#watcher.state(enclave, 'killed')
  }

  async #stop(enclave: SimulatedEnclave): Promise<void> {
    await enclave.remember()
    await enclave.stop()
    enclave.notes.push('stopped')
    this.#watcher.state(enclave, 'down')
  }

  async #restart(enclave: SimulatedEnclave): Promise<void> {
    if (enclave.isUp) throw refused(`${enclave.name} is up: it cannot be started.`)
    this.#watcher.catchesUp(enclave)
    await launch(this.#world, enclave)
    enclave.notes.push(enclave.notes.at(-1) === 'killed' ? 'resumed' : 'restarted')
  }

  /** Somebody else's build, with an account and a seat like everybody; resolves when every slot peer has refused it. */
  async #impostor(slot: number): Promise<void> {
    const world = this.#world
    if (slot > 0) this.#requireSlots('An impostor in a cluster of its own can take no slot but the first')
    const cluster = await world.actors.createCluster()
    const impostor = world.cast({ cluster, slot }, IMPOSTOR_BUILD)
    world.outsiders.impostors.push(impostor)
    impostor.notes.push('impostor')
    await launch(world, impostor)
    await seat(world, [impostor])
    if (this.#watcher.listing.size === 0) return
    const peers = () => world.replicas.filter((peer) => peer.slot === slot)
    const silent = () => {
      const refusers = new Set(refusalsOf(impostor).map(({ from }) => from))
      return peers().filter(({ account }) => !refusers.has(account))
    }
    await world.waitUntil(
      async () => silent().length === 0 || undefined,
      () =>
        `${silent()
          .map(({ name }) => name)
          .join(', ')} to refuse the impostor`,
    )
  }

  async #stranger(): Promise<void> {
    const world = this.#world
    const oneOfEachCluster = world.clusters.flatMap(
      ({ enclaves }) => enclaves.find(({ isUp, slot }) => isUp && slot > 0) ?? [],
    )
    const { attempts, shares } = await askAsStranger(world, oneOfEachCluster)
    world.outsiders.strangers.push({ enclave: 'stranger', shares })
    world.outsiders.refusedStrangers.push(...attempts)
  }

  #outage({ region, lasts }: ActionOf<'chain-outage'>): void {
    const { chain, network, clock } = this.#world
    const regions = network.regions.filter((each) => region === '*' || each === region)
    if (regions.length === 0) throw refused(`There is no region ${region} in this run.`)
    chain.silence(regions, true)
    const over = pause(lasts, { clock, signal: this.#ended.signal }).then(() => {
      chain.silence(regions, false)
      this.#note(`the chain speaks again (${regions.join(', ')})`)
    })
    this.#goesOn(over)
  }

  #beset(lasts: number): void {
    const turn = this.#besieged
    this.#besieged += 1
    const over = besetByStrangers(this.#world, lasts, turn, this.#ended.signal).then((streams) =>
      this.#note(`strangers were given ${streams} streams for what no honest peer does`),
    )
    this.#goesOn(over)
  }

  #goesOn(over: Promise<void>): void {
    this.#pending.add(over)
    const forget = () => void this.#pending.delete(over)
    over.then(forget, forget)
  }

  #note(text: string): void {
    this.#watcher.record({ type: 'note', text })
  }

  async #addCluster(access: ActionOf<'add-cluster'>['access']): Promise<void> {
    if (access === 'private') this.#requireSlots('Clusters have no type that could be private')
    const added = await launchCluster(this.#world, access)
    for (const enclave of added.enclaves) enclave.notes.push(access === 'private' ? 'late, private' : 'late')
    await seat(this.#world, added.enclaves)
  }

  async #setAccess({ cluster: id, access }: ActionOf<'set-access'>): Promise<void> {
    this.#requireSlots('Clusters have no type that could change')
    const cluster = this.#world.cluster(id)
    const block = await this.#world.actors.setAccess(id, access)
    cluster.access = access
    cluster.privateSince = access === 'private' ? block : undefined
    for (const enclave of cluster.enclaves) enclave.notes.push(access)
  }

  async #swapSlots({ cluster: id, slots: [one, other] }: ActionOf<'swap-slots'>): Promise<void> {
    this.#requireSlots('Slots are places in a list, which do not change alone')
    const cluster = this.#world.cluster(id)
    const pair = [one, other].map((slot) =>
      cluster.enclaves.find((enclave) => enclave.slot === slot && enclave.isSeated),
    )
    const [first, second] = pair
    if (first === undefined || second === undefined || first === second) {
      throw refused(`Cluster ${id} has no two enclaves in the slots ${one} and ${other}.`)
    }
    for (const enclave of [first, second]) {
      enclave.isSeated = false
      await this.#world.actors.unseat(enclave)
      enclave.notes.push('moved')
    }
    first.slot = other
    second.slot = one
    await seat(this.#world, [first, second])
  }

  async #unassign(enclave: SimulatedEnclave): Promise<void> {
    if (enclave.slot < 4) this.#requireSlots('Only the last of a cluster can leave it: those behind it would all move')
    if (!enclave.isSeated) throw refused(`${enclave.name} has no seat.`)
    enclave.isSeated = false
    await this.#world.actors.unseat(enclave)
    enclave.notes.push('unassigned')
  }

  #up(enclave: SimulatedEnclave): SimulatedEnclave {
    if (!enclave.isUp) throw refused(`${enclave.name} is down.`)
    return enclave
  }

  #requireSlots(sentence: string): void {
    if (this.#world.chain.generation === 1) throw refused(`${sentence} on a chain of generation 1.`)
  }
}

/** Every refusal that an impostor met. */
export function refusalsOf(impostor: SimulatedEnclave) {
  return impostor.events.filter((event) => event.type === 'refusal-received')
}

function refused(sentence: string): SlotmeshError {
  return new SlotmeshError('simulation/cannot-be-done', sentence)
}

async function each(enclaves: readonly SimulatedEnclave[], work: (enclave: SimulatedEnclave) => Promise<void>) {
  await Promise.all(enclaves.map(work))
}
