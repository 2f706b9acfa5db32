import { abortable, type Clock, SlotmeshError } from '../../domain/index.js'

interface Timer {
  readonly at: number
  /** Timers of one instant go off in the order in which they were set. */
  readonly turn: number
  callback: (() => void) | undefined
}

/** How many instants are made ready at once: between two of them Node runs all that was promised. */
const INSTANTS_AHEAD = 32

/** Below so many timers there is nothing worth tidying up. */
const TIDY_ABOVE = 10_000

/**
 * Computed time. It passes from timer to timer, as fast as what they set off can be worked through, and only while
 * somebody outside waits for something ({@link EventLoop.during}): so what the outside does between two waits takes no
 * time, and a run is the same each time.
 */
export class EventLoop implements Clock {
  #now: number
  #turn = 0
  readonly #heap: Timer[] = []
  #calledOff = 0
  #waits = 0
  #isHeld = false
  readonly #ended = new AbortController()
  #ready = 0

  /** @param now Unix ms. */
  constructor(now: number) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  after(ms: number, callback: () => void): () => void {
    return this.at(this.#now + Math.max(0, ms), callback)
  }

  /** @param at Unix ms; what is over is at once. */
  at(at: number, callback: () => void): () => void {
    const timer: Timer = { at: Math.max(at, this.#now), turn: this.#turn, callback }
    this.#turn += 1
    this.#push(timer)
    if (this.#ready === 0) this.#wake()
    return () => {
      if (timer.callback === undefined) return
      timer.callback = undefined
      this.#calledOff += 1
      if (this.#calledOff > TIDY_ABOVE && this.#calledOff > this.#heap.length / 2) this.#tidy()
    }
  }

  /** Time passes until the work is done. @throws SlotmeshError `simulation/ended` when time ends before. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#waits += 1
    this.#wake()
    try {
      return await abortable(work(), this.#ended.signal)
    } finally {
      this.#waits -= 1
    }
  }

  /** The clock of those outside: time passes while one of its timers is set. */
  get outside(): Clock {
    return {
      now: () => this.#now,
      after: (ms, callback) => {
        let isSet = true
        const end = () => {
          if (isSet) this.#waits -= 1
          isSet = false
        }
        this.#waits += 1
        const callOff = this.after(ms, () => {
          end()
          callback()
        })
        this.#wake()
        return () => {
          end()
          callOff()
        }
      },
    }
  }

  /** Holds time still although somebody waits. */
  hold(): void {
    this.#isHeld = true
  }

  release(): void {
    this.#isHeld = false
    this.#wake()
  }

  /** Forgets all that was to come: time stands still for good. */
  end(): void {
    this.#isHeld = true
    this.#heap.length = 0
    this.#ended.abort(new SlotmeshError('simulation/ended', 'The run was ended.'))
  }

  #passes(): boolean {
    return this.#waits > 0 && !this.#isHeld && this.#heap.length > 0
  }

  #wake(): void {
    if (this.#ready > 0 || !this.#passes()) return
    for (; this.#ready < INSTANTS_AHEAD; this.#ready += 1) setImmediate(this.#instant)
  }

  /** All timers of the next instant; what they promise is kept before the one after it. */
  readonly #instant = (): void => {
    this.#ready -= 1
    if (this.#passes()) {
      const [first] = this.#heap
      const at = first?.at ?? this.#now
      this.#now = at
      const until = this.#turn
      for (let next = this.#heap[0]; next !== undefined && next.at === at && next.turn < until; next = this.#heap[0]) {
        this.#pop()
        const { callback } = next
        next.callback = undefined
        if (callback === undefined) this.#calledOff -= 1
        else callback()
      }
    }
    if (this.#ready === 0) this.#wake()
  }

  #push(timer: Timer): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(timer)
    while (at > 0) {
      const above = (at - 1) >>> 1
      const parent = heap[above]
      if (parent === undefined || !isBefore(timer, parent)) break
      heap[at] = parent
      at = above
    }
    heap[at] = timer
  }

  #pop(): void {
    const last = this.#heap.pop()
    if (last !== undefined && this.#heap.length > 0) this.#sink(last, 0)
  }

  #sink(timer: Timer, from: number): void {
    const heap = this.#heap
    let at = from
    for (;;) {
      let below = 2 * at + 1
      let child = heap[below]
      if (child === undefined) break
      const other = heap[below + 1]
      if (other !== undefined && isBefore(other, child)) {
        child = other
        below += 1
      }
      if (!isBefore(child, timer)) break
      heap[at] = child
      at = below
    }
    heap[at] = timer
  }

  #tidy(): void {
    const left = this.#heap.filter(({ callback }) => callback !== undefined)
    left.sort((one, other) => (isBefore(one, other) ? -1 : 1))
    // What is sorted is a heap.
    this.#heap.length = 0
    for (const timer of left) this.#heap.push(timer)
    this.#calledOff = 0
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.at < other.at || (one.at === other.at && one.turn < other.turn)
}
