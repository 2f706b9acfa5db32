import { type BlockTriggers, messageOf, pause, SlotmeshError } from '../../domain/index.js'
import type { NodeEvent, NodeStatus } from '../../node/index.js'
import type { EnclaveState, RunEvent, RunTotals, Sample } from '../record/index.js'
import { Listing } from './listing.js'
import type { SimulatedEnclave } from './simulated-enclave.js'
import type { World } from './world.js'

/** Between two looks at every enclave, ms. */
const SAMPLE_INTERVAL_MS = 1_000
/** Between two looks at one that catches up, ms. */
const LOOK_INTERVAL_MS = 200

type Unplaced<Event = RunEvent> = Event extends unknown ? Omit<Event, 'at'> : never

interface CatchUp {
  readonly enclave: SimulatedEnclave
  /** Of the world's clock. */
  readonly since: number
  /** What was final then. */
  readonly block: number
  shares: number
  lastStoredAt: number
}

/** Sees what happens on a live stage, and has it recorded. */
export class Watcher {
  readonly listing = new Listing()
  readonly #world: World
  readonly #startedAt: number
  readonly #catchingUp = new Map<string, CatchUp>()
  readonly #served = new Map<string, number>()
  readonly #ended = new AbortController()
  #totals = { triggers: 0, exchanges: 0, failedExchanges: 0, bytes: 0, shareMessages: 0 }
  #running: Promise<unknown> = Promise.resolve()
  #failure: SlotmeshError | undefined

  constructor(world: World) {
    this.#world = world
    this.#startedAt = world.clock.now()
    world.onEvent = (enclave, event) => this.#heard(enclave, event)
  }

  /** Begins when there is a chain. */
  start(): void {
    this.#running = Promise.all([this.#follow(), this.#repeat(SAMPLE_INTERVAL_MS, () => this.sample()), this.#look()])
  }

  async end(): Promise<void> {
    this.#ended.abort(new SlotmeshError('simulation/ended', 'The run has ended.'))
    await this.#running
  }

  /** @throws SlotmeshError `simulation/chain` when the chain cannot be followed. */
  requireWatching(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  record(event: Unplaced): void {
    this.#world.init.recorder.record({ ...event, at: this.#world.clock.now() - this.#startedAt })
  }

  state(enclave: SimulatedEnclave, state: EnclaveState, note?: string): void {
    this.record({ type: 'enclave', enclave: enclave.name, state, ...(note !== undefined && { note }) })
    if (state === 'down' || state === 'killed') this.#catchingUp.delete(enclave.name)
  }

  /** From now until it holds all that there is now. */
  catchesUp(enclave: SimulatedEnclave): void {
    const { clock, actors } = this.#world
    const since = clock.now()
    this.#catchingUp.set(enclave.name, { enclave, since, block: actors.finalised, shares: 0, lastStoredAt: since })
  }

  totals(): RunTotals {
    const { shareMessages, ...counted } = this.#totals
    const costs = this.#world.everyone.map((enclave) => enclave.costs)
    const sum = (of: (cost: (typeof costs)[number]) => number) => costs.reduce((total, cost) => total + of(cost), 0)
    const dhtMessages = sum(({ dht }) => dht.messages)
    return {
      ...counted,
      enclaves: this.#world.everyone.length,
      // Each side makes one.
      attestations: Math.ceil(sum(({ quotes }) => quotes) / 2),
      messages: shareMessages + dhtMessages,
      dhtLookups: sum(({ dht }) => dht.lookups),
      dhtMessages,
      busiestServed: Math.max(0, ...this.#served.values()),
    }
  }

  async #follow(): Promise<void> {
    try {
      for await (const block of this.#world.actors.follow(0)) {
        this.#takeIn(block)
        if (this.#ended.signal.aborted) return
      }
    } catch (thrown) {
      if (this.#ended.signal.aborted || this.#world.init.signal.aborted) return
      this.#failure = new SlotmeshError('simulation/chain', `The chain cannot be followed: ${messageOf(thrown)}`, {
        cause: thrown,
      })
    }
  }

  #takeIn(block: BlockTriggers): void {
    this.listing.takeIn(block)
    const { number } = block.block
    this.record({ type: 'block', block: number })
    for (const trigger of block.triggers) {
      if (trigger.type !== 'synced') continue
      const { kind, nftId, cluster } = trigger
      this.#totals.triggers += 1
      this.record({ type: 'trigger', block: number, kind, nftId, cluster })
    }
  }

  #heard(enclave: string, event: NodeEvent): void {
    const from = (account: string) => this.#world.nameOf(account as `0x${string}`)
    switch (event.type) {
      case 'state':
        if (event.state !== 'stopped') this.record({ type: 'enclave', enclave, state: event.state })
        if (event.state === 'setup') this.#seated(enclave)
        break
      case 'share-stored': {
        const { key, triggeredAt, at } = event
        this.record({ type: 'stored', enclave, ...key, from: from(event.from), ms: at - triggeredAt })
        const catchUp = this.#catchingUp.get(enclave)
        if (catchUp === undefined) break
        catchUp.shares += 1
        catchUp.lastStoredAt = this.#world.clock.now()
        break
      }
      case 'exchange-done': {
        const { shares, bytes, ms, messages } = event
        const provider = from(event.peer)
        this.#totals.exchanges += 1
        this.#totals.bytes += bytes
        this.#totals.shareMessages += messages
        this.#served.set(provider, (this.#served.get(provider) ?? 0) + 1)
        this.record({ type: 'exchange', requester: enclave, provider, shares, bytes, ms })
        break
      }
      case 'exchange-failed':
      case 'refusal-received': {
        const peer = event.type === 'exchange-failed' ? event.peer : event.from
        const { code, ms } = event
        this.#totals.failedExchanges += 1
        this.record({ type: 'exchange', requester: enclave, provider: from(peer), shares: 0, bytes: 0, ms, code })
        break
      }
    }
  }

  #seated(name: string): void {
    const enclave = this.#world.find(name)
    if (enclave?.isOfficial && !this.#catchingUp.has(name)) this.catchesUp(enclave)
  }

  async sample(): Promise<void> {
    const listed = this.listing.size
    const { block } = this.listing
    const enclaves: Record<string, Sample> = {}
    await Promise.all(
      this.#world.everyone.map(async (enclave) => {
        // Of impostors, too: what they cost is in their status.
        const status = await statusOf(enclave)
        if (status === undefined || !enclave.isOfficial || !enclave.isSeated) return
        const { shares, wantsOpen, cursor = 0 } = status
        const held = shares.secret + shares.capsule
        enclaves[enclave.name] = { held, wanted: wantsOpen, lag: Math.max(0, block - cursor) }
      }),
    )
    this.record({ type: 'sample', listed, enclaves })
  }

  async #look(): Promise<void> {
    await this.#repeat(LOOK_INTERVAL_MS, async () => {
      for (const catchUp of [...this.#catchingUp.values()]) await this.#lookAt(catchUp)
    })
  }

  async #lookAt(catchUp: CatchUp): Promise<void> {
    const { enclave, since, block, shares, lastStoredAt } = catchUp
    const status = await statusOf(enclave)
    const isCaughtUp =
      status?.state === 'running' && status.wantsOpen === 0 && status.cursor !== undefined && status.cursor >= block
    if (!isCaughtUp || this.#catchingUp.get(enclave.name) !== catchUp) return
    this.#catchingUp.delete(enclave.name)
    const until = shares > 0 ? lastStoredAt : this.#world.clock.now()
    this.record({ type: 'caught-up', enclave: enclave.name, ms: until - since, shares })
  }

  /** While the clock is held, too: whoever looks at a node that is held still wants to see it. */
  async #repeat(everyMs: number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#ended
    while (!signal.aborted) {
      await work()
      await pause(everyMs, { signal }).catch((thrown: unknown) => {
        if (!signal.aborted) throw thrown
      })
    }
  }
}

/** Undefined for one that is down, or falls meanwhile. */
export async function statusOf(enclave: SimulatedEnclave): Promise<NodeStatus | undefined> {
  if (!enclave.isUp) return undefined
  const { handle } = enclave
  try {
    return await enclave.status()
  } catch (thrown) {
    if (enclave.isUp && enclave.handle === handle) throw thrown
    return undefined
  }
}
