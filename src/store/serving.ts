import { equalBytes, sha256, zero } from '../crypto/index.js'
import type { BlockNumber, ShareKey } from '../domain/index.js'
import {
  type LogHead,
  type LogId,
  proofPositions,
  proveRange,
  type ShareRun,
  type VouchedShare,
} from '../provenance/index.js'
import type { SealedDatabase } from './database.js'
import { HEADS, logText, NEWEST, NODES, PAYLOADS, PLACES, payloadPagesOf } from './records.js'
import type { Reads } from './transaction.js'
import type { SharePlace, StoredShare } from './types.js'

/** A held share that somebody asked for. */
export interface Located {
  readonly key: ShareKey
  readonly place: SharePlace
}

/** Places looked up in one read. */
const LOOKUPS_PER_STEP = 1024

/** Payloads opened in one go: a run of small shares has thousands, and others wait for their turn meanwhile. */
const PAYLOADS_PER_STEP = 256

interface RunOptions {
  readonly maximumBytes: number
  readonly signal: AbortSignal
  /** For each share held, whether it may be given; all may by default. */
  readonly mayGive?: ((held: readonly Located[]) => Promise<readonly boolean[]>) | undefined
}

/** What a provider streams; see `Store.runs`. */
export async function* runsOf(
  database: SealedDatabase,
  wanted: readonly { readonly key: ShareKey; readonly minimumVersion: BlockNumber }[],
  options: RunOptions,
): AsyncGenerator<ShareRun, { notHeld: ShareKey[] }> {
  const located: Located[] = []
  const notHeld: ShareKey[] = []
  for (let at = 0; at < wanted.length; at += LOOKUPS_PER_STEP) {
    options.signal.throwIfAborted()
    const asked = wanted.slice(at, at + LOOKUPS_PER_STEP)
    const places = await database.getMany(
      PLACES,
      asked.map(({ key }) => key),
    )
    const held: Located[] = []
    for (const [step, { key, minimumVersion }] of asked.entries()) {
      const place = places[step]
      if (place !== undefined && place.version >= minimumVersion) held.push({ key, place })
      else notHeld.push(key)
    }
    const isGiven = await options.mayGive?.(held)
    for (const [at, each] of held.entries()) {
      if (isGiven?.[at] === false) notHeld.push(each.key)
      else located.push(each)
    }
  }
  const moved = new Set<ShareKey>()
  for (const planned of contiguousRuns(located.sort(inLogOrder), options.maximumBytes)) {
    options.signal.throwIfAborted()
    const { runs, gone, unproved } = await database.snapshot((reads) => loadRuns(database, reads, planned, options))
    for (const key of gone) moved.add(key)
    // Of no use to others; in an altered folder their proofs may be lost.
    notHeld.push(...unproved)
    try {
      for (let run = runs.shift(); run !== undefined; run = runs.shift()) yield run
    } finally {
      // Those that nobody came for.
      forget(runs)
    }
  }
  if (moved.size === 0) return { notHeld }
  // What has been replaced meanwhile is held in another place; it takes a block for each time that this happens.
  const again = yield* runsOf(
    database,
    wanted.filter(({ key }) => moved.has(key)),
    options,
  )
  return { notHeld: [...notHeld, ...again.notHeld] }
}

/** @throws SlotmeshError `store/tampered` when the payload is missing, or not the one that its origin vouched for. */
export async function openShare(
  database: SealedDatabase,
  reads: Reads,
  { key, place }: { key: ShareKey; place: SharePlace },
): Promise<StoredShare> {
  const [share] = await openShares(database, reads, [{ key, place }])
  if (share === undefined) throw database.tampered(PLACES, key)
  return { ...share, place }
}

/** The newest head held of a log, or the one of a given size. */
export async function headOf(reads: Reads, log: LogId, size?: number): Promise<LogHead | undefined> {
  const sought = size ?? (await reads.get(NEWEST, log))
  const head = sought === undefined ? undefined : await reads.get(HEADS, { log, size: sought })
  return head && sought !== undefined ? { ...log, ...head, size: sought } : undefined
}

/** Opens one planned run. Shares that were erased or replaced since it was planned leave gaps: hence several runs. */
async function loadRuns(
  database: SealedDatabase,
  reads: Reads,
  planned: readonly Located[],
  { maximumBytes }: { readonly maximumBytes: number },
): Promise<{ runs: ShareRun[]; gone: ShareKey[]; unproved: ShareKey[] }> {
  const unchanged: Located[] = []
  const gone: ShareKey[] = []
  for (let from = 0; from < planned.length; from += LOOKUPS_PER_STEP) {
    const step = planned.slice(from, from + LOOKUPS_PER_STEP)
    const places = await reads.getMany(
      PLACES,
      step.map(({ key }) => key),
    )
    for (const [at, located] of step.entries()) {
      if (isSamePlace(located.place, places[at])) unchanged.push(located)
      else gone.push(located.key)
    }
  }
  const runs: ShareRun[] = []
  const unproved: ShareKey[] = []
  const left = [...contiguousRuns(unchanged, maximumBytes)]
  try {
    for (let located = left.shift(); located !== undefined; located = left.shift()) {
      const run = await loadRun(database, reads, located)
      if (run !== undefined) runs.push(run)
      // Some of them can perhaps be proved each by itself.
      else if (located.length > 1) left.unshift(...located.map((each) => [each]))
      else unproved.push(...located.map(({ key }) => key))
    }
  } catch (thrown) {
    forget(runs)
    throw thrown
  }
  return { runs, gone, unproved }
}

/** Undefined when the shares cannot be proved under any head held. */
async function loadRun(
  database: SealedDatabase,
  reads: Reads,
  located: readonly Located[],
): Promise<ShareRun | undefined> {
  const [first, last] = [located[0], located.at(-1)]
  if (first === undefined || last === undefined) throw new RangeError('A run has at least one share.')
  const { log } = first.place
  const nodeAt = (at: { level: number; index: number }) => reads.get(NODES, { log, at })
  // What the last share was verified under proves all before it too; the newest head does if the nodes between are held.
  for (const size of [undefined, last.place.size]) {
    const head = await headOf(reads, log, size)
    if (head === undefined) continue
    const range = { first: first.place.index, count: located.length, size: head.size }
    if (range.first + range.count > head.size) continue
    // In one go: one by one each would be looked for, and its page opened, by itself.
    const { left, right } = proofPositions(range)
    await reads.getMany(
      NODES,
      [...left, ...right].map((at) => ({ log, at })),
    )
    const proof = await proveRange(nodeAt, range)
    if (proof === undefined) continue
    return { head, first: range.first, shares: await openShares(database, reads, located), proof }
  }
  return undefined
}

function forget(runs: readonly ShareRun[]): void {
  for (const { shares } of runs) zero(...shares.map(({ payload }) => payload))
}

async function openShares(
  database: SealedDatabase,
  reads: Reads,
  located: readonly Located[],
): Promise<VouchedShare[]> {
  const opened: VouchedShare[] = []
  try {
    for (let from = 0; from < located.length; from += PAYLOADS_PER_STEP) {
      const step = located.slice(from, from + PAYLOADS_PER_STEP)
      const payloads = await payloadsOf(reads, step)
      for (const [at, { key, place }] of step.entries()) {
        const { version, payloadHash } = place
        const payload = payloads[at]
        if (payload === undefined || !equalBytes(sha256(payload), payloadHash)) {
          zero(...payloads.filter((other) => other !== undefined))
          throw database.tampered(PAYLOADS, { key, version })
        }
        opened.push({ leaf: { kind: key.kind, nftId: key.nftId, version, payloadHash }, payload })
      }
    }
    return opened
  } catch (thrown) {
    zero(...opened.map(({ payload }) => payload))
    throw thrown
  }
}

async function payloadsOf(reads: Reads, located: readonly Located[]): Promise<(Uint8Array | undefined)[]> {
  const payloads = new Array<Uint8Array | undefined>(located.length).fill(undefined)
  const ofTables = new Map<ReturnType<typeof payloadPagesOf>, number[]>()
  for (const [at, { place }] of located.entries()) {
    const table = payloadPagesOf(place)
    const ofTable = ofTables.get(table)
    if (ofTable === undefined) ofTables.set(table, [at])
    else ofTable.push(at)
  }
  try {
    for (const [table, ofTable] of ofTables) {
      const sought = ofTable.flatMap((at) => located[at] ?? [])
      const found = await (table === undefined
        ? reads.getMany(
            PAYLOADS,
            sought.map(({ key, place }) => ({ key, version: place.version })),
          )
        : reads.getMany(
            table,
            sought.map(({ key }) => key),
          ))
      for (const [turn, at] of ofTable.entries()) payloads[at] = found[turn]
    }
    return payloads
  } catch (thrown) {
    zero(...payloads.filter((payload) => payload !== undefined))
    throw thrown
  }
}

/** Of small shares a run of the most bytes has thousands, and whoever stores it holds each of them in memory several times. */
const SHARES_PER_RUN = 1_024

/** Cuts shares in log order where a leaf is skipped, the log changes, or there are enough of them. */
function* contiguousRuns(located: readonly Located[], maximumBytes: number): Generator<Located[]> {
  let run: Located[] = []
  let bytes = 0
  for (const next of located) {
    const last = run.at(-1)
    const follows =
      last !== undefined &&
      next.place.index === last.place.index + 1 &&
      logText(next.place.log) === logText(last.place.log)
    const isFull = bytes + next.place.bytes > maximumBytes || run.length === SHARES_PER_RUN
    if (run.length > 0 && (!follows || isFull)) {
      yield run
      run = []
      bytes = 0
    }
    run.push(next)
    bytes += next.place.bytes
  }
  if (run.length > 0) yield run
}

function isSamePlace(one: SharePlace, other: SharePlace | undefined): boolean {
  return other !== undefined && one.index === other.index && logText(one.log) === logText(other.log)
}

function inLogOrder(one: Located, other: Located): number {
  const [log, otherLog] = [logText(one.place.log), logText(other.place.log)]
  if (log !== otherLog) return log < otherLog ? -1 : 1
  return one.place.index - other.place.index
}
