import { accountSigner, toHex } from '../../../src/crypto/index.js'
import {
  type AccountId,
  type BlockRef,
  type BlockTriggers,
  type Cluster,
  type ClusterType,
  type NftFacts,
  Registry,
  type ShareKey,
  SlotmeshError,
  shareKeyText,
  type Trigger,
} from '../../../src/domain/index.js'
import type { HeldShares } from '../../../src/inventory/index.js'
import { Comparing } from '../../../src/reconcile/comparing.js'
import { partFrom, partOf } from '../../../src/reconcile/parts.js'
import type { Store } from '../../../src/store/index.js'
import type {
  Reconciled,
  ReconcilePeers,
  SharePeers,
  SyncChain,
  SyncListener,
  SyncState,
} from '../../../src/sync/index.js'
import { type Enclave, enclave, fetchRuns, genesisHash, SLOT } from '../store/fixture.js'

export function blockAt(number: number): BlockRef {
  return { number, hash: toHex(new Uint8Array(32).fill(number % 256)) }
}

/** A chain that a test drives: seats are assigned and blocks finalised by call. */
export class ScriptedChain implements SyncChain {
  readonly genesisHash = genesisHash
  readonly followedFrom: number[] = []
  synced: ShareKey[] = []
  readonly burned = new Set<number>()
  /** Capsules that are being synced anew. */
  readonly syncing = new Set<number>()
  /** Blocks that the endpoint has thrown away. */
  prunedUpTo = 0
  /** What the endpoint left out of a block when it was followed. */
  readonly #withheld = new Map<number, readonly Trigger[]>()
  #clusters: Cluster[] = []
  #blocks: BlockTriggers[] = []
  #registries = new Map<number, Registry>()
  #head = blockAt(0)
  #wakers = new Set<() => void>()

  assign(seats: readonly { account: AccountId; cluster: number; slot?: number; type?: ClusterType }[]): void {
    const ids = [...new Set(seats.map(({ cluster }) => cluster))]
    this.#clusters = ids.map((id) => ({
      id,
      type: seats.find(({ cluster }) => cluster === id)?.type ?? 'public',
      seats: seats
        .filter(({ cluster }) => cluster === id)
        .map(({ account, slot = SLOT }) => ({ account, operator: account, cluster: id, slot, apiUri: '' })),
    }))
  }

  /** Finalises one block with these triggers. */
  finalise(triggers: readonly Trigger[] = [], registryChanged = false): number {
    this.#head = blockAt(this.#head.number + 1)
    const registryChanges = registryChanged ? [{ type: 'other', event: 'Scripted' } as const] : []
    this.#blocks.push({ block: this.#head, triggers, registryChanges })
    this.#registries.set(this.#head.number, this.registry())
    for (const wake of this.#wakers) wake()
    return this.#head.number
  }

  /** Finalises one block, of which those who follow the chain are not told what was in it. */
  finaliseUntold(triggers: readonly Trigger[]): number {
    const block = this.finalise()
    this.#withheld.set(block, triggers)
    return block
  }

  async triggersIn(block: number): Promise<readonly Trigger[] | undefined> {
    if (block <= this.prunedUpTo) return undefined
    return this.#withheld.get(block) ?? this.#blocks[block - 1]?.triggers
  }

  finalised(): BlockRef {
    return this.#head
  }

  registry(): Registry {
    return new Registry(this.#clusters)
  }

  async registryAt({ number }: BlockRef): Promise<Registry> {
    return this.registryOf(number)
  }

  registryOf(block: number): Registry {
    return this.#registries.get(block) ?? this.registry()
  }

  async *follow(after: number, { signal }: { signal: AbortSignal }): AsyncGenerator<BlockTriggers> {
    this.followedFrom.push(after)
    for (let next = after; ; next += 1) {
      while (this.#blocks[next] === undefined) await this.next({ signal })
      signal.throwIfAborted()
      yield this.#blocks[next] as BlockTriggers
    }
  }

  /** Resolves when a block has been finalised, or when the signal aborts. */
  async next({ signal }: { signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted()
    await new Promise<void>((resolve) => {
      const wake = () => {
        this.#wakers.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#wakers.add(wake)
      signal.addEventListener('abort', wake)
    })
  }

  async *syncedShares(): AsyncGenerator<ShareKey[]> {
    yield this.synced
  }

  async nft(nftId: number): Promise<NftFacts | undefined> {
    if (this.burned.has(nftId)) return undefined
    const { account } = own.identity
    const facts = { isSecret: true, isSyncingSecret: false, isCapsule: true, isSyncingCapsule: this.syncing.has(nftId) }
    return { owner: account, delegatee: undefined, rentee: undefined, ...facts }
  }

  async confirm(): Promise<{ outcome: 'confirmed' }> {
    return { outcome: 'confirmed' }
  }
}

/** Slot peers that answer from stores of their own, without a network; a peer without a store is down. */
export class StorePeers implements SharePeers {
  readonly requests: { provider: AccountId; keys: string[] }[] = []
  readonly up = new Map<AccountId, { store: Store; syncedBlock: number }>()
  /** How many shares a peer deals with in one exchange, which is unfinished then. */
  stopsAfter = Number.POSITIVE_INFINITY

  async request(provider: AccountId, request: Parameters<SharePeers['request']>[1]) {
    this.requests.push({ provider, keys: request.wants.map(({ key }) => shareKeyText(key)) })
    const peer = this.up.get(provider)
    if (peer === undefined) throw new SlotmeshError('mesh/enclave-not-found', 'The peer is down.')
    const { runs, notHeld } = await fetchRuns(peer.store, request.wants.map(({ key }) => key).slice(0, this.stopsAfter))
    for (const run of runs) await request.onRun(run, { newestAsOf: peer.syncedBlock, takenIn: peer.syncedBlock })
    for (const key of notHeld) request.onNotHeld(key)
  }

  askedOf(provider: Enclave): string[] {
    return this.requests.filter((each) => each.provider === provider.identity.account).flatMap(({ keys }) => keys)
  }
}

/** Slot peers that compare without a network. */
export class ComparingPeers implements ReconcilePeers {
  /** What each holds, and up to which block it has taken the chain in; one that is not here is down. */
  readonly up = new Map<AccountId, { held: HeldShares; takenIn: number }>()
  readonly asked: AccountId[] = []
  isShut: (peer: AccountId) => boolean = () => false
  /** Called when a session is over and nothing was made of it yet. */
  onCompared: () => Promise<void> = async () => undefined

  async compare(peer: AccountId, { held, turn }: Parameters<ReconcilePeers['compare']>[1]) {
    this.asked.push(peer)
    const there = this.up.get(peer)
    if (there === undefined) throw new SlotmeshError('mesh/enclave-not-found', 'The peer is down.')
    const comparing = new Comparing(held, turn)
    for (let prefixes = comparing.next(); prefixes !== undefined; prefixes = comparing.next()) {
      for (const prefix of prefixes) comparing.take(prefix, partFrom(partOf(there.held, prefix), prefix))
    }
    await this.onCompared()
    const { questions } = comparing
    const session = { takenIn: there.takenIn, count: there.held.size, questions, traffic: { bytes: 0 } }
    return { ...comparing.result(), ...session }
  }
}

/** Records what the engine tells, and lets a test wait for it. */
export class Witness implements SyncListener {
  readonly states: SyncState[] = []
  readonly stored: string[] = []
  readonly failures: AccountId[] = []
  readonly reconciliations: Reconciled[] = []
  #waiting: (() => void)[] = []

  stateChanged(state: SyncState): void {
    this.states.push(state)
    this.#tell()
  }

  shareStored({ key, from }: Parameters<SyncListener['shareStored']>[0]): void {
    this.stored.push(`${shareKeyText(key)} from ${from}`)
    this.#tell()
  }

  exchangeDone(): void {
    this.#tell()
  }

  reconciled(reconciled: Reconciled): void {
    this.reconciliations.push(reconciled)
    this.#tell()
  }

  exchangeFailed(peer: AccountId): void {
    this.failures.push(peer)
    this.#tell()
  }

  /** Resolves when something has been told after which the condition holds; mocha's timeout ends it otherwise. */
  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    for (;;) {
      // What is told while the condition is looked at counts as well.
      const told = new Promise<void>((resolve) => this.#waiting.push(resolve))
      if (await condition()) return
      await told
    }
  }

  #tell(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

/** The enclave under test sits in cluster 3; the others are its slot peers. */
export const own = { ...enclave(1, 3), signer: accountSigner(new Uint8Array(32).fill(1)) }
export const peerA = enclave(11, 0)
export const peerB = enclave(12, 1)
