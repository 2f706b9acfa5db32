import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { SlotmeshError } from '../domain/index.js'

/**
 * Opens a file of a store for reading. The host can put something else in its place: who opens a pipe to which nobody writes
 * waits for ever, with the folder's locks.
 *
 * @throws SlotmeshError `store/unreadable` when it is no file; what the file system throws.
 */
export async function openPlain(file: string): Promise<FileHandle> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    if ((await handle.stat()).isFile()) return handle
    throw new SlotmeshError(
      'store/unreadable',
      `${file} is in the place of a file of the store's, and is none: find out who has put it there, and remove it.`,
    )
  } catch (thrown) {
    await handle.close()
    throw thrown
  }
}
