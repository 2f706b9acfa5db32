import type { NodeStatus } from '../node/index.js'

/** A terminal. */
type Terminal = Pick<NodeJS.WritableStream, 'write'> & { readonly columns?: number }

/** Some terminals say that they are 0 wide. */
export const USUAL_COLUMNS = 80

const [WIDTH, DONE, LEFT] = [24, '█', '░']

/** One line at the foot of a terminal that is redrawn; what else is written appears above it. */
export class StatusLine {
  readonly #terminal: Terminal
  #text = ''

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  /** Whole lines. */
  write(lines: string): boolean {
    return this.#terminal.write(`${this.#erased()}${lines}${this.#text}`)
  }

  /** @param text without colours; an empty one takes the line away. */
  show(text: string): void {
    const erased = this.#erased()
    // A line that wraps could not be redrawn.
    this.#text = text.slice(0, (this.#terminal.columns || USUAL_COLUMNS) - 1)
    if (erased !== '' || this.#text !== '') this.#terminal.write(`${erased}${this.#text}`)
  }

  #erased(): string {
    return this.#text === '' ? '' : '\r\x1b[K'
  }
}

/** How far a node is with what takes its time: its setup, or catching up with the chain; empty when there is nothing. */
export function progressText(status: Pick<NodeStatus, 'state' | 'shares' | 'wantsOpen' | 'crawl'>): string {
  const { state, shares, wantsOpen, crawl } = status
  if (state === 'setup') {
    const held = shares.secret + shares.capsule
    return `setup     ${bar(held, held + wantsOpen)}  ${held} of ${held + wantsOpen} shares`
  }
  if (crawl === undefined) return ''
  const { from, at, to, msLeft } = crawl
  const left = Number.isFinite(msLeft) ? `, ${Math.ceil(msLeft / 1_000)} s left` : ''
  return `catch-up  ${bar(at - from, to - from)}  block ${at} of ${to}${left}`
}

function bar(done: number, of: number): string {
  const filled = of <= 0 ? 0 : Math.min(WIDTH, Math.floor((WIDTH * done) / of))
  return `${DONE.repeat(filled)}${LEFT.repeat(WIDTH - filled)}`
}
