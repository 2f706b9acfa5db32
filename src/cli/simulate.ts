import { writeFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { messageOf, SlotmeshError } from '../domain/index.js'
import type { NamedScenario, RunningView, SimulationOptions, WatchedRun } from '../simulation/index.js'
import { palletGeneration, seed, wholeNumber } from './arguments.js'
import { EXIT_CODES } from './failure.js'
import { untilInterrupted } from './interruption.js'
import { showProgress } from './progress.js'
import { addScale } from './simulate-scale.js'
import { addRecordedRuns, portOf, type UiPort, uiPort, untilSeenEnough } from './simulate-view.js'

/** The story that the README tells; what reads scenarios is not loaded for the help. */
const DEFAULT_SCENARIO = 'life-of-a-share'

type SimulateFlags = Partial<
  Pick<
    SimulationOptions,
    | 'scenario'
    | 'mode'
    | 'runs'
    | 'processors'
    | 'clusters'
    | 'secrets'
    | 'capsules'
    | 'threshold'
    | 'generation'
    | 'seed'
    | 'folder'
  >
> & {
  readonly blockTime?: number
  readonly keep?: boolean
  readonly json?: string
  readonly list?: boolean
  readonly ui?: UiPort
}

export function addSimulate(program: Command, exitWith: (code: number) => void): void {
  const simulate = program
    .command('simulate')
    .helpCommand(false)
    .enablePositionalOptions()
    .description('Play a scenario on this machine and check what came of it against the chain.')
    .option('--scenario <name or file>', 'what happens; by itself the whole life of a share', DEFAULT_SCENARIO)
    .addOption(
      new Option(
        '--mode <mode>',
        'real nodes in one process, each in a process of its own, or the same code under a computed clock',
      )
        .choices(['live', 'processes', 'discrete'])
        .default('live'),
    )
    .option(
      '--processors <number>',
      'in discrete mode: how many all nodes share, as on one machine (default: each has its own)',
      wholeNumber(),
    )
    .option('--list', 'list the scenarios that come with this package, and what each is for')
    .option('--clusters <number>', 'public clusters at the start, in place of what the scenario says', wholeNumber())
    .option('--secrets <number>', 'secret NFTs that the timeline mints, likewise', wholeNumber())
    .option('--capsules <number>', 'capsules that the timeline mints, likewise', wholeNumber())
    .option('--threshold <number>', 'shares of five that recover a secret, likewise', wholeNumber())
    .option('--block-time <ms>', 'block time of the chain, likewise', wholeNumber())
    .option('--generation <1|2>', 'generation of the TEE pallet, likewise', palletGeneration)
    .option('--seed <hex>', 'repeat the choices of an earlier run (default: a new one)', seed)
    .option('--folder <path>', 'keep the stores in this folder, which must be empty (default: a temporary one)')
    .option('--keep', 'keep the temporary folder')
    .option('--json <file>', 'write what is printed at the end to a file, too')
    .option('--runs <folder>', 'where the run and the page about it are written', 'slotmesh-runs')
    .option('--ui [port]', 'watch it, and take a hand in it, in a browser on this machine', uiPort)
    .action(async ({ blockTime, keep, json, list, ui, ...rest }: SimulateFlags) => {
      // Loaded only when it is needed, so that the help comes at once.
      const { formatReport, runSimulation, serveView, shippedScenarios } = await import('../simulation/index.js')
      if (list) {
        process.stdout.write(describeAll(await shippedScenarios()))
        return
      }
      const progress = showProgress(process.stderr, process.env)
      let serving: Promise<RunningView> | undefined
      const serveAndTell = async (watched: WatchedRun): Promise<RunningView> => {
        const view = await serveView({ ...watched, port: portOf(ui) })
        progress.show({ type: 'noted', text: `it can be seen at ${view.url}` })
        return view
      }
      const report = await untilInterrupted((signal) =>
        runSimulation({
          ...rest,
          ...(blockTime === undefined ? {} : { blockTimeMs: blockTime }),
          keepFolder: keep === true,
          watch: (watched) => {
            if (ui !== undefined) serving = serveAndTell(watched)
          },
          signal,
          progress: progress.show,
        }),
      ).finally(progress.end)
      if (json !== undefined) await writeReport(json, JSON.stringify(report, undefined, 2))
      process.stdout.write(`\n${formatReport(report)}\n`)
      exitWith(report.passed ? EXIT_CODES.success : EXIT_CODES.failure)
      if (serving !== undefined) await untilSeenEnough(await serving)
    })
  addRecordedRuns(simulate, exitWith)
  addScale(simulate)
}

function describeAll(scenarios: readonly NamedScenario[]): string {
  return scenarios.map(({ name, scenario: { title, why } }) => `${name}\n    ${title}\n    ${why}\n`).join('')
}

async function writeReport(file: string, content: string): Promise<void> {
  try {
    await writeFile(file, `${content}\n`)
  } catch (error) {
    const message = `The report could not be written to ${file}: ${messageOf(error)}. Choose a file that is writable.`
    throw new SlotmeshError('cli/report-not-written', message, { cause: error })
  }
}
