import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { toHex } from '../../crypto/index.js'
import {
  type AccountId,
  type BlockNumber,
  type EnclaveSeat,
  messageOf,
  pause,
  type ShareKey,
  type SlotId,
  SlotmeshError,
  silentLogger,
} from '../../domain/index.js'
import { createMeshHostOn, type MeshHost } from '../../mesh/index.js'
import { type Attestation, type ExchangeRequest, RefusalError, RefusedError, ShareService } from '../../share/index.js'
import { Serving, type SharePeers, SyncEngine, syncedBlock } from '../../sync/index.js'
import type { EnclaveState } from '../record/index.js'
import type { EnclaveRow } from '../report.js'
import { type EnclaveName, nameOf } from '../scenario/index.js'
import { type Build, modelAttestation } from './attestation.js'
import { NodeChain } from './chain-view.js'
import { COSTS } from './costs.js'
import { Counters } from './counters.js'
import { modelCryptography, modelSigner } from './cryptography.js'
import { ModelTable } from './dht.js'
import { addressOf, ModelHost } from './host.js'
import type { Place } from './network.js'
import type { Processor } from './processor.js'
import { Stream } from './random.js'
import { ModelStore } from './store.js'
import type { World } from './world.js'

/** After what stopped the engine it is begun again, as a node does; in ms. */
const RESTART_AFTER_MS = 1_000

/** A share that came from another enclave. */
export interface Fetched {
  readonly key: ShareKey
  readonly from: AccountId
  /** Unix ms of the run's time. */
  readonly at: number
}

/** What is there while an enclave's process runs. */
interface Life {
  readonly processor: Processor
  readonly chain: NodeChain
  readonly mesh: MeshHost<ModelHost>
  readonly share: ShareService
  readonly engine: SyncEngine
  readonly stopping: AbortController
}

/** An enclave: its folder, and its process while it runs. The wiring is that of a node. */
export class DiscreteEnclave {
  readonly name: string
  readonly cluster: number
  readonly build: Build
  readonly account: AccountId
  readonly seat: EnclaveSeat
  readonly place: Place
  readonly counters = new Counters()
  readonly store: ModelStore
  readonly refusalsSent: Record<string, number> = {}
  /** Refusals that it met, by whom; since its last start. */
  readonly refusedBy = new Map<AccountId, string[]>()
  /** Peers that could not be used; since its last start. */
  readonly failedPeers: AccountId[] = []
  /** What it fetched since its last start. */
  readonly fetched: Fetched[] = []
  /** What was done to it, in words. */
  readonly notes: string[] = []
  /** What it held when its process ended last. */
  heldBefore: readonly ShareKey[] = []
  /** When its process started last; Unix ms of the run's time. */
  startedAt = 0
  readonly #world: World
  readonly #number: number
  readonly #random: Stream
  #life: Life | undefined
  #lives = 0
  /** What it had done before its last start. */
  #before = new Counters()
  #refusalsSentBefore: Readonly<Record<string, number>> = {}
  #state: EnclaveState = 'down'
  /** Since when it catches up, and to which block; undefined when it has. */
  #catchingUp: { readonly since: number; readonly to: BlockNumber; shares: number } | undefined

  constructor(world: World, { cluster, slot }: EnclaveName, build: Build = 'official') {
    this.#world = world
    this.#number = world.nextNode()
    this.cluster = cluster
    this.build = build
    this.name = nameOf({ cluster, slot })
    const { random } = world
    this.account = toHex(random.bytes(`account/${this.name}`, 32))
    const apiUri = String(addressOf(this.#number))
    this.seat = {
      account: this.account,
      operator: toHex(random.bytes(`operator/${this.name}`, 32)),
      cluster,
      slot,
      apiUri,
    }
    this.place = { name: this.name, region: world.regionOf(cluster), slowness: undefined, lineFreeAt: 0 }
    this.#random = new Stream(random, `node/${this.name}`)
    this.store = new ModelStore(world.processor(this.#number), world.logs, () => this.#mayHaveCaughtUp())
    if (build !== 'official') this.notes.push('impostor')
    world.called(this.account, this.name)
  }

  get isUp(): boolean {
    return this.#life !== undefined
  }

  get state(): EnclaveState {
    return this.#state
  }

  get host(): ModelHost | undefined {
    return this.#life?.mesh.libp2p
  }

  get head(): BlockNumber {
    return this.#life?.chain.finalised().number ?? 0
  }

  /** Starts its process, on what its folder holds. */
  async start(): Promise<void> {
    if (this.#life !== undefined) return
    const world = this.#world
    this.#lives += 1
    if (this.#lives > 1) this.notes.push(this.notes.at(-1) === 'killed' ? 'resumed' : 'restarted')
    this.#before = Object.assign(new Counters(), this.counters)
    this.#refusalsSentBefore = { ...this.refusalsSent }
    this.startedAt = world.loop.now()
    this.fetched.length = 0
    this.failedPeers.length = 0
    this.refusedBy.clear()
    const processor = world.processor(this.#number)
    this.store.openedBy(processor)
    const chain = new NodeChain(world.endpoint(this.place.region), processor)
    const signer = modelSigner(this.account, processor)
    const random = () => this.#random.fraction()
    const stopping = new AbortController()
    const mesh = await createMeshHostOn<ModelHost>(
      async (_init, { privateKey, known }) =>
        new ModelHost({
          peerId: peerIdFromPrivateKey(privateKey),
          address: addressOf(this.#number),
          loop: world.loop,
          network: world.network,
          place: this.place,
          processor,
          counters: this.counters,
          directory: world.hosts,
          makeTable: (host) => new ModelTable(host, known, world.membership),
        }),
      {
        privateKey: world.random.bytes(`peer/${this.name}`, 32),
        listen: [],
        bootstrap: [],
        allowPrivateAddresses: true,
        genesisHash: chain.genesisHash,
        signer,
        registry: () => chain.registry(),
        logger: silentLogger,
        clock: processor,
        random,
      },
      world.records.codec(processor),
    )
    await mesh.start()
    const share = new ShareService({
      host: mesh.libp2p,
      party: {
        signer,
        chain,
        attestation: this.#attestation(processor),
        clock: processor,
        cryptography: modelCryptography(processor, this.#random),
      },
      shares: new Serving({ account: this.account, store: this.store, registry: () => chain.registry() }),
      logger: silentLogger,
      isKnown: (account, peer) => mesh.knows(account, peer),
      onServed: () => {
        this.counters.served += 1
      },
      onRefusal: (refusal) => {
        this.refusalsSent[refusal] = (this.refusalsSent[refusal] ?? 0) + 1
      },
    })
    await share.start()
    const engine = new SyncEngine({
      signer,
      chain,
      store: this.store,
      peers: this.#peers(mesh, share),
      listener: {
        stateChanged: (state) => {
          this.#enter(state)
          this.#announce(chain, mesh)
        },
        shareStored: ({ key, from, since }) => this.#stored(key, from, since),
        exchangeDone: () => undefined,
        exchangeFailed: (peer, thrown) => {
          this.failedPeers.push(peer)
          if (!(thrown instanceof RefusedError)) return
          this.refusedBy.set(peer, [...(this.refusedBy.get(peer) ?? []), thrown.refusal])
        },
      },
      logger: silentLogger,
      clock: processor,
      random: (length) => this.#random.bytes(length),
    })
    this.#life = { processor, chain, mesh, share, engine, stopping }
    if (this.#lives > 1) this.#catchingUp = { since: world.loop.now(), to: this.head, shares: 0 }
    void this.#keepSynchronising(this.#life)
  }

  /** Ends its process as its operator would. */
  async stop(): Promise<void> {
    const life = this.#life
    if (life === undefined) return
    this.#end('down')
    life.stopping.abort(new SlotmeshError('node/stopped', 'The node is stopping.'))
    await life.share.stop()
    await life.mesh.stop()
    life.processor.end()
  }

  /** Ends its process as a power cut would; whoever is connected hears of it from the machine. */
  kill(): void {
    const life = this.#life
    if (life === undefined) return
    this.#end('killed')
    life.mesh.libp2p.crash()
  }

  /** Drops all its connections. */
  disconnect(): void {
    for (const connection of [...(this.host?.connections ?? [])]) connection.abort(new Error('It was disconnected.'))
  }

  /**
   * An owner hands a share over; resolves when its confirmation is final, never when the process ends meanwhile.
   * @returns how the chain answered; undefined while the enclave cannot take it.
   */
  async take(key: ShareKey, payload: Uint8Array): Promise<string | undefined> {
    const life = this.#life
    if (life === undefined || life.engine.state === 'unregistered') return undefined
    const { processor, engine, chain, stopping } = life
    const { signal } = stopping
    await processor.work(COSTS.ingest)
    await engine.reached(chain.finalised().number, { signal })
    if (this.store.heldOf(key) === undefined) await this.store.putPending({ key, payload, confirmed: false })
    const { outcome } = await chain.confirm(modelSigner(this.account, processor), key, { signal })
    return outcome
  }

  /** For those who look into it. */
  async inspect(): Promise<Readonly<Record<string, unknown>>> {
    const { shares, wants, pending } = this.store.counts()
    return {
      account: this.account,
      state: this.#state,
      region: this.place.region,
      shares: { ...shares },
      wantsOpen: wants,
      pending,
      cursor: this.store.current.cursor,
      syncedBlock: await syncedBlock(this.store),
      finalisedBlock: this.head,
      connections: this.host?.connections.size ?? 0,
      processorMs: Math.round(this.#life?.processor.spent ?? 0),
      ...this.counters,
    }
  }

  /** For the report's table. @param slot that it has by now, or had first. */
  async row(slot: SlotId = this.seat.slot): Promise<EnclaveRow> {
    const { cluster } = this
    if (!this.isUp) return { cluster, slot, status: undefined, note: 'down' }
    const since = (of: 'exchanges' | 'served' | 'failedExchanges') => this.counters[of] - this.#before[of]
    const sent = Object.entries(this.refusalsSent).map(
      ([code, count]) => [code, count - (this.#refusalsSentBefore[code] ?? 0)] as const,
    )
    const received: Record<string, number> = {}
    for (const code of [...this.refusedBy.values()].flat()) received[code] = (received[code] ?? 0) + 1
    const status = {
      shares: { ...this.store.counts().shares },
      syncedBlock: await syncedBlock(this.store),
      exchanges: { requested: since('exchanges'), served: since('served'), failed: since('failedExchanges') },
      refusals: { sent: Object.fromEntries(sent.filter(([, count]) => count > 0)), received },
    }
    return { cluster, slot, status, note: this.notes.join(', ') }
  }

  #end(state: 'down' | 'killed'): void {
    this.notes.push(state === 'killed' ? 'killed' : 'stopped')
    this.heldBefore = [...this.store.held()].map(({ key }) => key)
    this.#life = undefined
    this.#catchingUp = undefined
    this.#enter(state)
  }

  #enter(state: EnclaveState): void {
    if (this.#state === state) return
    this.#state = state
    this.#world.record({ type: 'enclave', enclave: this.name, state })
    if (state === 'setup') this.#catchingUp = { since: this.#world.loop.now(), to: this.head, shares: 0 }
  }

  #peers(mesh: MeshHost<ModelHost>, share: ShareService): SharePeers {
    return {
      request: async (provider, request) => {
        const world = this.#world
        const since = world.loop.now()
        let shares = 0
        const counted: ExchangeRequest = {
          ...request,
          onRun: async (run, block) => {
            shares += run.shares.length
            await request.onRun(run, block)
          },
        }
        const ended = (bytes: number, code?: string) => {
          const ms = world.loop.now() - since
          const who = { requester: this.name, provider: world.nameOf(provider) }
          world.record({ type: 'exchange', ...who, shares, bytes, ms, ...(code !== undefined && { code }) })
        }
        const { counters } = this
        try {
          const { peerId: peer } = await mesh.resolve(provider, { signal: request.signal })
          const result = await share.request({ account: provider, peer }, counted)
          const { bytes, messages } = result.traffic
          counters.exchanges += 1
          counters.shareBytes += bytes
          counters.shareMessages += messages
          ended(bytes)
          return result
        } catch (thrown) {
          // A node that stops, and one that refuses by itself, reports no failed exchange.
          if (!request.signal.aborted && !(thrown instanceof RefusalError)) {
            counters.failedExchanges += 1
            ended(0, codeOf(thrown))
          }
          throw thrown
        }
      },
    }
  }

  #attestation(processor: Processor): Attestation {
    const { quote, verify } = modelAttestation(processor, this.build, this.#number)
    return {
      quote: (reportData, options) => {
        this.counters.quotes += 1
        return quote(reportData, options)
      },
      verify,
    }
  }

  #stored(key: ShareKey, from: AccountId, since: number): void {
    this.fetched.push({ key, from, at: this.#world.loop.now() })
    if (this.#catchingUp !== undefined) this.#catchingUp.shares += 1
    const { world, name } = { world: this.#world, name: this.name }
    world.record({ type: 'stored', enclave: name, ...key, from: world.nameOf(from), ms: world.loop.now() - since })
  }

  /** All that there was when it came is here as soon as nothing up to that block is missing. */
  #mayHaveCaughtUp(): void {
    const catchingUp = this.#catchingUp
    if (catchingUp === undefined || this.store.current.cursor < catchingUp.to) return
    if ((this.store.lowestWanted() ?? Number.POSITIVE_INFINITY) <= catchingUp.to) return
    const ms = this.#world.loop.now() - catchingUp.since
    // What the last write stored is told when the write is done.
    this.#world.loop.after(0, () => {
      if (this.#catchingUp !== catchingUp) return
      this.#catchingUp = undefined
      this.#world.record({ type: 'caught-up', enclave: this.name, ms, shares: catchingUp.shares })
    })
  }

  #announce(chain: NodeChain, mesh: MeshHost<ModelHost>): void {
    const seat = chain.registry().seatOf(this.account)
    if (seat === undefined) return
    mesh.publish({ cluster: seat.cluster, slot: seat.slot }).catch((thrown: unknown) => {
      this.#world.record({ type: 'note', text: `${this.name} could not publish its record: ${messageOf(thrown)}` })
    })
  }

  async #keepSynchronising({ engine, stopping: { signal }, processor }: Life): Promise<void> {
    while (!signal.aborted) {
      try {
        await engine.run(signal)
      } catch (thrown) {
        this.#world.record({ type: 'note', text: `${this.name} begins again: ${messageOf(thrown)}` })
        await pause(RESTART_AFTER_MS, { clock: processor, signal }).catch(() => undefined)
      }
    }
  }
}

function codeOf(thrown: unknown): string {
  if (thrown instanceof RefusedError) return thrown.refusal
  return thrown instanceof SlotmeshError ? thrown.code : 'unreachable'
}
