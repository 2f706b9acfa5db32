import type { Clock } from '../../domain/index.js'
import { Fifo } from './fifo.js'
import type { EventLoop } from './loop.js'

interface Waiter {
  callback: (() => void) | undefined
}

const NOTHING = (): void => undefined

/** What does the work of a node, or of several that share it. */
export class Core {
  /** How many times as long all work takes as the table of costs says. */
  readonly slowness: number
  /** When all work that was taken on is done; Unix ms. */
  freeAt = 0

  constructor(slowness = 1) {
    this.slowness = slowness
  }
}

/**
 * What a node's process has of a core, and its clock. Work takes the core one after the other; what comes meanwhile waits.
 * When the process ends, nothing that waits here goes on.
 */
export class Processor implements Clock {
  readonly #loop: EventLoop
  readonly #core: Core
  #spent = 0
  #ended = false
  #isGoingOn = false
  readonly #waiting = new Fifo<Waiter>()

  constructor(loop: EventLoop, core: Core) {
    this.#loop = loop
    this.#core = core
  }

  /** When all work that was taken on is done; Unix ms. */
  get freeAt(): number {
    return Math.max(this.#core.freeAt, this.#loop.now())
  }

  /** Ms of work so far. */
  get spent(): number {
    return this.#spent
  }

  get ended(): boolean {
    return this.#ended
  }

  now(): number {
    return this.#loop.now()
  }

  after(ms: number, callback: () => void): () => void {
    let callOff = this.#loop.after(ms, () => {
      callOff = this.whenFree(callback)
    })
    return () => callOff()
  }

  /** Calls back when the work at hand is done, at once if there is none. @returns calls it off. */
  whenFree(callback: () => void): () => void {
    if (this.#ended) return NOTHING
    if (this.#waiting.size === 0 && this.#core.freeAt <= this.#loop.now()) {
      callback()
      return NOTHING
    }
    const waiter: Waiter = { callback }
    this.#waiting.push(waiter)
    if (this.#waiting.size === 1 && !this.#isGoingOn) this.#loop.at(this.#core.freeAt, this.#goOn)
    return () => {
      waiter.callback = undefined
    }
  }

  /** Lets those who wait go on, in their order, until one of them takes the processor again. */
  readonly #goOn = (): void => {
    if (this.#ended) return
    this.#isGoingOn = true
    while (this.#waiting.size > 0 && this.#core.freeAt <= this.#loop.now()) this.#waiting.shift()?.callback?.()
    this.#isGoingOn = false
    if (this.#waiting.size > 0) this.#loop.at(this.#core.freeAt, this.#goOn)
  }

  /** Takes on work of so many ms, as the table of costs has it; whatever is done next comes after it. */
  charge(ms: number): void {
    const taken = ms * this.#core.slowness
    this.#core.freeAt = this.freeAt + taken
    this.#spent += taken
  }

  /** Resolves when work of so many ms is done, and all before it. */
  work(ms: number): Promise<void> {
    this.charge(ms)
    return new Promise((resolve) => {
      this.#loop.at(this.#core.freeAt, () => {
        if (!this.#ended) resolve()
      })
    })
  }

  end(): void {
    this.#ended = true
    this.#waiting.clear()
  }
}
