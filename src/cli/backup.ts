import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Settings } from '../config/index.js'
import { toSs58, zero } from '../crypto/index.js'
import { abortable, bounded, messageOf, SlotmeshError, silentLogger } from '../domain/index.js'
import { untilInterrupted } from './interruption.js'
import { addSettings, type SettingFlags, settingsOf } from './settings.js'
import { folderOf, sealingKeyOf } from './tee.js'

/** What the copy is called in its folder, whatever the store is. */
const STORE = 'store'

const OPENING = ['folder', 'sealing', 'attestation.simulated.seed', 'attestation.simulated.machineId']

export function addBackup(program: Command): void {
  addSettings(program.command('backup <to>'), OPENING)
    .description('Copy a node’s store, sealed as it is, into a new folder; the node may run or not.')
    .addHelpText(
      'after',
      `
The copy opens under the key that the store has, which is needed to copy it while the node is stopped. It holds the
account: without it, and without the store, the stake is another enclave's. Never run two nodes on copies of one store:
they would sign two histories.

Example:
  slotmesh backup --config node-a/slotmesh.yaml /mnt/backups/node-a-monday`,
    )
    .action((to: string, flags: SettingFlags) => untilInterrupted((signal) => backUp(to, flags, signal)))
  addSettings(program.command('restore <from>'), OPENING)
    .description('Put a copy of a store in its place, where there is none.')
    .addHelpText(
      'after',
      `
What has come since the copy is fetched again; the node says that its folder was set back where that shows.

Example:
  slotmesh restore --config node-a/slotmesh.yaml /mnt/backups/node-a-monday`,
    )
    .action((from: string, flags: SettingFlags) => untilInterrupted((signal) => restore(from, flags, signal)))
}

async function backUp(given: string, flags: SettingFlags, signal: AbortSignal): Promise<void> {
  const settings = await settingsOf(flags)
  const folder = folderOf(settings)
  const to = resolve(given)
  await makeFree(to)
  try {
    await copySalt(folder, join(to, STORE))
    await copyStore(settings, join(to, STORE), signal)
  } catch (thrown) {
    await rm(to, { recursive: true, force: true })
    throw thrown
  }
  print(`The store ${folder} is copied to ${to}: keep it apart, and keep the key that opens it somewhere else.`)
}

/** By the node where it runs, since nobody else can open what it has open. */
async function copyStore(settings: Settings, to: string, signal: AbortSignal): Promise<void> {
  const folder = folderOf(settings)
  const { askNode, BACKUP_TIMEOUT_MS, BackedUpSchema } = await import('../control/index.js')
  try {
    await bounded({ signals: [signal], timeoutMs: BACKUP_TIMEOUT_MS }, (limit) =>
      askNode(folder, { ask: 'backup', to }, { schema: BackedUpSchema, signal: limit }),
    )
  } catch (thrown) {
    if (!(thrown instanceof SlotmeshError) || thrown.code !== 'control/not-running') throw thrown
    return copyStopped(settings, to, signal)
  }
  await abortable(requireCopy(to), signal)
}

/** What the node calls the same folder may be another one. */
async function requireCopy(to: string): Promise<void> {
  const { requireWholeCopy } = await import('../store/index.js')
  try {
    await requireWholeCopy(to)
  } catch (thrown) {
    if (!(thrown instanceof SlotmeshError) || thrown.code !== 'store/absent') throw thrown
    const sentence = `The node says that it has made the copy, and it is not in ${to} here: in a container it has a file system of its own, where the copy is now; name a folder that both have at the same path.`
    throw new SlotmeshError('cli/no-copy', sentence, { cause: thrown })
  }
}

/** Opened before it is copied, so that no node opens it meanwhile, and what is copied is known to be whole. */
async function copyStopped(settings: Settings, to: string, signal: AbortSignal): Promise<void> {
  const location = folderOf(settings)
  const { openStore, requireStore } = await import('../store/index.js')
  await requireStore(location)
  const sealingKey = await sealingKeyOf(settings)
  try {
    const store = await openStore({ location, sealingKey, logger: silentLogger })
    try {
      await store.backUp(to, { signal })
    } finally {
      await store.close()
    }
  } finally {
    zero(sealingKey)
  }
}

/**
 * Whatever fails, nothing of it is left in the place of the store, unless a node lives in it by then; cut short by a kill, it
 * can be run again.
 */
async function restore(given: string, flags: SettingFlags, signal: AbortSignal): Promise<void> {
  const settings = await settingsOf(flags)
  const folder = folderOf(settings)
  const { restoreStore } = await import('../store/index.js')
  const from = join(resolve(given), STORE)
  // The salt comes first, as the store is of no use without it.
  const first = () => restoreSalt(from, folder)
  const takeAway = await restoreStore({ from, location: folder, signal, first })
  const account = await accountOf(settings, folder).catch(async (thrown) => {
    // A node that has opened it meanwhile lives in it.
    if (!isLocked(thrown)) await unlessLocked(takeAway)
    throw thrown
  })
  print(`The store of ${toSs58(account)} is in ${folder} again: go on with slotmesh join.`)
}

async function unlessLocked(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (thrown) {
    if (!isLocked(thrown)) throw thrown
  }
}

function isLocked(thrown: unknown): boolean {
  return thrown instanceof SlotmeshError && thrown.code === 'store/locked'
}

/** A copy that does not open is of no use in that place. */
async function accountOf(settings: Settings, folder: string) {
  const sealingKey = await sealingKeyOf(settings)
  try {
    const { nodeIdentity } = await import('../node/index.js')
    return (await nodeIdentity({ folder, sealingKey })).account
  } finally {
    zero(sealingKey)
  }
}

/** What is done where there is nothing to undo. */
const nothing = async (): Promise<void> => undefined

/** The salt of a passphrase stands beside the store, and belongs to it; no other key has one. */
async function copySalt(from: string, to: string): Promise<void> {
  const { saltFileOf } = await import('../sealing-key/index.js')
  const salt = await contentOf(saltFileOf(from))
  // Into a folder that goes with it when that fails, on a disk that need not know links as `createFile` makes.
  if (salt !== undefined) await writeFile(saltFileOf(to), salt, { flag: 'wx', mode: 0o600, flush: true })
}

/**
 * @returns takes away again what was made.
 * @throws SlotmeshError `cli/other-salt`, `cli/cannot-restore`
 */
async function restoreSalt(from: string, to: string): Promise<() => Promise<void>> {
  const { createFile, saltFileOf } = await import('../sealing-key/index.js')
  const target = saltFileOf(to)
  const salt = await contentOf(saltFileOf(from))
  if (salt === undefined) return nothing
  try {
    await createFile(target, salt)
    return () => rm(target, { force: true })
  } catch (thrown) {
    if (!isErrno(thrown, 'EEXIST')) {
      const sentence = `The salt ${target} cannot be written (${messageOf(thrown)}): check the disk and the folder's permissions, and restore again.`
      throw new SlotmeshError('cli/cannot-restore', sentence, { cause: thrown })
    }
    // It was only the store that was lost.
    if ((await contentOf(target))?.equals(salt)) return nothing
    const sentence = `The file ${target} is the salt of another store than the copy, which would not open with it: move it away first.`
    throw new SlotmeshError('cli/other-salt', sentence, { cause: thrown })
  }
}

async function contentOf(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file)
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return undefined
    throw thrown
  }
}

function isErrno(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code
}

async function makeFree(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (cause) {
    const sentence = `The folder ${folder} cannot be made (${messageOf(cause)}): name one that is not there yet, in a folder that is.`
    throw new SlotmeshError('cli/folder-taken', sentence, { cause })
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
