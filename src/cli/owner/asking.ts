import { type Chain, connectChain } from '../../chain/index.js'
import {
  CLUSTER_SIZE,
  type Cluster,
  type ClusterId,
  type EnclaveSeat,
  messageOf,
  pause,
  SlotmeshError,
  silentLogger,
} from '../../domain/index.js'

/** An enclave may lag behind, or be busy: how often it is asked, and the pause in between, ms. */
const [TRIES, PAUSE_MS] = [4, 3_000]

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

/**
 * Asks each enclave of a cluster, all at once and each again where it fails: what is signed is signed anew each time, as
 * the blocks go on.
 */
export function askAll<T>(
  { seats }: Cluster,
  ask: (seat: EnclaveSeat) => Promise<T>,
  { signal, isFinal = () => false }: { readonly signal: AbortSignal; readonly isFinal?: (thrown: unknown) => boolean },
): Promise<Outcome<T>[]> {
  return Promise.all(
    seats.map(async (seat): Promise<Outcome<T>> => {
      for (let left = TRIES; ; left -= 1) {
        try {
          return { seat, value: await ask(seat) }
        } catch (thrown) {
          signal.throwIfAborted()
          if (left === 1 || isFinal(thrown)) return { seat, failure: messageOf(thrown) }
          await pause(PAUSE_MS, { signal })
        }
      }
    }),
  )
}

/** One line for each enclave that failed. */
export function failuresOf(outcomes: readonly Outcome<unknown>[]): string {
  return outcomes
    .flatMap((outcome) => ('failure' in outcome ? [`  slot ${outcome.seat.slot}: ${outcome.failure}`] : []))
    .join('\n')
}
