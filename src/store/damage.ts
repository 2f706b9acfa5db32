import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { exists, holdsStore, isErrno } from './folder.js'

/** Above every name of a record. */
const LAST_NAME = new Uint8Array(64).fill(0xff)

/** Whether what kept a folder from being opened is damage to the database's own files, and not their absence. */
export async function isRepairable(folder: string, thrown: unknown): Promise<boolean> {
  if (!(await holdsStore(folder))) return false
  for (let cause = thrown; cause instanceof Error; cause = cause.cause) {
    if (isErrno(cause, 'LEVEL_CORRUPTION')) return true
    // What a read behind the end of a table that was cut off comes to.
    if (isErrno(cause, 'LEVEL_IO_ERROR') && /\.ldb: Invalid argument$/.test(cause.message)) return true
  }
  return isWithoutIndex(folder)
}

/** The database tells of these as it tells of a disk that does not answer. */
async function isWithoutIndex(folder: string): Promise<boolean> {
  const current = join(folder, 'CURRENT')
  if (!(await exists(current))) return true
  const [, index] = /^(MANIFEST-\d+)\n$/.exec(await readFile(current, 'utf8')) ?? []
  return index !== undefined && !(await exists(join(folder, index)))
}

/** Stands in a folder from before it is mended until the store knows of it; the database leaves it alone. */
const markOf = (folder: string) => join(folder, 'MENDED')

/**
 * Whether the folder was mended and the store has not been told. Its records may all agree and be an older state: who
 * takes the newest table away takes the newest manifest with it.
 */
export function wasRepaired(folder: string): Promise<boolean> {
  return exists(markOf(folder))
}

export function forgetRepair(folder: string): Promise<void> {
  return rm(markOf(folder), { force: true })
}

/**
 * Makes the database of a folder anew from what can be read of its tables and journals; what is missing then, or is back,
 * shows by the manifest. Nobody may have the folder open.
 */
export async function repair(folder: string): Promise<void> {
  await writeFile(markOf(folder), '', { flush: true })
  await ClassicLevel.repair(folder)
  // Sealed values do not compress.
  const level = new ClassicLevel<Uint8Array, Uint8Array>(folder, {
    keyEncoding: 'view',
    compression: false,
    createIfMissing: false,
  })
  await level.open()
  try {
    // All tables are of one rank now, and the newest of two records is not in the newest of two tables.
    await level.compactRange(new Uint8Array(1), LAST_NAME)
  } finally {
    await level.close()
  }
  // Journals and tables that were read, or could not be: what the node erases must not stay here.
  await rm(join(folder, 'lost'), { recursive: true, force: true })
}
