import type { AccountSigner } from '../../crypto/index.js'
import { type BlockRef, type ShareKey, SlotmeshError } from '../../domain/index.js'
import { CallFailedError } from '../errors.js'
import type { Transactions } from './transactions.js'

/** How the chain answered a confirmation. */
export type ConfirmationOutcome = 'confirmed' | (typeof OUTCOMES)[keyof typeof OUTCOMES] | 'no-funds'

/** The pallet's reasons against a confirmation, by the names of its errors. */
const OUTCOMES = {
  EnclaveAlreadyAddedShard: 'already-confirmed',
  NFTAlreadySynced: 'already-synced',
  ShareNotFromValidCluster: 'wrong-cluster',
  NFTNotFound: 'unknown-nft',
  NFTIsNotSecret: 'wrong-kind',
  NFTIsNotCapsule: 'wrong-kind',
  NotARegisteredEnclave: 'not-registered',
} as const

const METHODS = { secret: 'add_secret_shard', capsule: 'add_capsule_shard' } as const

/** @throws SlotmeshError when neither the chain nor the pallet gave one of the expected answers. */
export async function confirm(
  transactions: Transactions,
  signer: AccountSigner,
  { kind, nftId }: ShareKey,
  signal: AbortSignal,
): Promise<{ readonly outcome: ConfirmationOutcome; readonly block?: BlockRef }> {
  try {
    const call = { pallet: 'nft', method: METHODS[kind], args: [nftId] }
    const { block } = await transactions.send(signer, call, signal)
    return { outcome: 'confirmed', block }
  } catch (thrown) {
    if (thrown instanceof SlotmeshError && thrown.code === 'chain/no-funds') return { outcome: 'no-funds' }
    if (thrown instanceof CallFailedError && isExpected(thrown.reason)) return { outcome: OUTCOMES[thrown.reason] }
    throw thrown
  }
}

function isExpected(reason: string): reason is keyof typeof OUTCOMES {
  return Object.hasOwn(OUTCOMES, reason)
}
