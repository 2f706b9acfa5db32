import { CLUSTER_SIZE } from '../../src/domain/index.js'
import {
  createRecorder,
  type EnclaveState,
  type Recorder,
  type RunEvent,
  type RunHeader,
  type RunRecorder,
  type RunResult,
  type Sample,
} from '../../src/simulation/record/index.js'
import { Random } from './random.js'

export interface MadeUpOptions {
  readonly clusters: number
  readonly blocks?: number
  /** Blocks between two NFTs. */
  readonly arrivalEvery?: number
  /** Blocks between two samples. */
  readonly sampleEvery?: number
  /** Kills the last third of the clusters for the third quarter of the run. */
  readonly losesRegion?: boolean
  readonly mode?: RunHeader['mode']
  readonly seed?: number
  /** Makes all of it so much slower. */
  readonly slowness?: number
}

interface MadeUpEnclave {
  readonly name: string
  readonly cluster: number
  readonly slot: number
  state: EnclaveState
  held: number
  lag: number
}

const BLOCK_MS = 6_000

export function madeUpHeader({ clusters, mode = 'discrete', seed = 1 }: MadeUpOptions): RunHeader {
  return {
    format: 'slotmesh-run/1',
    scenario: 'region-lost-for-an-hour',
    title: 'A region is lost for an hour',
    why: 'Whether the others go on without it, and how long it takes to catch up when it comes back.',
    mode,
    seed: `0x${seed.toString(16).padStart(64, '0')}`,
    startedAt: '2026-11-29T12:00:00.000Z',
    clusters,
    blockTimeMs: BLOCK_MS,
    machine: { node: 'v24.0.0', processors: 2, platform: 'linux x64' },
  }
}

/**
 * The events of a run that never was, but that looks like one: NFTs come, replicas fetch them after a while that is
 * long for some, a region dies and comes back. A block at a time, so that tests can have it happen while they look.
 */
export class MadeUpRun {
  readonly #options: Required<MadeUpOptions>
  readonly #random: Random
  readonly #enclaves: MadeUpEnclave[] = []
  #block = 0
  #listed = 0
  #nftId = 0

  constructor(options: MadeUpOptions) {
    this.#options = {
      blocks: 120,
      arrivalEvery: 2,
      sampleEvery: 1,
      losesRegion: true,
      mode: 'discrete',
      seed: 1,
      slowness: 1,
      ...options,
    }
    this.#random = new Random(this.#options.seed)
    for (let cluster = 0; cluster < options.clusters; cluster += 1) {
      for (let slot = 0; slot < CLUSTER_SIZE; slot += 1) {
        this.#enclaves.push({ name: `c${cluster}-s${slot}`, cluster, slot, state: 'down', held: 0, lag: 0 })
      }
    }
  }

  get isOver(): boolean {
    return this.#block >= this.#options.blocks
  }

  get result(): RunResult {
    const { blocks } = this.#options
    return {
      checks: [
        { name: 'Every enclave holds what the chain lists', passed: true, detail: `${this.#enclaves.length} enclaves` },
        {
          name: '99 % of all shares were durable within 30 s',
          passed: this.#options.slowness < 2,
          detail: `99.4 % of ${this.#nftId * this.#enclaves.length}`,
        },
      ],
      durationMs: blocks * BLOCK_MS,
      wallMs: 4_200,
      totals: {
        enclaves: this.#enclaves.length,
        triggers: this.#nftId,
        exchanges: this.#nftId * this.#enclaves.length,
        failedExchanges: 12,
        attestations: this.#nftId * this.#enclaves.length + 12,
        bytes: this.#nftId * this.#enclaves.length * 700,
        messages: this.#nftId * this.#enclaves.length * 6,
        dhtLookups: Math.round(this.#enclaves.length ** 1.2 * 3),
        dhtMessages: Math.round(this.#enclaves.length ** 1.3 * 9),
        busiestServed: this.#nftId * 3,
      },
    }
  }

  /** @param name `c2-s1` */
  inspect(name: string): Readonly<Record<string, unknown>> | undefined {
    const enclave = this.#enclaves.find((each) => each.name === name)
    if (enclave === undefined || enclave.state === 'killed') return undefined
    const { state, held, cluster, slot } = enclave
    return {
      state,
      seat: { cluster, slot },
      shares: { secret: held, capsule: 0 },
      peers: ['12D3KooWone', '12D3KooWtwo'],
    }
  }

  /** What the next block brings. */
  nextBlock(recorder: Recorder): void {
    const { blocks, arrivalEvery, sampleEvery, losesRegion } = this.#options
    const at = this.#block * BLOCK_MS
    if (this.#block === 0) this.#begin(recorder)
    this.#block += 1
    recorder.record({ at, type: 'block', block: this.#block })
    if (losesRegion && this.#block === Math.floor(blocks / 2)) this.#setRegion(recorder, at, 'killed')
    if (losesRegion && this.#block === Math.floor(blocks * 0.75)) this.#setRegion(recorder, at, 'running')
    if (this.#block % arrivalEvery === 0 && this.#block < blocks * 0.9) this.#arrive(recorder, at)
    for (const enclave of this.#enclaves) this.#catchUp(recorder, enclave, at)
    if (this.#block % sampleEvery === 0) this.#sample(recorder, at)
  }

  #begin(recorder: Recorder): void {
    for (const enclave of this.#enclaves) {
      enclave.state = 'running'
      recorder.record({ at: 0, type: 'enclave', enclave: enclave.name, state: 'running' })
    }
  }

  #setRegion(recorder: Recorder, at: number, state: 'killed' | 'running'): void {
    const type = state === 'killed' ? 'kill-region' : 'restart-region'
    recorder.record({
      at,
      type: 'action',
      action: { type, region: 'south' },
      text: `${type.replace('-', ' ')}, region south`,
    })
    for (const enclave of this.#enclaves) {
      if (enclave.cluster < (this.#options.clusters * 2) / 3) continue
      enclave.state = state
      recorder.record({ at, type: 'enclave', enclave: enclave.name, state })
    }
  }

  #arrive(recorder: Recorder, at: number): void {
    const cluster = this.#nftId % this.#options.clusters
    const kind = this.#nftId % 3 === 2 ? 'capsule' : 'secret'
    recorder.record({ at, type: 'trigger', block: this.#block, kind, nftId: this.#nftId, cluster })
    this.#nftId += 1
    this.#listed += 1
    for (const enclave of this.#enclaves)
      if (enclave.cluster === cluster && enclave.state === 'running') enclave.held += 1
  }

  #catchUp(recorder: Recorder, enclave: MadeUpEnclave, at: number): void {
    const random = this.#random
    enclave.lag = enclave.state === 'running' ? Math.max(0, enclave.lag - 20) : enclave.lag + 1
    const missing = this.#listed - enclave.held
    if (enclave.state !== 'running' || missing === 0 || random.chance(0.25)) return
    const origin = random.below(this.#options.clusters)
    const provider = `c${origin === enclave.cluster ? (origin + 1) % this.#options.clusters : origin}-s${enclave.slot}`
    const ms = Math.round(30 * this.#options.slowness * Math.exp(random.fraction() * 3))
    const refused = random.chance(0.02)
    const exchange: RunEvent = {
      at: at + ms,
      type: 'exchange',
      requester: enclave.name,
      provider,
      shares: refused ? 0 : missing,
      bytes: refused ? 120 : 400 + 300 * missing,
      ms,
    }
    recorder.record(refused ? { ...exchange, code: 'BUSY' } : exchange)
    if (refused) return
    const kind = 'secret'
    for (let back = Math.min(missing, 3); back > 0; back -= 1) {
      const nftId = this.#listed - back
      recorder.record({ at: at + ms, type: 'stored', enclave: enclave.name, kind, nftId, from: provider, ms: ms + 40 })
    }
    if (missing > 3)
      recorder.record({ at: at + ms, type: 'caught-up', enclave: enclave.name, ms: ms * 9, shares: missing })
    enclave.held = this.#listed
  }

  #sample(recorder: Recorder, at: number): void {
    const enclaves: Record<string, Sample> = {}
    for (const { name, state, held, lag } of this.#enclaves) {
      if (state === 'running') enclaves[name] = { held, wanted: this.#listed - held, lag }
    }
    recorder.record({ at: at + 1, type: 'sample', listed: this.#listed, enclaves })
  }
}

/** One that has been played to its end. */
export function madeUpRecording(options: MadeUpOptions, { file }: { readonly file?: string } = {}): RunRecorder {
  const recorder = createRecorder(madeUpHeader(options), file === undefined ? {} : { file })
  const run = new MadeUpRun(options)
  while (!run.isOver) run.nextBlock(recorder)
  recorder.finish(run.result)
  return recorder
}
