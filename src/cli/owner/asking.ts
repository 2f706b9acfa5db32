import { type Chain, connectChain } from '../../chain/index.js'
import {
  bounded,
  CLUSTER_SIZE,
  type Clock,
  type Cluster,
  type ClusterId,
  type EnclaveSeat,
  messageOf,
  pause,
  SlotmeshError,
  silentLogger,
  systemClock,
} from '../../domain/index.js'

/** An enclave may lag behind, or be busy: the first pause before it is asked again, and the longest, ms. */
const [PAUSE_MS, LONGEST_PAUSE_MS] = [3_000, 30_000]

/** Connects to a chain for as long as the work takes. */
export async function withChain<T>(endpoints: readonly string[], work: (chain: Chain) => Promise<T>): Promise<T> {
  const chain = await connectChain({ endpoints, logger: silentLogger })
  try {
    return await work(chain)
  } finally {
    await chain.close()
  }
}

/**
 * The cluster with this id, or every public one; only those that are full.
 * @throws SlotmeshError `cli/no-cluster`
 */
export function fullClusters(chain: Chain, id: ClusterId | undefined): readonly Cluster[] {
  const clusters = chain.registry().clusters()
  const wanted =
    id === undefined ? clusters.filter(({ type }) => type === 'public') : clusters.filter((c) => c.id === id)
  const full = wanted.filter(({ seats }) => seats.length === CLUSTER_SIZE)
  if (full.length > 0) return full
  const which = id === undefined ? 'no public cluster' : `no cluster ${id}`
  throw new SlotmeshError(
    'cli/no-cluster',
    `The chain has ${which} with five enclaves; npx slotmesh registry lists them.`,
  )
}

/** What came of asking one enclave. */
export type Outcome<T> = { readonly seat: EnclaveSeat } & ({ readonly value: T } | { readonly failure: string })

/** How long an enclave that fails is asked again. */
export interface Patience {
  /** Ends all of it. */
  readonly signal: AbortSignal
  /** How often each is asked; until the signal aborts when left out. */
  readonly tries?: number
  /** Whether it will be no other answer in a moment. */
  readonly isFinal?: (thrown: unknown) => boolean
  /** Whether after a failure that is final none of the others is asked again. */
  readonly allOrNone?: boolean
  /** Told of each failure after which an enclave is asked again. */
  readonly onRetry?: (seat: EnclaveSeat, reason: string) => void
  readonly clock?: Clock
}

/**
 * Asks each enclave of a cluster, all at once and each again where it fails: what is signed is signed anew each time, as
 * the blocks go on. Never throws: what has come of it until the signal aborts is what it resolves with.
 */
export async function askAll<T>(
  { seats }: Cluster,
  ask: (seat: EnclaveSeat, signal: AbortSignal) => Promise<T>,
  patience: Patience,
): Promise<Outcome<T>[]> {
  const { signal, tries = Number.POSITIVE_INFINITY, isFinal = () => false, allOrNone = false, onRetry } = patience
  const over = new AbortController()
  const askOne = async (seat: EnclaveSeat): Promise<Outcome<T>> => {
    let pauseMs = PAUSE_MS
    let failure: string | undefined
    for (let left = tries; ; left -= 1) {
      try {
        return { seat, value: await ask(seat, signal) }
      } catch (thrown) {
        // That the time is over says less than what kept it from being done until then.
        failure = signal.aborted ? (failure ?? messageOf(thrown)) : messageOf(thrown)
        const isLast = isFinal(thrown)
        if (isLast && allOrNone) over.abort()
        if (isLast || left <= 1 || over.signal.aborted || signal.aborted) return { seat, failure }
        onRetry?.(seat, failure)
        if (!(await hasPaused(pauseMs, [signal, over.signal], patience.clock))) return { seat, failure }
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
      }
    }
  }
  return Promise.all(seats.map(askOne))
}

/** @returns false when a signal has ended it. */
async function hasPaused(ms: number, signals: readonly AbortSignal[], clock: Clock = systemClock): Promise<boolean> {
  try {
    await bounded({ signals }, (signal) => pause(ms, { signal, clock }))
    return true
  } catch {
    return false
  }
}

/** One line for each enclave that failed. */
export function failuresOf(outcomes: readonly Outcome<unknown>[]): string {
  return outcomes
    .flatMap((outcome) => ('failure' in outcome ? [`  slot ${outcome.seat.slot}: ${outcome.failure}`] : []))
    .join('\n')
}
