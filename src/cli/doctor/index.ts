import type { Command } from 'commander'
import type { Settings } from '../../config/index.js'
import type { ControlStatus } from '../../control/index.js'
import { bounded, messageOf, SlotmeshError } from '../../domain/index.js'
import { EXIT_CODES } from '../failure.js'
import { untilInterrupted } from '../interruption.js'
import { addSettings, type SettingFlags, settingsOf } from '../settings.js'
import { type Finding, fails, warns, well } from './finding.js'

const ASK_TIMEOUT_MS = 5_000

interface DoctorFlags extends SettingFlags {
  readonly json?: boolean
}

export function addDoctor(program: Command, exitWith: (code: number) => void): void {
  addSettings(program.command('doctor'))
    .description('Look at all that a node depends on, and say how to mend what is wrong.')
    .option('--json', 'print the findings as JSON')
    .addHelpText(
      'after',
      `
Looks at: the configuration, the disk, the sealing key, ports, each endpoint of the chain, the clock, the TEE, its
collateral, and what a running node says itself. The exit code is 1 when something fails; warnings leave it 0. The node may run meanwhile.

Example:
  slotmesh doctor --config node-a/slotmesh.yaml`,
    )
    .action(async (flags: DoctorFlags) => {
      const findings = await untilInterrupted((signal) => examine(flags, signal))
      process.stdout.write(flags.json === true ? `${JSON.stringify(findings, undefined, 2)}\n` : textOf(findings))
      if (findings.some(({ state }) => state === 'fails')) exitWith(EXIT_CODES.failure)
    })
}

async function examine(flags: SettingFlags, signal: AbortSignal): Promise<Finding[]> {
  let settings: Settings
  try {
    settings = await settingsOf(flags)
  } catch (thrown) {
    return [fails('config', messageOf(thrown), 'Correct it there; slotmesh config example shows all that there is.')]
  }
  const { folder } = settings
  if (folder === undefined) {
    return [
      fails('config', 'it is not said where the store is', 'Give --config with the file that slotmesh init has made.'),
    ]
  }
  const [{ lookAtDisk }, { lookAtPorts }, { lookAtChain }, { lookAtSealing, lookAtTee }] = await Promise.all([
    import('./disk.js'),
    import('./ports.js'),
    import('./chain.js'),
    import('./tee.js'),
  ])
  const problems = await problemsOf(folder, signal)
  const isRunning = problems !== undefined
  const { findings: ofChain, block } = await lookAtChain(settings, { now: Date.now, signal })
  return [
    well('config', `all that is said can be read; the node ${isRunning ? 'runs' : 'does not run'}`),
    ...(await lookAtDisk(folder)),
    await lookAtSealing(settings, folder, isRunning),
    ...(await lookAtPorts(settings, isRunning)),
    ...ofChain,
    ...(await lookAtTee(settings, { block, signal })),
    ...(problems ?? []).map(({ code, sentence }) => warns('node', code, sentence)),
  ]
}

/** What a running node says itself is wrong; undefined where none runs. */
async function problemsOf(folder: string, signal: AbortSignal): Promise<ControlStatus['problems'] | undefined> {
  const { askNode, StatusSchema } = await import('../../control/index.js')
  try {
    const { problems } = await bounded({ signals: [signal], timeoutMs: ASK_TIMEOUT_MS }, (limit) =>
      askNode(folder, { ask: 'status' }, { schema: StatusSchema, signal: limit }),
    )
    return problems
  } catch (thrown) {
    signal.throwIfAborted()
    if (thrown instanceof SlotmeshError && thrown.code === 'control/not-running') return undefined
    // Whatever else comes back comes from a node.
    const mend = 'Look at its log; where it hangs, stop it (a second SIGTERM does so at once) and start it again.'
    return [{ code: `it does not answer (${messageOf(thrown)})`, sentence: mend }]
  }
}

const MARKS = { well: 'ok   ', warns: 'warn ', fails: 'FAIL ' } as const

function textOf(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ about, state, seen, mend }) => [
    `${MARKS[state]}${about.padEnd(12)}${seen}`,
    ...(mend === undefined ? [] : [`${' '.repeat(17)}→ ${mend}`]),
  ])
  return `${lines.join('\n')}\n`
}
