import { Command, CommanderError } from 'commander'
import { packageVersion } from '../domain/index.js'
import { addAttest } from './attest.js'
import { addBackup } from './backup.js'
import { addBench } from './bench/index.js'
import { addCompletion } from './completion.js'
import { addConfig } from './config.js'
import { addConformance } from './conformance.js'
import { addDevchain } from './devchain/devchain.js'
import { addDoctor } from './doctor/index.js'
import { addExamples } from './examples.js'
import { describeFailure, EXIT_CODES } from './failure.js'
import { addInit } from './init.js'
import { addJoin } from './join.js'
import { addRetrieve, addStore } from './owner/index.js'
import { addReseal } from './reseal.js'
import { addSimulate } from './simulate.js'
import { addPeers, addRegistry, addStatus } from './status.js'

/**
 * Runs one command line to its end.
 * @param argv as in `process.argv`.
 * @returns the exit code of the process.
 */
export async function runCli(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT_CODES.success
  const program = createProgram((code) => {
    exitCode = code
  })
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

/** Every command. @param exitWith is told how the process is to end, where that is no failure of the command. */
export function createProgram(exitWith: (code: number) => void): Command {
  const program = new Command('slotmesh')
    .description('Synchronises secret shares between TEE enclaves of the same slot.')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    // Options belong to the command that they stand behind: those of two may have the same name.
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .exitOverride()
  addInit(program)
  addJoin(program)
  addStatus(program)
  addPeers(program)
  addRegistry(program)
  addDoctor(program, exitWith)
  addAttest(program)
  addBackup(program)
  addReseal(program)
  addStore(program)
  addRetrieve(program)
  addConfig(program)
  addDevchain(program)
  addSimulate(program, exitWith)
  addConformance(program, exitWith)
  addBench(program)
  addCompletion(program)
  addExamples(program)
  return program
}
