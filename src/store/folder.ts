import { open, readdir, readlink, realpath, rename, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'

/** Links that lead to links; as many as Linux follows. */
const LINKS_FOLLOWED = 40

/** What a database cannot be without; a creation that was cut short has left none of it. */
const FILE_OF_STORE = /^(CURRENT|\d+\.(ldb|sst|log))$/

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

/** A rename that is on disk when it resolves. */
export async function moved(from: string, to: string): Promise<void> {
  await rename(from, to)
  const parent = await open(dirname(to), 'r')
  try {
    await parent.sync()
  } finally {
    await parent.close()
  }
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
