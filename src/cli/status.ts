import { setTimeout } from 'node:timers/promises'
import type { Command } from 'commander'
import type { Settings } from '../config/index.js'
import type { ControlRegistry, ControlStatus } from '../control/index.js'
import { bounded, SlotmeshError, silentLogger } from '../domain/index.js'
import { untilInterrupted } from './interruption.js'
import { addSettings, flagsOf, required, type SettingFlags, settingsOf } from './settings.js'
import { peerLines, registryLines, statusText } from './status-text.js'
import { folderOf } from './tee.js'

/** A node answers at once; one that does not has a reason. */
const TIMEOUT_MS = 15_000

/** Between two looks of `--watch`, ms. */
const WATCH_EVERY_MS = 1_000

interface StatusFlags extends SettingFlags {
  readonly json?: boolean
  readonly watch?: boolean
}

export function addStatus(program: Command): void {
  addSettings(program.command('status'), ['folder'])
    .description('Ask a running node who it is, how far it is, whom it knows, and what is wrong.')
    .option('--json', 'print all that it says, as JSON; a line each time with --watch')
    .option('--watch', 'again every second, until it is interrupted')
    .addHelpText('after', '\nExample:\n  slotmesh status --config node-a/slotmesh.yaml --watch')
    .action(showStatus)
}

export function addPeers(program: Command): void {
  addSettings(program.command('peers'), ['folder'])
    .description('Ask a running node for the enclaves of its slot: links, attestation, last exchange.')
    .option('--json', 'print them as JSON')
    .addHelpText('after', '\nExample:\n  slotmesh peers --config node-a/slotmesh.yaml')
    .action(async (flags: StatusFlags) => {
      const settings = await settingsOf(flags)
      const { peers } = await untilInterrupted((signal) => askStatus(settings, signal))
      print(flags.json === true ? [JSON.stringify(peers, undefined, 2)] : peerLines(peers, Date.now()))
    })
}

export function addRegistry(program: Command): void {
  addSettings(program.command('registry'), ['folder', 'chain.endpoints', 'chain.genesisHash'])
    .description('Show who sits where: clusters by slots, as a running node or the chain has it.')
    .option('--json', 'print it as JSON, with operators and addresses')
    .addHelpText(
      'after',
      '\nExamples:\n  slotmesh registry --config node-a/slotmesh.yaml\n  slotmesh registry --chain ws://127.0.0.1:9944   (no node is needed)',
    )
    .action(async (flags: StatusFlags) => {
      const settings = await settingsOf(flags)
      const isOfChain = flagsOf(flags).get('chain.endpoints') !== undefined
      const registry = await untilInterrupted((signal) => registryOf(settings, { isOfChain, signal }))
      print(flags.json === true ? [JSON.stringify(registry, undefined, 2)] : registryLines(registry))
    })
}

async function showStatus(flags: StatusFlags): Promise<void> {
  const settings = await settingsOf(flags)
  await untilInterrupted(async (signal) => {
    for (;;) {
      const status = await askStatus(settings, signal)
      const indent = flags.watch === true ? undefined : 2
      const text =
        flags.json === true ? `${JSON.stringify(status, undefined, indent)}\n` : statusText(status, Date.now())
      // What is watched on a terminal stays in its place.
      const isRedrawn = flags.watch === true && flags.json !== true && process.stdout.isTTY
      process.stdout.write(`${isRedrawn ? '\x1b[H\x1b[2J' : ''}${text}`)
      if (flags.watch !== true) return
      await setTimeout(WATCH_EVERY_MS, undefined, { signal })
    }
  })
}

async function askStatus(settings: Settings, signal: AbortSignal): Promise<ControlStatus> {
  const { askNode, StatusSchema } = await import('../control/index.js')
  return limited(signal, (limit) =>
    askNode(folderOf(settings), { ask: 'status' }, { schema: StatusSchema, signal: limit }),
  )
}

async function registryOf(
  settings: Settings,
  { isOfChain, signal }: { readonly isOfChain: boolean; readonly signal: AbortSignal },
): Promise<ControlRegistry> {
  const { folder, chain } = settings
  if (isOfChain || folder === undefined) return registryOfChain(settings, signal)
  const { askNode, RegistrySchema } = await import('../control/index.js')
  try {
    return await limited(signal, (limit) =>
      askNode(folder, { ask: 'registry' }, { schema: RegistrySchema, signal: limit }),
    )
  } catch (thrown) {
    const isDown = thrown instanceof SlotmeshError && thrown.code === 'control/not-running'
    if (!isDown || chain.endpoints === undefined) throw thrown
    return registryOfChain(settings, signal)
  }
}

async function registryOfChain({ chain }: Settings, signal: AbortSignal): Promise<ControlRegistry> {
  const { connectChain } = await import('../chain/index.js')
  const endpoints = required(chain.endpoints, 'chain.endpoints')
  const { genesisHash, connectTimeoutMs } = chain
  signal.throwIfAborted()
  const connected = await connectChain({
    endpoints,
    connectTimeoutMs,
    ...(genesisHash !== undefined && { expectedGenesis: genesisHash }),
    logger: silentLogger,
  })
  try {
    return connected
      .registry()
      .clusters()
      .map(({ seats, ...cluster }) => ({ ...cluster, seats: [...seats] }))
  } finally {
    await connected.close()
  }
}

function limited<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return bounded({ signals: [signal], timeoutMs: TIMEOUT_MS }, work)
}

function print(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''))
}
