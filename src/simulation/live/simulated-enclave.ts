import type { DevelopmentPki } from '../../attestation/development/index.js'
import type { AccountSigner } from '../../crypto/index.js'
import { type AccountId, type ClusterId, type SlotId, SlotmeshError } from '../../domain/index.js'
import type { DhtTraffic } from '../../mesh/index.js'
import type { NodeEvent, NodeStatus } from '../../node/index.js'
import type { HeldShare } from '../audit.js'
import type { EnclaveName } from '../scenario/index.js'
import { createEnclave, type EnclaveHandle, type EnclaveSpec } from './enclave.js'
import { createEnclaveProcess, type EnclaveProcess } from './enclave-child.js'

/** An enclave's place in the run. */
export interface Casting {
  /** The seat that it is meant for, by which it is named for good. */
  readonly home: EnclaveName
  readonly operator: AccountSigner
  readonly spec: EnclaveSpec
  /** Whether it is the build that everyone trusts. */
  readonly isOfficial: boolean
  /** In a process of its own, so that it can be killed. */
  readonly ownProcess: boolean
  readonly onEvent: (event: NodeEvent) => void
}

/** How it went down once, and what it held then. Times are Unix ms. */
export interface Fall {
  readonly held: readonly HeldShare[]
  /** Infinite until it was down. */
  fellAt: number
  /** Infinite until it was started again. */
  returnedAt: number
  /** How many of its events there were when it was started again; infinite until then. */
  eventsBefore: number
}

/** One enclave over all its lives: it keeps its folder, account and name, and gets a new handle at each launch. */
export class SimulatedEnclave {
  readonly cluster: ClusterId
  readonly operator: AccountSigner
  readonly name: string
  readonly home: EnclaveName
  readonly isOfficial: boolean
  /** Everything that it reported, over all lives. */
  readonly events: NodeEvent[] = []
  /** What the report says about it. */
  readonly notes: string[] = []
  /** Where it sits by now. */
  slot: SlotId
  /** Whether the chain has given it a seat, and not taken it away. */
  isSeated = false
  readonly falls: Fall[] = []
  readonly #casting: Casting
  readonly #pki: DevelopmentPki
  #launching: Promise<void> | undefined
  #handle: EnclaveHandle | undefined
  #process: EnclaveProcess | undefined
  #account: AccountId | undefined
  #peerId: string | undefined
  #dhtOfFormerLives: DhtTraffic = { lookups: 0, messages: 0 }
  #quotesOfFormerLives = 0
  #lastStatus: NodeStatus | undefined

  constructor(casting: Casting, pki: DevelopmentPki) {
    this.home = casting.home
    this.cluster = casting.home.cluster
    this.slot = casting.home.slot
    this.operator = casting.operator
    this.name = casting.spec.name
    this.isOfficial = casting.isOfficial
    this.#casting = casting
    this.#pki = pki
  }

  /**
   * Starts it from its folder: a first time, or again after {@link stop} or {@link kill}.
   * @param ready once its PeerId is known, before it is on the network.
   */
  async launch(options: { bootstrap: readonly string[]; ready: (handle: EnclaveHandle) => Promise<void> }) {
    this.#launching = this.#launch(options)
    await this.#launching
  }

  async #launch({ bootstrap, ready }: Parameters<SimulatedEnclave['launch']>[0]): Promise<void> {
    const spec = { ...this.#casting.spec, bootstrap }
    let handle: EnclaveHandle
    if (this.#casting.ownProcess) {
      this.#process = await createEnclaveProcess(spec)
      handle = this.#process
    } else {
      handle = await createEnclave(spec, this.#pki)
    }
    this.#account = handle.account
    this.#peerId = handle.peerId
    const fall = this.falls.at(-1)
    if (fall !== undefined) {
      fall.eventsBefore = this.events.length
      fall.returnedAt = Date.now()
    }
    handle.subscribe((event) => {
      this.events.push(event)
      this.#casting.onEvent(event)
    })
    this.#handle = handle
    try {
      await ready(handle)
      await handle.start()
    } catch (thrown) {
      // What has not started is down, and is asked for nothing.
      if (this.#handle === handle) this.#fall()
      await handle.stop()
      await this.#process?.kill()
      throw thrown
    }
  }

  /** Ends it cleanly if it is up, or as soon as it is. */
  async stop(): Promise<void> {
    // Whoever launched it is told when that fails.
    await Promise.allSettled([this.#launching])
    const handle = this.#fall()
    try {
      await handle?.stop()
    } finally {
      await this.#process?.kill()
      this.#isDown()
    }
  }

  /** Ends its process as a power cut would. @throws SlotmeshError `simulation/cannot-kill` when it has none. */
  async kill(): Promise<void> {
    if (this.#process === undefined) {
      throw new SlotmeshError(
        'simulation/cannot-kill',
        `${this.name} shares its process with others and cannot be killed: stop it, or run each enclave in a process (--mode processes).`,
      )
    }
    this.#fall()
    await this.#process.kill()
    this.#isDown()
  }

  /** What it holds is asked for before it is brought down: afterwards nobody can tell. */
  async remember(): Promise<void> {
    const held = await this.handle.heldShares()
    // And what it has cost so far.
    await this.status()
    const never = Number.POSITIVE_INFINITY
    this.falls.push({ held, fellAt: never, returnedAt: never, eventsBefore: never })
  }

  /** Its operating-system process, if it has one of its own. */
  get processId(): number | undefined {
    return this.#process?.processId
  }

  get isUp(): boolean {
    return this.#handle !== undefined
  }

  /** @throws Error when it was never launched: a defect of the stage. */
  get account(): AccountId {
    if (this.#account === undefined) throw new Error(`${this.name} has not been launched.`)
    return this.#account
  }

  /** Undefined until it was launched. */
  get peerId(): string | undefined {
    return this.#peerId
  }

  /** Where owners would reach it; nothing listens there, the simulation hands requests over itself. */
  get apiUri(): string {
    return `https://${this.name}.invalid`
  }

  /** @throws SlotmeshError `simulation/enclave-down` */
  get handle(): EnclaveHandle {
    if (this.#handle === undefined) throw new SlotmeshError('simulation/enclave-down', `${this.name} is down.`)
    return this.#handle
  }

  async status(): Promise<NodeStatus> {
    const handle = this.handle
    const status = await handle.status()
    if (this.#handle === handle) this.#lastStatus = status
    return status
  }

  /** Over all lives; of the running one as of the last look at its status. */
  get costs(): { readonly dht: DhtTraffic; readonly quotes: number } {
    const { dht, quotes } = this.#lastStatus ?? { dht: { lookups: 0, messages: 0 }, quotes: 0 }
    const former = this.#dhtOfFormerLives
    return {
      dht: { lookups: former.lookups + dht.lookups, messages: former.messages + dht.messages },
      quotes: this.#quotesOfFormerLives + quotes,
    }
  }

  #isDown(): void {
    const fall = this.falls.at(-1)
    if (fall !== undefined) fall.fellAt = Math.min(fall.fellAt, Date.now())
  }

  #fall(): EnclaveHandle | undefined {
    const { dht, quotes } = this.costs
    this.#dhtOfFormerLives = dht
    this.#quotesOfFormerLives = quotes
    this.#lastStatus = undefined
    const handle = this.#handle
    this.#handle = undefined
    return handle
  }
}
