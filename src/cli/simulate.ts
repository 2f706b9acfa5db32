import { type Command, Option } from 'commander'
import type { NamedScenario } from '../simulation/index.js'
import { decimal, palletGeneration, seed, wholeNumber } from './arguments.js'
import { addChaos } from './simulate-chaos.js'
import { type PlayFlags, playAndTell } from './simulate-play.js'
import { addScale } from './simulate-scale.js'
import { addRecordedRuns, uiPort } from './simulate-view.js'

/** The story that the README tells; what reads scenarios is not loaded for the help. */
const DEFAULT_SCENARIO = 'life-of-a-share'

type SimulateFlags = PlayFlags & { readonly blockTime?: number; readonly list?: boolean; readonly schema?: boolean }

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
    .option(
      '--slower <times>',
      'in discrete mode: how many times as long all work takes a processor as the table of costs says',
      decimal,
    )
    .option('--list', 'list the scenarios that come with this package, and what each is for')
    .option('--schema', 'print what a scenario file may hold, as JSON Schema for editors')
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
    .action(async ({ blockTime, list, schema, ...flags }: SimulateFlags) => {
      if (list) {
        // Loaded only when it is needed, so that the help comes at once.
        const { shippedScenarios } = await import('../simulation/index.js')
        process.stdout.write(describeAll(await shippedScenarios()))
        return
      }
      if (schema) {
        const { scenarioSchema } = await import('../simulation/index.js')
        process.stdout.write(`${JSON.stringify(scenarioSchema(), undefined, 2)}\n`)
        return
      }
      await playAndTell({ ...flags, ...(blockTime === undefined ? {} : { blockTimeMs: blockTime }) }, exitWith)
    })
  addChaos(simulate, exitWith)
  addRecordedRuns(simulate, exitWith)
  addScale(simulate)
}

function describeAll(scenarios: readonly NamedScenario[]): string {
  return scenarios.map(({ name, scenario: { title, why } }) => `${name}\n    ${title}\n    ${why}\n`).join('')
}
