import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import type { ConformanceReport, Target } from '../conformance/index.js'
import { messageOf, SlotmeshError } from '../domain/index.js'
import { wholeNumber } from './arguments.js'
import { EXIT_CODES } from './failure.js'
import { untilInterrupted } from './interruption.js'

interface ConformanceFlags {
  readonly list?: boolean
  readonly targetFile?: string
  readonly command?: string
  readonly peer?: string
  readonly only?: readonly string[]
  readonly skip?: readonly string[]
  readonly slow?: boolean
  readonly timeout?: number
  readonly joinTimeout?: number
  readonly json?: string
  readonly junit?: string
}

/** Exit codes of this command: all passed, some did not, it could not run. */
const EXIT = { passed: EXIT_CODES.success, failed: 1, notRun: 2 } as const

const milliseconds = wholeNumber({ minimum: 1, maximum: 3_600_000 })

export function addConformance(program: Command, exitWith: (code: number) => void): void {
  program
    .command('conformance')
    .description('Judge any implementation of /ternoa/share/1 as a black box; docs/conformance.md says how.')
    .option('--list', 'print the cases and what of the specification they cover')
    .option('--target-file <path>', 'where to write what the implementation needs to know')
    .addOption(
      new Option('--command <line>', 'start the implementation; {file} stands for the target file').conflicts('list'),
    )
    .option('--peer <multiaddr>', 'where it is (default: it is found in the mesh)')
    .option('--only <ids>', 'run cases of these ids, or beginnings of ids, with commas between', listed)
    .option('--skip <ids>', 'leave these out', listed)
    .option('--slow', 'run the cases that take longer than ten seconds, too')
    .option('--timeout <ms>', 'for each case (default: 20000)', milliseconds)
    .option('--join-timeout <ms>', 'until the peer must have joined the mesh (default: 60000)', milliseconds)
    .option('--json <file>', 'write the results to a file')
    .option('--junit <file>', 'write them as JUnit XML')
    .action(async (flags: ConformanceFlags) => {
      if (flags.list === true) return list(flags)
      exitWith(await untilInterrupted((signal) => judge(flags, signal)))
    })
}

async function list(flags: ConformanceFlags): Promise<void> {
  const { catalogueCoverage, chosenCases, formatCase, formatCoverage } = await import('../conformance/index.js')
  const cases = chosenCases({ only: flags.only, skip: flags.skip, slow: true })
  for (const each of cases) print(formatCase(each))
  print(`${cases.length} cases`, formatCoverage(catalogueCoverage()))
}

async function judge(flags: ConformanceFlags, signal: AbortSignal): Promise<number> {
  if (flags.targetFile === undefined && flags.command === undefined) {
    throw new SlotmeshError(
      'cli/bad-option',
      'Give --target-file and start the implementation yourself, or --command and have it started.',
    )
  }
  const { formatResult, formatSummary, runConformance } = await import('../conformance/index.js')
  const folder = await mkdtemp(join(tmpdir(), 'slotmesh-conformance-'))
  try {
    const report = await runConformance({
      start: (target) => start(flags, flags.targetFile ?? join(folder, 'target.json'), target),
      peer: flags.peer,
      only: flags.only,
      skip: flags.skip,
      slow: flags.slow === true,
      timeoutMs: flags.timeout,
      joinTimeoutMs: flags.joinTimeout,
      signal,
      onResult: (result) => print(formatResult(result)),
      onProgress: (sentence) => process.stderr.write(`${sentence}\n`),
    })
    await write(flags, report)
    print('', formatSummary(report))
    return report.passed ? EXIT.passed : EXIT.failed
  } catch (thrown) {
    signal.throwIfAborted()
    if (!(thrown instanceof SlotmeshError)) throw thrown
    process.stderr.write(`slotmesh: ${thrown.message}\n`)
    return EXIT.notRun
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function start(flags: ConformanceFlags, file: string, target: Target): Promise<{ stop(): Promise<void> }> {
  const { startCommand } = await import('../conformance/index.js')
  await writeResult(file, `${JSON.stringify(target, undefined, 2)}\n`)
  if (flags.command !== undefined) return startCommand(flags.command, file)
  print(`The implementation's instructions are in ${file}; waiting for it.`)
  return { stop: async () => undefined }
}

async function write(flags: ConformanceFlags, report: ConformanceReport): Promise<void> {
  const { toJson, toJunit } = await import('../conformance/index.js')
  if (flags.json !== undefined) await writeResult(flags.json, toJson(report))
  if (flags.junit !== undefined) await writeResult(flags.junit, toJunit(report))
}

async function writeResult(file: string, content: string): Promise<void> {
  try {
    await writeFile(file, content)
  } catch (cause) {
    const message = `${file} could not be written: ${messageOf(cause)}. Choose a file that is writable.`
    throw new SlotmeshError('cli/report-not-written', message, { cause })
  }
}

function listed(text: string): string[] {
  return text.split(',').map((id) => id.trim())
}

function print(...lines: string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`)
}
