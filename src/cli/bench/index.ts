import { type Command, InvalidArgumentError } from 'commander'
import { U32_MAX } from '../../domain/index.js'
import { decimal, wholeNumber } from '../arguments.js'
import { untilInterrupted } from '../interruption.js'
import { addSettings, type SettingFlags, settingsOf } from '../settings.js'

/** For each figure: shorter says nothing, longer says no more. */
const [SHORTEST, LONGEST, USUAL] = [0.01, 60, 3]

/** Of the setup whose time is estimated. */
const SHARES = 100_000

interface BenchFlags extends SettingFlags {
  readonly seconds: number
  readonly shares: number
  readonly json?: boolean
}

export function addBench(program: Command): void {
  addSettings(program.command('bench'), ['folder'])
    .description('Measure what this machine and its disk do: signatures, quotes, sealed shares, exchanges.')
    .option('--seconds <number>', 'how long to measure for each figure', seconds, USUAL)
    .option('--shares <number>', 'of the setup to estimate', wholeNumber({ minimum: 1, maximum: U32_MAX }), SHARES)
    .option('--json', 'print the figures as JSON')
    .addHelpText(
      'after',
      `
No chain and no other machine is needed, and no node is touched. What is written goes to a new folder beside the node's, on
its disk; without --config and --folder to the system's folder for temporary files, which may be in memory. It is
removed afterwards.

Examples:
  slotmesh bench --config node-a/slotmesh.yaml
  slotmesh bench --folder /mnt/fast-disk/store --shares 1000000 --json`,
    )
    .action(async (flags: BenchFlags) => {
      const { folder } = await settingsOf(flags)
      const [{ runBench }, { benchText }] = await Promise.all([import('./bench.js'), import('./text.js')])
      const report = await untilInterrupted((signal) =>
        runBench({ folder, seconds: flags.seconds, shares: flags.shares, onStep, signal }),
      )
      process.stdout.write(flags.json === true ? `${JSON.stringify(report, undefined, 2)}\n` : benchText(report))
    })
}

function onStep(what: string): void {
  process.stderr.write(`measuring ${what} …\n`)
}

function seconds(text: string): number {
  const value = decimal(text)
  if (value >= SHORTEST && value <= LONGEST) return value
  throw new InvalidArgumentError(`It takes a number from ${SHORTEST} to ${LONGEST}.`)
}
