import type { LogFields, Logger } from '../domain/index.js'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

type Level = (typeof LEVELS)[number]

/** One line per message, with its time and its fields behind it, from `lowest` upwards. */
export function lineLogger(stream: NodeJS.WritableStream, lowest: Level): Logger {
  const log =
    (level: Level) =>
    (message: string, fields: LogFields = {}) => {
      if (LEVELS.indexOf(level) < LEVELS.indexOf(lowest)) return
      const details = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`)
      stream.write(`${new Date().toISOString()} ${level} ${message}${details.join('')}\n`)
    }
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
}
