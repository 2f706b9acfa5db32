import { Line, type LinkShape } from './link.js'

export interface DelayInit<Piece> {
  readonly shape: () => LinkShape
  /** From 0 up to 1. */
  readonly random: () => number
  /** Whether a piece can be taken now; when that changes, {@link Delay.flush} is to be called. */
  readonly isReady: () => boolean
  /** Takes a piece whose time has come. */
  readonly deliver: (piece: Piece) => void
}

/**
 * Holds pieces until they have crossed the link, in order; while the link is cut none crosses. It takes whatever it is
 * given: who gives looks at `waitingBytes`.
 */
export class Delay<Piece> {
  readonly #init: DelayInit<Piece>
  readonly #line: Line
  readonly #waiting: { readonly piece: Piece; readonly bytes: number; readonly at: number }[] = []
  #timer: NodeJS.Timeout | undefined
  #waitingBytes = 0

  constructor(init: DelayInit<Piece>) {
    this.#init = init
    this.#line = new Line(init.random)
  }

  get waitingBytes(): number {
    return this.#waitingBytes
  }

  put(piece: Piece, bytes: number): void {
    const at = this.#line.arrival(bytes, this.#init.shape(), performance.now())
    this.#waiting.push({ piece, bytes, at })
    this.#waitingBytes += bytes
    if (this.#waiting.length === 1) this.flush()
  }

  /** Delivers what is due; to be called when the link was healed, and when pieces can be taken again. */
  flush(): void {
    clearTimeout(this.#timer)
    while (this.#init.isReady() && !this.#init.shape().isCut) {
      const [first] = this.#waiting
      if (first === undefined) return
      const left = first.at - performance.now()
      if (left > 0) {
        this.#timer = setTimeout(() => this.flush(), Math.ceil(left))
        return
      }
      this.#waiting.shift()
      this.#waitingBytes -= first.bytes
      this.#init.deliver(first.piece)
    }
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#waiting.length = 0
    this.#waitingBytes = 0
  }
}
