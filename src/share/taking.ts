import { zero } from '../crypto/index.js'
import type { VerifiedRun } from '../provenance/index.js'
import type { Knowledge } from './source.js'

type OnRun = (run: VerifiedRun, provider: Knowledge) => Promise<void>

/**
 * Hands verified runs to whoever keeps them: those of one message are kept while the next one is read and verified, and
 * no more than that.
 */
export class Taking {
  readonly #onRun: OnRun
  readonly #provider: Knowledge
  /** Of the message that is being gone through. */
  #runs: Promise<void>[] = []
  readonly #failed = new AbortController()
  /** All of the messages before it. */
  #former: Promise<unknown> = Promise.resolve()

  constructor(onRun: OnRun, provider: Knowledge) {
    this.#onRun = onRun
    this.#provider = provider
  }

  /** Aborts with whatever `onRun` throws: there is nothing to be waited for then. */
  get failed(): AbortSignal {
    return this.#failed.signal
  }

  take(run: VerifiedRun): void {
    const taken = this.#onRun(run, this.#provider)
    taken.catch((reason: unknown) => this.#failed.abort(reason))
    this.#runs.push(taken)
  }

  /**
   * All runs of a message have been handed over, which is zeroed when they are taken. Waits for the one before it.
   *
   * @throws whatever `onRun` throws for a run of the message before.
   */
  async endMessage(plaintext: Uint8Array): Promise<void> {
    const [runs, former] = [this.#runs, this.#former]
    this.#runs = []
    const taken = Promise.allSettled([former, ...runs]).then(() => {
      zero(plaintext)
      return Promise.all(runs)
    })
    taken.catch(() => undefined)
    this.#former = taken
    await former
  }

  /** Waits for all. @throws whatever `onRun` throws for a run of the last message. */
  async end(): Promise<void> {
    await this.#former
  }

  /** Waits until nothing is used any more, however it went. */
  async settled(): Promise<void> {
    await this.#former.catch(() => undefined)
  }
}
