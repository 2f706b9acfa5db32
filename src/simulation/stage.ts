import type { Clock, ClusterId, ShareKind } from '../domain/index.js'
import type { SimulationProgress } from './progress.js'
import type { SeededRandom } from './randomness.js'
import type { Recorder, RunTotals } from './record/index.js'
import type { Check, EnclaveRow } from './report.js'
import type { Action, Expectation, Scenario } from './scenario/index.js'

/** What a stage is made from, whichever it is. */
export interface StageInit {
  readonly scenario: Scenario
  readonly recorder: Recorder
  readonly random: SeededRandom
  /** Where stores can be kept; there, and empty. */
  readonly folder: string
  /** Of the discrete mode: how many processors all nodes share; each has its own when undefined. */
  readonly processors: number | undefined
  /** Of the discrete mode: how many times as long all work takes as its table of costs says. */
  readonly slower: number | undefined
  readonly signal: AbortSignal
  readonly progress: SimulationProgress
}

/** What owners do: mint one NFT, and hand its five shares to the enclaves of one cluster. */
export interface MintOrder {
  readonly kind: ShareKind
  readonly cluster: ClusterId
  /** Of each share. */
  readonly bytes: number
}

/** Expectations that only a look into the enclaves can answer; the others follow from what was recorded. */
export type AuditedExpectation = Exclude<
  Expectation,
  { readonly type: 'replicated' } | { readonly type: 'caught-up' } | { readonly type: 'fan-out' }
>

/** What is done to a stage; the rest concerns whoever directs. */
export type StagedAction = Exclude<Action, { readonly type: 'mint' } | { readonly type: 'verify' }>

/**
 * Where a scenario is played: real nodes in one process, real nodes in processes of their own, or the same state
 * machines on modelled links under a computed clock. Whoever directs knows no more of it than this.
 */
export interface Stage {
  /** The run's own time. */
  readonly clock: Clock
  /** Starts the chain and the first clusters; resolves when all of them have their seats. */
  open(): Promise<void>
  /** The public clusters that there are, in the order in which they came. */
  clusters(): readonly ClusterId[]
  /** Resolves when all five confirmations of each are final. */
  mint(orders: readonly MintOrder[]): Promise<void>
  /** Resolves when it is done, as far as the one who does it can see: what it leads to comes later. */
  perform(action: StagedAction): Promise<void>
  /**
   * Resolves when every official enclave that is up holds what the chain lists.
   * @throws SlotmeshError `simulation/timeout` that says who lacks what; the signal's reason when it aborts.
   */
  untilSettled(options: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<void>
  /** What an expectation comes to: at least one check. */
  audit(expectation: AuditedExpectation): Promise<readonly Check[]>
  totals(): Promise<RunTotals>
  /** Records a sample now, besides those at intervals. */
  sample(): Promise<void>
  /** Every enclave as it is now, for the report's table; none where there are too many for one. */
  rows(): Promise<readonly EnclaveRow[]>
  /** Holds the run's time still, as far as the mode can: no blocks, no arrivals. */
  pause(): void
  resume(): void
  /** While paused: lets one block pass. */
  step(): Promise<void>
  /** An enclave's status, free of secrets, as plain JSON; undefined when there is none of that name, or it is down. */
  inspect(enclave: string): Promise<Readonly<Record<string, unknown>> | undefined>
  /** Ends everything; safe at any time, also before `open` has resolved. */
  close(): Promise<void>
}
