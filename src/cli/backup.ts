import { constants } from 'node:fs'
import { copyFile, mkdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Settings } from '../config/index.js'
import { toSs58, zero } from '../crypto/index.js'
import { bounded, messageOf, SlotmeshError, silentLogger } from '../domain/index.js'
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
    await copyStopped(settings, to, signal)
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

async function restore(given: string, flags: SettingFlags, signal: AbortSignal): Promise<void> {
  const settings = await settingsOf(flags)
  const folder = folderOf(settings)
  const { restoreStore } = await import('../store/index.js')
  const from = join(resolve(given), STORE)
  await restoreStore({ from, location: folder, signal })
  try {
    await copySalt(from, folder)
    const account = await accountOf(settings, folder)
    print(`The store of ${toSs58(account)} is in ${folder} again: go on with slotmesh join.`)
  } catch (thrown) {
    // A node that has opened it meanwhile lives in it.
    const isInUse = thrown instanceof SlotmeshError && thrown.code === 'store/locked'
    if (!isInUse) await rm(folder, { recursive: true, force: true })
    throw thrown
  }
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

/** The salt of a passphrase stands beside the store, and belongs to it; no other key has one. */
async function copySalt(from: string, to: string): Promise<void> {
  const { saltFileOf } = await import('../sealing-key/index.js')
  try {
    await copyFile(saltFileOf(from), saltFileOf(to), constants.COPYFILE_EXCL)
  } catch (thrown) {
    const isNone = thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT'
    // The same salt is there where it was only the store that was lost.
    const isThere = thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST'
    if (!isNone && !isThere) throw thrown
  }
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
