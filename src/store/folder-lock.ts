import { mkdir } from 'node:fs/promises'
import { Level } from 'level'
import { messageOf, SlotmeshError } from '../domain/index.js'
import { exists, isErrno } from './folder.js'

/**
 * Runs `work` while nobody else opens this folder, makes it, or exchanges it for another one. The lock that the
 * database has in the folder itself is not enough: when the folder is renamed it goes with it, and the name is free.
 *
 * What is locked is an empty database of the same kind beside the folder, `<folder>.lock`: its lock is one of the
 * operating system (fcntl), which ends with the process, however that ends, and is seen from every container that
 * shares the disk. Numbers of processes and sockets are no sign of life there, nor in Gramine. It is never removed,
 * since who removes a lock can remove the next one's. Nobody waits for it: whoever comes second is told so.
 *
 * @param location as `placeOf` gives it, since a process sees its own locks by their names alone.
 * @throws SlotmeshError `store/locked`, `store/unreadable`; what `work` throws.
 */
export async function underFolderLock<Result>(location: string, work: () => Promise<Result>): Promise<Result> {
  const release = claim(`${location}.lock`)
  try {
    const lock = await takeLock(location)
    try {
      return await work()
    } finally {
      await lock?.close()
    }
  } finally {
    release()
  }
}

/**
 * The places that this process has open. The locks of fcntl are the process's: whoever opens the file of one and closes it
 * again, as LevelDB does when it is refused, drops the lock that the same process has taken. So a second one does not come
 * as far. Threads share the process and not this set: a folder is for one thread.
 */
const opened = new Set<string>()

/**
 * Keeps this process from opening a place twice.
 *
 * @returns gives the place free; safe to call twice.
 * @throws SlotmeshError `store/locked`.
 */
export function claim(place: string): () => void {
  if (opened.has(place)) throw lockedError(place)
  opened.add(place)
  let isHeld = true
  return () => {
    if (isHeld) opened.delete(place)
    isHeld = false
  }
}

async function takeLock(location: string): Promise<Level | undefined> {
  const place = `${location}.lock`
  try {
    await mkdir(place, { recursive: true })
  } catch (thrown) {
    // Where nobody may write beside the folder, as beside some mounts, nobody can exchange it either.
    if (isErrno(thrown, 'EACCES', 'EPERM', 'EROFS') && (await exists(location))) return undefined
    throw lockError(place, thrown)
  }
  const level = new Level(place)
  try {
    await level.open()
    return level
  } catch (thrown) {
    const cause = reasonOf(thrown)
    if (isErrno(cause, 'LEVEL_LOCKED')) throw lockedError(location, cause)
    throw lockError(place, cause)
  }
}

/**
 * Looks whether another process has the database in a folder open: LevelDB takes its lock before it finds that there is a
 * database, or none, and reads nothing of it.
 *
 * @param folder is claimed, since the lock is lost that this process has there.
 * @throws SlotmeshError `store/locked`.
 */
export async function requireFree(folder: string): Promise<void> {
  try {
    await new Level(folder, { createIfMissing: false, errorIfExists: true }).open()
  } catch (thrown) {
    const cause = reasonOf(thrown)
    if (isErrno(cause, 'LEVEL_LOCKED')) throw lockedError(folder, cause)
  }
}

/** Of a database that did not open: why. */
export function reasonOf(thrown: unknown): unknown {
  return thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown
}

/** The folder is at work elsewhere. */
export function lockedError(folder: string, cause?: unknown): SlotmeshError {
  return new SlotmeshError(
    'store/locked',
    `The folder ${folder} is in use by another node, or is being sealed anew: stop that, or choose another folder.`,
    { cause },
  )
}

function lockError(place: string, cause: unknown): SlotmeshError {
  return new SlotmeshError(
    'store/unreadable',
    `The lock ${place} cannot be taken (${messageOf(cause)}): check the path, the disk and its permissions; nothing is kept in it, so that it can be removed as long as no node runs.`,
    { cause },
  )
}
