import type { DevelopmentPki } from '../attestation/development/index.js'
import type { AccountSigner } from '../crypto/index.js'
import type { AccountId, ClusterId, SlotId } from '../domain/index.js'
import type { NodeEvent, NodeStatus } from '../node/index.js'
import { createEnclave, type EnclaveHandle, type EnclaveSpec } from './enclave.js'
import { createEnclaveProcess, type EnclaveProcess } from './enclave-child.js'

/** An enclave's place in the story, and what the run learns of it over its lives. */
export interface Casting {
  readonly cluster: ClusterId
  readonly slot: SlotId
  readonly operator: AccountSigner
  readonly spec: EnclaveSpec
  /** In a process of its own, so that it can be killed. */
  readonly ownProcess: boolean
}

/** One enclave over all its lives: it keeps its folder, account and seat, and gets a new handle at each launch. */
export class SimulatedEnclave {
  readonly cluster: ClusterId
  readonly slot: SlotId
  readonly operator: AccountSigner
  readonly name: string
  /** Everything that it reported, over all lives. */
  readonly events: NodeEvent[] = []
  /** What the report says about it. */
  readonly notes: string[] = []
  readonly #casting: Casting
  readonly #pki: DevelopmentPki
  #launching: Promise<void> | undefined
  #handle: EnclaveHandle | undefined
  #process: EnclaveProcess | undefined
  #account: AccountId | undefined

  constructor(casting: Casting, pki: DevelopmentPki) {
    this.cluster = casting.cluster
    this.slot = casting.slot
    this.operator = casting.operator
    this.name = casting.spec.name
    this.#casting = casting
    this.#pki = pki
  }

  /** Starts it from its folder: a first time, or again after {@link stop} or {@link kill}. */
  async launch(bootstrap: readonly string[]): Promise<void> {
    this.#launching = this.#launch({ ...this.#casting.spec, bootstrap })
    await this.#launching
  }

  async #launch(spec: EnclaveSpec): Promise<void> {
    if (this.#casting.ownProcess) {
      this.#process = await createEnclaveProcess(spec)
      this.#handle = this.#process
    } else {
      this.#handle = await createEnclave(spec, this.#pki)
    }
    this.#account = this.#handle.account
    this.#handle.subscribe((event) => this.events.push(event))
    await this.#handle.start()
  }

  /** Ends it cleanly if it is up, or as soon as it is. */
  async stop(): Promise<void> {
    // Whoever launched it is told when that fails.
    await Promise.allSettled([this.#launching])
    const handle = this.#handle
    this.#handle = undefined
    try {
      await handle?.stop()
    } finally {
      await this.#process?.kill()
    }
  }

  /** Ends its process as a power cut would. */
  async kill(): Promise<void> {
    this.#handle = undefined
    await this.#process?.kill()
  }

  /** Its operating-system process, if it has one of its own. */
  get processId(): number | undefined {
    return this.#process?.processId
  }

  get isUp(): boolean {
    return this.#handle !== undefined
  }

  /** @throws Error when it was never launched: a defect of the story. */
  get account(): AccountId {
    if (this.#account === undefined) throw new Error(`${this.name} has not been launched.`)
    return this.#account
  }

  /** Where owners would reach it; nothing listens there, the simulation hands requests over itself. */
  get apiUri(): string {
    return `https://${this.name}.invalid`
  }

  /** @throws Error when it is down: a defect of the story. */
  get handle(): EnclaveHandle {
    if (this.#handle === undefined) throw new Error(`${this.name} is down.`)
    return this.#handle
  }

  status(): Promise<NodeStatus> {
    return this.handle.status()
  }
}
