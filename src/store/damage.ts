import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { SlotmeshError } from '../domain/index.js'
import { setAside } from './aside.js'
import {
  exists,
  holdsStore,
  isErrno,
  moved,
  opensNot,
  readSmall,
  removed,
  renamedFile,
  synced,
  written,
} from './folder.js'
import { HEADER_NAMES } from './header.js'
import { isIntact, statesOf } from './leveldb-files.js'
import { LEVELDB_OPTIONS } from './leveldb-options.js'
import type { StoredState } from './leveldb-table.js'

type RawDatabase = Level<Uint8Array, Uint8Array>

/**
 * Stands in a folder from before it is mended until the store knows of it, and says how far that is; the database leaves
 * it alone.
 */
const markOf = (folder: string) => join(folder, 'MENDED')
const draftOf = (folder: string) => `${markOf(folder)}.draft`

/** Where the database is copied to; it takes the place of the damaged one, file by file. */
const copyOf = (folder: string) => join(folder, 'MENDING')

/** Which write each record of the copy is of, as long as it is being made. */
const orderOf = (folder: string) => join(folder, 'MENDING.order')

/**
 * How far it is: it is being copied; the copy is there, and the damaged database goes; that has gone, and the copy takes
 * its place, or has. `legible`: the database itself told of no damage.
 */
const MARK = /^(copying|copied|moving)( legible)?\n$/

type Step = 'copying' | 'copied' | 'moving'

/** What the mark says. */
interface Mending {
  readonly step: Step
  readonly isLegible: boolean
}

/** Copied in one write. */
const [RECORDS_PER_COPY, BYTES_PER_COPY] = [4_096, 4_194_304]

/** How far behind the last number that is right one can be: as many records as one write has at most, and others with it. */
const NUMBERS_AHEAD = 2_097_152n

interface RankedState extends Pick<StoredState, 'name' | 'value'> {
  readonly rank: Uint8Array
}

/** Whether what kept a folder from being opened is damage to the database's own files that shows to LevelDB alone. */
export async function isRepairable(folder: string, thrown: unknown): Promise<boolean> {
  if (!(await holdsStore(folder))) return false
  for (let cause = thrown; cause instanceof Error; cause = cause.cause) if (isDamage(cause)) return true
  return false
}

function isDamage(thrown: unknown): boolean {
  if (isErrno(thrown, 'LEVEL_CORRUPTION')) return true
  // What a read behind the end of a table that was cut off comes to.
  return isErrno(thrown, 'LEVEL_IO_ERROR') && thrown instanceof Error && /\.ldb: Invalid argument$/.test(thrown.message)
}

/**
 * What was mended of a folder since the store was told, if anything was.
 *
 * @returns `isCopied`: the copy has taken its place. `isLegible`: the database itself had told of no damage; where it has,
 * all records may agree and be an older state, since who takes the newest table away takes the newest manifest with it.
 */
export async function mendingOf(folder: string): Promise<{ isCopied: boolean; isLegible: boolean } | undefined> {
  const mending = await readMark(folder)
  return mending && { isCopied: mending.step === 'moving', isLegible: mending.isLegible }
}

export async function forgetRepair(folder: string): Promise<void> {
  // What the node erases must not stay here.
  for (const left of [copyOf(folder), orderOf(folder)]) await rm(left, { recursive: true, force: true })
  await removed(markOf(folder))
}

/**
 * Makes the database of a folder anew from what its files show; what is missing then, or is back, shows by the manifest.
 * LevelDB itself has no part in the reading: it believes lengths that are damaged, hides records behind a damaged name,
 * and ends the process where tables are out of order. Nobody may have the folder open.
 *
 * @param isLegibleNow whether the database itself tells of no damage.
 */
export async function repair(folder: string, isLegibleNow: boolean): Promise<void> {
  // One that was cut short may have made it legible.
  const isLegible = isLegibleNow && ((await readMark(folder))?.isLegible ?? true)
  await writeMark(folder, { step: 'copying', isLegible })
  const copies = [copyOf(folder), orderOf(folder)]
  for (const copy of copies) await rm(copy, { recursive: true, force: true })
  // First: a copy beside which there is none is whole.
  await inCreated(orderOf(folder), async (order) => {
    await synced(folder)
    await inCreated(copyOf(folder), async (target) => {
      await copyLegible(folder, target, order)
      const headers = await target.getMany([...HEADER_NAMES])
      // Nothing of it would open: what is here stays for its operator.
      if (headers.every((header) => header === undefined)) throw new Error('its header is missing')
    })
  })
  await rm(orderOf(folder), { recursive: true })
  await synced(copyOf(folder))
  await writeMark(folder, { step: 'copied', isLegible })
  await finishRepair(folder)
}

/** Whether there is a database with damaged files, of which LevelDB itself would tell nothing, or end the process. */
export async function isDamaged(folder: string): Promise<boolean> {
  return (await holdsStore(folder)) && !(await isIntact(folder))
}

/** Before a folder is opened: ends a repair that was cut short after the copy was whole. */
export async function finishRepair(folder: string): Promise<void> {
  // One that was cut short may not open, on an encrypted mount.
  await removed(draftOf(folder))
  const [mending, copy] = [await readMark(folder), copyOf(folder)]
  if (mending === undefined || mending.step === 'copying') return
  if (mending.step === 'copied') {
    await setAside(folder)
    await writeMark(folder, { ...mending, step: 'moving' })
  }
  if (await exists(copy)) await moved(copy, folder)
}

async function inCreated(folder: string, work: (database: RawDatabase) => Promise<void>): Promise<void> {
  const level: RawDatabase = new Level(folder, LEVELDB_OPTIONS)
  await level.open()
  try {
    await work(level)
  } finally {
    await level.close()
  }
}

/** Of each record the latest state, as far as its number can be believed. */
async function copyLegible(folder: string, target: RawDatabase, order: RawDatabase): Promise<void> {
  const last = await lastNumber(folder)
  let batch = new Map<string, RankedState>()
  let bytes = 0
  for await (const state of statesOf(folder)) {
    const rank = rankOf(state, last)
    const name = Buffer.from(state.name).toString('latin1')
    if (isBelow(rank, batch.get(name)?.rank)) continue
    // Copies, so that no more of a file stays in memory than is kept of it.
    const [own, value] = [Uint8Array.from(state.name), state.value && Uint8Array.from(state.value)]
    batch.set(name, { name: own, value, rank })
    bytes += state.value?.length ?? 0
    if (batch.size < RECORDS_PER_COPY && bytes < BYTES_PER_COPY) continue
    await copyLater([...batch.values()], target, order)
    batch = new Map()
    bytes = 0
  }
  await copyLater([...batch.values()], target, order)
}

/** Those that are later than what was copied before. */
async function copyLater(states: readonly RankedState[], target: RawDatabase, order: RawDatabase): Promise<void> {
  const copied = await order.getMany(states.map(({ name }) => name))
  const later = states.filter(({ rank }, at) => !isBelow(rank, copied[at]))
  const operations = later.map(({ name: key, value }) =>
    value === undefined ? { type: 'del' as const, key } : { type: 'put' as const, key, value },
  )
  await target.batch(operations, { sync: true })
  await order.batch(later.map(({ name: key, rank }) => ({ type: 'put', key, value: rank })))
}

/** The highest number that what is damaged can have; where nothing is right nobody can say. */
async function lastNumber(folder: string): Promise<bigint | undefined> {
  let last: bigint | undefined
  for await (const { sequence, isRight } of statesOf(folder)) {
    if (isRight && sequence >= (last ?? 0n)) last = sequence
  }
  return last === undefined ? undefined : last + NUMBERS_AHEAD
}

/** Bytes that are in the order of what counts: the later write, and of one number the state that fits its checksum. */
function rankOf({ sequence, isRight }: StoredState, last: bigint | undefined): Uint8Array {
  const isBelieved = isRight || last === undefined || sequence <= last
  const rank = new Uint8Array(10)
  rank[0] = isBelieved ? 1 : 0
  new DataView(rank.buffer).setBigUint64(1, sequence)
  rank[9] = isRight ? 1 : 0
  return rank
}

/** Whether what has the rank is not to take the other's place. */
function isBelow(rank: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && Buffer.compare(rank, other) <= 0
}

/**
 * Undefined when nothing is being mended; a mark that says something else is of a beginning that was cut short. One that
 * does not open was being written when the power was cut, and nothing shows how legible it was.
 *
 * @throws SlotmeshError `store/unreadable`, or what the file system throws, where there is a whole copy beside such a mark:
 * nobody can say which files are the damaged ones, and whatever is there stays for its operator.
 */
async function readMark(folder: string): Promise<Mending | undefined> {
  const nothingSaid = { step: 'copying', isLegible: false } as const
  const isCopied = async () => (await exists(copyOf(folder))) && !(await exists(orderOf(folder)))
  try {
    const mark = await readSmall(markOf(folder))
    if (mark === undefined) return undefined
    const said = MARK.exec(`${mark}`)
    if (said !== null) return { step: said[1] as Step, isLegible: said[2] !== undefined }
  } catch (thrown) {
    if (!opensNot(thrown) || (await isCopied())) throw thrown
    return nothingSaid
  }
  if (await isCopied()) throw illegibleError(folder)
  return nothingSaid
}

function illegibleError(folder: string): SlotmeshError {
  return new SlotmeshError(
    'store/unreadable',
    `The folder ${folder} was being mended, and ${markOf(folder)} does not say how far that was: find out which of its files are those of ${copyOf(folder)}, and leave one database there.`,
  )
}

/** At once, since a mark that says nothing would have a copy begun anew from what is half gone. */
async function writeMark(folder: string, { step, isLegible }: Mending): Promise<void> {
  const draft = draftOf(folder)
  await written(draft, `${step}${isLegible ? ' legible' : ''}\n`)
  await renamedFile(draft, markOf(folder))
}
