import { equalBytes, zero } from '../crypto/index.js'
import type { BlockNumber, ShareKey } from '../domain/index.js'
import { IDENTITY, PENDING, PLACES, WANTS } from './records.js'
import type { Reads } from './transaction.js'

/**
 * In which version the own cluster has synced a share that is pending here and was not vouched for, since the folder was
 * altered and another payload may stand in its place. Undefined where it is none of these, or has another payload.
 */
export async function missedVersion(
  reads: Reads,
  key: ShareKey,
  payload: Uint8Array,
): Promise<BlockNumber | undefined> {
  const pending = await reads.get(PENDING, key)
  if (pending === undefined) return undefined
  const { after, isDoubtful } = pending
  const held = await reads.get(PLACES, key)
  const isSame = equalBytes(pending.payload, payload)
  zero(pending.payload)
  const identity = await reads.get(IDENTITY, undefined)
  const want = await reads.get(WANTS, key)
  const isOwn = want?.origin !== undefined && want.origin === identity?.seat.cluster
  // It was handed over for the round that this want speaks of: no other has ended since.
  const hasOtherEnded = held !== undefined && held.version > after
  if (!isSame || !isDoubtful || !isOwn || hasOtherEnded || after >= want.minimumVersion) return undefined
  return held === undefined || held.version < want.minimumVersion ? want.minimumVersion : undefined
}
