import type { WriteStream } from 'node:tty'
import { styleText } from 'node:util'
import type { SimulationEvent, SimulationProgress } from '../simulation/index.js'
import { USUAL_COLUMNS } from './status-line.js'

/** A terminal, or anything else that text can be written to. */
type Output = NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'columns' | 'hasColors'>>

interface ProgressDisplay {
  readonly show: SimulationProgress
  /** Leaves the output at the start of an empty line. */
  readonly end: () => void
}

/**
 * Shows a simulation's progress: on a terminal one line that is redrawn while a phase runs, elsewhere and in CI plain
 * lines. Colours follow the terminal and NO_COLOR.
 */
export function showProgress(output: Output, environment: NodeJS.ProcessEnv): ProgressDisplay {
  const isLive = output.isTTY === true && !environment.CI
  return isLive ? liveLines(output) : plainLines(output)
}

function plainLines(output: Output): ProgressDisplay {
  const counts = new Map<string, string>()
  const show = (event: SimulationEvent): void => {
    switch (event.type) {
      case 'phase-started':
        counts.clear()
        output.write(`[${event.phase}/${event.of}] ${event.title}\n`)
        break
      case 'counted':
        counts.set(event.what, countText(event))
        break
      case 'noted':
        output.write(`      ${event.text}\n`)
        break
      case 'phase-ended':
        output.write(`      ${endText(event, [...counts.values()])}\n`)
    }
  }
  return { show, end: () => undefined }
}

function liveLines(output: Output): ProgressDisplay {
  // Whether this output shows colours is known here; styleText would look at another one.
  const styled = (style: 'green' | 'red' | 'dim', text: string): string =>
    output.hasColors?.() === true ? styleText(style, text, { validateStream: false }) : text
  let title = ''
  const counts = new Map<string, string>()
  // A line that wraps cannot be redrawn, so it is cut at the terminal's width.
  const redraw = (): void => {
    const line = [`… ${title}`, ...counts.values()].join('  ')
    output.write(`\r\x1b[K${line.slice(0, (output.columns || USUAL_COLUMNS) - 1)}`)
  }
  const writeAbove = (line: string): void => {
    output.write(`\r\x1b[K${line}\n`)
  }
  const show = (event: SimulationEvent): void => {
    switch (event.type) {
      case 'phase-started':
        title = `${event.phase}/${event.of} ${event.title}`
        counts.clear()
        redraw()
        break
      case 'counted':
        counts.set(event.what, countText(event))
        redraw()
        break
      case 'noted':
        writeAbove(styled('dim', `      ${event.text}`))
        redraw()
        break
      case 'phase-ended': {
        const mark = event.passed ? styled('green', '✔') : styled('red', '✘')
        writeAbove(`${mark} ${title}  ${styled('dim', endText(event, [...counts.values()]))}`)
      }
    }
  }
  return { show, end: () => output.write('\r\x1b[K') }
}

function countText({ what, done, of }: SimulationEvent & { type: 'counted' }): string {
  return `${done}/${of} ${what}`
}

function endText(event: SimulationEvent & { type: 'phase-ended' }, counts: readonly string[]): string {
  return [...counts, `${(event.durationMs / 1000).toFixed(1)} s`, ...(event.passed ? [] : ['failed'])].join(', ')
}
