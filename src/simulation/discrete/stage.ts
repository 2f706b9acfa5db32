import { abortable, type Clock, type ClusterId, type NftId, SlotmeshError } from '../../domain/index.js'
import type { SeededRandom } from '../randomness.js'
import type { Recorder, RunTotals, Sample } from '../record/index.js'
import type { Check, EnclaveRow } from '../report.js'
import { type EnclaveName, nameOf, type Scenario } from '../scenario/index.js'
import type { AuditedExpectation, MintOrder, Stage, StagedAction } from '../stage.js'
import { audited, type Outsider } from './audits.js'
import { DiscreteEnclave } from './enclave.js'
import { Owners, type OwnersCluster } from './owners.js'
import { Stream } from './random.js'
import { askAsStranger, besetByStrangers } from './stranger.js'
import { World } from './world.js'

export interface DiscreteStageOptions {
  readonly scenario: Scenario
  readonly random: SeededRandom
  readonly recorder: Recorder
  /** How many processors all nodes share, as they do on one machine; each has one of its own when undefined. */
  readonly processors?: number | undefined
  /** How many times as long all work takes as the table of costs says; once when undefined. */
  readonly slower?: number | undefined
  /** Ms between samples; by default more with more enclaves. */
  readonly sampleEveryMs?: number
}

/** Played on modelled links, under a computed clock: see docs/decisions/0014-discrete-simulation.md. */
export function createDiscreteStage(options: DiscreteStageOptions): Stage {
  return new DiscreteStage(options)
}

interface StagedCluster {
  readonly id: ClusterId
  readonly enclaves: readonly DiscreteEnclave[]
}

const SLOTS = [0, 1, 2, 3, 4] as const

/** How often is looked whether everybody has settled, and whether something has come about; in ms. */
const LOOK_EVERY_MS = 100

/** How long enclaves may take to see their seats, and an impostor to be refused by everybody; in ms. */
const PATIENCE_MS = 120_000

/** A sample of so many enclaves is made each so many ms; of more, less often. */
const SAMPLES = { enclaves: 50, everyMs: 10_000 } as const

/** Of more enclaves there is no table: what there is to say of each is in the run's file. */
const MOST_ROWS = 100

/** Connections that the network was cut across are noticed to be dead by a ping: in turn within its interval. In ms. */
const PING = { interval: 60_000, timeout: 20_000 } as const

/** Bytes of the shares of a capsule that is made of a secret NFT. */
const HYBRID_BYTES = 128

class DiscreteStage implements Stage {
  readonly clock: Clock
  readonly #world: World
  readonly #owners: Owners
  readonly #random: Stream
  readonly #sampleEveryMs: number | undefined
  readonly #officials: StagedCluster[] = []
  readonly #impostors: DiscreteEnclave[] = []
  readonly #outsiders: Outsider[] = []
  readonly #enclaves = new Map<string, DiscreteEnclave>()
  #triggers = 0
  #nextCluster = 0
  #isPaused = false
  readonly #stackTraceLimit = Error.stackTraceLimit

  constructor({ scenario, random, recorder, processors, slower, sampleEveryMs }: DiscreteStageOptions) {
    this.#world = new World(scenario, random, recorder, { processors, slower })
    this.#owners = new Owners(this.#world)
    this.#random = new Stream(random, 'stage')
    this.#sampleEveryMs = sampleEveryMs
    this.clock = this.#world.loop.outside
    // Streams end with an error each; where it was made is looked up for nobody, and takes longer than all the rest.
    Error.stackTraceLimit = 0
  }

  open(): Promise<void> {
    return this.#during(async () => {
      const { chain, scenario } = this.#world
      chain.onFinal(({ block, triggers }) => {
        this.#world.record({ type: 'block', block: block.number })
        for (const trigger of triggers) {
          if (trigger.type !== 'synced') continue
          this.#triggers += 1
          const { kind, nftId, cluster } = trigger
          this.#world.record({ type: 'trigger', block: block.number, kind, nftId, cluster })
        }
      })
      chain.start()
      this.#sampleInTurn()
      const clusters = Array.from({ length: scenario.clusters }, () => this.#cast())
      await Promise.all(clusters.map((cluster) => this.#seat(cluster, 'public')))
    })
  }

  clusters(): readonly ClusterId[] {
    const registry = this.#registry()
    return this.#officials.map(({ id }) => id).filter((id) => registry.cluster(id)?.type === 'public')
  }

  mint(orders: readonly MintOrder[]): Promise<void> {
    return this.#during(async () => {
      await Promise.all(orders.map((order) => this.#owners.mint(order, this.#ownersCluster(order.cluster))))
    })
  }

  perform(action: StagedAction): Promise<void> {
    return this.#during(() => this.#perform(action))
  }

  untilSettled({ timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<void> {
    const settled = this.#during(async () => {
      const deadline = this.#world.loop.now() + timeoutMs
      for (;;) {
        signal.throwIfAborted()
        const lagging = this.#lagging()
        if (lagging.length === 0) return
        if (this.#world.loop.now() >= deadline) throw unsettled(timeoutMs, lagging)
        await this.#pause(LOOK_EVERY_MS)
      }
    })
    // Also while time is held.
    return abortable(settled, signal)
  }

  async audit(expectation: AuditedExpectation): Promise<readonly Check[]> {
    const { chain, scenario } = this.#world
    const impostors = this.#impostors.map((impostor): Outsider => {
      const attempts = [...impostor.refusedBy].flatMap(([account, codes]) =>
        codes.map((refusedWith) => ({ what: `${impostor.name} at ${this.#world.nameOf(account)}`, refusedWith })),
      )
      const held = [...impostor.store.held()].map(({ key }) => key)
      return { kind: 'impostor', name: impostor.name, held, attempts }
    })
    return audited(expectation, {
      listed: chain.listedAt(chain.finalised),
      handedOver: this.#owners.handedOver,
      officials: this.#settling(),
      everybody: this.#officials.flatMap(({ enclaves }) => enclaves),
      outsiders: [...impostors, ...this.#outsiders],
      threshold: scenario.threshold,
      byName: (name) => this.#enclaves.get(name),
    })
  }

  async rows(): Promise<readonly EnclaveRow[]> {
    if (this.#enclaves.size > MOST_ROWS) return []
    return Promise.all([...this.#enclaves.values()].map((enclave) => enclave.row(this.#slotOf(enclave))))
  }

  async totals(): Promise<RunTotals> {
    const all = [...this.#enclaves.values()].map(({ counters }) => counters)
    const sum = (of: (counters: (typeof all)[number]) => number) => all.reduce((total, each) => total + of(each), 0)
    return {
      enclaves: this.#enclaves.size,
      triggers: this.#triggers,
      exchanges: sum(({ exchanges }) => exchanges),
      failedExchanges: sum(({ failedExchanges }) => failedExchanges),
      // Each side makes one.
      attestations: Math.ceil(sum(({ quotes }) => quotes) / 2),
      bytes: sum(({ shareBytes }) => shareBytes),
      messages: sum(({ shareMessages, dhtMessages }) => shareMessages + dhtMessages),
      dhtLookups: sum(({ dhtLookups }) => dhtLookups),
      dhtMessages: sum(({ dhtMessages }) => dhtMessages),
      busiestServed: all.reduce((most, { served }) => Math.max(most, served), 0),
    }
  }

  async sample(): Promise<void> {
    this.#sample()
  }

  pause(): void {
    this.#isPaused = true
    this.#world.loop.hold()
  }

  resume(): void {
    this.#isPaused = false
    this.#world.loop.release()
  }

  async step(): Promise<void> {
    if (!this.#isPaused) return
    const { chain, loop } = this.#world
    const block = chain.finalised
    loop.release()
    await this.#during(async () => {
      while (chain.finalised === block) await this.#pause(1)
    })
    if (this.#isPaused) loop.hold()
  }

  async inspect(enclave: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const found = this.#enclaves.get(enclave)
    return found?.isUp ? found.inspect() : undefined
  }

  async close(): Promise<void> {
    this.#world.loop.end()
    Error.stackTraceLimit = this.#stackTraceLimit
  }

  #during<T>(work: () => Promise<T>): Promise<T> {
    return this.#world.loop.during(work)
  }

  async #perform(action: StagedAction): Promise<void> {
    const { network, chain, loop } = this.#world
    switch (action.type) {
      case 'kill':
        return this.#named(action.enclave).kill()
      case 'stop':
        return this.#named(action.enclave).stop()
      case 'restart':
        return this.#named(action.enclave).start()
      case 'kill-region':
        for (const enclave of this.#in(action.region)) enclave.kill()
        return
      case 'restart-region':
        await Promise.all(this.#in(action.region).map((enclave) => enclave.start()))
        return
      case 'partition':
        network.partition(action.one, action.other)
        this.#loseConnections()
        return
      case 'heal':
        return network.heal()
      case 'slow': {
        const { latency, bandwidth } = action
        const isHeldUp = latency > 0 || bandwidth !== undefined
        this.#named(action.enclave).place.slowness = isHeldUp ? { latency, bandwidth } : undefined
        return
      }
      case 'disconnect':
        return this.#named(action.enclave).disconnect()
      case 'impostor':
        return this.#addImpostor(action.slot)
      case 'stranger':
        return this.#letStrangerAsk()
      case 'hostile':
        return this.#beset(action.lasts)
      case 'chain-outage':
        for (const [region, endpoint] of this.#world.endpoints()) {
          if (action.region === '*' || action.region === region) endpoint.silence(action.lasts)
        }
        return
      case 'runtime-upgrade':
        await chain.upgrade()
        return
      case 'add-cluster':
        return this.#addCluster(action.access)
      case 'set-access':
        await chain.setAccess(action.cluster, action.access)
        for (const enclave of this.#of(action.cluster)) enclave.notes.push(action.access)
        return
      case 'swap-slots': {
        const [one, other] = action.slots
        const moved = this.#of(action.cluster).filter((enclave) =>
          action.slots.some((slot) => slot === this.#slotOf(enclave)),
        )
        await chain.reseat(action.cluster, (seat) => {
          if (seat.slot === one) return { ...seat, slot: other }
          return seat.slot === other ? { ...seat, slot: one } : seat
        })
        for (const { notes } of moved) notes.push('moved')
        return
      }
      case 'unassign': {
        const { account, notes } = this.#named(action.enclave)
        await chain.reseat(action.enclave.cluster, (seat) => (seat.account === account ? undefined : seat))
        notes.push('unassigned')
        return
      }
      case 'convert-to-hybrid':
        return this.#convert()
      case 'burn': {
        const listed = chain.listedAt(chain.finalised).map(({ key }) => key.nftId)
        const burned = [...new Set(listed)].slice(0, action.nfts)
        await chain.burn(burned)
        this.#owners.burned(burned)
        // What it leads to begins when enclaves see the block.
        await new Promise<void>((resolve) => loop.after(0, resolve))
      }
    }
  }

  #cast(): StagedCluster {
    const id = this.#nextCluster
    this.#nextCluster += 1
    const enclaves = SLOTS.map((slot) => new DiscreteEnclave(this.#world, { cluster: id, slot }))
    for (const enclave of enclaves) this.#enclaves.set(enclave.name, enclave)
    const cluster = { id, enclaves }
    this.#officials.push(cluster)
    return cluster
  }

  /** Starts a cluster's enclaves and gives them their seats. */
  async #seat({ id, enclaves }: StagedCluster, access: 'public' | 'private'): Promise<void> {
    for (const enclave of enclaves) await enclave.start()
    await this.#world.chain.addCluster(
      id,
      access,
      enclaves.map(({ seat }) => seat),
    )
    await this.#until(() => enclaves.every(({ isUp, state }) => !isUp || state === 'setup' || state === 'running'))
  }

  async #addCluster(access: 'public' | 'private'): Promise<void> {
    const added = this.#cast()
    for (const { notes } of added.enclaves) notes.push(access === 'private' ? 'late, private' : 'late')
    await this.#seat(added, access)
  }

  #of(cluster: ClusterId): readonly DiscreteEnclave[] {
    return this.#officials.find(({ id }) => id === cluster)?.enclaves ?? []
  }

  async #addImpostor(slot: number): Promise<void> {
    const cluster = this.#nextCluster
    this.#nextCluster += 1
    const impostor = new DiscreteEnclave(this.#world, { cluster, slot }, 'unknown')
    this.#enclaves.set(impostor.name, impostor)
    this.#impostors.push(impostor)
    await impostor.start()
    await this.#world.chain.addCluster(cluster, 'public', [impostor.seat])
    const asked = () => this.#settling().filter((enclave) => this.#slotOf(enclave) === slot)
    await this.#until(() => asked().every(({ account }) => impostor.refusedBy.has(account)))
  }

  async #letStrangerAsk(): Promise<void> {
    const { attempts, received } = await askAsStranger(this.#world, this.#oneOfEachCluster())
    const held = received === 0 ? [] : this.#world.chain.listed.map(({ key }) => key)
    this.#outsiders.push({ kind: 'stranger', name: 'stranger', held, attempts })
  }

  /** Goes on meanwhile. */
  #beset(lasts: number): void {
    besetByStrangers(this.#world, this.#oneOfEachCluster(), lasts).then((streams) =>
      this.#world.record({
        type: 'note',
        text: `strangers were given ${streams} streams for what no honest peer does`,
      }),
    )
  }

  #oneOfEachCluster(): DiscreteEnclave[] {
    return this.#officials.flatMap(({ enclaves }) => enclaves.find(({ isUp }) => isUp) ?? [])
  }

  async #convert(): Promise<void> {
    const { chain } = this.#world
    const listed = chain.listedAt(chain.finalised)
    const capsules = new Set(listed.filter(({ key }) => key.kind === 'capsule').map(({ key }) => key.nftId))
    const secret = listed.find(({ key }) => key.kind === 'secret' && !capsules.has(key.nftId))
    if (secret === undefined)
      throw new SlotmeshError('simulation/no-secret', 'There is no secret NFT to make a capsule of.')
    const nftId: NftId = secret.key.nftId
    const cluster = this.clusters().find((id) => id !== secret.cluster) ?? secret.cluster
    await this.#owners.convert(nftId, HYBRID_BYTES, this.#ownersCluster(cluster))
  }

  /** Owners go to another cluster when one has not all its enclaves. */
  #ownersCluster(id: ClusterId): OwnersCluster {
    const seated = (cluster: ClusterId) => {
      const seats = this.#registry().cluster(cluster)?.seats ?? []
      return SLOTS.flatMap((slot) => {
        const account = seats.find((seat) => seat.slot === slot)?.account
        return account === undefined ? [] : (this.#enclaves.get(this.#world.nameOf(account)) ?? [])
      })
    }
    const chosen = seated(id).length === SLOTS.length ? id : this.clusters().find((each) => seated(each).length === 5)
    if (chosen === undefined) throw new SlotmeshError('simulation/no-cluster', 'There is no public cluster for owners.')
    return { id: chosen, seated: () => seated(chosen) }
  }

  /** The official enclaves that are up and can have what others have. */
  #settling(): DiscreteEnclave[] {
    const registry = this.#registry()
    return this.#officials.flatMap(({ enclaves }) =>
      enclaves.filter(({ isUp, account }) => {
        const seat = registry.seatOf(account)
        return isUp && seat !== undefined && registry.cluster(seat.cluster)?.type === 'public'
      }),
    )
  }

  #lagging(): { readonly name: string; readonly held: number; readonly listed: number }[] {
    const { chain } = this.#world
    const listed = chain.listedAt(chain.finalised)
    const newest = listed.at(-1)?.version ?? 0
    const removals = chain.listed.reduce(
      (last, { removedAt }) => (Number.isFinite(removedAt) ? Math.max(last, removedAt) : last),
      0,
    )
    const at = Math.min(chain.finalised, Math.max(newest, removals))
    return this.#settling()
      .filter(({ store, state }) => {
        const { held, wants, cursor } = store.current
        return state !== 'running' || cursor < at || wants > 0 || held !== listed.length
      })
      .map(({ name, store }) => ({ name, held: store.current.held, listed: listed.length }))
  }

  /** Those whose connections lead across a cut find out by and by, each side for itself. */
  #loseConnections(): void {
    const { network, loop } = this.#world
    for (const { host } of this.#enclaves.values()) {
      for (const connection of host?.connections ?? []) {
        const cutSince = () => network.cutSince(connection.host.place, connection.remote.place)
        const since = cutSince()
        if (since === undefined) continue
        const noticed = this.#random.fraction() * PING.interval + PING.timeout
        loop.after(noticed, () => {
          if (cutSince() === since) connection.drop(new Error('The peer does not answer pings.'))
        })
      }
    }
  }

  #sampleInTurn(): void {
    const enclaves = Math.max(this.#enclaves.size, 5 * this.#world.scenario.clusters)
    const every = this.#sampleEveryMs ?? SAMPLES.everyMs * Math.max(1, Math.ceil(enclaves / SAMPLES.enclaves))
    const { loop } = this.#world
    const sample = () => {
      this.#sample()
      loop.after(every, sample)
    }
    loop.after(every, sample)
  }

  #sample(): void {
    const { chain } = this.#world
    const registry = this.#registry()
    const listed = chain.listedAt(chain.finalised).length
    const samples: Record<string, Sample> = {}
    for (const { name, store, isUp, build, account } of this.#enclaves.values()) {
      if (!isUp || build !== 'official' || registry.seatOf(account) === undefined) continue
      const { held, wants, cursor } = store.current
      samples[name] = { held, wanted: wants, lag: Math.max(0, chain.finalised - cursor) }
    }
    this.#world.record({ type: 'sample', listed, enclaves: samples })
  }

  #slotOf({ account }: DiscreteEnclave): number | undefined {
    return this.#registry().seatOf(account)?.slot
  }

  #registry() {
    const { chain } = this.#world
    return chain.block(chain.finalised).registry
  }

  #named(name: EnclaveName): DiscreteEnclave {
    const enclave = this.#enclaves.get(nameOf(name))
    if (enclave !== undefined) return enclave
    throw new SlotmeshError('simulation/no-enclave', `There is no enclave ${nameOf(name)}.`)
  }

  #in(region: string): DiscreteEnclave[] {
    const all = this.#officials.flatMap(({ enclaves }) => enclaves)
    return region === '*' ? all : all.filter(({ place }) => place.region === region)
  }

  /** Waits until it holds, for a while. */
  async #until(holds: () => boolean): Promise<void> {
    const deadline = this.#world.loop.now() + PATIENCE_MS
    while (!holds() && this.#world.loop.now() < deadline) await this.#pause(LOOK_EVERY_MS)
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.loop.after(ms, resolve))
  }
}

function unsettled(
  timeoutMs: number,
  lagging: readonly { readonly name: string; readonly held: number; readonly listed: number }[],
): SlotmeshError {
  const some = lagging.slice(0, 5).map(({ name, held, listed }) => `${name} holds ${held} of ${listed}`)
  const more = lagging.length > some.length ? `, and ${lagging.length - some.length} others` : ''
  return new SlotmeshError(
    'simulation/timeout',
    `Not everybody had what the chain lists within ${timeoutMs} ms: ${some.join(', ')}${more}.`,
  )
}
