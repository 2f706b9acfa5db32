import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readSmallIfOpens, removed, renamedFile } from './folder.js'
import { WATERMARK } from './records.js'
import type { Sealer } from './sealing.js'

const fileOf = (folder: string) => join(folder, 'WATERMARK')
const draftOf = (folder: string) => `${fileOf(folder)}.draft`

/** Writes after which it is raised in any case: each time costs about as much as a write. */
const WRITES_BETWEEN = 64

const NAME = WATERMARK.encodeKey(undefined)

/**
 * How many writes the folder has had at least, sealed in a file beside the database's own: a journal that ends early, at
 * the end of some write, is one that is whole, and so is what the manifest says then. It stands before the first write
 * is acknowledged, and is raised by the first one after each start, by all that must not be lost or set back (seeds, what
 * is pending), by every 64th, and when the folder is closed. So it is behind the manifest as a rule, and never before it.
 */
export class Watermark {
  readonly #folder: string
  readonly #sealer: Sealer
  /** Undefined when there is none, or none that opens. */
  #sequence: number | undefined
  #isRaised = false

  private constructor(folder: string, sealer: Sealer, sequence: number | undefined) {
    this.#folder = folder
    this.#sealer = sealer
    this.#sequence = sequence
  }

  static async read(folder: string, sealer: Sealer): Promise<Watermark> {
    // One that was cut short may not even open to be written over, on an encrypted mount.
    await removed(draftOf(folder))
    // One that cannot be read is none: the folder is altered then, and whoever could have made it so can also take it away.
    const sealed = await readSmallIfOpens(fileOf(folder))
    const value = sealed && sealer.open(NAME, sealed)
    return new Watermark(folder, sealer, value && WATERMARK.decode(value))
  }

  /** How many writes there were at least; 0 where nobody can say. */
  get sequence(): number {
    return this.#sequence ?? 0
  }

  /**
   * Whether a folder that shows so many writes has had more. Without a mark it may have had any; but one that was never
   * written to may have been made just before the power was cut.
   */
  isAbove(sequence: number): boolean {
    return this.#sequence === undefined ? sequence > 0 : sequence < this.#sequence
  }

  /** At the start, and at the end: it is what the folder has. */
  async set(sequence: number): Promise<void> {
    if (this.#sequence !== sequence) await this.#raise(sequence)
  }

  /** To be waited for before a write is acknowledged. @param isVital whether no folder without it may pass for whole. */
  async written(sequence: number, isVital: boolean): Promise<void> {
    const isDue = isVital || !this.#isRaised || sequence - this.sequence >= WRITES_BETWEEN
    if (!isDue) return
    await this.#raise(sequence)
    this.#isRaised = true
  }

  async #raise(sequence: number): Promise<void> {
    const draft = draftOf(this.#folder)
    await writeFile(draft, this.#sealer.seal(NAME, WATERMARK.encode(sequence)), { flush: true })
    await renamedFile(draft, fileOf(this.#folder))
    this.#sequence = sequence
  }
}
