import type { Logger } from '../../../src/domain/index.js'

interface Entry {
  readonly level: keyof Logger
  readonly message: string
  readonly fields: Readonly<Record<string, string | number | boolean>>
}

/** A log that a test can wait for. */
export class Journal implements Logger {
  readonly entries: Entry[] = []
  readonly #waiting = new Set<() => void>()

  debug = this.#writer('debug')
  info = this.#writer('info')
  warn = this.#writer('warn')
  error = this.#writer('error')

  /** Waits until an entry has this code, of this endpoint; entries from before count. */
  async until(code: string, endpoint: string): Promise<Entry> {
    for (;;) {
      const found = this.entries.find(({ fields }) => fields.code === code && fields.endpoint === endpoint)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  #writer(level: keyof Logger) {
    return (message: string, fields: Entry['fields'] = {}) => {
      this.entries.push({ level, message, fields })
      for (const resolve of this.#waiting) resolve()
      this.#waiting.clear()
    }
  }
}
