import type { Command } from 'commander'
import type { Settings } from '../../config/index.js'
import { bounded, messageOf, SlotmeshError } from '../../domain/index.js'
import { EXIT_CODES } from '../failure.js'
import { untilInterrupted } from '../interruption.js'
import { addSettings, type SettingFlags, settingsOf } from '../settings.js'
import { type Finding, fails, well } from './finding.js'

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
collateral. The exit code is 1 when something fails; warnings leave it 0. The node may run meanwhile.

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
  const isRunning = await runs(folder, signal)
  const { findings: ofChain, block } = await lookAtChain(settings, { now: Date.now, signal })
  return [
    well('config', `all that is said can be read; the node ${isRunning ? 'runs' : 'does not run'}`),
    ...(await lookAtDisk(folder)),
    await lookAtSealing(settings, folder, isRunning),
    ...(await lookAtPorts(settings, isRunning)),
    ...ofChain,
    ...(await lookAtTee(settings, { block, signal })),
  ]
}

async function runs(folder: string, signal: AbortSignal): Promise<boolean> {
  const { askNode, StatusSchema } = await import('../../control/index.js')
  try {
    await bounded({ signals: [signal], timeoutMs: ASK_TIMEOUT_MS }, (limit) =>
      askNode(folder, { ask: 'status' }, { schema: StatusSchema, signal: limit }),
    )
    return true
  } catch (thrown) {
    signal.throwIfAborted()
    // Whatever else comes back comes from a node.
    return !(thrown instanceof SlotmeshError && thrown.code === 'control/not-running')
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
