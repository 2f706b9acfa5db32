import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf, SlotmeshError } from '../../domain/index.js'

/** Bytes, about, that wait in memory to be written at once. */
const BATCH = 65_536
/** What waits is written after so long at the next line, ms, so that a run that is cut short can be looked into. */
const LONGEST_WAIT_MS = 1_000

/**
 * A file of JSON lines that grows with a run. It is written in the call itself, a batch at a time: a computed run makes
 * lines without ever waiting, and so cannot get ahead of the disk and fill the memory.
 */
export class RunFile {
  readonly #path: string
  readonly #descriptor: number
  #waiting: string[] = []
  #size = 0
  #writtenAt = Date.now()
  #failure: unknown
  #isOpen = true

  /** @throws SlotmeshError `simulation/run-file` */
  constructor(path: string) {
    this.#path = path
    try {
      mkdirSync(dirname(path), { recursive: true })
      this.#descriptor = openSync(path, 'w')
    } catch (cause) {
      throw this.#unwritable(cause)
    }
  }

  /** A failure is told at the end: a full disk is no reason to lose a run that others look at. */
  write(line: object): void {
    if (!this.#isOpen || this.#failure !== undefined) return
    const text = `${JSON.stringify(line)}\n`
    this.#waiting.push(text)
    this.#size += text.length
    if (this.#size >= BATCH || Date.now() - this.#writtenAt >= LONGEST_WAIT_MS) this.#flush()
  }

  /** @throws SlotmeshError `simulation/run-file` when a line could not be written. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#flush()
    try {
      closeSync(this.#descriptor)
    } catch (thrown) {
      this.#failure ??= thrown
    }
    if (this.#failure !== undefined) throw this.#unwritable(this.#failure)
  }

  #flush(): void {
    const bytes = Buffer.from(this.#waiting.join(''))
    this.#waiting = []
    this.#size = 0
    this.#writtenAt = Date.now()
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done)
    } catch (thrown) {
      this.#failure = thrown
    }
  }

  #unwritable(cause: unknown): SlotmeshError {
    const sentence = `The run could not be written to ${this.#path}: ${messageOf(cause)}. Choose a file that is writable.`
    return new SlotmeshError('simulation/run-file', sentence, { cause })
  }
}
