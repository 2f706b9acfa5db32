import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { exists, holdsStore, isErrno, moved, synced } from './folder.js'
import { HEADER_NAMES } from './header.js'

type RawDatabase = ClassicLevel<Uint8Array, Uint8Array>

/**
 * Stands in a folder from before it is mended until the store knows of it, and says how far that is; the database leaves
 * it alone.
 */
const markOf = (folder: string) => join(folder, 'MENDED')
const draftOf = (folder: string) => `${markOf(folder)}.draft`

/** Where the database is copied to; it takes the place of the damaged one, file by file. */
const copyOf = (folder: string) => join(folder, 'MENDING')

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

/** Whether what kept a folder from being opened is damage to the database's own files, and not their absence. */
export async function isRepairable(folder: string, thrown: unknown): Promise<boolean> {
  if (!(await holdsStore(folder))) return false
  for (let cause = thrown; cause instanceof Error; cause = cause.cause) if (isDamage(cause)) return true
  return isWithoutIndex(folder)
}

function isDamage(thrown: unknown): boolean {
  if (isErrno(thrown, 'LEVEL_CORRUPTION')) return true
  // What a read behind the end of a table that was cut off comes to.
  return isErrno(thrown, 'LEVEL_IO_ERROR') && thrown instanceof Error && /\.ldb: Invalid argument$/.test(thrown.message)
}

/** The database tells of these as it tells of a disk that does not answer. */
async function isWithoutIndex(folder: string): Promise<boolean> {
  const current = join(folder, 'CURRENT')
  if (!(await exists(current))) return true
  const [, index] = /^(MANIFEST-\d+)\n$/.exec(await readFile(current, 'utf8')) ?? []
  return index === undefined || !(await exists(join(folder, index)))
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
  // Copies, and what a repair of the database's own has laid aside: what the node erases must not stay here.
  for (const left of [copyOf(folder), join(folder, 'lost')]) await rm(left, { recursive: true, force: true })
  await rm(markOf(folder), { force: true })
}

/**
 * Makes the database of a folder anew from what iterators show of it; what is missing then, or is back, shows by the
 * manifest. Its own repair is for where it does not open at all: it keeps records with damaged names, and what puts
 * tables together ends the process where their order is broken. Nobody may have the folder open.
 *
 * @param isLegibleNow whether the database itself tells of no damage.
 */
export async function repair(folder: string, isLegibleNow: boolean): Promise<void> {
  // One that was cut short may have made it legible.
  const isLegible = isLegibleNow && ((await readMark(folder))?.isLegible ?? true)
  await writeMark(folder, { step: 'copying', isLegible })
  const copy = copyOf(folder)
  await rm(copy, { recursive: true, force: true })
  const damaged = await openedAtAll(folder)
  try {
    const target = await opened(copy, true)
    try {
      await copyLegible(damaged, target)
      const headers = await target.getMany([...HEADER_NAMES])
      // Nothing of it would open: what is here, and what was laid aside, stays for its operator.
      if (headers.every((header) => header === undefined)) throw new Error('its header is missing')
    } finally {
      await target.close()
    }
  } finally {
    await damaged.close()
  }
  await writeMark(folder, { step: 'copied', isLegible })
  await finishRepair(folder)
}

/** Before a folder is opened: ends a repair that was cut short after the copy was whole. */
export async function finishRepair(folder: string): Promise<void> {
  if (await exists(draftOf(folder))) await rm(draftOf(folder))
  const [mending, copy] = [await readMark(folder), copyOf(folder)]
  if (mending === undefined || mending.step === 'copying') return
  if (mending.step === 'copied') {
    for (const name of await readdir(folder)) {
      // The index, tables and journals.
      if (/^(CURRENT|LOCK|LOG(\.old)?|MANIFEST-\d+|\d+\.\w+)$/.test(name))
        await rm(join(folder, name), { recursive: true })
    }
    await writeMark(folder, { ...mending, step: 'moving' })
  }
  if (await exists(copy)) await moved(copy, folder)
}

async function openedAtAll(folder: string): Promise<RawDatabase> {
  try {
    return await opened(folder, false)
  } catch {
    // Whatever it was, it shows again if it stays.
    await ClassicLevel.repair(folder)
    return opened(folder, false)
  }
}

async function opened(folder: string, isNew: boolean): Promise<RawDatabase> {
  // Sealed values do not compress.
  const options = { keyEncoding: 'view', valueEncoding: 'view', compression: false, createIfMissing: isNew } as const
  const level: RawDatabase = new ClassicLevel(folder, options)
  await level.open()
  return level
}

/** From both ends: where the order is broken, one way hides what the other shows. */
async function copyLegible(from: RawDatabase, to: RawDatabase): Promise<void> {
  for (const reverse of [false, true]) {
    let batch: { type: 'put'; key: Uint8Array; value: Uint8Array }[] = []
    let bytes = 0
    for await (const [key, value] of legible(from, reverse)) {
      if (reverse && (await to.get(key)) !== undefined) continue
      batch.push({ type: 'put', key, value })
      bytes += value.length
      if (batch.length < RECORDS_PER_COPY && bytes < BYTES_PER_COPY) continue
      await to.batch(batch, { sync: true })
      batch = []
      bytes = 0
    }
    await to.batch(batch, { sync: true })
  }
}

/** One by one: an iterator goes on behind damage, tells of it at its end, and with that loses what it was to show last. */
async function* legible(level: RawDatabase, reverse: boolean): AsyncGenerator<[Uint8Array, Uint8Array]> {
  const iterator = level.iterator({ reverse })
  try {
    for (;;) {
      const [entry] = await iterator.nextv(1)
      if (entry === undefined) return
      yield entry
    }
  } catch (thrown) {
    if (!isDamage(thrown)) throw thrown
  } finally {
    await iterator.close()
  }
}

/** Undefined when nothing is being mended; a mark that says something else is of a beginning that was cut short. */
async function readMark(folder: string): Promise<Mending | undefined> {
  try {
    const [, step = 'copying', legible] = MARK.exec(await readFile(markOf(folder), 'utf8')) ?? []
    return { step: step as Step, isLegible: legible !== undefined }
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT', 'ENOTDIR')) return undefined
    throw thrown
  }
}

/** At once, since a mark that says nothing would have a copy begun anew from what is half gone. */
async function writeMark(folder: string, { step, isLegible }: Mending): Promise<void> {
  const draft = draftOf(folder)
  await writeFile(draft, `${step}${isLegible ? ' legible' : ''}\n`, { flush: true })
  await rename(draft, markOf(folder))
  await synced(folder)
}
