import { createHash } from 'node:crypto'
import { z } from 'zod'
import { type Logger, messageOf } from '../../domain/index.js'
import type { VerifiedCollateral } from '../collateral.js'

/** Where the floors outlive the process: one text. What is written last must be what is read. */
export interface FloorsRecord {
  read(): Promise<string | undefined>
  write(text: string): Promise<void>
}

/**
 * How new a publication of Intel's is: by the evaluation number, or of lists, which have none (0), by date. What Intel signs
 * of one round says the same on every day, and an honest service of several caches shows now one day's, now another's.
 */
interface Mark {
  readonly round: number
  /** Unix ms. */
  readonly issued: number
}

const FloorsSchema = z.record(z.string(), z.object({ round: z.int(), issued: z.int() }))

/** What was fetched is genuine, and older than what has been seen already. */
export class OlderCollateral extends Error {
  override readonly name: string = 'OlderCollateral'
}

/**
 * The newest that has been seen of each of Intel's publications: TCB info by technology and family, QE identity by
 * technology, revocation lists by authority. A service, or whoever stands before it, could otherwise bring back the time
 * before a weakness or a revocation was known. Floors do not end with the collateral that raised them. There are as
 * many as Intel signs publications.
 *
 * Lists go by their date and not by their number, since every list of Intel's has the number 1.
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
   * Takes note of what was fetched.
   *
   * @throws OlderCollateral when any part is older than its floor; no floor is raised then.
   */
  async admit(fetched: VerifiedCollateral): Promise<void> {
    await this.#read()
    for (const { name, title, mark } of publications(fetched)) {
      const floor = this.#marks.get(name)
      if (floor !== undefined && isOlder(mark, floor)) {
        throw new OlderCollateral(
          `the service answers with a ${title} that is older than the one in use (${textOf(mark)} after ${textOf(floor)})`,
        )
      }
    }
    this.#raise(fetched)
    await this.#write()
  }

  /** Takes note of collateral that was admitted in former times. */
  async remember(kept: VerifiedCollateral): Promise<void> {
    await this.#read()
    this.#raise(kept)
    await this.#write()
  }

  #raise(collateral: VerifiedCollateral): void {
    for (const { name, mark } of publications(collateral)) this.#raiseOne(name, mark)
  }

  #raiseOne(name: string, mark: Mark): void {
    const floor = this.#marks.get(name)
    if (floor !== undefined && !isOlder(floor, mark)) return
    this.#marks.set(name, mark)
    this.#isWritten = false
  }

  /** Where the record cannot be read, the floors of this process hold alone; it is tried again the next time. */
  async #read(): Promise<void> {
    if (this.#isRead) return
    try {
      const text = await this.#record.read()
      const kept = text === undefined ? {} : FloorsSchema.parse(JSON.parse(text))
      for (const [name, mark] of Object.entries(kept)) this.#raiseOne(name, mark)
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

function publications({ tcbInfo, qeIdentity, lists }: VerifiedCollateral) {
  const tee = tcbInfo.id.toLowerCase()
  const markOf = (signed: { readonly tcbEvaluationDataNumber: number; readonly issueDate: string }): Mark => ({
    round: signed.tcbEvaluationDataNumber,
    issued: new Date(signed.issueDate).getTime(),
  })
  return [
    { name: `tcb-info/${tee}/${tcbInfo.fmspc}/${tcbInfo.pceId}`, title: 'TCB info', mark: markOf(tcbInfo) },
    { name: `qe-identity/${tee}`, title: 'QE identity', mark: markOf(qeIdentity) },
    ...lists.map(({ authority, issuedAt }) => ({
      name: `list/${createHash('sha256').update(authority).digest('hex')}`,
      title: 'revocation list',
      mark: { round: 0, issued: issuedAt.getTime() },
    })),
  ]
}

function isOlder(one: Mark, other: Mark): boolean {
  return one.round < other.round || (one.round === 0 && other.round === 0 && one.issued < other.issued)
}

function textOf({ round, issued }: Mark): string {
  const date = new Date(issued).toISOString()
  return round === 0 ? date : `round ${round} of ${date}`
}
