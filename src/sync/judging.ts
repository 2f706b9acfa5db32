import type { AccountId, BlockNumber, NftFacts, ShareKey, Trigger } from '../domain/index.js'
import { numberOf } from '../inventory/index.js'
import type { Difference } from '../reconcile/index.js'
import type { Store, Want } from '../store/index.js'
import type { ReconcileChain } from './parts.js'

/** Blocks that are read for one comparison: each is a question or two to the endpoint of the chain. */
const BLOCKS_READ = 64

/** What is to be made of a share that a peer has, or has in a newer version. */
export type Verdict =
  /**
   * Nothing: the block that synced it is still to come here, it is wanted already, or it is being synced anew; or the chain
   * is behind what was taken in.
   */
  | { readonly type: 'none' }
  /** A gap: the share is to be fetched. `isNamed`: the block of the peer's version says that it was synced there. */
  | { readonly type: 'gap'; readonly want: Want; readonly isNamed: boolean }
  /** A block that is still to come here may bring it: then that opens the want, which knows more. */
  | { readonly type: 'early' }
  /** The chain lists no such share. */
  | { readonly type: 'unlisted' }
  /** The chain does not tell of the newer version. */
  | { readonly type: 'disputed' }

interface JudgeParts {
  readonly chain: ReconcileChain
  readonly store: Pick<Store, 'held' | 'wantsOf' | 'cursor'>
  readonly now: () => number
  readonly signal: AbortSignal
}

/** Checks what a peer says against the own view of the chain; one for each comparison. */
export class Judge {
  readonly #parts: JudgeParts
  readonly #read = new Map<BlockNumber, readonly Trigger[] | undefined>()

  constructor(parts: JudgeParts) {
    this.#parts = parts
  }

  /** @param difference held there, and not here, or here in an older version. */
  async judge({ key, there = 0 }: Difference): Promise<Verdict> {
    const { chain, store, now, signal } = this.#parts
    const takenIn = (await store.cursor()) ?? -1
    const block = chain.finalised().number
    // A chain that is behind what was taken in lists what was removed since.
    if (there > takenIn || block < takenIn) return NONE
    // Wants before shares: what is stored in between has had a want.
    const [open] = await store.wantsOf([key])
    const here = store.held.versionOf(numberOf(key))
    if (here !== undefined && here >= there) return NONE
    if (open !== undefined && (here === undefined || Math.max(open.minimumVersion, open.asOf) >= there)) return NONE
    const facts = await chain.nft(key.nftId, { signal })
    if (!isThere(key, facts)) return { type: 'unlisted' }
    if (isSyncing(key, facts)) return NONE
    const origin = await this.#origin(key, there)
    const want = { key, since: now() }
    // The peer may be behind: a block after the one it speaks of may have synced the share anew.
    if (origin !== undefined) {
      return { type: 'gap', want: { ...want, minimumVersion: there, asOf: block, origin }, isNamed: true }
    }
    // A version that the chain does not tell of throws no doubt on the one that is held.
    if (here !== undefined) return { type: 'disputed' }
    // What the chain lists as of such a block would be doubted for this want when it is there, as long as a peer is down.
    if (chain.finalised().number > takenIn) return { type: 'early' }
    return { type: 'gap', want: { ...want, minimumVersion: 0, asOf: block, origin: undefined }, isNamed: false }
  }

  /** As {@link isGone}. */
  isGone(key: ShareKey): Promise<boolean> {
    return isGone(key, this.#parts)
  }

  /** The cluster that synced a share in a block; undefined when the block says nothing of it, or cannot be read. */
  async #origin({ kind, nftId }: ShareKey, block: BlockNumber): Promise<number | undefined> {
    if (!this.#read.has(block)) {
      if (this.#read.size === BLOCKS_READ) return undefined
      const { chain, signal } = this.#parts
      this.#read.set(block, await chain.triggersIn(block, { signal }))
    }
    const synced = this.#read
      .get(block)
      ?.find((trigger) => trigger.type === 'synced' && trigger.kind === kind && trigger.nftId === nftId)
    return synced?.type === 'synced' ? synced.cluster : undefined
  }
}

const NONE: Verdict = { type: 'none' }

/** Whether the chain has no such share any more: that it is not listed is not enough, as it may be synced anew. */
export async function isGone(
  key: ShareKey,
  { chain, signal }: { readonly chain: Pick<ReconcileChain, 'nft'>; readonly signal: AbortSignal },
): Promise<boolean> {
  return !isThere(key, await chain.nft(key.nftId, { signal }))
}

function isThere({ kind }: ShareKey, facts: NftFacts | undefined): boolean {
  return (kind === 'secret' ? facts?.isSecret : facts?.isCapsule) ?? false
}

function isSyncing({ kind }: ShareKey, facts: NftFacts | undefined): boolean {
  return (kind === 'secret' ? facts?.isSyncingSecret : facts?.isSyncingCapsule) ?? false
}

/** The peers that were compared with the longest ago come first, and those that never were. */
export function inTurn(
  peers: readonly AccountId[],
  lastTried: ReadonlyMap<AccountId, number>,
  turn: number,
): AccountId[] {
  const first = Math.floor(turn * peers.length)
  const rotated = [...peers.slice(first), ...peers.slice(0, first)]
  return rotated.sort((one, other) => (lastTried.get(one) ?? 0) - (lastTried.get(other) ?? 0))
}
