import type { AccountSigner } from '../crypto/index.js'
import type {
  AccountId,
  BlockNumber,
  BlockRef,
  BlockTriggers,
  ClusterId,
  NftFacts,
  NftId,
  Registry,
  ShareKey,
  Trigger,
} from '../domain/index.js'
import type { HeldShares } from '../inventory/index.js'
import type { VerifiedRun } from '../provenance/index.js'
import type { Comparison as PeerComparison } from '../reconcile/index.js'
import type { Knowledge } from '../share/index.js'

/*
 * What the engine asks of the other rooms. The composition root hands in parts that fit; nothing here knows them.
 */

interface Abortable {
  readonly signal: AbortSignal
}

/** How the chain answered a confirmation. */
export type ConfirmationOutcome =
  | 'confirmed'
  | 'already-confirmed'
  | 'already-synced'
  | 'wrong-cluster'
  | 'unknown-nft'
  | 'wrong-kind'
  | 'not-registered'
  | 'no-funds'

export interface SyncChain {
  readonly genesisHash: BlockRef['hash']
  finalised(): BlockRef
  registry(): Registry
  /** As of the end of a block. */
  registryAt(block: BlockRef, options: Abortable): Promise<Registry>
  follow(after: BlockNumber, options: Abortable): AsyncIterable<BlockTriggers>
  syncedShares(block: BlockRef, options: Abortable): AsyncIterable<readonly ShareKey[]>
  nft(nftId: NftId, options: Abortable): Promise<NftFacts | undefined>
  confirm(signer: AccountSigner, key: ShareKey, options: Abortable): Promise<{ readonly outcome: ConfirmationOutcome }>
}

/** Asks one slot peer for shares; resolves its address, runs one exchange. */
export interface SharePeers {
  request(
    provider: AccountId,
    request: {
      readonly wants: readonly { key: ShareKey; minimumVersion: BlockNumber; origin: ClusterId | undefined }[]
      readonly onRun: (run: VerifiedRun, provider: Knowledge) => Promise<void>
      readonly onNotHeld: (key: ShareKey) => void
      readonly signal: AbortSignal
    },
  ): Promise<unknown>
}

/** Compares with one slot peer what is held; resolves its address, runs one session. What it brings is not proved. */
export interface ReconcilePeers {
  /** Whether an account is not to be asked for now, since it has offended. */
  readonly isShut?: (peer: AccountId) => boolean
  compare(
    peer: AccountId,
    request: { readonly held: HeldShares; readonly turn: number; readonly signal: AbortSignal },
  ): Promise<PeerComparison & { readonly traffic: { readonly bytes: number } }>
}

/** What differences are checked against. */
export type ReconcileChain = Pick<SyncChain, 'finalised' | 'registry' | 'nft' | 'follow'> & {
  /** What one final block meant; undefined where it cannot be read any more. */
  triggersIn(block: BlockNumber, options: Abortable): Promise<readonly Trigger[] | undefined>
}

/** What the engine tells as it happens. */
export interface SyncListener {
  stateChanged(state: SyncState): void
  /** What a block meant is durably taken in; only told when it meant anything. */
  triggersTaken?(block: BlockNumber, triggers: readonly Trigger[]): void
  shareStored(stored: { key: ShareKey; version: BlockNumber; from: AccountId; origin: ClusterId; since: number }): void
  exchangeDone(peer: AccountId): void
  exchangeFailed(peer: AccountId, thrown: unknown): void
}

/**
 * unregistered: no seat on chain; nothing is asked or served. setup: the chain's snapshot is being fetched.
 * running: the snapshot is complete; new shares are fetched as they are synced.
 */
export type SyncState = 'unregistered' | 'setup' | 'running'
