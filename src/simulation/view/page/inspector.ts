import { element } from '../../../web/page/dom.js'
import { count, percent } from '../../../web/page/words.js'
import type { EnclaveView } from '../model/enclaves.js'
import { inspect } from './steering.js'

/** Lines of a status at most, and how deep it is taken apart. */
const MOST_LINES = 80
const DEPTH = 4

/** What is known of one enclave: by the events, and, while the run goes on, by itself. */
export class Inspector {
  readonly #place: HTMLElement
  readonly #known = element('dl', { class: 'status' })
  readonly #asked = element('div')
  #name: string | undefined

  constructor(place: HTMLElement) {
    this.#place = place
  }

  get name(): string | undefined {
    return this.#name
  }

  open(name: string, { isLive }: { readonly isLive: boolean }): void {
    this.#name = name
    this.#asked.replaceChildren()
    this.#place.replaceChildren(element('h3', {}, name), this.#known, this.#asked)
    if (isLive) void this.ask()
  }

  show(view: EnclaveView | undefined, listed: number): void {
    if (view === undefined) return
    const { state, held, wanted, lag } = view
    this.#known.replaceChildren(
      ...pair('state', state),
      ...pair('holds', `${count(held)} of ${count(listed)} (${percent(Math.min(held, listed), listed)})`),
      ...pair('wants open', count(wanted)),
      ...pair('behind the chain', `${count(lag)} blocks`),
    )
  }

  /** Asks the enclave itself. */
  async ask(): Promise<void> {
    const name = this.#name
    if (name === undefined) return
    const { value, trouble } = await inspect(name)
    if (name !== this.#name) return
    const again = element('button', { type: 'button' }, 'Ask again')
    again.addEventListener('click', () => void this.ask())
    const heading = element('h4', {}, 'Its own words, as of now')
    const said =
      trouble === undefined
        ? element(
            'dl',
            { class: 'status' },
            ...[...linesOf(value)].slice(0, MOST_LINES).flatMap((line) => pair(...line)),
          )
        : element('p', { class: 'soft' }, trouble)
    this.#asked.replaceChildren(heading, said, element('p', {}, again))
  }
}

function pair(name: string, value: string): HTMLElement[] {
  return [element('dt', {}, name), element('dd', {}, value)]
}

function* linesOf(value: unknown, path = '', depth = 0): Generator<[name: string, text: string]> {
  if (typeof value !== 'object' || value === null || depth === DEPTH) {
    yield [path, typeof value === 'object' ? JSON.stringify(value) : String(value)]
    return
  }
  if (Array.isArray(value) && value.every((each) => typeof each !== 'object')) {
    yield [path, value.length === 0 ? 'none' : value.join(', ')]
    return
  }
  for (const [key, inner] of Object.entries(value))
    yield* linesOf(inner, path === '' ? key : `${path} › ${key}`, depth + 1)
}
