// As in src/mesh/host.ts.
import 'core-js/actual/promise/with-resolvers.js'
import { cp, rm } from 'node:fs/promises'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2p } from 'libp2p'
import { accountSigner } from '../../../src/crypto/index.js'
import {
  type AccountId,
  type BlockNumber,
  type BlockRef,
  type BlockTriggers,
  type Clock,
  type Registry,
  SlotmeshError,
  systemClock,
  type Trigger,
} from '../../../src/domain/index.js'
import type { Offenders } from '../../../src/node/offenders.js'
import { ReconcileService } from '../../../src/reconcile/index.js'
import { type ChainView, type Knowledge, ShareService } from '../../../src/share/index.js'
import type { Store } from '../../../src/store/index.js'
import { heldSourceOf, type ReconcilePeers, Serving, type SharePeers, SyncEngine } from '../../../src/sync/index.js'
import { FakeAttestation } from '../../unit/share/fixture.js'
import { type Enclave, Folders, logger } from '../store/fixture.js'
import { blockAt, ScriptedChain, Witness } from './fixture.js'

/** So many times as fast as the system's: what is asked for again and again does not take the test's time. */
const FASTER = 40

const fastClock: Clock = {
  now: () => systemClock.now() * FASTER,
  after: (ms, callback) => systemClock.after(ms / FASTER, callback),
}

/** What the host of one enclave lets it see of the chain; all of it at first. */
export class HostedChain extends ScriptedChain implements ChainView {
  /** The newest final block that it is shown. */
  shown = Number.POSITIVE_INFINITY
  /** The last block that it can go through. */
  readable = Number.POSITIVE_INFINITY
  /** Blocks that it goes through without being told what is in them. */
  readonly untold = new Set<BlockNumber>()
  readonly #chain: ScriptedChain
  #registry: { readonly block: BlockNumber; readonly registry: Registry } | undefined

  constructor(chain: ScriptedChain) {
    super()
    this.#chain = chain
  }

  override finalised(): BlockRef {
    const { number } = this.#chain.finalised()
    return blockAt(Math.min(number, this.shown))
  }

  override registry(): Registry {
    const block = this.finalised().number
    if (this.#registry?.block !== block) this.#registry = { block, registry: this.#chain.registryOf(block) }
    return this.#registry.registry
  }

  override async registryAt({ number }: BlockRef): Promise<Registry> {
    return this.#chain.registryOf(number)
  }

  override async *follow(after: number, options: { signal: AbortSignal }): AsyncGenerator<BlockTriggers> {
    for await (const block of this.#chain.follow(after, options)) {
      while (block.block.number > Math.min(this.shown, this.readable)) await this.#chain.next(options)
      yield this.untold.has(block.block.number) ? { ...block, triggers: [] } : block
    }
  }

  override triggersIn(number: BlockNumber): Promise<readonly Trigger[] | undefined> {
    return this.#chain.triggersIn(number)
  }

  override syncedShares(): ReturnType<ScriptedChain['syncedShares']> {
    return this.#chain.syncedShares()
  }

  finalisedAgeMs(): number {
    return 0
  }

  async blockHash(number: BlockNumber): Promise<BlockRef['hash']> {
    return blockAt(number).hash
  }
}

/** An enclave on a machine of its own, whose host can do with its folder and its view of the chain what a host can. */
export class Machine {
  readonly who: Enclave
  readonly chain: HostedChain
  /** What others said of what they gave. */
  readonly told: Knowledge[] = []
  /** How many exchanges it has served. */
  served = 0
  /** Capsules that were taken for the newest although nobody was sure. */
  settled = 0
  /** Whom it shuts out, where it has such a book; before the start. */
  offenders: Offenders | undefined
  /** By which the phases of its exchanges end, if not the system's. */
  phases: Clock | undefined
  #running: Running | undefined
  readonly #seed: number
  readonly #slot: WiredSlot
  readonly #location: string

  constructor(slot: WiredSlot, { seed, who, location }: { seed: number; who: Enclave; location: string }) {
    this.#slot = slot
    this.#seed = seed
    this.#location = location
    this.who = who
    this.chain = new HostedChain(slot.chain)
  }

  get running(): Running {
    if (this.#running === undefined) throw new Error('The enclave is down.')
    return this.#running
  }

  get isUp(): boolean {
    return this.#running !== undefined
  }

  async start(): Promise<Running> {
    const { chain } = this
    const { account } = this.who.identity
    const signer = accountSigner(new Uint8Array(32).fill(this.#seed))
    const [store, host] = [await this.#slot.folders.open(this.#location), await this.#slot.host()]
    const settleUnsure = store.settleUnsure.bind(store)
    store.settleUnsure = async (...wants) => {
      const settled = await settleUnsure(...wants)
      this.settled += settled.length
      return settled
    }
    const { offenders, phases } = this
    const serving = new Serving({ account, store, registry: () => chain.registry() })
    const share = new ShareService({
      host,
      party: { signer, chain, attestation: new FakeAttestation(), ...(phases && { clock: phases }) },
      ...(offenders && {
        onOffence: (offence) => offenders.offended(offence),
        isShut: (who) => offenders.isShut(who),
      }),
      shares: serving,
      logger,
      onServed: () => {
        this.served += 1
        this.#slot.witness.exchangeDone()
      },
    })
    await share.start()
    const [witness, stopping] = [new Witness(), new AbortController()]
    const peers: SharePeers = {
      request: async (provider, request) => {
        if (offenders?.isShut(provider)) throw new SlotmeshError('node/shut-out', 'It is shut out.')
        const peer = this.#slot.at(provider)
        await host.dial(peer.getMultiaddrs())
        return share.request(
          { account: provider, peer: peer.peerId },
          {
            ...request,
            onRun: async (run, known) => {
              this.told.push(known)
              await request.onRun(run, known)
            },
          },
        )
      },
    }
    const reconcile = new ReconcileService({
      host,
      account,
      chain,
      source: heldSourceOf(serving, store),
      isKnown: (who, peer) => this.#slot.isAt(who, peer),
      isNamed: () => true,
      logger,
    })
    await reconcile.start()
    const comparing: ReconcilePeers = {
      compare: async (provider, request) => {
        const peer = this.#slot.at(provider)
        await host.dial(peer.getMultiaddrs())
        return reconcile.compare({ account: provider, peer: peer.peerId }, request)
      },
    }
    const engine = new SyncEngine({
      signer,
      chain,
      store,
      peers,
      listener: witness,
      logger,
      clock: fastClock,
      reconciliation: {
        chain,
        store,
        peers: comparing,
        random: () => 0.5,
        // On demand only.
        everyMs: Number.POSITIVE_INFINITY,
        onReconciled: (reconciled) => witness.reconciled(reconciled),
        onFailed: () => undefined,
        chainComparison: { waitMs: () => Number.POSITIVE_INFINITY, onCompared: () => undefined },
      },
    })
    const run = engine.run(stopping.signal)
    this.#running = { store, host, share, reconcile, serving, engine, witness, stopping, run }
    return this.#running
  }

  async stop(): Promise<void> {
    const { stopping, run, share, reconcile, host, store } = this.running
    this.#running = undefined
    stopping.abort()
    await run
    await share.stop()
    await reconcile.stop()
    await host.stop()
    await store.close()
  }

  /** A copy of the whole folder, while the enclave is down. */
  async copy(): Promise<string> {
    const copy = await this.#slot.folders.make()
    await cp(this.#location, copy, { recursive: true })
    return copy
  }

  /** Puts such a copy in the place of the folder. */
  async setTo(copy: string): Promise<void> {
    await rm(this.#location, { recursive: true })
    await cp(copy, this.#location, { recursive: true })
  }
}

interface Running {
  readonly store: Store
  readonly host: Libp2p
  readonly share: ShareService
  readonly reconcile: ReconcileService
  readonly serving: Serving
  readonly engine: SyncEngine
  readonly witness: Witness
  readonly stopping: AbortController
  readonly run: Promise<void>
}

/** The enclaves of a slot, which exchange shares over TCP, Noise and Yamux on loopback. */
export class WiredSlot {
  readonly chain = new ScriptedChain()
  readonly folders = new Folders()
  /** Is told of each exchange that was served. */
  readonly witness = new Witness()
  /** Who speaks the protocol by hand. */
  readonly hosts = new Map<AccountId, Libp2p>()
  readonly #machines: Machine[] = []

  async machine(seed: number, who: Enclave): Promise<Machine> {
    const machine = new Machine(this, { seed, who, location: await this.folders.make() })
    this.#machines.push(machine)
    return machine
  }

  seat(...enclaves: readonly Enclave[]): void {
    this.chain.assign(enclaves.map(({ identity: { account, seat } }) => ({ account, ...seat })))
  }

  host(): Promise<Libp2p> {
    return createLibp2p({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
    })
  }

  /** @throws SlotmeshError when it is down. */
  at(account: AccountId): Libp2p {
    const other = this.hosts.get(account)
    if (other !== undefined) return other
    const machine = this.#machines.find(({ who }) => who.identity.account === account)
    if (!machine?.isUp) throw new SlotmeshError('mesh/enclave-not-found', 'The peer is down.')
    return machine.running.host
  }

  /** Whether the enclave is up, and at this peer. */
  isAt(account: AccountId, peer: string): boolean {
    const machine = this.#machines.find(({ who }) => who.identity.account === account)
    return machine?.isUp === true && machine.running.host.peerId.toString() === peer
  }

  async clear(): Promise<void> {
    for (const host of this.hosts.values()) await host.stop()
    for (const machine of this.#machines) if (machine.isUp) await machine.stop()
    await this.folders.clear()
  }
}
