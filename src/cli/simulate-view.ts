import type { Command } from 'commander'
import type { RunningView } from '../simulation/index.js'
import { wholeNumber } from './arguments.js'
import { EXIT_CODES } from './failure.js'
import { untilInterrupted } from './interruption.js'

/** A port that was asked for; true when any will do. */
export type UiPort = number | true

const PORTS = { minimum: 0, maximum: 65_535 } as const

/** The value of `--ui [port]`. */
export const uiPort = wholeNumber(PORTS)

interface CompareFlags {
  readonly totalsWithin?: number
  readonly latenciesWithin?: number
  readonly html?: string
}

/** What is done with runs that were recorded: they are shown, reported on, and compared. */
export function addRecordedRuns(simulate: Command, exitWith: (code: number) => void): void {
  simulate
    .command('show <run>')
    .description('Show a recorded run in a browser on this machine, with a slider for its time.')
    .option('--ui [port]', 'where to serve the page (default: any port that is free)', uiPort)
    .action(show)
  simulate
    .command('report <runs...>')
    .description('Write a page about a recorded run, or about several and how their costs grow with their size.')
    .option('--out <file>', 'where to write it (default: next to the first run)')
    .action(report)
  simulate
    .command('compare <first> <second>')
    .description('Say in what two recorded runs differ, and whether they agree (exit code 0) or not (1).')
    .option('--totals-within <percent>', 'how far totals may be apart (default: 25)', wholeNumber(PERCENT))
    .option(
      '--latencies-within <percent>',
      'how far medians and 90th percentiles may be (default: 50)',
      wholeNumber(PERCENT),
    )
    .option('--html <file>', 'write the comparison as a page, too')
    .action(async (first: string, second: string, flags: CompareFlags) => {
      const agrees = await compare(first, second, flags)
      exitWith(agrees ? EXIT_CODES.success : EXIT_CODES.failure)
    })
}

const PERCENT = { minimum: 0, maximum: 100 } as const

export function portOf(ui: UiPort | undefined): number | undefined {
  return ui === true ? undefined : ui
}

async function show(file: string, { ui }: { readonly ui?: UiPort }): Promise<void> {
  const { readRun, serveView } = await import('../simulation/index.js')
  await untilSeenEnough(await serveView({ run: await readRun(file), port: portOf(ui) }))
}

/** Serves a run that has ended until Ctrl-C. */
export async function untilSeenEnough(view: RunningView): Promise<void> {
  await untilInterrupted(async (signal) => {
    process.stdout.write(`The run can be seen at ${view.url}\nEnd with Ctrl-C.\n`)
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    await view.close()
  })
}

async function report(files: readonly string[], { out }: { readonly out?: string }): Promise<void> {
  const { readRun, reportFileOf, writeReport } = await import('../simulation/index.js')
  const runs = await Promise.all(files.map(readRun))
  const file = out ?? reportFileOf(files[0] ?? '')
  await writeReport(file, runs)
  process.stdout.write(`The report is in ${file}\n`)
}

async function compare(
  first: string,
  second: string,
  { totalsWithin, latenciesWithin, html }: CompareFlags,
): Promise<boolean> {
  const { compareRuns, formatComparison, formatHtmlComparison, readRun, writePage } = await import(
    '../simulation/index.js'
  )
  const part = (percent: number | undefined) => (percent === undefined ? undefined : percent / 100)
  const comparison = compareRuns(await readRun(first), await readRun(second), {
    totalsWithin: part(totalsWithin),
    latenciesWithin: part(latenciesWithin),
  })
  process.stdout.write(`${formatComparison(comparison)}\n`)
  if (html !== undefined) {
    await writePage(html, formatHtmlComparison(comparison))
    process.stdout.write(`The comparison is in ${html}, too.\n`)
  }
  return comparison.agrees
}
