import { type Command, Option } from 'commander'
import { seed, wholeNumber } from './arguments.js'
import { type PlayFlags, playAndTell } from './simulate-play.js'
import { uiPort } from './simulate-view.js'

type ChaosFlags = Pick<PlayFlags, 'folder' | 'keep' | 'json' | 'ui' | 'runs' | 'seed'> & {
  readonly minutes: number
  readonly clusters: number
  readonly mode: 'live' | 'processes' | 'discrete'
}

/** All kinds of trouble at random, as a command. */
export function addChaos(simulate: Command, exitWith: (code: number) => void): void {
  simulate
    .command('chaos')
    .description('Play all kinds of trouble at random, and look again and again whether anything is lost or shown.')
    .option('--minutes <number>', 'how long it goes on', wholeNumber({ minimum: 1, maximum: 10_000 }), 30)
    .option('--clusters <number>', 'public clusters at the start', wholeNumber({ minimum: 3, maximum: 100 }), 3)
    .addOption(
      new Option('--mode <mode>', 'as simulate has it').choices(['live', 'processes', 'discrete']).default('live'),
    )
    .option('--seed <hex>', 'the same trouble as in an earlier run (default: other one)', seed)
    .option('--folder <path>', 'keep the stores in this folder, which must be empty (default: a temporary one)')
    .option('--keep', 'keep the temporary folder')
    .option('--json <file>', 'write what is printed at the end to a file, too')
    .option('--runs <folder>', 'where the run and the page about it are written', 'slotmesh-runs')
    .option('--ui [port]', 'watch it, and take a hand in it, in a browser on this machine', uiPort)
    .action(async ({ minutes, clusters, mode, seed: given, ...flags }: ChaosFlags) => {
      const { chaosScenario, freshSeed } = await import('../simulation/index.js')
      const chosen = given ?? freshSeed()
      const scenario = chaosScenario({ duration: minutes * 60_000, clusters, mode, seed: chosen })
      await playAndTell({ ...flags, mode, seed: chosen, scenario }, exitWith)
    })
}
