import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SlotmeshError } from '../domain/index.js'
import { asideOf } from './aside.js'
import { SealedDatabase } from './database.js'
import {
  exists,
  hasCurrent,
  holdsStore,
  isMount,
  made,
  moved,
  placeOf,
  readSmallIfOpens,
  removed,
  removedFolder,
  renamed,
  synced,
  written,
} from './folder.js'
import { underFolderLock } from './folder-lock.js'

/**
 * The folders of a re-sealing, beside the store's own:
 *
 *     <folder>.resealing   being written; worth nothing
 *     <folder>.resealed    whole, under the new key; worth nothing as long as there is no `.replaced`, and the folder
 *     <folder>.replaced    under the old key, when the new one takes its place, and after; to be removed
 *
 * At every moment there is exactly one folder that counts: the folder itself, or where there is `.replaced`, `.resealed`.
 * Whoever looks at these folders, or changes them, has the lock that stands beside them.
 */
const beside = (folder: string) => ({
  resealing: `${folder}.resealing`,
  resealed: `${folder}.resealed`,
  replaced: `${folder}.replaced`,
})

/** Says in a folder that was replaced how many writes it had seen; the database leaves it alone. */
const SEQUENCE_FILE = 'SEQUENCE'

/**
 * Opens a store's folder, which is made when absent, and takes away what a re-sealing that was cut short has left.
 *
 * @throws SlotmeshError as `SealedDatabase.open` does; `store/unreadable` also when the folder is gone, and there are
 * others beside it that may hold what it held.
 */
export async function openFolder(folder: string, sealingKey: Uint8Array): Promise<SealedDatabase> {
  const location = await placeOf(folder)
  return underFolderLock(location, async () => {
    await finishReseal(location)
    const leftovers = await leftoversOf(location)
    const [leftover] = leftovers
    if (leftover !== undefined && !(await holdsStore(location))) throw goneError(location, leftover)
    const database = await SealedDatabase.open(location, sealingKey, {
      mayCreate: leftover === undefined,
      onAltered: () => keepReplaced(location),
    })
    try {
      await forgetReseal(location, database)
      const { replaced } = beside(location)
      if (await exists(replaced)) database.replaced = replaced
      return database
    } catch (thrown) {
      await database.close()
      throw thrown
    }
  })
}

/**
 * Seals every record of a folder anew under another sealing key and another store id: for a new build of the enclave,
 * or another key file. Whoever had the old key can read nothing that is written from then on. Interrupted at any
 * moment, the folder opens with one of the two keys and has lost nothing; run again, it begins anew, or has nothing to do
 * where it had come to its end.
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
  const location = await placeOf(options.location)
  // Before the lock, so that none is made where there is nothing.
  await requireStore(location)
  await underFolderLock(location, async () => {
    await finishReseal(location)
    await requireStore(location)
    const fresh = await exchanged(location, options)
    try {
      await forgetReseal(location, fresh)
    } finally {
      await fresh.close()
    }
  })
}

/**
 * Whether a folder is sealed under this key, or holds nothing that is sealed.
 *
 * @throws SlotmeshError as `openStore` does, but for another key.
 */
export async function opensUnder(folder: string, sealingKey: Uint8Array): Promise<boolean> {
  const location = await placeOf(folder)
  return underFolderLock(location, async () => {
    await finishReseal(location)
    if (!(await holdsStore(location))) return true
    try {
      const database = await openKept(location, sealingKey)
      await database.close()
      return true
    } catch (thrown) {
      if (isWrongKey(thrown)) return false
      throw thrown
    }
  })
}

/** @returns the folder that is sealed under the new key, open. */
async function exchanged(location: string, options: Parameters<typeof exchange>[1]): Promise<SealedDatabase> {
  const opened = () => openKept(location, options.to)
  try {
    await exchange(location, options)
  } catch (thrown) {
    if (!isWrongKey(thrown)) throw thrown
    // Perhaps it was done before, and was cut short where only the last step was missing.
    return opened().catch((other) => {
      throw isWrongKey(other) ? thrown : other
    })
  }
  return opened()
}

function isWrongKey(thrown: unknown): boolean {
  return thrown instanceof SlotmeshError && thrown.code === 'store/wrong-key'
}

async function exchange(
  location: string,
  { from, to, signal }: { readonly from: Uint8Array; readonly to: Uint8Array; readonly signal: AbortSignal },
): Promise<void> {
  const { resealing, resealed, replaced } = beside(location)
  let isReplaced = false
  const source = await openKept(location, from)
  try {
    await forgetReseal(location, source)
    if (await exists(replaced)) throw keptError(location, replaced)
    const damaged = await asideOf(location)
    // It would go with the folder, and nobody has read all of it.
    if (damaged !== undefined && dirname(damaged) === location) throw damagedError(location, damaged)
    // Another folder cannot take the place of a mount.
    if (await isMount(location)) throw mountError(location)
    const target = await SealedDatabase.open(resealing, to)
    try {
      // What a former one has left was taken away before.
      if (target.sequence > 0) throw foreignError(resealing)
      await source.copyTo(target, signal)
    } finally {
      await target.close()
    }
    await written(join(location, SEQUENCE_FILE), `${source.sequence}\n`)
    await moved(resealing, resealed)
    // Under the lock of the source, so that nobody writes to it meanwhile.
    isReplaced = await renamed(location, replaced)
  } finally {
    await source.close()
  }
  // From here on the new one counts.
  if (!isReplaced) await made(replaced)
  await finishReseal(location)
}

/**
 * Before a folder is opened: ends a re-sealing that was cut short after the new folder was whole, and the old one had
 * gone or was going: file by file, where folders cannot be renamed.
 */
async function finishReseal(location: string): Promise<void> {
  const { resealed, replaced } = beside(location)
  if (!(await exists(resealed))) return
  const isReplacing = await exists(replaced)
  if (!isReplacing && (await holdsStore(location))) return
  if (isReplacing && !(await hasCurrent(replaced)) && (await exists(location))) await moved(location, replaced)
  await moved(resealed, location)
}

/**
 * Takes away what a re-sealing that was cut short has left. What was sealed anew before the folder is written to again
 * would set it back; what was replaced goes only when the folder has seen all of its writes. A copy comes to that number with
 * its last write, and one that ends before shows as altered, which keeps what was replaced ({@link keepReplaced}).
 *
 * @param database of the folder, open: a folder that does not open with the key at hand is no reason to remove another.
 * @throws SlotmeshError `store/unreadable` where the folder holds nothing at all.
 */
async function forgetReseal(location: string, database: SealedDatabase): Promise<void> {
  const { resealing, resealed, replaced } = beside(location)
  for (const leftover of [resealing, resealed]) await rm(leftover, { recursive: true, force: true })
  const sequence = await sequenceOf(replaced)
  if (sequence === undefined) return
  // A copy that had only just been made opens as a new store, and would in time be written to as often as what it replaced.
  if (database.sequence === 0) throw keptError(location, replaced)
  if (database.sequence < sequence) return
  // Without what says how old it is the rest of it would stay.
  await removedFolder(replaced, SEQUENCE_FILE)
}

/** A folder that must be there. */
function openKept(location: string, key: Uint8Array): Promise<SealedDatabase> {
  return SealedDatabase.open(location, key, { mayCreate: false, onAltered: () => keepReplaced(location) })
}

/**
 * The folder was found altered, and is about to be mended: what it has replaced may be the only good copy. Once it does
 * not say how old it is nothing takes it away but its operator, whatever later openings find.
 */
async function keepReplaced(location: string): Promise<void> {
  const { replaced } = beside(location)
  if (!(await exists(replaced))) return
  await removed(join(replaced, SEQUENCE_FILE))
  await synced(replaced)
}

/** Undefined when the folder is not there, or does not say. */
async function sequenceOf(replaced: string): Promise<number | undefined> {
  const text = `${(await readSmallIfOpens(join(replaced, SEQUENCE_FILE))) ?? ''}`
  return /^\d{1,15}\n$/.test(text) ? Number(text) : undefined
}

async function leftoversOf(location: string): Promise<string[]> {
  const found: string[] = []
  for (const folder of Object.values(beside(location))) if (await exists(folder)) found.push(folder)
  const damaged = await asideOf(location)
  return damaged === undefined ? found : [...found, damaged]
}

async function requireStore(location: string): Promise<void> {
  if ((await holdsStore(location)) || (await exists(beside(location).resealed))) return
  throw new SlotmeshError('store/absent', `There is no store in ${location} to be sealed anew; correct the path.`)
}

function goneError(location: string, leftover: string): SlotmeshError {
  return new SlotmeshError(
    'store/unreadable',
    `There is no store in ${location}, but ${leftover} was left there by a re-sealing or when the folder was damaged: restore the folder or move that one to its place, or remove what is left to begin anew.`,
  )
}

function keptError(location: string, replaced: string): SlotmeshError {
  return new SlotmeshError(
    'store/unreadable',
    `The folder ${replaced} holds what an earlier re-sealing has replaced, and ${location} does not show that it has all of it: compare them, and move that one elsewhere.`,
  )
}

function damagedError(location: string, damaged: string): SlotmeshError {
  return new SlotmeshError(
    'store/unreadable',
    `The folder ${damaged} holds files of ${location} that may not have been read in full, and would be removed with it: move them elsewhere first.`,
  )
}

function foreignError(resealing: string): SlotmeshError {
  return new SlotmeshError(
    'store/unreadable',
    `The folder ${resealing} was put there by somebody else while this node sealed its own anew: find out who writes there, and start the node again.`,
  )
}

function mountError(location: string): SlotmeshError {
  return new SlotmeshError(
    'store/mount-point',
    `The folder ${location} is a mount point, which a newly sealed one cannot take the place of: move what is in it into a folder below, and have the node use that.`,
  )
}
