import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { messageOf, SlotmeshError } from '../domain/index.js'
import type { SimulationOptions } from '../simulation/index.js'
import { palletGeneration, seed, wholeNumber } from './arguments.js'
import { EXIT_CODES } from './failure.js'
import { untilInterrupted } from './interruption.js'
import { showProgress } from './progress.js'
import { addRecordedRuns } from './simulate-view.js'

type SimulateFlags = Partial<
  Pick<SimulationOptions, 'clusters' | 'secrets' | 'capsules' | 'threshold' | 'generation' | 'seed' | 'folder'>
> & { readonly blockTime?: number; readonly keep?: boolean; readonly json?: string }

export function addSimulate(program: Command, exitWith: (code: number) => void): void {
  const simulate = program
    .command('simulate')
    .helpCommand(false)
    .description('Run the whole life of shares on this machine, on real parts, and check it against the chain.')
    .option('--clusters <number>', 'public clusters of five enclaves at the start (default: 3)', wholeNumber())
    .option('--secrets <number>', 'secret NFTs to mint (default: 16)', wholeNumber())
    .option('--capsules <number>', 'capsules to mint (default: 10)', wholeNumber())
    .option('--threshold <number>', 'shares of five that recover a secret (default: 3)', wholeNumber())
    .option('--block-time <ms>', 'block time of the development chain (default: 500)', wholeNumber())
    .option('--generation <1|2>', 'generation of the TEE pallet (default: 2)', palletGeneration)
    .option('--seed <hex>', 'repeat the choices of an earlier run (default: a new one)', seed)
    .option('--folder <path>', 'keep the stores in this folder, which must be empty (default: a temporary one)')
    .option('--keep', 'keep the temporary folder')
    .option('--json <file>', 'write the report to a file, too')
    .action(async ({ blockTime, keep, json, ...rest }: SimulateFlags) => {
      // Loaded only when it is needed, so that the help comes at once.
      const { formatReport, runSimulation } = await import('../simulation/index.js')
      const progress = showProgress(process.stderr, process.env)
      const report = await untilInterrupted((signal) =>
        runSimulation({
          ...rest,
          ...(blockTime === undefined ? {} : { blockTimeMs: blockTime }),
          keepFolder: keep === true,
          signal,
          progress: progress.show,
        }),
      ).finally(progress.end)
      if (json !== undefined) await writeReport(json, JSON.stringify(report, undefined, 2))
      process.stdout.write(`\n${formatReport(report)}\n`)
      exitWith(report.passed ? EXIT_CODES.success : EXIT_CODES.failure)
    })
  addRecordedRuns(simulate, exitWith)
}

async function writeReport(file: string, content: string): Promise<void> {
  try {
    await writeFile(file, `${content}\n`)
  } catch (error) {
    const message = `The report could not be written to ${file}: ${messageOf(error)}. Choose a file that is writable.`
    throw new SlotmeshError('cli/report-not-written', message, { cause: error })
  }
}
