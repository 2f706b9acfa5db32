import { zero } from '../crypto/index.js'
import { type ShareKey, SlotmeshError } from '../domain/index.js'
import { Changes } from './changes.js'
import type { SealedDatabase } from './database.js'
import { ALTERED, PENDING, PLACES } from './records.js'
import { openShare, runsOf } from './serving.js'
import type { SharePlace } from './types.js'

/** What was found of the shares of an altered folder. */
export interface Salvage {
  /** Erased: their payloads are gone, or are not those that their origins vouched for. */
  readonly broken: number
  /** Kept, but what they are proved to others with is gone. */
  readonly unproved: readonly ShareKey[]
}

/** Goes through the shares of an altered folder one by one: what is left need not fit together. */
export async function salvage(database: SealedDatabase): Promise<Salvage> {
  await doubtPending(database)
  let broken = 0
  const unproved: ShareKey[] = []
  for await (const [key, place] of database.entries(PLACES)) {
    if (!(await isWhole(database, key, place))) {
      broken += 1
      // Not concluded: the setup is about to say whether it is wanted again, and its log of views with it.
      await database.transact(async (transaction) => {
        const changes = new Changes(transaction)
        await changes.load([key])
        changes.removeShare(key)
      })
    } else if (!(await isProved(database, key))) unproved.push(key)
  }
  return { broken, unproved }
}

/** Where the host has had its hands on pending shares, marks all of them: one may be an older one that it brought back. */
async function doubtPending(database: SealedDatabase): Promise<void> {
  if (!(await database.get(ALTERED, undefined))?.pendingIsDoubtful) return
  for await (const [key, pending] of database.entries(PENDING)) {
    await database.transact(async (transaction) => transaction.put(PENDING, key, { ...pending, isDoubtful: true }))
    zero(pending.payload)
  }
  await database.transact(async (transaction) => transaction.put(ALTERED, undefined, { pendingIsDoubtful: false }))
}

async function isWhole(database: SealedDatabase, key: ShareKey, place: SharePlace): Promise<boolean> {
  try {
    zero((await openShare(database, database, { key, place })).payload)
    return true
  } catch (thrown) {
    if (thrown instanceof SlotmeshError && thrown.code === 'store/tampered') return false
    throw thrown
  }
}

async function isProved(database: SealedDatabase, key: ShareKey): Promise<boolean> {
  const { signal } = new AbortController()
  const runs = runsOf(database, [{ key, minimumVersion: 0 }], { maximumBytes: 0, signal })
  let proved = false
  for await (const { shares } of runs) {
    zero(...shares.map(({ payload }) => payload))
    proved = true
  }
  return proved
}
