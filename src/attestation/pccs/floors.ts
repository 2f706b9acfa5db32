import { z } from 'zod'
import { type Logger, messageOf } from '../../domain/index.js'
import type { VerifiedCollateral } from '../collateral.js'
import { isEarlier, isOlder, type Mark, type Publication, publicationsIn } from './publications.js'

/** Where the floors outlive the process: one text. What is written last must be what is read. */
export interface FloorsRecord {
  read(): Promise<string | undefined>
  write(text: string): Promise<void>
}

const FloorsSchema = z.record(z.string(), z.object({ round: z.int(), issued: z.int(), number: z.number().default(0) }))

/** A part of collateral that is older than what has been seen already. */
export interface OlderPart extends Publication {
  readonly floor: Mark
}

/** What was fetched, or had been kept, is genuine, and older than what has been seen already. */
export class OlderCollateral extends Error {
  override readonly name: string = 'OlderCollateral'
}

/**
 * How new the newest was that has been seen of each of Intel's publications. A service, or whoever stands before it or can
 * write to the folder, could otherwise bring back the time before a weakness or a revocation was known. Floors do not
 * end with the collateral that raised them. There are as many as Intel signs publications.
 */
export class Floors {
  readonly #record: FloorsRecord
  readonly #logger: Logger
  readonly #marks = new Map<string, Mark>()
  #isRead = false
  #isWritten = true
  #failure: string | undefined

  constructor(record: FloorsRecord, logger: Logger) {
    this.#record = record
    this.#logger = logger
  }

  /** Why the floors of former times are not known, or those of now will not be known later. */
  get failure(): string | undefined {
    return this.#failure
  }

  /**
   * Takes note of what is to be used.
   *
   * @param origin says where it comes from: "the service answers with".
   * @throws OlderCollateral when any part is older than its floor; no floor is raised then.
   */
  async admit(collateral: VerifiedCollateral, origin: string): Promise<void> {
    const older = await this.olderIn(collateral)
    if (older.length > 0) throw new OlderCollateral(olderAs(origin, older))
    for (const { name, mark } of publicationsIn(collateral)) this.#raise(name, mark)
    await this.#write()
  }

  /** What in collateral is older than its floor. */
  async olderIn(collateral: VerifiedCollateral): Promise<readonly OlderPart[]> {
    await this.#read()
    return publicationsIn(collateral).flatMap((publication) => {
      const floor = this.#marks.get(publication.name)
      return floor !== undefined && isOlder(publication.mark, floor) ? [{ ...publication, floor }] : []
    })
  }

  #raise(name: string, mark: Mark): void {
    const floor = this.#marks.get(name)
    if (floor !== undefined && !isEarlier(floor, mark)) return
    this.#marks.set(name, mark)
    this.#isWritten = false
  }

  /** Where the record cannot be read, the floors of this process hold alone; it is tried again the next time. */
  async #read(): Promise<void> {
    if (this.#isRead) return
    try {
      const text = await this.#record.read()
      const kept = text === undefined ? {} : FloorsSchema.parse(JSON.parse(text))
      for (const [name, mark] of Object.entries(kept)) this.#raise(name, mark)
      this.#isRead = true
      this.#failure = undefined
    } catch (thrown) {
      this.#failed('read', thrown)
    }
  }

  /** Not before the record was read: that would lower the floors in it. */
  async #write(): Promise<void> {
    if (!this.#isRead || this.#isWritten) return
    try {
      this.#isWritten = true
      await this.#record.write(JSON.stringify(Object.fromEntries(this.#marks)))
      this.#failure = undefined
    } catch (thrown) {
      this.#isWritten = false
      this.#failed('kept', thrown)
    }
  }

  #failed(what: 'read' | 'kept', thrown: unknown): void {
    this.#failure = `they could not be ${what}: ${messageOf(thrown)}`
    this.#logger.warn(`the floors of attestation collateral could not be ${what}`, { reason: messageOf(thrown) })
  }
}

/** @param origin as for `admit`. */
export function olderAs(origin: string, older: readonly OlderPart[]): string {
  const parts = older.map(
    ({ title, mark, floor }) =>
      `a ${title} that is older than the one seen before (${textOf(mark)} after ${textOf(floor)})`,
  )
  return `${origin} ${parts.join(' and ')}`
}

function textOf({ round, issued, number }: Mark): string {
  const date = new Date(issued).toISOString()
  if (round > 0) return `round ${round} of ${date}`
  return number > 0 ? `number ${number} of ${date}` : date
}
