import { writeFile } from 'node:fs/promises'
import { messageOf, SlotmeshError } from '../domain/index.js'
import type { RunningView, SimulationOptions, WatchedRun } from '../simulation/index.js'
import { EXIT_CODES } from './failure.js'
import { untilInterrupted } from './interruption.js'
import { showProgress } from './progress.js'
import { portOf, type UiPort, untilSeenEnough } from './simulate-view.js'

export type PlayFlags = Partial<Omit<SimulationOptions, 'watch' | 'signal' | 'progress' | 'keepFolder'>> & {
  readonly keep?: boolean
  readonly json?: string
  readonly ui?: UiPort
}

/** Plays a scenario, lets it be watched where that is asked for, and tells what came of it. */
export async function playAndTell(
  { keep, json, ui, ...options }: PlayFlags,
  exitWith: (code: number) => void,
): Promise<void> {
  // Loaded only when it is needed, so that the help comes at once.
  const { formatReport, runSimulation, serveView } = await import('../simulation/index.js')
  const progress = showProgress(process.stderr, process.env)
  let serving: Promise<RunningView> | undefined
  const serveAndTell = async (watched: WatchedRun): Promise<RunningView> => {
    const view = await serveView({ ...watched, port: portOf(ui) })
    progress.show({ type: 'noted', text: `it can be seen at ${view.url}` })
    return view
  }
  const report = await untilInterrupted((signal) =>
    runSimulation({
      ...options,
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
}

async function writeReport(file: string, content: string): Promise<void> {
  try {
    await writeFile(file, `${content}\n`)
  } catch (error) {
    const message = `The report could not be written to ${file}: ${messageOf(error)}. Choose a file that is writable.`
    throw new SlotmeshError('cli/report-not-written', message, { cause: error })
  }
}
