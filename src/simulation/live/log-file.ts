import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import type { LogFields, Logger } from '../../domain/index.js'

/** A node's log in a file beside its store, one JSON object per line: for looking into a run that failed. */
export function openLogFile(file: string): { readonly logger: Logger; close(): Promise<void> } {
  const stream = createWriteStream(file, { flags: 'a' })
  const line =
    (level: keyof Logger) =>
    (message: string, fields: LogFields = {}): void => {
      stream.write(`${JSON.stringify({ at: new Date().toISOString(), level, message, ...fields })}\n`)
    }
  return {
    logger: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
    close: async () => {
      stream.end()
      await once(stream, 'close')
    },
  }
}
