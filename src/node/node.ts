import type { ApiServer, ShareViews } from '../api/index.js'
import { createQuoteVerifier, trustsSimulatedQuotes } from '../attestation/index.js'
import { type Chain, connectChain } from '../chain/index.js'
import { type AccountSigner, type ForgetfulSigner, signaturesAreCompiled, toSs58, utf8, zero } from '../crypto/index.js'
import {
  abortable,
  type BlockNumber,
  bounded,
  type Logger,
  messageOf,
  type NftId,
  type Registry,
  type ShareKey,
  type ShareKind,
  SlotmeshError,
  shareKeyText,
  silentLogger,
  systemClock,
} from '../domain/index.js'
import { createMeshHost, type MeshHost, type MeshTransport } from '../mesh/index.js'
import {
  type IntervalRequest,
  keyNotExist,
  type RemoveRequest,
  type RetrieveRequest,
  type StoreRequest,
  verifyIntervalRequest,
  verifyRemoveRequest,
  verifyRetrieveRequest,
  verifyStoreRequest,
} from '../owner/index.js'
import { ReconcileService } from '../reconcile/index.js'
import { encodeForkEvidence, OLDEST_VIEW_MS, ShareService } from '../share/index.js'
import { openStore, type Store, type View } from '../store/index.js'
import { heldSourceOf, Ingest, IngestError, Serving, SyncEngine, syncedBlock } from '../sync/index.js'
import { type Collateral, configuredCollateral } from './collateral.js'
import { hangUp } from './hang-up.js'
import { problemsOf, watchProblems } from './health.js'
import { Lists } from './lists.js'
import { Offenders } from './offenders.js'
import { proofOf } from './proof.js'
import { OwnQuotes } from './quotes.js'
import { engineReconciliation } from './reconciliation.js'
import { type Secrets, takeSecrets } from './secrets.js'
import { Standings } from './standings.js'
import { Telemetry } from './telemetry.js'
import type {
  EnclaveNode,
  EnclaveNodeConfig,
  NodeEvent,
  NodeEventOf,
  NodeProblem,
  NodeState,
  NodeStatus,
  PeerProof,
  ReconciliationReport,
  SlotPeer,
} from './types.js'
import { byAge } from './want-ages.js'

/** After the engine fails it is begun anew from its durable state, this long after; ms. */
const RESTART_AFTER_MS = 2_000

/** Parts that a simulation or a test puts in the place of a node's own. */
export interface NodeParts {
  /** What the host listens and dials by; plain TCP when absent. */
  readonly transport?: MeshTransport
}

/**
 * Opens the node's folder, and makes its account and PeerId when it has none yet. Nothing is on the network before
 * `start`.
 *
 * @param parts for simulations: a node of a mesh in earnest is given none.
 * @throws SlotmeshError `store/locked`, `store/wrong-key`, `store/unreadable`.
 */
export async function createEnclaveNode(config: EnclaveNodeConfig, parts: NodeParts = {}): Promise<EnclaveNode> {
  // For as long as it runs the node needs neither: the one is with the store, the other made the signer.
  const { sealingKey, accountSeed, ...rest } = config
  const { folder, logger = silentLogger } = rest
  if (!signaturesAreCompiled)
    logger.warn('there is no room for WebAssembly: to check a signature takes eight times as long')
  if (rest.api !== undefined) {
    const { checkApi } = await import('../api/index.js')
    checkApi(rest.api)
  }
  const store = await openStore({ location: folder, sealingKey, logger })
  try {
    return new Node(rest, parts, logger, store, await takeSecrets(store, accountSeed))
  } catch (thrown) {
    await store.close()
    throw thrown
  }
}

/** What a node is made of while it runs. */
interface Parts {
  readonly chain: Chain
  readonly collateral: Collateral
  readonly mesh: MeshHost
  readonly share: ShareService
  readonly reconcile: ReconcileService
  readonly serving: Serving
  readonly engine: SyncEngine
  readonly ingest: Ingest
  readonly api: ApiServer | undefined
}

class Node implements EnclaveNode {
  readonly account: AccountSigner['account']
  readonly peerId: string
  readonly failed: AbortSignal
  readonly #config: Omit<EnclaveNodeConfig, 'sealingKey' | 'accountSeed'>
  readonly #replaced: NodeParts
  readonly #logger: Logger
  readonly #store: Store
  readonly #signer: ForgetfulSigner
  readonly #peerSeed: Uint8Array
  readonly #telemetry: Telemetry
  readonly #ownQuotes: OwnQuotes
  readonly #offenders: Offenders
  readonly #standings = new Standings()
  readonly #lists = new Lists()
  readonly #stopping = new AbortController()
  #parts: Parts | undefined
  #running: Promise<unknown> = Promise.resolve()
  #lastStatus: NodeStatus | undefined
  /** Whoever asks for it gets the same one, until there is another block. */
  #clientQuote: { readonly block: BlockNumber; readonly quote: Promise<Uint8Array> } | undefined
  #stopped: Promise<void> | undefined

  constructor(
    config: Omit<EnclaveNodeConfig, 'sealingKey' | 'accountSeed'>,
    replaced: NodeParts,
    logger: Logger,
    store: Store,
    { signer, peerSeed, peerId }: Secrets,
  ) {
    this.#config = config
    this.#replaced = replaced
    this.#logger = logger
    this.#telemetry = new Telemetry(Date.now, logger)
    this.#telemetry.subscribe((event) => this.#standings.heard(event))
    this.#ownQuotes = new OwnQuotes(config.attestation.quoteSource, Date.now)
    this.#offenders = new Offenders({
      now: Date.now,
      logger,
      isShutting: config.mesh.shutOutOffenders,
      onShut: (shut) => {
        this.#telemetry.peerShutOut(shut)
        void this.#disconnect(shut.peers)
      },
    })
    this.#store = store
    this.#signer = signer
    this.#peerSeed = peerSeed
    this.account = signer.account
    this.peerId = peerId
    this.failed = store.failed
  }

  async start(): Promise<void> {
    if (this.#parts !== undefined || this.#stopping.signal.aborted) {
      throw new SlotmeshError('node/started', 'A node starts once; create another to start again.')
    }
    const undo: (() => Promise<unknown>)[] = []
    try {
      const chain = await this.#connectChain()
      undo.unshift(() => chain.close())
      await this.#requireGenuineQuotes(chain)
      const mesh = await this.#createMesh(chain)
      undo.unshift(() => mesh.stop())
      await mesh.start()
      const serving = new Serving({ account: this.account, store: this.#store, registry: () => chain.registry() })
      const collateral = this.#createCollateral()
      const share = this.#createShare(chain, mesh, serving, collateral)
      await share.start()
      const reconcile = this.#createReconcile(chain, mesh, serving)
      await reconcile.start()
      const engine = this.#createEngine(chain, mesh, share, reconcile)
      const ingest = new Ingest({
        signer: this.#signer,
        chain,
        store: this.#store,
        caughtUp: (options) => engine.reached(chain.finalised().number, options),
        logger: this.#logger,
        lifetime: this.#stopping.signal,
      })
      const chainName = await this.#chainName(chain)
      const parts = { chain, collateral, mesh, share, reconcile, serving, engine, ingest, api: undefined }
      this.failed.throwIfAborted()
      this.failed.addEventListener('abort', () => void this.#stopFailed(), { once: true })
      this.#parts = { ...parts, api: await this.#startApi(chainName, parts) }
      this.#running = Promise.all([
        this.#keepSynchronising(engine),
        ingest.run(),
        this.#watchSeat(chain),
        this.#watchProblems(this.#parts),
      ])
    } catch (thrown) {
      for (const step of undo) await step()
      await this.stop()
      throw thrown
    }
  }

  stop({ graceMs = 0 }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#stopped ??= this.#stop(graceMs)
    return this.#stopped
  }

  async #stop(graceMs: number): Promise<void> {
    if (graceMs > 0) await this.#drain(graceMs)
    // Before anything that may take its time, or fail.
    this.#stopping.abort(new SlotmeshError('node/stopped', 'The node is stopping.'))
    await this.#keepStatus()
    const { api, share, reconcile, mesh, chain } = this.#parts ?? {}
    this.#running = this.#running.then(async () => {
      try {
        await api?.stop()
        await share?.stop()
        await reconcile?.stop()
        await mesh?.stop()
        await chain?.close()
        await this.#store.close()
      } finally {
        zero(this.#peerSeed)
        this.#signer.forget()
      }
      this.#telemetry.stateChanged('stopped')
    })
    await this.#running
  }

  /** For whoever asks later; it is no reason not to stop. */
  async #keepStatus(): Promise<void> {
    if (this.#parts === undefined) return
    try {
      this.#lastStatus = { ...(await this.status()), state: 'stopped' }
    } catch (thrown) {
      this.#logger.warn('the last status is not known', { reason: messageOf(thrown) })
    }
  }

  /** What is cut short after that has lost nothing: its wants are open still. */
  async #drain(timeoutMs: number): Promise<void> {
    const { share } = this.#parts ?? {}
    if (share === undefined) return
    try {
      await bounded({ signals: [this.failed], timeoutMs }, (signal) => share.drain({ signal }))
    } catch (thrown) {
      this.#logger.info('exchanges under way are cut short', { reason: messageOf(thrown) })
    }
  }

  async #stopFailed(): Promise<void> {
    this.#logger.error('the node stops', { reason: messageOf(this.failed.reason) })
    try {
      await this.stop()
    } catch (thrown) {
      this.#logger.error('the node did not stop as it should', { reason: messageOf(thrown) })
    }
  }

  async status(): Promise<NodeStatus> {
    if (this.#lastStatus !== undefined) return this.#lastStatus
    const parts = this.#parts
    const { shares, wants } = this.#store.counts()
    const seat = parts?.chain.registry().seatOf(this.account)
    const chain = parts?.chain.health()
    const owed = parts?.ingest.owed() ?? { count: 0, oldestSince: undefined, lastOutcome: undefined }
    return {
      account: this.account,
      peerId: this.peerId,
      multiaddrs: parts?.mesh.multiaddrs() ?? [],
      api: parts?.api?.url,
      state: this.#state(),
      seat: seat && { cluster: seat.cluster, slot: seat.slot },
      finalisedBlock: parts?.chain.finalised().number ?? 0,
      chain,
      crawl: parts?.chain.crawl(),
      confirmationsOwed: owed,
      collateral: parts?.collateral.health() ?? [],
      integrity: this.#store.integrity(),
      comparison: parts?.engine.comparison,
      reconciliation: this.#telemetry.reconciliation(),
      problems: parts === undefined ? [] : this.#problems(parts),
      ...(await this.#progress()),
      shares,
      wantsOpen: wants,
      wantsByAge: byAge(this.#store.wantsSince, Date.now()),
      dht: parts?.mesh.dhtTraffic() ?? { lookups: 0, messages: 0 },
      ...this.#telemetry.counts(),
      offences: this.#offenders.status(),
    }
  }

  async #progress(): Promise<Pick<NodeStatus, 'cursor' | 'syncedBlock'>> {
    // The status is also asked for when the node stops since its store has failed.
    if (this.failed.aborted) return { cursor: undefined, syncedBlock: 0 }
    return { cursor: await this.#store.cursor(), syncedBlock: await syncedBlock(this.#store) }
  }

  registry(): Registry | undefined {
    return this.#parts?.chain.registry()
  }

  peers(): readonly SlotPeer[] {
    if (this.#parts === undefined || this.#stopping.signal.aborted) return []
    const { chain, mesh } = this.#parts
    const connected = mesh.connected()
    return chain
      .registry()
      .slotPeersOf(this.account)
      .map((seat) => {
        const peerId = mesh.peerOf(seat.account)
        const isShut = this.#offenders.isShut(seat.account)
        const isConnected = peerId !== undefined && connected.has(peerId)
        return { ...seat, peerId, isConnected, isShut, ...this.#standings.of(seat.account) }
      })
  }

  proofOf(who: string, options: { readonly signal: AbortSignal }): Promise<PeerProof> {
    const { mesh, share } = this.#started()
    const signals = [options.signal, this.#stopping.signal]
    return bounded({ signals }, (signal) => proofOf({ mesh, share, peers: () => this.peers() }, who, { signal }))
  }

  backUp(to: string, options: { readonly signal: AbortSignal }): Promise<void> {
    return this.#store.backUp(to, options)
  }

  forks(): readonly Uint8Array[] {
    return this.#store.forks().map(encodeForkEvidence)
  }

  subscribe(listener: (event: NodeEvent) => void): () => void {
    return this.#telemetry.subscribe(listener)
  }

  on<Type extends NodeEvent['type']>(type: Type, listener: (event: NodeEventOf<Type>) => void): () => void {
    return this.#telemetry.on(type, listener)
  }

  storeShare(kind: ShareKind, request: StoreRequest, options: { signal: AbortSignal }): Promise<ShareKey> {
    const signals = [options.signal, this.#stopping.signal]
    return bounded({ signals }, (signal) => this.#storeShare(kind, request, signal))
  }

  async #storeShare(kind: ShareKind, request: StoreRequest, signal: AbortSignal): Promise<ShareKey> {
    const { chain, engine, ingest } = this.#started()
    const held = (key: ShareKey, share: Uint8Array) => ingest.compare(key, share)
    const verify = async () => {
      await this.#requireCurrent(chain)
      return verifyStoreRequest(kind, request, chain, { signal, held })
    }
    let authorised = await verify()
    // What was kept already when it came is for no round that has begun since.
    const { awaitsConfirmation } = authorised
    try {
      if (engine.state !== 'unregistered') {
        await engine.reached(chain.finalised().number, { signal })
        // While that took its time a round may have ended, and the NFT may have another owner: asked again.
        zero(authorised.share)
        authorised = await verify()
      } else if (awaitsConfirmation) throw new IngestError('not-registered', authorised.key)
      if (awaitsConfirmation && authorised.awaitsConfirmation) {
        const view = viewOf(chain, { account: authorised.owner, role: 'OWNER', event: 'STORE' })
        await ingest.take(authorised.key, authorised.share, { signal, view })
      } else await ingest.settle(authorised.key, authorised.share, { signal })
      return authorised.key
    } finally {
      zero(authorised.share)
    }
  }

  async retrieveShare(
    kind: ShareKind,
    request: RetrieveRequest,
    options: { signal: AbortSignal },
  ): Promise<Uint8Array> {
    const signals = [options.signal, this.#stopping.signal]
    return bounded({ signals }, (signal) => this.#retrieveShare(kind, request, signal))
  }

  async #retrieveShare(kind: ShareKind, request: RetrieveRequest, signal: AbortSignal): Promise<Uint8Array> {
    const { chain, engine, serving } = this.#started()
    let asOf: BlockNumber
    const verify = async () => {
      // The NFT may have another owner by now.
      if (chain.finalisedAgeMs() > OLDEST_VIEW_MS) throw staleView()
      await this.#requireCurrent(chain)
      asOf = chain.finalised().number
      return verifyRetrieveRequest(kind, request, chain, { signal })
    }
    const isVerified = () => chain.finalised().number === asOf && chain.finalisedAgeMs() <= OLDEST_VIEW_MS
    const { key, requester: account } = await verify()
    if (chain.registry().seatOf(this.account) === undefined) throw keyNotExist(key)
    const opened = async () => {
      for (;;) {
        // What the chain says of the NFT now must be what is held, and not the version before.
        await engine.reached(chain.finalised().number, { signal })
        if (isVerified()) break
        // While that took its time the NFT may have been given to somebody else, and another round may have ended.
        await verify()
      }
      const held = await serving.latest(key)
      if (held === undefined) throw keyNotExist(key)
      return held.payload
    }
    const payload = await opened()
    try {
      // What is given out is written down first.
      const view = viewOf(chain, { account, role: request.requester_type, event: 'VIEW' })
      if (!(await this.#store.putView(key, view, { signal }))) throw keyNotExist(key)
      // That has waited for the writers before it, of which one may have copied the whole store.
      if (isVerified()) return payload
    } catch (thrown) {
      zero(payload)
      throw thrown
    }
    zero(payload)
    return opened()
  }

  /**
   * What an endpoint says that is behind what was taken in before, as after a start with another one, was so once.
   * @throws SlotmeshError `node/stale-view`.
   */
  async #requireCurrent(chain: Chain): Promise<void> {
    if (chain.finalised().number < ((await this.#store.cursor()) ?? 0)) throw staleView()
  }

  async reconcile(options: { signal: AbortSignal }): Promise<ReconciliationReport> {
    const { engine } = this.#started()
    if (engine.state !== 'running') throw notSetUp()
    return bounded({ signals: [options.signal, this.#stopping.signal] }, async (signal) => {
      const [chain, peers] = await Promise.all([engine.compare({ signal }), engine.reconcile({ signal })])
      return { chain, peers }
    })
  }

  async removeShare(kind: ShareKind, request: RemoveRequest, options: { signal: AbortSignal }): Promise<ShareKey> {
    const { chain, engine } = this.#started()
    return bounded({ signals: [options.signal, this.#stopping.signal] }, async (signal) => {
      const key = await verifyRemoveRequest(kind, request, chain, { signal })
      // The block that has burned it erases the share.
      await engine.reached(chain.finalised().number, { signal })
      if (await this.holdsShare(key)) throw notErased(key)
      return key
    })
  }

  async holdsShare(key: ShareKey): Promise<boolean> {
    if ((await this.#store.place(key)) !== undefined) return true
    const pending = await this.#store.pending(key)
    if (pending !== undefined) zero(pending.payload)
    return pending !== undefined
  }

  async shareViews(key: ShareKey, options: { signal: AbortSignal }): Promise<ShareViews> {
    const { chain } = this.#started()
    const nft = await chain.nft(key.nftId, options)
    if (nft === undefined) return { nft: 'unknown', views: [] }
    const isOfKind = key.kind === 'secret' ? nft.isSecret : nft.isCapsule
    return isOfKind ? { nft: 'known', views: await this.#store.views(key) } : { nft: 'other-kind', views: [] }
  }

  async syncedBetween(request: IntervalRequest, options: { signal: AbortSignal }): Promise<readonly NftId[]> {
    const { chain } = this.#started()
    return bounded({ signals: [options.signal, this.#stopping.signal] }, async (signal) => {
      const { sender, after, before } = await verifyIntervalRequest(request, chain, { signal })
      return this.#lists.oneOf(sender, async () => {
        const found = new Set<NftId>()
        for await (const { nftId, version } of this.#store.places()) {
          signal.throwIfAborted()
          if (version > after && version < before) found.add(nftId)
        }
        return [...found].sort((one, other) => one - other)
      })
    })
  }

  async clientQuote(options: { signal: AbortSignal }): Promise<{ block: BlockNumber; quote: Uint8Array }> {
    const { chain } = this.#started()
    const { number: block } = chain.finalised()
    if (this.#clientQuote?.block !== block) {
      const text = utf8(`${toSs58(this.account)}_${block}`)
      this.#telemetry.quoteMade()
      const quote = this.#ownQuotes.quote(this.#signer.sign(text), { signal: this.#stopping.signal })
      const made = { block, quote }
      this.#clientQuote = made
      // The next one who asks has it made again.
      quote.catch(() => {
        if (this.#clientQuote === made) this.#clientQuote = undefined
      })
    }
    return { block, quote: await abortable(this.#clientQuote.quote, options.signal) }
  }

  async *heldShares(): ReturnType<EnclaveNode['heldShares']> {
    for await (const { kind, nftId, version, origin } of this.#store.places()) yield { kind, nftId, version, origin }
  }

  async #startApi(chainName: string, parts: Parts): Promise<ApiServer | undefined> {
    if (this.#config.api === undefined) return undefined
    // Who asks at once is answered.
    this.#parts = parts
    // Loaded only where there is one: many enclaves answer no clients.
    const { startApi } = await import('../api/index.js')
    const { account } = this
    return startApi(
      this.#config.api,
      {
        account,
        chainName,
        status: () => this.status(),
        storeShare: (...order) => this.storeShare(...order),
        retrieveShare: (...order) => this.retrieveShare(...order),
        removeShare: (...order) => this.removeShare(...order),
        holdsShare: (key) => this.holdsShare(key),
        shareViews: (...order) => this.shareViews(...order),
        syncedBetween: (...order) => this.syncedBetween(...order),
        clientQuote: (options) => this.clientQuote(options),
      },
      this.#logger,
    )
  }

  /** Not every chain says it. */
  async #chainName(chain: Chain): Promise<string> {
    if (this.#config.api === undefined) return ''
    return chain.name({ signal: this.#stopping.signal }).catch(() => '')
  }

  async #connectChain(): Promise<Chain> {
    const { genesisHash, ...connection } = this.#config.chain
    // What is held belongs to the chain that it was fetched for: on another one it would all be erased.
    const expectedGenesis = genesisHash ?? (await this.#store.identity())?.genesisHash
    return connectChain({ ...connection, ...(expectedGenesis && { expectedGenesis }), logger: this.#logger })
  }

  /** What the config trusts is measured with the enclave; what the chain is for, its host cannot choose for others. */
  async #requireGenuineQuotes(chain: Chain): Promise<void> {
    const { quoteSource, rootCertificate } = this.#config.attestation
    const isSimulated = quoteSource.kind === 'simulated' || trustsSimulatedQuotes(rootCertificate)
    if (isSimulated && !(await chain.isForDevelopment({ signal: this.#stopping.signal }))) {
      throw new SlotmeshError(
        'node/simulated-quotes',
        'Simulated quotes prove nothing, and this chain is not a development one: configure a hardware quote source and Intel’s root, or use a development chain.',
      )
    }
  }

  #createMesh(chain: Chain): Promise<MeshHost> {
    return createMeshHost({
      ...this.#config.mesh,
      ...this.#replaced,
      isShut: (peer) => this.#offenders.isShut(peer),
      privateKey: this.#peerSeed,
      allowPrivateAddresses: this.#config.mesh.allowPrivateAddresses ?? false,
      genesisHash: chain.genesisHash,
      signer: this.#signer,
      registry: () => chain.registry(),
      logger: this.#logger,
    })
  }

  #createCollateral(): Collateral {
    const { collateral, rootCertificate, policy: limits } = this.#config.attestation
    const [store, logger, lifetime] = [this.#store, this.#logger, this.#stopping.signal]
    return configuredCollateral(collateral, { rootCertificate, limits, store, logger, lifetime })
  }

  #createShare(chain: Chain, mesh: MeshHost, shares: Serving, collateral: Collateral): ShareService {
    const { rootCertificate, policy } = this.#config.attestation
    const suites = this.#config.share?.suites
    const verifier = createQuoteVerifier({
      ...(rootCertificate && { rootCertificate }),
      policy,
      collateral,
      finalisedBlock: () => chain.finalised().number,
    })
    return new ShareService({
      host: mesh.libp2p,
      party: {
        signer: this.#signer,
        chain,
        attestation: {
          quote: (reportData, options) => {
            this.#telemetry.quoteMade()
            return this.#ownQuotes.quote(reportData, options)
          },
          verify: (quote) => this.#telemetry.verifying(() => verifier.verify(quote)),
        },
        ...(suites && { suites }),
      },
      shares,
      logger: this.#logger,
      isKnown: (account, peer) => mesh.knows(account, peer),
      onServed: (served) => this.#telemetry.exchangeServed(served),
      onRefusal: (refusal) => this.#telemetry.refusalSent(refusal),
      onCut: (thrown) => this.#telemetry.servingFailed(thrown),
      onProved: (account) => this.#telemetry.peerAttested(account),
      onHandshake: (handshake) => this.#telemetry.handshakeDone(handshake),
      onOffence: (offence) => this.#offenders.offended(offence),
      isShut: (who) => this.#offenders.isShut(who),
    })
  }

  #createReconcile(chain: Chain, mesh: MeshHost, serving: Serving): ReconcileService {
    return new ReconcileService({
      host: mesh.libp2p,
      account: this.account,
      chain,
      source: heldSourceOf(serving, this.#store),
      isKnown: (account, peer) => mesh.knows(account, peer),
      isNamed: (peer) => mesh.names(peer),
      lookUp: (account, options) => mesh.resolve(account, options),
      isShut: (who) => this.#offenders.isShut(who),
      onOffence: (offence) => this.#offenders.offended(offence),
      logger: this.#logger,
      onServed: () => this.#telemetry.reconciliationServed(),
    })
  }

  #createEngine(chain: Chain, mesh: MeshHost, share: ShareService, reconcile: ReconcileService): SyncEngine {
    const [store, telemetry] = [this.#store, this.#telemetry]
    return new SyncEngine({
      signer: this.#signer,
      chain,
      store: this.#store,
      peers: {
        request: async (account, request) => {
          if (this.#offenders.isShut(account)) throw shutOut()
          this.#telemetry.exchangeBegun(account)
          const { peerId: peer } = await mesh.resolve(account, { signal: request.signal })
          const { received, traffic } = await share.request({ account, peer }, request)
          this.#telemetry.exchangeEnded(account, { shares: received, ...traffic })
        },
      },
      listener: {
        stateChanged: (state) => {
          this.#telemetry.stateChanged(state)
          this.#announce(chain, mesh)
        },
        triggersTaken: (block, triggers) => this.#telemetry.triggersTaken(block, triggers),
        shareStored: (stored) => this.#telemetry.shareStored(stored),
        exchangeDone: () => this.#telemetry.exchangeDone(),
        exchangeFailed: (peer, thrown) => this.#telemetry.exchangeFailed(peer, thrown),
      },
      reconciliation: engineReconciliation(
        { chain, mesh, store, reconcile, telemetry, isShut: (account) => this.#offenders.isShut(account) },
        this.#config.reconciliation ?? {},
      ),
      logger: this.#logger,
      clock: systemClock,
    })
  }

  async #disconnect(peers: readonly string[]): Promise<void> {
    if (this.#parts !== undefined) await hangUp(this.#parts.mesh.libp2p, peers, this.#logger)
  }

  /** Lets slot peers find this enclave, as soon as it has a seat. */
  #announce(chain: Chain, mesh: MeshHost): void {
    const seat = chain.registry().seatOf(this.account)
    if (seat === undefined) return
    mesh.publish({ cluster: seat.cluster, slot: seat.slot }).catch((thrown) => {
      if (this.#stopping.signal.aborted) return
      this.#logger.warn('the enclave record could not be published yet', { reason: messageOf(thrown) })
    })
  }

  /** What the engine keeps is durable, so whatever stopped it, it can be begun again from there. */
  async #keepSynchronising(engine: SyncEngine): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await engine.run(signal)
      } catch (thrown) {
        this.#logger.error('synchronisation stopped and is begun again', { reason: messageOf(thrown) })
        await restartPause(signal)
      }
    }
  }

  /** Tells of every change of this enclave's seat, at the block that brought it. */
  async #watchSeat(chain: Chain): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        for await (const change of chain.identity(this.account, { signal })) this.#telemetry.seatChanged(change)
      } catch (thrown) {
        if (!signal.aborted) this.#logger.warn('the own seat cannot be watched', { reason: messageOf(thrown) })
        await restartPause(signal)
      }
    }
  }

  #problems({ chain, collateral, ingest, engine }: Parts): NodeProblem[] {
    return problemsOf({
      chain: chain.health(),
      owed: ingest.owed(),
      now: Date.now(),
      takenIn: engine.takenIn,
      stoppedBy: engine.stoppedBy,
      forks: this.#store.forks(),
      collateral: collateral.health(),
      floorsFailure: collateral.floorsFailure(),
      quoteFailure: this.#ownQuotes.failure,
      offenders: this.#offenders.status(),
      storeFailure: this.failed.aborted ? messageOf(this.failed.reason) : undefined,
      integrity: this.#store.integrity(),
      comparison: engine.comparison,
      reconciled: this.#telemetry.reconciliation().last,
      wants: this.#store.counts().wants,
    })
  }

  async #watchProblems(parts: Parts): Promise<void> {
    const { signal } = this.#stopping
    const problems = () => this.#problems(parts)
    const changed = (now: readonly NodeProblem[]) => {
      for (const { code, sentence } of now) this.#logger.warn(sentence, { code })
      if (now.length === 0) this.#logger.info('all is well again')
      this.#telemetry.problemsChanged(now)
    }
    await watchProblems(problems, changed, { signal }).catch((thrown) => {
      if (!signal.aborted) this.#logger.error('the health is no longer watched', { reason: messageOf(thrown) })
    })
  }

  #state(): NodeState {
    return this.#stopping.signal.aborted ? 'stopped' : (this.#parts?.engine.state ?? 'unregistered')
  }

  #started(): Parts {
    if (this.#parts === undefined || this.#stopping.signal.aborted) {
      throw new SlotmeshError('node/not-running', 'The node is not running; start it first.')
    }
    return this.#parts
  }
}

function viewOf(chain: Chain, view: Omit<View, 'at' | 'block'>): View {
  return { at: Date.now(), block: chain.finalised().number, ...view }
}

function notErased(key: ShareKey): SlotmeshError {
  return new SlotmeshError('node/not-erased', `The share ${shareKeyText(key)} is still to be erased here; ask again.`)
}

function staleView(): SlotmeshError {
  return new SlotmeshError(
    'node/stale-view',
    'This enclave sees too old a state of the chain to know who owns what; try again later.',
  )
}

function shutOut(): SlotmeshError {
  return new SlotmeshError('node/shut-out', 'The enclave has offended too often: nothing is asked of it for a while.')
}

function notSetUp(): SlotmeshError {
  return new SlotmeshError(
    'node/not-set-up',
    'This enclave holds no seat, or its setup goes on: all that it is to hold is wanted already.',
  )
}

async function restartPause(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, RESTART_AFTER_MS)
    signal.addEventListener('abort', done)
  })
}
