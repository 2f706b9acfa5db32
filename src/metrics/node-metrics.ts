import { Counter, Gauge, Histogram, type Metric, Registry } from 'prom-client'
import type { MeshMetrics } from '../mesh/index.js'
import type { EnclaveNode, NodeEvent, NodeStatus } from '../node/index.js'
import { BoundedLabel, MOST_CLUSTERS } from './labels.js'
import { Libp2pMetrics } from './libp2p-metrics.js'

/** What one node does, as Prometheus reads it. */
export interface NodeMetrics {
  /** For the node's configuration, `mesh.metrics`: what libp2p counts. */
  readonly mesh: MeshMetrics
  /** Of {@link NodeMetrics.text}, as HTTP has it. */
  readonly contentType: string
  /** Counts from now on what the node does. @returns a function that ends it. */
  watch(node: WatchedNode): () => void
  /** How it all stands now, in Prometheus' text format; asked for twice at once it is computed once. */
  text(): Promise<string>
  /** The names of all metrics, those of histograms without their endings. */
  names(): string[]
}

/** What {@link NodeMetrics.watch} needs of a node. */
export type WatchedNode = Pick<EnclaveNode, 'account' | 'peerId' | 'status' | 'peers' | 'forks' | 'subscribe'>

/** Seconds. */
const BUCKETS = {
  quote: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 10],
  handshake: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  exchange: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  delay: [0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 86_400],
}

/** Metrics of one node, in a registry of its own: several nodes of a process have one each. */
export function createMetrics(): NodeMetrics {
  return new Metrics()
}

class Metrics implements NodeMetrics {
  readonly #registry = new Registry()
  readonly mesh: MeshMetrics = new Libp2pMetrics(this.#registry)
  readonly contentType = this.#registry.contentType
  readonly #codes = new BoundedLabel()
  readonly #platforms = new BoundedLabel()
  #node: WatchedNode | undefined
  #looking: Promise<string> | undefined

  // What is counted as it happens.
  readonly #exchanges = this.#counter('exchanges_total', 'Exchanges of shares, by what came of them.', [
    'role',
    'outcome',
    'code',
  ])
  readonly #shares = this.#counter('exchange_shares_total', 'Shares that exchanges have brought or given.', ['role'])
  readonly #bytes = this.#counter('exchange_bytes_total', 'Bytes of exchanges that went well, both ways.', ['role'])
  readonly #durations = this.#histogram('exchange_seconds', 'How long exchanges that went well took.', 'exchange', [
    'role',
  ])
  readonly #handshakes = this.#histogram('handshake_seconds', 'From the Hello to the Grant.', 'handshake', ['role'])
  readonly #quotes = this.#histogram('quote_verification_seconds', 'How long peers’ quotes were looked at.', 'quote', [
    'outcome',
  ])
  readonly #delays = this.#histogram(
    'share_delay_seconds',
    'From the first sight of a want to its share on the disk.',
    'delay',
    [],
  )
  readonly #triggers = this.#counter('triggers_total', 'What final blocks meant for this enclave.', ['type'])
  readonly #shutOut = this.#counter('peers_shut_out_total', 'How often a peer was shut out for its offences.')

  // What is read when it is asked for.
  readonly #info = this.#gauge('info', 'Who the node is; always 1.', ['account', 'peer_id', 'cluster', 'slot'])
  readonly #state = this.#gauge('state', '1 for the state that the node is in, 0 for the others.', ['state'])
  readonly #problems = this.#gauge('problem', '1 for each problem that the node has, by its code.', ['code'])
  readonly #finalised = this.#gauge('finalised_block', 'The latest final block that the node knows.')
  readonly #cursor = this.#gauge('cursor_block', 'The last block that is durably taken in.')
  readonly #synced = this.#gauge('synced_block', 'The highest block below which no share is missing.')
  readonly #lag = this.#gauge('sync_lag_blocks', 'How many final blocks the node is not synced up to.')
  readonly #wants = this.#gauge('wants_open', 'Shares that are to be fetched, by how long they have been.', ['age'])
  readonly #held = this.#gauge('shares_held', 'Shares that are held, by kind.', ['kind'])
  readonly #owed = this.#gauge('confirmations_owed', 'Shares of owners that are not confirmed on chain yet.')
  readonly #connected = this.#gauge('chain_connected', '1 while there is a connection to the chain.')
  readonly #finalisedAge = this.#gauge('chain_finalised_age_seconds', 'Since the latest final block was first seen.')
  readonly #failing = this.#gauge('chain_endpoints_failing', 'Endpoints of the chain that have failed the last time.')
  readonly #issued = this.#gauge(
    'collateral_issued_timestamp_seconds',
    'When the collateral for a kind of platform was issued; Unix time.',
    ['platform'],
  )
  readonly #usable = this.#gauge(
    'collateral_usable_until_timestamp_seconds',
    'Until when it is of use, by Intel’s word and the policy; Unix time.',
    ['platform'],
  )
  readonly #slotPeers = this.#gauge('slot_peers', 'Enclaves with which this one may exchange shares.')
  readonly #peersConnected = this.#gauge('slot_peer_connected', '1 with a connection to the peer of that cluster.', [
    'cluster',
  ])
  readonly #peersAttested = this.#gauge(
    'slot_peer_attested_timestamp_seconds',
    'When the peer of that cluster has proved itself the last time, since the start; Unix time.',
    ['cluster'],
  )
  readonly #shutNow = this.#gauge('offenders_shut', 'Peers that are shut out now.')
  readonly #forks = this.#gauge('forks', 'Enclaves that have been proved to have forked their logs.')
  readonly #offences = this.#counter('offences_total', 'What peers did that no honest one does.', ['kind'])
  readonly #quotesMade = this.#counter('quotes_made_total', 'Quotes that this machine has made.')
  readonly #lookups = this.#counter('dht_lookups_total', 'Look-ups in the mesh’s table.')
  readonly #messages = this.#counter('dht_messages_total', 'Messages that these have cost.')
  readonly #gaps = this.#counter(
    'reconciliation_gaps_total',
    'Shares that comparisons with peers have shown to be missing.',
  )
  readonly #sessions = this.#counter('reconciliation_sessions_total', 'Comparisons with peers, by what came of them.', [
    'outcome',
  ])
  readonly #memory = this.#plain('process_resident_memory_bytes', 'Memory that the process has.')
  readonly #heap = this.#plain('nodejs_heap_size_used_bytes', 'Of it, what JavaScript uses.')
  readonly #processor = this.#plainSum('process_cpu_seconds_total', 'Processor time of the process.')
  readonly #started = this.#plain('process_start_time_seconds', 'When the process was started; Unix time.')

  watch(node: WatchedNode): () => void {
    this.#node = node
    const unsubscribe = node.subscribe((event) => this.#heard(event))
    return () => {
      unsubscribe()
      if (this.#node === node) this.#node = undefined
    }
  }

  text(): Promise<string> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  names(): string[] {
    return this.#registry.getMetricsAsArray().map(({ name }) => name)
  }

  async #look(): Promise<string> {
    const node = this.#node
    if (node !== undefined) {
      const status = await node.status()
      this.#show(status)
      this.#showPeers(node)
      this.#forks.set(node.forks().length)
    }
    this.#showProcess()
    return this.#registry.metrics()
  }

  #heard(event: NodeEvent): void {
    switch (event.type) {
      case 'exchange-done':
      case 'exchange-served': {
        const role = event.type === 'exchange-done' ? 'requester' : 'provider'
        this.#exchanges.inc({ role, outcome: 'done', code: 'none' })
        this.#shares.inc({ role }, event.shares)
        this.#bytes.inc({ role }, event.bytes)
        this.#durations.observe({ role }, seconds(event.ms))
        break
      }
      case 'exchange-failed':
        this.#exchanges.inc({ role: 'requester', outcome: 'failed', code: this.#codes.of(event.code) })
        break
      case 'serving-failed':
        this.#exchanges.inc({ role: 'provider', outcome: 'failed', code: this.#codes.of(event.code) })
        break
      case 'refusal-received':
        this.#exchanges.inc({ role: 'requester', outcome: 'refused', code: this.#codes.of(event.code) })
        break
      case 'refusal-sent':
        this.#exchanges.inc({ role: event.role, outcome: 'refusing', code: this.#codes.of(event.code) })
        break
      case 'handshake':
        this.#handshakes.observe({ role: event.role }, seconds(event.ms))
        break
      case 'quote-verified':
        this.#quotes.observe({ outcome: event.outcome }, seconds(event.ms))
        break
      case 'share-stored':
        this.#delays.observe(seconds(event.at - event.triggeredAt))
        break
      case 'triggers':
        for (const { type } of event.triggers) this.#triggers.inc({ type })
        break
      case 'peer-shut-out':
        this.#shutOut.inc()
    }
  }

  #show(status: NodeStatus): void {
    const { account, peerId, seat, state, finalisedBlock, syncedBlock } = status
    this.#info.reset()
    const place = { cluster: String(seat?.cluster ?? ''), slot: String(seat?.slot ?? '') }
    this.#info.set({ account, peer_id: peerId, ...place }, 1)
    for (const each of ['unregistered', 'setup', 'running', 'stopped']) {
      this.#state.set({ state: each }, Number(each === state))
    }
    this.#problems.reset()
    for (const { code } of status.problems) this.#problems.set({ code: this.#codes.of(code) }, 1)
    this.#finalised.set(finalisedBlock)
    this.#cursor.set(status.cursor ?? 0)
    this.#synced.set(syncedBlock)
    this.#lag.set(Math.max(0, finalisedBlock - syncedBlock))
    for (const [age, wants] of Object.entries(status.wantsByAge)) this.#wants.set({ age }, wants)
    for (const [kind, shares] of Object.entries(status.shares)) this.#held.set({ kind }, shares)
    this.#owed.set(status.confirmationsOwed.count)
    this.#showChain(status.chain)
    this.#showCollateral(status.collateral)
    this.#showCosts(status)
  }

  #showChain(chain: NodeStatus['chain']): void {
    this.#connected.set(Number(chain?.state === 'connected'))
    this.#finalisedAge.set(seconds(chain?.finalised.ageMs ?? 0))
    this.#failing.set(chain?.endpoints.filter(({ lastFailure }) => lastFailure !== undefined).length ?? 0)
  }

  #showCollateral(collateral: NodeStatus['collateral']): void {
    this.#issued.reset()
    this.#usable.reset()
    for (const { request, held } of collateral) {
      const platform = this.#platforms.of(`${request.tee} ${request.fmspc}`)
      // Without any it is of use until never.
      this.#usable.set({ platform }, seconds(held?.usableUntil.getTime() ?? 0))
      if (held !== undefined) this.#issued.set({ platform }, seconds(held.collateralIssuedAt.getTime()))
    }
  }

  #showCosts({ offences, quotes, dht, reconciliation }: NodeStatus): void {
    this.#shutNow.set(offences.shut)
    this.#offences.reset()
    for (const [kind, times] of Object.entries(offences.byKind)) this.#offences.inc({ kind }, times)
    total(this.#quotesMade, quotes)
    total(this.#lookups, dht.lookups)
    total(this.#messages, dht.messages)
    total(this.#gaps, reconciliation.gaps)
    this.#sessions.reset()
    for (const [outcome, times] of Object.entries(reconciliation.sessions)) this.#sessions.inc({ outcome }, times)
  }

  #showPeers(node: WatchedNode): void {
    const peers = node.peers()
    this.#slotPeers.set(peers.length)
    this.#peersConnected.reset()
    this.#peersAttested.reset()
    for (const peer of [...peers].sort((one, other) => one.cluster - other.cluster).slice(0, MOST_CLUSTERS)) {
      const cluster = String(peer.cluster)
      this.#peersConnected.set({ cluster }, Number(peer.isConnected))
      if (peer.attestedAt !== undefined) this.#peersAttested.set({ cluster }, seconds(peer.attestedAt))
    }
  }

  #showProcess(): void {
    this.#memory.set(process.memoryUsage.rss())
    this.#heap.set(process.memoryUsage().heapUsed)
    const { user, system } = process.cpuUsage()
    total(this.#processor, (user + system) / 1e6)
    this.#started.set(Math.round(Date.now() / 1_000 - process.uptime()))
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: Label[] = []): Gauge<Label> {
    return new Gauge({ name: `slotmesh_${name}`, help, labelNames, registers: [this.#registry] })
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[] = []): Counter<Label> {
    return new Counter({ name: `slotmesh_${name}`, help, labelNames, registers: [this.#registry] })
  }

  #histogram<Label extends string>(
    name: string,
    help: string,
    buckets: keyof typeof BUCKETS,
    labelNames: Label[],
  ): Histogram<Label> {
    const registers = [this.#registry]
    return new Histogram({ name: `slotmesh_${name}`, help, labelNames, buckets: BUCKETS[buckets], registers })
  }

  /** Under the names that dashboards for any program know. */
  #plain(name: string, help: string): Gauge {
    return new Gauge({ name, help, registers: [this.#registry] })
  }

  #plainSum(name: string, help: string): Counter {
    return new Counter({ name, help, registers: [this.#registry] })
  }
}

function total(counter: Counter & Metric, value: number): void {
  counter.reset()
  counter.inc(value)
}

function seconds(ms: number): number {
  return Math.max(0, ms) / 1_000
}
