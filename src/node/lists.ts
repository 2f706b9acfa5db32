import { type AccountId, SlotmeshError } from '../domain/index.js'

/** Of all senders together. */
const MOST = 4

/** Bounds the lists that are made at once: for each of them all that is held is gone through. */
export class Lists {
  readonly #senders = new Set<AccountId>()

  /**
   * Does the work unless the sender has another list made, or some others have.
   *
   * @param sender who was verified: a place that strangers can take keeps out those who may ask.
   * @throws SlotmeshError `node/busy`; what the work throws.
   */
  async oneOf<Result>(sender: AccountId, work: () => Promise<Result>): Promise<Result> {
    if (this.#senders.has(sender) || this.#senders.size >= MOST) {
      throw new SlotmeshError('node/busy', 'Another list is being made; ask again soon.')
    }
    this.#senders.add(sender)
    try {
      return await work()
    } finally {
      this.#senders.delete(sender)
    }
  }
}
