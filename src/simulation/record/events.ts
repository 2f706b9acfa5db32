import type { BlockNumber, NftId, ShareKind } from '../../domain/index.js'
import type { Check } from '../check.js'
import type { Action } from '../scenario/actions.js'

/** How a run was made. */
export type Mode = 'live' | 'processes' | 'discrete'

/** The first line of a run's file. */
export interface RunHeader {
  readonly format: 'slotmesh-run/1'
  readonly scenario: string
  readonly title: string
  readonly why: string
  readonly mode: Mode
  readonly seed: string
  /** ISO 8601. */
  readonly startedAt: string
  readonly clusters: number
  readonly blockTimeMs: number
  /** What machine it was, for comparisons: Node version, number of processors. */
  readonly machine: { readonly node: string; readonly processors: number; readonly platform: string }
}

/** Of an enclave as the page shows it. `down` after a stop, `killed` after a kill. */
export type EnclaveState = 'down' | 'killed' | 'unregistered' | 'setup' | 'running'

/**
 * What happened, in order. `at`: ms since the run began, of the run's own time (virtual in a discrete one). Enclaves go
 * by their names, `c1-s2`; an impostor's cluster is one like any other.
 */
export type RunEvent = { readonly at: number } & (
  | { readonly type: 'enclave'; readonly enclave: string; readonly state: EnclaveState; readonly note?: string }
  | { readonly type: 'block'; readonly block: BlockNumber }
  /** The chain called a share synced. */
  | {
      readonly type: 'trigger'
      readonly block: BlockNumber
      readonly kind: ShareKind
      readonly nftId: NftId
      readonly cluster: number
    }
  /** An exchange ended; `code` is of the refusal or failure, absent when it went well. */
  | {
      readonly type: 'exchange'
      readonly requester: string
      readonly provider: string
      readonly shares: number
      readonly bytes: number
      readonly ms: number
      readonly code?: string
    }
  /** A share is durable at a replica, `ms` after the replica saw the trigger. */
  | {
      readonly type: 'stored'
      readonly enclave: string
      readonly kind: ShareKind
      readonly nftId: NftId
      readonly from: string
      readonly ms: number
    }
  /**
   * An enclave holds all there was when it took its seat, or came back, `ms` after that: until the last share that it
   * fetched. `shares` is 0 when it had nothing to fetch, as at the beginning; that one counts in no distribution.
   */
  | { readonly type: 'caught-up'; readonly enclave: string; readonly ms: number; readonly shares: number }
  | { readonly type: 'action'; readonly action: Action; readonly text: string }
  /**
   * All at once, at intervals and at the end: shares held of those listed, open wants, blocks behind the chain; by enclave,
   * of those that are official, up and seated. `complete` is for files: by slot, the clusters (`0-6,8`) whose enclaves hold all, want nothing and are not behind; they are left
   * out of `enclaves` then, which makes one line of a thousand clusters short. See `samplesOf`.
   */
  | {
      readonly type: 'sample'
      readonly listed: number
      readonly enclaves: Readonly<Record<string, Sample>>
      readonly complete?: readonly string[]
    }
  /** Everybody held what the chain listed, where the timeline waits for it and at the end; `totals` are those so far. */
  | { readonly type: 'settled'; readonly totals: RunTotals }
  | { readonly type: 'note'; readonly text: string }
)

/** How far an enclave is: shares held, wants open, blocks behind the chain. */
export interface Sample {
  readonly held: number
  readonly wanted: number
  readonly lag: number
}

/**
 * Totals of a run, over all enclaves and all their lives; what comparisons and scale plots are made of. Every mode counts
 * the same, so it is what a real node can tell of itself. Strangers, who have no seat, count where they are served only.
 */
export interface RunTotals {
  /** All that there were, impostors among them. */
  readonly enclaves: number
  /** Shares that the chain called synced. */
  readonly triggers: number
  /** Exchanges that went well. */
  readonly exchanges: number
  /** Those that a provider refused or that came to nothing; not those that the requester refused, or ended by stopping. */
  readonly failedExchanges: number
  /** Handshakes: half of the quotes that enclaves made for one another, as each side makes one. */
  readonly attestations: number
  /** Of the exchanges that went well: all that both sides handed to the stream. What the transport adds is not in it. */
  readonly bytes: number
  /** Messages of the exchanges that went well, both ways, and those of {@link dhtMessages}. */
  readonly messages: number
  /** What was looked for in the DHT, or put there; the upkeep of its tables is not in it. */
  readonly dhtLookups: number
  /** Requests that these look-ups sent; answers are not counted. */
  readonly dhtMessages: number
  /** Exchanges that went well, of the provider that served most. */
  readonly busiestServed: number
}

/** The last line of a run's file. */
export interface RunOutcome {
  readonly type: 'outcome'
  readonly passed: boolean
  readonly checks: readonly Check[]
  /** Of the run's own time. */
  readonly durationMs: number
  /** Of the wall. */
  readonly wallMs: number
  readonly totals: RunTotals
  readonly distributions: {
    /** ms from trigger to durable, by percentile. */
    readonly replication: Distribution
    /** Of those that had something to fetch. */
    readonly catchUp: Distribution
    readonly exchange: Distribution
  }
  /** What part of all (share, replica) pairs that were due was held, at `at`. */
  readonly coverage: readonly CoveragePoint[]
  /** Blocks behind the chain, over the enclaves that were sampled. */
  readonly lag: readonly LagPoint[]
  /** By enclave; one that neither asked nor served is left out. */
  readonly nodes: Readonly<Record<string, NodeTotals>>
  /** Events that are counted here and in the totals, but that were too many to keep, by type. */
  readonly leftOut: Readonly<Record<string, number>>
}

/** How many (share, replica) pairs were due and held, `at` ms after the run began. */
export interface CoveragePoint {
  readonly at: number
  readonly due: number
  readonly held: number
}

/** How many blocks enclaves were behind, `at` ms after the run began. */
export interface LagPoint {
  readonly at: number
  readonly median: number
  readonly worst: number
}

/** What one enclave did in exchanges; bytes of shares and what goes with them, in each direction. */
export interface NodeTotals {
  readonly served: number
  readonly requested: number
  readonly failed: number
  readonly bytesServed: number
  readonly bytesReceived: number
}

/** How long something took, by nearest-rank percentiles; ms. */
export interface Distribution {
  readonly count: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
  /** Bins of equal width on a logarithmic scale, for a histogram: upper edge in ms, and how many. */
  readonly bins: readonly { readonly upTo: number; readonly count: number }[]
}
