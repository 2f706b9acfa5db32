import { mkdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { exists, isErrno, readSmallIfOpens, removed, synced, written } from './folder.js'
import { filesOf, isFileRight } from './leveldb-files.js'

/**
 * Where the files of a damaged database are kept until an operator takes them away: beside the folder, or in it, where
 * nothing can be moved out of it (a mount) or nobody may write beside it.
 */
const placesOf = (folder: string) => [`${folder}.damaged`, join(folder, 'DAMAGED')] as const

/** Stands there once all files of the first damage do. */
const WHOLE_FILE = 'WHOLE'

/** Where files of a damaged database are kept, if any are. */
export async function asideOf(folder: string): Promise<string | undefined> {
  for (const place of placesOf(folder)) if (await exists(place)) return place
  return undefined
}

/**
 * Moves a database's files away once they were copied as far as they can be read. Of a first damage all are kept. While
 * those stand, of a later one only those that cannot be read in full: what the others hold is in the copy, and no disk has
 * room for a whole store at each damage. Cut short, it goes on when it is called again.
 */
export async function setAside(folder: string): Promise<void> {
  const { kept, chaff } = await filesOf(folder)
  for (const name of chaff) await removed(join(folder, name))
  const before = await asideOf(folder)
  const isFurther = before !== undefined && (await readSmallIfOpens(join(before, WHOLE_FILE))) !== undefined
  let place = before
  for (const name of kept) {
    const file = join(folder, name)
    if (isFurther && (await isFileRight(file))) await rm(file)
    else place = await movedAside(folder, name)
  }
  if (place === undefined) return
  await written(join(place, WHOLE_FILE), '')
  await synced(place)
  await synced(folder)
}

/** @returns where it is now. */
async function movedAside(folder: string, name: string): Promise<string> {
  const [beside, inside] = placesOf(folder)
  try {
    await moveInto(beside, join(folder, name), name)
    return beside
  } catch (thrown) {
    if (!isErrno(thrown, 'EXDEV', 'EACCES', 'EPERM', 'EROFS')) throw thrown
  }
  await moveInto(inside, join(folder, name), name)
  return inside
}

/** Under its own name, or where a file of another damage has that, with a number behind it. */
async function moveInto(place: string, file: string, name: string): Promise<void> {
  const isMade = (await mkdir(place, { recursive: true })) !== undefined
  await synced(dirname(place))
  let free = join(place, name)
  for (let number = 2; await exists(free); number += 1) free = join(place, `${name}.${number}`)
  try {
    await rename(file, free)
  } catch (thrown) {
    if (isMade) await rmdir(place)
    throw thrown
  }
}
