import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { messageOf, SlotmeshError } from '../domain/index.js'
import { formatReport, runSimulation, SIMULATION_LIMITS, type SimulationOptions } from '../simulation/index.js'
import { palletGeneration, seed, wholeNumber } from './arguments.js'
import { EXIT_CODES } from './failure.js'
import { untilInterrupted } from './interruption.js'
import { showProgress } from './progress.js'

type SimulateFlags = Partial<
  Pick<SimulationOptions, 'clusters' | 'secrets' | 'capsules' | 'threshold' | 'generation' | 'seed' | 'folder'>
> & { readonly blockTime?: number; readonly keep?: boolean; readonly json?: string }

export function addSimulate(program: Command, exitWith: (code: number) => void): void {
  const { clusters, secrets, capsules, threshold, blockTimeMs } = SIMULATION_LIMITS
  program
    .command('simulate')
    .description('Run the whole life of shares on this machine, on real parts, and check it against the chain.')
    .option('--clusters <number>', 'public clusters of five enclaves at the start', wholeNumber(clusters))
    .option('--secrets <number>', 'secret NFTs to mint', wholeNumber(secrets))
    .option('--capsules <number>', 'capsules to mint', wholeNumber(capsules))
    .option('--threshold <number>', 'shares of five that recover a secret', wholeNumber(threshold))
    .option('--block-time <ms>', 'block time of the development chain', wholeNumber(blockTimeMs))
    .option('--generation <1|2>', 'generation of the TEE pallet', palletGeneration)
    .option('--seed <hex>', 'repeat the choices of an earlier run', seed)
    .option('--folder <path>', 'keep the stores in this folder, which must be empty')
    .option('--keep', 'keep the temporary folder')
    .option('--json <file>', 'write the report to a file, too')
    .action(async ({ blockTime, keep, json, ...rest }: SimulateFlags) => {
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
}

async function writeReport(file: string, content: string): Promise<void> {
  try {
    await writeFile(file, `${content}\n`)
  } catch (error) {
    const message = `The report could not be written to ${file}: ${messageOf(error)}. Choose a file that is writable.`
    throw new SlotmeshError('cli/report-not-written', message, { cause: error })
  }
}
