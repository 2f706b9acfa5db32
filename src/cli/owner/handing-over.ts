import { randomBytes } from 'node:crypto'
import { type AccountSigner, accountSigner, toSs58, zero } from '../../crypto/index.js'
import {
  type AccountId,
  type BlockNumber,
  bounded,
  type Clock,
  type Cluster,
  type EnclaveSeat,
  type NftFacts,
  type ShareKey,
  type SlotId,
  SlotmeshError,
} from '../../domain/index.js'
import { ownerStoreRequest, requireHealthAt, storeAt } from '../../owner/index.js'
import { askAll, failuresOf, type Outcome, type Patience } from './asking.js'

/** What is to be handed over, to whom. */
interface Order {
  readonly cluster: Cluster
  /** Who has a seat of it now, which may be another enclave than in the beginning, or the same elsewhere. */
  readonly seatNow: (slot: SlotId) => EnclaveSeat | undefined
  readonly key: ShareKey
  readonly owner: AccountSigner
  /** By slot. */
  readonly shares: readonly string[]
  /** The latest final block. */
  readonly block: () => BlockNumber
}

interface Limits {
  readonly signal: AbortSignal
  /** For all of it, ms. */
  readonly timeoutMs: number
  /** Is given a line for a person each time that an enclave fails and is asked again. */
  readonly say: (line: string) => void
  readonly clock?: Clock
}

/** @throws SlotmeshError `cli/not-stored` where every enclave would refuse. */
export function requireWaiting({ kind, nftId }: ShareKey, nft: NftFacts | undefined, owner: AccountId): void {
  const refuse = (sentence: string) => new SlotmeshError('cli/not-stored', sentence)
  if (nft === undefined) {
    throw refuse(`The latest final block has no NFT ${nftId}: correct the --nft, or wait until its minting is final.`)
  }
  if (!(kind === 'secret' ? nft.isSecret : nft.isCapsule)) {
    throw refuse(`NFT ${nftId} is to have no ${kind}; correct the --nft, or the --kind.`)
  }
  if (nft.owner !== owner) {
    throw refuse(
      `NFT ${nftId} is owned by ${toSs58(nft.owner)}, and the seed is that of ${toSs58(owner)}; correct one.`,
    )
  }
  if (kind === 'secret' ? nft.isSyncingSecret : nft.isSyncingCapsule) return
  throw refuse(`NFT ${nftId} waits for no shares: five enclaves have confirmed those of its ${kind}.`)
}

/**
 * Hands a share to each enclave of a cluster, and asks each again until it has it: nobody can make another share that
 * fits. None is handed over before all are in step, so that most of what can go wrong does so while nothing is lost.
 *
 * @throws SlotmeshError `cli/not-stored`, which says where shares are; the signal's reason, after that is said.
 */
export async function handOver(order: Order, { signal, timeoutMs, say, clock }: Limits): Promise<void> {
  const { cluster, key } = order
  // Who has not seen it yet may refuse for good what has been right since.
  const block = order.block()
  const onRetry: Patience['onRetry'] = ({ slot }, reason) => say(`slot ${slot} is asked again: ${reason}`)
  const more = clock === undefined ? {} : { clock }
  await bounded({ signals: [signal], timeoutMs, clock }, async (limit) => {
    const patience = { signal: limit, onRetry, ...more }
    const healthy = await askAll(
      cluster,
      ({ apiUri }, ends) => requireHealthAt(apiUri, { signal: ends, block }),
      patience,
    )
    signal.throwIfAborted()
    if (healthy.some(hasFailed)) throw notReady(cluster, healthy)
    const outcomes = await askAll(cluster, storing(order, block), { ...patience, isFinal, allOrNone: true })
    if (!outcomes.some(hasFailed)) return
    const failure = notStored(cluster, key, outcomes)
    if (signal.aborted) say(failure.message)
    signal.throwIfAborted()
    throw failure
  })
}

function storing({ cluster, seatNow, key, owner, shares, block: latest }: Order, block: BlockNumber) {
  const seed = randomBytes(32)
  const temporarySigner = accountSigner(seed)
  zero(seed)
  const inStep = new Map(cluster.seats.map(({ slot, account }) => [slot, account]))
  return async ({ slot }: EnclaveSeat, signal: AbortSignal) => {
    const seat = seatNow(slot)
    if (seat === undefined) throw new SlotmeshError('cli/no-seat', `Nobody has slot ${slot} of the cluster now.`)
    if (inStep.get(slot) !== seat.account) {
      await requireHealthAt(seat.apiUri, { signal, block })
      inStep.set(slot, seat.account)
    }
    const request = ownerStoreRequest({ owner, temporarySigner, key, share: shares[slot] ?? '', block: latest() })
    return storeAt(seat.apiUri, key.kind, request, { signal })
  }
}

/** What will not be another answer in a moment; that there is no such NFT says also one who lags behind. */
function isFinal(thrown: unknown): boolean {
  const final = /NFTIDEXISTS|OWNERSHIPVERIFICATIONFAILED|another cluster has begun/
  const isUnusable = thrown instanceof SlotmeshError && thrown.code === 'owner/bad-api-uri'
  return isUnusable || (thrown instanceof SlotmeshError && final.test(thrown.message))
}

function hasFailed(outcome: Outcome<unknown>): boolean {
  return 'failure' in outcome
}

function notReady({ id }: Cluster, outcomes: readonly Outcome<unknown>[]): SlotmeshError {
  return new SlotmeshError(
    'cli/not-stored',
    `Nothing was handed over, since not all five enclaves of cluster ${id} are in step: tell their operators, or name another --cluster.\n${failuresOf(outcomes)}`,
  )
}

function notStored({ id }: Cluster, { kind, nftId }: ShareKey, outcomes: readonly Outcome<unknown>[]): SlotmeshError {
  const slots = outcomes.flatMap((outcome) => ('value' in outcome ? [outcome.seat.slot] : []))
  const failures = failuresOf(outcomes)
  if (slots.length === 0) {
    const sentence = `No enclave of cluster ${id} has said that it took its share: run this again; one that says NFTIDEXISTS then has one of these after all, which no others fit.`
    return new SlotmeshError('cli/not-stored', `${sentence}\n${failures}`)
  }
  const wayOut = kind === 'secret' ? 'burn it and mint another' : 'revert the capsule and convert the NFT anew'
  const sentence = `Of cluster ${id}, slots ${slots.join(', ')} have their share of the ${kind} of NFT ${nftId} and the others have not said so. Shares of another run do not fit those that were taken: ${wayOut}, and store the secret there.`
  return new SlotmeshError('cli/not-stored', `${sentence}\n${failures}`)
}
