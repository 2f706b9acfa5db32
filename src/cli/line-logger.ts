import type { LogFields, Logger } from '../domain/index.js'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

type Level = (typeof LEVELS)[number]

/** Whatever lines can be written to. */
type Output = Pick<NodeJS.WritableStream, 'write'>

/**
 * One line per message, from `lowest` upwards: for people its time, level and words with the fields behind them, for
 * programs an object with all of these.
 */
export function lineLogger(output: Output, lowest: Level, format: 'text' | 'json' = 'text'): Logger {
  const lineOf = format === 'text' ? textLine : jsonLine
  const log =
    (level: Level) =>
    (message: string, fields: LogFields = {}) => {
      if (LEVELS.indexOf(level) >= LEVELS.indexOf(lowest)) output.write(`${lineOf(level, message, fields)}\n`)
    }
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
}

function textLine(level: Level, message: string, fields: LogFields): string {
  const details = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`)
  return `${new Date().toISOString()} ${level} ${message}${details.join('')}`
}

/** No field takes the place of what is said of every line. */
function jsonLine(level: Level, message: string, fields: LogFields): string {
  const own = { time: new Date().toISOString(), level, message }
  return JSON.stringify({ ...own, ...fields, ...own })
}
