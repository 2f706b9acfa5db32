import { randomBytes } from 'node:crypto'
import { zero } from '../../crypto/index.js'
import { silentLogger } from '../../domain/index.js'
import { leafHash, type VerifiedRun, verifyRange } from '../../provenance/index.js'
import { openStore, type Store } from '../../store/index.js'
import { type Measuring, perSecond, portionOf, Stopwatch, WARM_UP } from './measure.js'
import { BLOCK, GENESIS, keyOf, madeLog, REQUESTER, runsIn } from './world.js'

/** Shares of one size. */
export interface StoreFigures {
  /** Sealed and on the disk, with their provenance, as a setup writes them; in a second. */
  readonly written: number
  /** The same, of the shares alone. */
  readonly writtenMegabytes: number
  /** Opened one by one, in no order; in a second. What was written just now is mostly in memory still. */
  readonly read: number
}

/** One log after the other is made, of so many shares and bytes at most, and then written. */
const LOG = { shares: 4_096, bytes: 4 * 1024 * 1024 }

/** Of a run: as they come from a provider. */
export const RUN_BYTES = 256 * 1024

/**
 * @param location of a store that is made there and stays.
 * @throws what the store throws when the disk refuses a write; the signal's reason.
 */
export async function stored(location: string, bytes: number, measuring: Measuring): Promise<StoreFigures> {
  const sealingKey = new Uint8Array(randomBytes(32))
  const store = await openStore({ location, sealingKey, logger: silentLogger })
  zero(sealingKey)
  try {
    const warm = await written(store, 0, bytes, { ...measuring, seconds: measuring.seconds * WARM_UP })
    const { count, seconds } = await written(store, warm.count, bytes, measuring)
    const held = warm.count + count
    const read = await perSecond(async () => {
      const share = await store.share(keyOf(Math.floor(Math.random() * held)))
      if (share === undefined) throw new Error('A share that was written is not there.')
      zero(share.payload)
    }, measuring)
    return { written: count / seconds, writtenMegabytes: (count * bytes) / seconds / 1e6, read }
  } finally {
    await store.close()
  }
}

/** Writes whole logs, each with its wants before it, until the writing has taken its time. */
async function written(
  store: Store,
  from: number,
  bytes: number,
  { seconds, signal }: Measuring,
): Promise<{ readonly count: number; readonly seconds: number }> {
  const watch = new Stopwatch()
  const perLog = portionOf(LOG, bytes, { seconds })
  let count = 0
  while (count === 0 || watch.seconds < seconds) {
    const runs = await verifiedRuns(from + count, perLog, bytes)
    signal.throwIfAborted()
    await watch.time(() => store.beginSetup(IDENTITY, BLOCK, wantsOf(from + count, perLog)))
    for (const run of runs) {
      signal.throwIfAborted()
      await watch.time(() => store.putRun(run, { newestAsOf: BLOCK }))
    }
    count += perLog
  }
  const { secret } = store.counts().shares
  if (secret !== from + count) throw new Error(`The store has ${secret} of ${from + count} shares.`)
  return { count, seconds: watch.seconds }
}

export const IDENTITY = {
  genesisHash: GENESIS,
  account: REQUESTER.signer.account,
  seat: REQUESTER.seat,
  incarnation: `0x${'02'.repeat(16)}`,
} as const

export function wantsOf(from: number, count: number) {
  const want = { minimumVersion: 0, asOf: BLOCK, origin: undefined, since: 0 }
  return Array.from({ length: count }, (_, index) => ({ key: keyOf(from + index), ...want }))
}

/** Checked before, since that is the exchange's part. */
export async function verifiedRuns(from: number, count: number, bytes: number): Promise<VerifiedRun[]> {
  const log = madeLog(from, count, bytes)
  const verified: VerifiedRun[] = []
  for await (const run of runsIn(log, { first: 0, count, maximumBytes: RUN_BYTES })) {
    const hashes = run.shares.map(({ leaf }) => leafHash(leaf))
    verified.push({ ...run, nodes: verifyRange(run.head, run.first, hashes, run.proof) })
  }
  return verified
}
