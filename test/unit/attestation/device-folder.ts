import { execFile } from 'node:child_process'
import { closeSync, openSync, rmSync } from 'node:fs'
import { constants, open, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type DeviceFiles, deviceFiles } from '../../../src/attestation/sources/device-files.js'
import { errnoOf } from '../../../src/attestation/sources/errors.js'

/** Bytes that a reader gets at a time at most; pipes join pieces that wait, hence no multiple of what is read at once. */
const PIECE = 1_000

/** What the device's side does with what was written: the bytes that can be read then. */
type Answer = (written: Uint8Array) => Promise<Uint8Array>

/** Two pipes, by name: whatever is written to the one is answered in the other, in pieces, and once. */
class AnsweringPipes {
  readonly #request: string
  readonly #reply: string
  readonly #answer: Answer
  readonly #served: Promise<void>
  #isStopped = false

  private constructor(request: string, reply: string, answer: Answer) {
    this.#request = request
    this.#reply = reply
    this.#answer = answer
    this.#served = this.#serve().catch((thrown) => {
      // Its pipes go when it is stopped.
      if (!this.#isStopped) throw thrown
    })
    // Whoever stops it is told.
    this.#served.catch(() => undefined)
  }

  static async make(request: string, reply: string, answer: Answer): Promise<AnsweringPipes> {
    await promisify(execFile)('mkfifo', [request, reply])
    return new AnsweringPipes(request, reply, answer)
  }

  async #serve(): Promise<void> {
    for (;;) {
      const written = await readFile(this.#request)
      if (this.#isStopped) return
      const answer = await this.#answer(written)
      const pipe = await open(this.#reply, constants.O_WRONLY)
      try {
        for (let at = 0; at < answer.length; at += PIECE) await pipe.write(answer.subarray(at, at + PIECE))
      } catch (thrown) {
        // The reader has left.
        if (errnoOf(thrown) !== 'EPIPE') throw thrown
      } finally {
        await pipe.close()
      }
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    const paths = [this.#request, this.#reply]
    // Whoever waits for another side at one of them finds one, and then its end; whoever comes later finds nothing. All
    // at once, since those who wait may be all that the system lets wait.
    const ends = paths.map((path) => openSync(path, constants.O_RDWR))
    for (const path of paths) rmSync(path)
    for (const end of ends) closeSync(end)
    await this.#served
  }
}

/** Gramine's files in a folder, as pipes: a quote is there for whoever has written report data. */
export class GramineFolder {
  readonly #pipes: AnsweringPipes

  private constructor(pipes: AnsweringPipes) {
    this.#pipes = pipes
  }

  static async make(folder: string, quote: Answer): Promise<GramineFolder> {
    await writeFile(join(folder, 'attestation_type'), 'dcap\0')
    return new GramineFolder(await AnsweringPipes.make(join(folder, 'user_report_data'), join(folder, 'quote'), quote))
  }

  stop(): Promise<void> {
    return this.#pipes.stop()
  }
}

/**
 * The device files of the system on a folder of the disk, with the kernel's part of configfs-tsm: an entry that is made
 * has its files, and takes them with it when it is removed.
 */
export class TsmFolder implements DeviceFiles {
  readonly read = deviceFiles.read
  readonly write = deviceFiles.write
  readonly realPath = deviceFiles.realPath
  readonly #entries = new Map<string, AnsweringPipes>()
  answer: (written: Uint8Array, entry: string) => Promise<Uint8Array>
  mostEntries = 0

  constructor(answer: TsmFolder['answer']) {
    this.answer = answer
  }

  async makeFolder(path: string): Promise<void> {
    await deviceFiles.makeFolder(path)
    await writeFile(join(path, 'provider'), 'tdx_guest\n')
    await writeFile(join(path, 'generation'), '0\n')
    const pipes = await AnsweringPipes.make(join(path, 'inblob'), join(path, 'outblob'), async (written) => {
      await this.countWrite(path)
      return this.answer(written, path)
    })
    this.#entries.set(path, pipes)
    this.mostEntries = Math.max(this.mostEntries, this.#entries.size)
  }

  /** As the kernel counts each write to `inblob`. */
  async countWrite(path: string): Promise<void> {
    const generation = Number(await readFile(join(path, 'generation'), 'utf8'))
    await writeFile(join(path, 'generation'), `${generation + 1}\n`)
  }

  /** Removes what is left. */
  async stop(): Promise<void> {
    for (const path of this.#entries.keys()) await this.removeFolder(path)
  }

  async removeFolder(path: string): Promise<void> {
    await this.#entries.get(path)?.stop()
    this.#entries.delete(path)
    for (const name of ['provider', 'generation', 'inblob', 'outblob']) await rm(join(path, name), { force: true })
    await deviceFiles.removeFolder(path)
  }
}
