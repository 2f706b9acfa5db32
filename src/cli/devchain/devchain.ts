import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { toSs58 } from '../../crypto/index.js'
import type { DevelopmentChain, NotificationMode } from '../../devchain/index.js'
import { messageOf, SlotmeshError } from '../../domain/index.js'
import { palletGeneration, wholeNumber } from '../arguments.js'
import { untilInterrupted } from '../interruption.js'
import { lineLogger } from '../line-logger.js'
import { addMint, addSeat } from './acts.js'

interface DevchainFlags {
  readonly port: number
  readonly name?: string
  readonly blockTime: number
  readonly instant?: boolean
  readonly finalityLag?: number
  readonly generation: 1 | 2
  readonly metadata?: string
  readonly folder?: string
  readonly latency: number
  readonly notifications: NotificationMode
  readonly dropEvery?: number
  readonly pauseEvery?: number
  readonly upgradeAt?: number
  readonly upgradeMetadata?: string
}

const NOTIFICATION_MODES: readonly NotificationMode[] = ['deliver', 'duplicate', 'skip', 'none']

const milliseconds = (minimum: number) => wholeNumber({ minimum, maximum: 3_600_000 })
const blocks = wholeNumber({ minimum: 0, maximum: 2 ** 32 - 1 })

export function addDevchain(program: Command): void {
  const command = program
    .command('devchain')
    .description('Run a development chain on this machine until it is interrupted.')
    .option(
      '--port <number>',
      'TCP port on the loopback interface; 0 for any',
      wholeNumber({ minimum: 0, maximum: 65_535 }),
      9944,
    )
    .option('--name <text>', 'what the chain is called; two names are two chains')
    .option('--block-time <ms>', 'time between blocks', milliseconds(50), 6000)
    .addOption(
      new Option('--instant', 'make a block when a transaction comes, or on engine_createBlock').conflicts('blockTime'),
    )
    .option(
      '--finality-lag <blocks>',
      'blocks that follow a block before it is final (default: 1; 0 if instant)',
      blocks,
    )
    .option('--generation <1|2>', 'generation of the TEE pallet', palletGeneration, 2)
    .addOption(
      new Option('--metadata <file>', 'serve another chain’s own metadata, of version 14').conflicts('generation'),
    )
    .option('--folder <path>', 'where the chain is kept and goes on from; in memory only without it')
    .option('--latency <ms>', 'time by which answers and notifications come later', milliseconds(0), 0)
    .addOption(
      new Option('--notifications <mode>', 'what becomes of notifications')
        .choices(NOTIFICATION_MODES)
        .default('deliver'),
    )
    .option('--drop-every <ms>', 'cut all connections every so often', milliseconds(50))
    .option(
      '--pause-every <ms>',
      'answer and notify for so long, then be silent for as long, in turn',
      milliseconds(50),
    )
    .option('--upgrade-at <block>', 'the block that carries a runtime upgrade', blocks)
    .option('--upgrade-metadata <file>', 'the metadata from then on (default: the same, in a new version)')
    .action((flags: DevchainFlags) => untilInterrupted((signal) => run(flags, signal)))
  addSeat(command)
  addMint(command)
}

async function run(flags: DevchainFlags, signal: AbortSignal): Promise<void> {
  if (flags.upgradeMetadata !== undefined && flags.upgradeAt === undefined) {
    throw new SlotmeshError('cli/bad-option', '--upgrade-metadata needs --upgrade-at: say which block carries it.')
  }
  const [metadata, upgradeMetadata] = await Promise.all([fileOf(flags.metadata), fileOf(flags.upgradeMetadata)])
  const { developmentAccounts, startDevelopmentChain } = await import('../../devchain/index.js')
  const { port, name, generation, finalityLag, folder, latency } = flags
  const chain = await startDevelopmentChain({
    port,
    name,
    generation,
    metadata,
    blockTime: flags.instant === true ? 'instant' : flags.blockTime,
    finalityLag,
    folder,
    latency,
    logger: lineLogger(process.stderr, 'warn'),
  })
  const timers: NodeJS.Timeout[] = []
  try {
    chain.faults.notifications = flags.notifications
    if (flags.upgradeAt !== undefined) chain.upgrade({ at: flags.upgradeAt, metadata: upgradeMetadata })
    if (flags.dropEvery !== undefined) {
      timers.push(setInterval(() => chain.faults.dropConnections(), flags.dropEvery))
    }
    if (flags.pauseEvery !== undefined) {
      const turn = () => {
        chain.faults.isPaused = !chain.faults.isPaused
      }
      timers.push(setInterval(turn, flags.pauseEvery))
    }
    const accounts = developmentAccounts().map((each) => `${each.name.padEnd(8)} ${toSs58(each.account)}\n`)
    process.stdout.write(`Development chain listening on ${chain.url}\nAccounts with funds:\n${accounts.join('')}`)
    await untilEnded(chain, signal)
  } finally {
    for (const timer of timers) clearInterval(timer)
    await chain.stop()
  }
}

async function untilEnded(chain: DevelopmentChain, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await Promise.race([chain.ended, once(signal, 'abort')])
}

async function fileOf(path: string | undefined): Promise<Uint8Array | undefined> {
  if (path === undefined) return undefined
  try {
    return await readFile(path)
  } catch (cause) {
    throw new SlotmeshError('cli/unreadable-file', `The file ${path} cannot be read: ${messageOf(cause)}.`, { cause })
  }
}
