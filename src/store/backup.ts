import { constants } from 'node:fs'
import { copyFile, lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { messageOf, SlotmeshError } from '../domain/index.js'
import { isDamaged } from './damage.js'
import { exists, holdsStore, isErrno, placeOf, readSmall, removed, removedFolder, synced } from './folder.js'
import { claim, requireFree, underFolderLock } from './folder-lock.js'

/** Stands in a copy as long as it is being made, and shows whose it is; a kill can leave it in one that is whole. */
const MARK = 'SLOTMESH-COPYING'

/** LevelDB's lock, which is lost when its file is opened a second time in one process, and what it has told of itself. */
const NOT_COPIED = new RegExp(`^(LOCK|LOG|LOG\\.old|${MARK})$|\\.draft$`)

/** Compactions that may come between; with no writes meanwhile there is seldom more than one. */
const TRIES = 5

/** What the name of the current manifest stands in. */
const CURRENT = 'CURRENT'

/** Where the copy of a folder is made. */
const draftOf = (target: string) => `${target}.copying`

/**
 * Puts a copy of a store in its place, where there is none.
 *
 * @param options.first is done before, once the place is known to be free; what it returns undoes that when the copy fails.
 * @returns takes all of it away again, unless somebody has the folder open by then or is about to: then it throws
 * `store/locked`, and nothing is done.
 * @throws SlotmeshError `store/absent` when there is no copy, `store/locked`, `store/taken`, `store/cannot-copy`; the
 * signal's reason.
 */
export async function restoreStore(options: {
  readonly from: string
  readonly location: string
  readonly signal: AbortSignal
  readonly first?: () => Promise<() => Promise<void>>
}): Promise<() => Promise<void>> {
  const location = await placeOf(options.location)
  await requireStore(options.from)
  await mkdir(dirname(location), { recursive: true, mode: 0o700 })
  return underFolderLock(location, async () => {
    if (await isTaken(location)) throw takenError(location)
    const undo = await options.first?.()
    try {
      await copyFiles(options.from, location, options.signal)
    } catch (thrown) {
      await undo?.()
      throw thrown
    }
    return () => removeRestored(location, undo)
  })
}

async function removeRestored(location: string, undo: (() => Promise<void>) | undefined): Promise<void> {
  await underFolderLock(location, async () => {
    const release = claim(location)
    try {
      await requireFree(location)
      // Cut short, it is a draft, which the next restoration takes away.
      await writeFile(join(location, MARK), '')
      await rename(location, draftOf(location))
      await discardDraft(draftOf(location))
      await undo?.()
    } finally {
      release()
    }
  })
}

/**
 * Looks at a copy that somebody else says to have made: whether it is there, and its files fit their checksums. What is in
 * its records only the sealing key shows.
 *
 * @throws SlotmeshError `store/absent`, `store/unreadable`.
 */
export async function requireWholeCopy(folder: string): Promise<void> {
  await requireStore(folder)
  if (!(await isDamaged(folder))) return
  const sentence = `The copy in ${folder} is not whole: check the disk, and make another one.`
  throw new SlotmeshError('store/unreadable', sentence)
}

/**
 * Copies the files of a database to which nobody writes. It may be tidied up meanwhile: its files are copied again then,
 * until none has gone and it names the same ones as before. A copy is there as a whole, or not at all; one that fails or is
 * cut short is no hindrance to the next.
 *
 * @throws SlotmeshError `store/taken` also where something stands in the place of the draft that is no draft.
 */
export async function copyFiles(from: string, to: string, signal: AbortSignal): Promise<void> {
  const target = resolve(to)
  if (await isTaken(target)) throw takenError(target)
  const draft = draftOf(target)
  await discardDraft(draft)
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted()
    await makeDraft(draft)
    try {
      if (await copiedOnce(from, draft, signal)) return await putInPlace(draft, target)
      if (attempt === TRIES) throw changingError(from)
    } catch (thrown) {
      await discardDraft(draft)
      throw isOfDisk(thrown) ? cannotCopyError(target, thrown) : thrown
    }
    await discardDraft(draft)
  }
}

/** The mark goes last: without it nobody could say of a draft whose it is. */
async function putInPlace(draft: string, target: string): Promise<void> {
  await synced(draft)
  // An empty folder gives way; one that was filled meanwhile does not.
  await rename(draft, target)
  try {
    await removed(join(target, MARK))
    await synced(target)
    await synced(dirname(target))
  } catch (thrown) {
    await rm(target, { recursive: true, force: true })
    throw thrown
  }
}

/** Takes away what an attempt that was cut short has left. What is somebody else's may be all that they have. */
async function discardDraft(draft: string): Promise<void> {
  const names = await namesIn(draft)
  if (names === undefined) return
  if (names.length > 0 && !names.includes(MARK)) throw takenError(draft)
  await removedFolder(draft, MARK)
}

/** Undefined where there is nothing. @throws SlotmeshError `store/taken` when it is no folder, also when it leads to one. */
async function namesIn(draft: string): Promise<readonly string[] | undefined> {
  try {
    if (!(await lstat(draft)).isDirectory()) throw takenError(draft)
    return await readdir(draft)
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return undefined
    throw thrown
  }
}

async function makeDraft(draft: string): Promise<void> {
  try {
    // Not the folder that it is in, too: whoever has given up may have taken that away.
    await mkdir(draft, { mode: 0o700 })
    await writeFile(join(draft, MARK), '', { flag: 'wx' })
  } catch (cause) {
    throw cannotCopyError(draft, cause)
  }
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

/** Whether the file system has refused something. */
function isOfDisk(thrown: unknown): boolean {
  return thrown instanceof Error && 'syscall' in thrown
}

function cannotCopyError(copy: string, cause: unknown): SlotmeshError {
  return new SlotmeshError(
    'store/cannot-copy',
    `The copy ${copy} cannot be made (${messageOf(cause)}): name a new folder, on a disk with room, that the node can write to, which in a container has a file system of its own.`,
    { cause },
  )
}

function changingError(folder: string): SlotmeshError {
  return new SlotmeshError(
    'store/changing',
    `The files of ${folder} went on changing while they were copied: try again, or stop the node before.`,
  )
}
