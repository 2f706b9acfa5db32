import type { AccountId, ClusterId, SlotId } from './identifiers.js'

/** `TEE.ClusterData.cluster_type`. On a generation-1 chain every cluster is public. */
export type ClusterType = 'disabled' | 'admin' | 'public' | 'private'

/** An enclave that the chain has assigned to a slot of a cluster. */
export interface EnclaveSeat {
  /** The key pair born inside the enclave; it alone signs what enclaves say to each other. */
  readonly account: AccountId
  /** Who staked and registered it; on chain every enclave is filed under its operator. */
  readonly operator: AccountId
  readonly cluster: ClusterId
  readonly slot: SlotId
  /** Where clients reach the enclave, as registered: at most 150 bytes of untrusted text. */
  readonly apiUri: string
}

/** A cluster of the TEE pallet, with those who sit in it. */
export interface Cluster {
  readonly id: ClusterId
  readonly type: ClusterType
  readonly seats: readonly EnclaveSeat[]
}

/** The TEE pallet's clusters as of one finalised block; immutable. */
export class Registry {
  readonly #clusters: ReadonlyMap<ClusterId, Cluster>
  readonly #seats: ReadonlyMap<AccountId, EnclaveSeat>
  /** The seats in public clusters, by slot; made when first asked for. */
  #publicSeats: ReadonlyMap<SlotId, readonly EnclaveSeat[]> | undefined

  constructor(clusters: Iterable<Cluster>) {
    this.#clusters = new Map([...clusters].map((cluster) => [cluster.id, cluster]))
    this.#seats = new Map(this.clusters().flatMap(({ seats }) => seats.map((seat) => [seat.account, seat] as const)))
  }

  /** All of them, in the order of the chain. */
  clusters(): Cluster[] {
    return [...this.#clusters.values()]
  }

  /** The cluster of this id, if there is one. */
  cluster(id: ClusterId): Cluster | undefined {
    return this.#clusters.get(id)
  }

  /** The seat of an enclave account, or undefined when it is not assigned. */
  seatOf(account: AccountId): EnclaveSeat | undefined {
    return this.#seats.get(account)
  }

  /** Who sits in a slot of a cluster, if anyone does. */
  seatAt(cluster: ClusterId, slot: SlotId): EnclaveSeat | undefined {
    return this.#clusters.get(cluster)?.seats.find((seat) => seat.slot === slot)
  }

  /**
   * Whether an enclave may exchange shares with nobody although others have its slot: their clusters, or its own, are not
   * public at this block.
   */
  isShutOff(account: AccountId): boolean {
    const own = this.seatOf(account)
    if (own === undefined || this.slotPeersOf(account).length > 0) return false
    return this.clusters().some(({ id }) => id !== own.cluster && this.seatAt(id, own.slot) !== undefined)
  }

  /** Every enclave with which `account` may exchange shares at this block. */
  slotPeersOf(account: AccountId): EnclaveSeat[] {
    const own = this.seatOf(account)
    if (own === undefined || this.cluster(own.cluster)?.type !== 'public') return []
    this.#publicSeats ??= bySlot(this.clusters().flatMap(({ type, seats }) => (type === 'public' ? seats : [])))
    return (this.#publicSeats.get(own.slot) ?? []).filter(({ cluster }) => cluster !== own.cluster)
  }
}

function bySlot(seats: readonly EnclaveSeat[]): Map<SlotId, EnclaveSeat[]> {
  const groups = new Map<SlotId, EnclaveSeat[]>()
  for (const seat of seats) {
    const group = groups.get(seat.slot)
    if (group === undefined) groups.set(seat.slot, [seat])
    else group.push(seat)
  }
  return groups
}

/** Why two enclaves may not exchange shares. */
export type SynchronisationBarrier = 'not-registered' | 'same-cluster' | 'wrong-slot' | 'cluster-not-public'

/**
 * The rule of who may synchronise with whom: both assigned, same slot, different clusters, both clusters public.
 * It is symmetric. Returns the first reason against, or undefined when they may.
 */
export function synchronisationBarrier(
  registry: Registry,
  one: AccountId,
  other: AccountId,
): SynchronisationBarrier | undefined {
  const seats = [registry.seatOf(one), registry.seatOf(other)] as const
  if (seats[0] === undefined || seats[1] === undefined) return 'not-registered'
  if (seats[0].cluster === seats[1].cluster) return 'same-cluster'
  if (seats[0].slot !== seats[1].slot) return 'wrong-slot'
  if (seats.some((seat) => registry.cluster(seat?.cluster ?? -1)?.type !== 'public')) return 'cluster-not-public'
  return undefined
}
