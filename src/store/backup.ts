import { constants } from 'node:fs'
import { copyFile, lstat, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { SlotmeshError } from '../domain/index.js'
import { exists, holdsStore, isErrno, placeOf, readSmall, synced } from './folder.js'
import { underFolderLock } from './folder-lock.js'

/** LevelDB's lock, which is lost when its file is opened a second time in one process, and what it has told of itself. */
const NOT_COPIED = /^(LOCK|LOG|LOG\.old)$|\.draft$/

/** Compactions that may come between; with no writes meanwhile there is seldom more than one. */
const TRIES = 5

/** What the name of the current manifest stands in. */
const CURRENT = 'CURRENT'

/**
 * Puts a copy of a store in its place, where there is none.
 *
 * @throws SlotmeshError `store/absent` when there is no copy, `store/locked`, `store/taken`; the signal's reason.
 */
export async function restoreStore(options: {
  readonly from: string
  readonly location: string
  readonly signal: AbortSignal
}): Promise<void> {
  const location = await placeOf(options.location)
  await requireStore(options.from)
  await mkdir(dirname(location), { recursive: true, mode: 0o700 })
  await underFolderLock(location, () => copyFiles(options.from, location, options.signal))
}

/**
 * Copies the files of a database to which nobody writes. It may be tidied up meanwhile: its files are copied again then,
 * until none has gone and it names the same ones as before. A copy is there as a whole, or not at all.
 */
export async function copyFiles(from: string, to: string, signal: AbortSignal): Promise<void> {
  const target = resolve(to)
  if (await isTaken(target)) throw takenError(target)
  const draft = `${target}.copying`
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted()
    await rm(draft, { recursive: true, force: true })
    // Not the folder that it is in, too: whoever has given up may have taken that away.
    await mkdir(draft, { mode: 0o700 })
    try {
      if (await copiedOnce(from, draft, signal)) break
      if (attempt === TRIES) throw changingError(from)
    } catch (thrown) {
      await rm(draft, { recursive: true, force: true })
      throw thrown
    }
  }
  await synced(draft)
  // An empty folder gives way; one that was filled meanwhile does not.
  await rename(draft, target)
  await synced(dirname(target))
}

/** @returns false when a file has gone, or another manifest has become the current one. */
async function copiedOnce(from: string, draft: string, signal: AbortSignal): Promise<boolean> {
  const before = await stateOf(from)
  for (const name of await readdir(from)) {
    signal.throwIfAborted()
    const file = join(from, name)
    if (NOT_COPIED.test(name)) continue
    try {
      if (!(await lstat(file)).isFile()) continue
      await copyFile(file, join(draft, name), constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL)
      await synced(join(draft, name))
    } catch (thrown) {
      if (isErrno(thrown, 'ENOENT')) return false
      throw thrown
    }
  }
  return before === (await stateOf(from))
}

/** Which manifest is current, and how long it is: it grows with each change of the tables. */
async function stateOf(folder: string): Promise<string> {
  const current = String((await readSmall(join(folder, CURRENT))) ?? '').trim()
  if (!/^MANIFEST-\d+$/.test(current)) return current
  return `${current} ${(await lstat(join(folder, current))).size}`
}

async function isTaken(folder: string): Promise<boolean> {
  if (!(await exists(folder))) return false
  try {
    return (await readdir(folder)).length > 0
  } catch (thrown) {
    if (isErrno(thrown, 'ENOTDIR')) return true
    throw thrown
  }
}

/** @throws SlotmeshError `store/absent` */
export async function requireStore(folder: string): Promise<void> {
  if (await holdsStore(folder)) return
  throw new SlotmeshError('store/absent', `There is no store in ${folder}; correct the path.`)
}

function takenError(folder: string): SlotmeshError {
  return new SlotmeshError(
    'store/taken',
    `There is something in ${folder} already, and nothing is overwritten: name another folder, or move that one away.`,
  )
}

function changingError(folder: string): SlotmeshError {
  return new SlotmeshError(
    'store/changing',
    `The files of ${folder} went on changing while they were copied: try again, or stop the node before.`,
  )
}
