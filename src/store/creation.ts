import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { FILE_OF_STORE, holdsStore } from './folder.js'
import { filesOf, namesTables } from './leveldb-files.js'
import { isLogEmpty } from './leveldb-log.js'

/** Whether nothing was ever acknowledged of a database, nor written in full: so a creation that was cut short leaves it. */
export async function isBare(folder: string): Promise<boolean> {
  const names = (await holdsStore(folder)) ? await readdir(folder) : []
  for (const name of names.filter((each) => FILE_OF_STORE.test(each) && each !== 'CURRENT')) {
    if (!name.endsWith('.log') || !(await isLogEmpty(join(folder, name)))) return false
  }
  // There were tables, although they are gone.
  for (const name of names) if (await namesTables(join(folder, name))) return false
  return true
}

/** Takes away what a creation that was cut short has left: what of it is on the disk nobody can say. */
export async function forgetCreation(folder: string): Promise<void> {
  const { kept } = await filesOf(folder)
  for (const name of kept) await rm(join(folder, name))
}
