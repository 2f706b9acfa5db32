import {
  type AccountId,
  type BlockNumber,
  type ClusterId,
  type ClusterType,
  type EnclaveSeat,
  Registry,
  shareKeyText,
} from '../../../src/domain/index.js'
import type { Want } from '../../../src/store/index.js'
import { Fetcher } from '../../../src/sync/fetcher.js'
import type { SharePeers } from '../../../src/sync/index.js'
import { logger, SLOT } from '../store/fixture.js'
import { ComputedClock } from './mesh.js'

/** What one is asked. */
export type Asked = Parameters<SharePeers['request']>[1]

/** The fetcher of cluster 0 alone, on a computed clock; a test says what the others answer, and what the chain does. */
export class LoneFetcher {
  readonly clock = new ComputedClock()
  readonly wants = new Map<string, Want>()
  /** How many wants were opened. */
  read = 0
  readonly requests: { readonly cluster: ClusterId; readonly keys: string[]; readonly at: number }[] = []
  /** What was taken for the newest although nobody was sure of it. */
  readonly settled: string[] = []
  readonly fetcher: Fetcher
  /** The newest final block, and the one up to which this enclave has taken in the chain. */
  final: BlockNumber = 1
  takenIn: BlockNumber = 1
  /** Before wants are read from the store. */
  onRead: () => void = () => undefined
  #registry: Registry
  readonly #stopping = new AbortController()
  readonly #run: Promise<void>

  constructor(
    peers: number,
    answer: (cluster: ClusterId, asked: Asked) => Promise<void>,
    options: { readonly lacksRemembered?: number } = {},
  ) {
    this.#registry = registryOf(peers)
    const { wants, clock } = this
    const open = (want: Want) => {
      this.read += 1
      return want
    }
    const silent = () => undefined
    this.fetcher = new Fetcher({
      account: accountOf(0),
      chain: { registry: () => this.#registry, finalised: () => ({ number: this.final, hash: '0x' }) },
      takenIn: () => this.takenIn,
      store: {
        wantPages: async function* ({ skips = () => false } = {}) {
          for (const want of wants.values()) if (!skips(want.key)) yield [open(want)]
        },
        wantsOf: async (keys) => {
          this.onRead()
          return keys.flatMap((key) => wants.get(shareKeyText(key)) ?? []).map(open)
        },
        putRun: async ({ shares }) => {
          const closed = shares
            .flatMap(({ leaf }) => wants.get(shareKeyText(leaf)) ?? [])
            .filter(({ asOf }) => asOf === 0)
          for (const { key } of closed) wants.delete(shareKeyText(key))
          return { stored: closed.map(({ key }) => key), closed, contradicted: [], wasSetBack: false }
        },
        settleUnsure: async (unsure) => {
          for (const { key } of unsure) {
            wants.delete(shareKeyText(key))
            this.settled.push(shareKeyText(key))
          }
          return [...unsure]
        },
      },
      peers: {
        request: async (provider, asked) => {
          const cluster = CLUSTERS.findIndex((each) => accountOf(each) === provider)
          this.requests.push({ cluster, keys: asked.wants.map(({ key }) => shareKeyText(key)), at: clock.now() })
          await answer(cluster, asked)
        },
      },
      listener: { shareStored: silent, exchangeDone: silent, exchangeFailed: silent },
      logger,
      clock,
      onSettled: async () => undefined,
      ...options,
    })
    this.#run = this.fetcher.run(this.#stopping.signal)
  }

  want(...wants: Want[]): void {
    for (const want of wants) this.wants.set(shareKeyText(want.key), want)
    this.fetcher.wake(wants.map(({ key }) => key))
  }

  /** From the next final block on there are so many slot peers. */
  seat(peers: number, types: { readonly own?: ClusterType; readonly others?: ClusterType } = {}): void {
    this.#registry = registryOf(peers, types)
  }

  /** Lets so much time pass, or less when the condition holds before. */
  pass(ms: number, condition = () => false): Promise<boolean> {
    return this.clock.pass(this.clock.now() + ms, condition)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#run
  }
}

const CLUSTERS = Array.from({ length: 16 }, (_, cluster) => cluster)

const accountOf = (cluster: ClusterId): AccountId => `0x${(cluster + 1).toString(16).padStart(64, '0')}`

function registryOf(
  peers: number,
  { own = 'public', others = 'public' }: { readonly own?: ClusterType; readonly others?: ClusterType } = {},
): Registry {
  const seats = CLUSTERS.slice(0, peers + 1).map((cluster): EnclaveSeat => {
    const account = accountOf(cluster)
    return { account, operator: account, cluster, slot: SLOT, apiUri: '' }
  })
  return new Registry(
    seats.map((seat) => ({ id: seat.cluster, type: seat.cluster === 0 ? own : others, seats: [seat] })),
  )
}
