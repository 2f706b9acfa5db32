import { mkdir, open, readdir, readlink, realpath, rename, rm, rmdir, stat, unlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { openPlain } from './plain-file.js'

/** Links that lead to links; as many as Linux follows. */
const LINKS_FOLLOWED = 40

/** What a database cannot be without, and what stands when one was or is mended; a creation that was cut short left none. */
export const FILE_OF_STORE = /^(CURRENT|WATERMARK|MENDED|DAMAGED|\d+\.(ldb|sst|log))$/

/** More than is in any file but those of records. */
const SMALL_BYTES = 4_096

/** The file that names all others of a database. */
const CURRENT = 'CURRENT'

/**
 * Where a folder really is, whether it is there or not: by whatever links it is reached, the same place has the same
 * name, and what stands beside the folder stands beside that.
 */
export async function placeOf(folder: string): Promise<string> {
  let path = resolve(folder)
  for (let links = 0; links < LINKS_FOLLOWED; links += 1) {
    path = join(await realPlaceOf(dirname(path)), basename(path))
    const target = await targetOf(path)
    if (target === undefined) return path
    path = resolve(dirname(path), target)
  }
  return path
}

/** Whether there is a database, though it may be damaged; an empty folder is none. */
export async function holdsStore(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).some((name) => FILE_OF_STORE.test(name))
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT', 'ENOTDIR')) return false
    throw thrown
  }
}

export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT', 'ENOTDIR')) return false
    throw thrown
  }
}

/** Whether the folder is on another file system than the one that it stands in; a bind mount of the same one is not told. */
export async function isMount(folder: string): Promise<boolean> {
  const [own, outer] = [await stat(folder), await stat(dirname(folder))]
  return own.dev !== outer.dev
}

/**
 * A folder is renamed, and that is on disk when this resolves.
 *
 * @returns false, and nothing is done, where folders cannot be renamed: Gramine renames files only.
 */
export async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
  } catch (thrown) {
    if (isErrno(thrown, 'ENOSYS')) return false
    throw thrown
  }
  await synced(dirname(to))
  return true
}

/**
 * A file is renamed, and that is on disk when this resolves. On Gramine's encrypted mounts the file itself says where it
 * stands, and is written to for it.
 */
export async function renamedFile(from: string, to: string): Promise<void> {
  await rename(from, to)
  await synced(to)
  await synced(dirname(to))
}

/** Takes a file away, if there is one; also one that does not open, of which an encrypted mount tells nothing else. */
export async function removed(file: string): Promise<void> {
  try {
    await unlink(file)
  } catch (thrown) {
    if (!isErrno(thrown, 'ENOENT', 'ENOTDIR')) throw thrown
  }
}

/** Takes a folder away, last of it the file that says what it is: cut short, that can be gone on with. */
export async function removedFolder(folder: string, last: string): Promise<void> {
  for (const name of await readdir(folder)) if (name !== last) await rm(join(folder, name), { recursive: true })
  await rm(folder, { recursive: true })
}

/** A file that is on disk when this resolves, in place of one that may not even open to be written over. */
export async function written(file: string, content: string | Uint8Array): Promise<void> {
  await removed(file)
  await writeFile(file, content, { flush: true })
}

/**
 * Moves a database's folder: at once where that can be done, and else file by file, `CURRENT` last. Cut short, it goes on
 * when it is called again; until it has come to its end there is no `CURRENT` where the folder is moved to.
 */
export async function moved(from: string, to: string): Promise<void> {
  if (!(await exists(to)) && (await renamed(from, to))) return
  await made(to)
  const files = (await readdir(from)).filter((name) => name !== CURRENT)
  for (const file of files) await renamedFile(join(from, file), join(to, file))
  if (await exists(join(from, CURRENT))) await renamedFile(join(from, CURRENT), join(to, CURRENT))
  await rmdir(from)
  await synced(dirname(from))
}

/** A folder that is on disk when this resolves. */
export async function made(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await synced(dirname(folder))
}

/** Whether the folder's database is all there, or has not begun to be moved away. */
export function hasCurrent(folder: string): Promise<boolean> {
  return exists(join(folder, CURRENT))
}

/** What is in a file, or what a folder's entries are, is on disk when this resolves. */
export async function synced(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * What is in a file that is small; of a larger one, as only a host makes it, no more than the beginning.
 *
 * @returns undefined where there is none.
 * @throws SlotmeshError `store/unreadable` when it is no file.
 */
export async function readSmall(file: string): Promise<Buffer | undefined> {
  try {
    const handle = await openPlain(file)
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(SMALL_BYTES), 0, SMALL_BYTES, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await handle.close()
    }
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT', 'ENOTDIR')) return undefined
    throw thrown
  }
}

/**
 * As {@link readSmall}; undefined also where it does not open, as on an encrypted mount one whose writing was cut short, or
 * that the host has altered.
 */
export async function readSmallIfOpens(file: string): Promise<Buffer | undefined> {
  try {
    return await readSmall(file)
  } catch (thrown) {
    if (opensNot(thrown)) return undefined
    throw thrown
  }
}

/** What reading a file comes to that is there and does not open. */
export function opensNot(thrown: unknown): boolean {
  return isErrno(thrown, 'EACCES', 'EPERM', 'EIO')
}

export function isErrno(thrown: unknown, ...codes: string[]): boolean {
  return thrown instanceof Error && 'code' in thrown && codes.includes(String(thrown.code))
}

async function realPlaceOf(folder: string): Promise<string> {
  try {
    return await realpath(folder)
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT', 'ENOTDIR')) return folder
    throw thrown
  }
}

async function targetOf(path: string): Promise<string | undefined> {
  try {
    return await readlink(path)
  } catch (thrown) {
    if (isErrno(thrown, 'EINVAL', 'ENOENT', 'ENOTDIR')) return undefined
    throw thrown
  }
}
