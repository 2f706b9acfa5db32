import { open, readlink, rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { SlotmeshError } from '../domain/index.js'
import { SealedDatabase } from './database.js'

/**
 * The folders of a re-sealing, beside the store's own:
 *
 *     <folder>.resealing   being written; worth nothing
 *     <folder>.resealed    whole, under the new key; worth nothing as long as the folder itself is there
 *     <folder>.replaced    under the old key, after the new one has taken its place; to be removed
 *
 * At every moment there is exactly one folder that counts: the folder itself, or between two renames `.resealed`.
 */
const beside = (folder: string) => ({
  resealing: `${folder}.resealing`,
  resealed: `${folder}.resealed`,
  replaced: `${folder}.replaced`,
})

/**
 * Seals every record of a folder anew under another sealing key and another store id: for a new build of the enclave,
 * or another key file. Whoever had the old key can read nothing that is written from then on. Interrupted at any
 * moment, the folder opens with one of the two keys and has lost nothing; run again, it begins anew.
 *
 * @param options.from the key that the folder is sealed under; 32 bytes, as is `to`.
 * @throws SlotmeshError as `openStore` does; `store/absent` when there is no folder; the signal's reason.
 */
export async function resealStore(options: {
  readonly location: string
  readonly from: Uint8Array
  readonly to: Uint8Array
  readonly signal: AbortSignal
}): Promise<void> {
  const { from, to, signal } = options
  const location = await placeOf(options.location)
  await finishReseal(location)
  if (!(await exists(location))) throw absentError(location)
  const { resealing, resealed, replaced } = beside(location)
  const source = await SealedDatabase.open(location, from)
  try {
    await forgetReseal(location)
    const target = await SealedDatabase.open(resealing, to)
    try {
      await source.copyTo(target, signal)
    } finally {
      await target.close()
    }
    // Under the lock of the source, so that nobody writes to it meanwhile.
    await moved(resealing, resealed)
    await moved(location, replaced)
  } finally {
    await source.close()
  }
  await moved(resealed, location)
  await rm(replaced, { recursive: true })
}

/** Before a folder is opened: ends a re-sealing that was cut short after the old folder had gone. */
export async function finishReseal(folder: string): Promise<void> {
  const location = await placeOf(folder)
  const { resealed } = beside(location)
  if (!(await exists(location)) && (await exists(resealed))) await moved(resealed, location)
}

/**
 * Under the lock of an open folder: takes away what a re-sealing that was cut short has left. What was sealed anew before
 * the folder is written to again would set it back.
 */
export async function forgetReseal(folder: string): Promise<void> {
  for (const leftover of Object.values(beside(await placeOf(folder))))
    await rm(leftover, { recursive: true, force: true })
}

/** Where the folder really is, so that not only a link to it is renamed. */
async function placeOf(folder: string): Promise<string> {
  const path = resolve(folder)
  try {
    return resolve(dirname(path), await readlink(path))
  } catch (thrown) {
    if (isErrno(thrown, 'EINVAL', 'ENOENT', 'ENOTDIR')) return path
    throw thrown
  }
}

function isErrno(thrown: unknown, ...codes: string[]): boolean {
  return thrown instanceof Error && 'code' in thrown && codes.includes(String(thrown.code))
}

/** A rename that is on disk when it resolves. */
async function moved(from: string, to: string): Promise<void> {
  await rename(from, to)
  const parent = await open(dirname(to), 'r')
  try {
    await parent.sync()
  } finally {
    await parent.close()
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT', 'ENOTDIR')) return false
    throw thrown
  }
}

function absentError(location: string): SlotmeshError {
  return new SlotmeshError('store/absent', `There is no store in ${location} to be sealed anew; correct the path.`)
}
