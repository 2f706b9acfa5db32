import { Command, CommanderError } from 'commander'
import { packageVersion } from '../domain/index.js'
import { addAttest } from './attest.js'
import { addConformance } from './conformance.js'
import { addDevchain } from './devchain.js'
import { describeFailure, EXIT_CODES } from './failure.js'
import { addJoin } from './join.js'
import { addReseal } from './reseal.js'
import { addSimulate } from './simulate.js'

/**
 * Runs one command line to its end.
 * @param argv as in `process.argv`.
 * @returns the exit code of the process.
 */
export async function runCli(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT_CODES.success
  const program = new Command('slotmesh')
    .description('Synchronises secret shares between TEE enclaves of the same slot.')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    // Options belong to the command that they stand behind: those of two may have the same name.
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .exitOverride()
  const exitWith = (code: number): void => {
    exitCode = code
  }
  addSimulate(program, exitWith)
  addDevchain(program)
  addJoin(program)
  addAttest(program)
  addReseal(program)
  addConformance(program, exitWith)
  try {
    await program.parseAsync([...argv])
  } catch (thrown) {
    // Commander has printed its own sentence, or the help, already.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT_CODES.success : EXIT_CODES.badUsage
    const failure = describeFailure(thrown, process.env)
    process.stderr.write(`slotmesh: ${failure.text}\n`)
    return failure.exitCode
  }
  return exitCode
}
