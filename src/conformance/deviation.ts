import { messageOf } from '../domain/index.js'

/** The peer did otherwise than the clause says; the message says what. */
export class Deviation extends Error {
  override readonly name = 'Deviation'
}

/** A case cannot be judged: something before it went wrong, or the peer did not come. */
export class NotJudged extends Error {
  override readonly name = 'NotJudged'
}

/** The peer is at one of its limits; the case may be tried again. */
export class PeerBusy extends Error {
  override readonly name = 'PeerBusy'
  readonly retryAfterMs: number

  constructor(retryAfterMs: number) {
    super('the peer was busy each time')
    this.retryAfterMs = retryAfterMs
  }
}

/** @throws Deviation */
export function demand(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Deviation(otherwise)
}

/** What the peer sent is judged: anything that is thrown about it is its deviation. */
export function judged<T>(what: string, judge: () => T): T {
  try {
    return judge()
  } catch (thrown) {
    throw thrown instanceof Deviation ? thrown : new Deviation(`${what}: ${messageOf(thrown)}`)
  }
}
