import { byId, element } from '../../../web/page/dom.js'
import { bytes, count, duration, moment } from '../../../web/page/words.js'
import type { RunEvent, RunOutcome } from '../../record/events.js'
import type { History } from '../model/history.js'
import type { Moment } from '../model/moment.js'
import type { TrackMark } from '../model/track.js'

const LATEST = 12
/** Events that are gone back for them. */
const FAR = 20_000
const ROWS = 60

/** The latest exchanges before the moment that is shown, newest first. */
export function showFeed({ events, cursor }: History): void {
  const latest: Extract<RunEvent, { type: 'exchange' }>[] = []
  for (let index = cursor - 1; index >= Math.max(0, cursor - FAR) && latest.length < LATEST; index -= 1) {
    const event = events[index]
    if (event?.type === 'exchange') latest.push(event)
  }
  byId('no-exchanges', HTMLParagraphElement).hidden = latest.length > 0
  byId('feed', HTMLOListElement).replaceChildren(
    ...latest.map(({ at, requester, provider, shares, bytes: size, ms, code }) => {
      const what =
        code === undefined
          ? element('span', { title: `${count(shares)} shares` }, `${bytes(size)} in ${duration(ms)}`)
          : element('span', { class: 'failed' }, code)
      return element(
        'li',
        {},
        element('span', {}, element('time', {}, moment(at)), ` ${requester} ← ${provider}`),
        what,
      )
    }),
  )
}

/** What was done, each a way to its moment. */
export class ActionList {
  readonly #list = byId('actions', HTMLOListElement)
  readonly #seek: (at: number) => void
  #shown = 0

  constructor(seek: (at: number) => void) {
    this.#seek = seek
  }

  clear(): void {
    this.#shown = 0
    this.#list.replaceChildren()
  }

  show(marks: readonly TrackMark[]): void {
    for (const [offset, { at, text }] of marks.slice(this.#shown).entries()) {
      const number = element('b', {}, String(this.#shown + offset + 1))
      const button = element(
        'button',
        { type: 'button' },
        number,
        element('time', {}, moment(at)),
        element('span', {}, text),
      )
      button.addEventListener('click', () => this.#seek(at))
      this.#list.append(element('li', {}, button))
    }
    this.#shown = marks.length
    byId('no-actions', HTMLParagraphElement).hidden = marks.length > 0
  }
}

/** The grid in words, for those furthest from complete. It is made only while it is open. */
export function showRows({ enclaves, listed }: Moment, choose: (name: string) => void): void {
  if (!byId('rows', HTMLDetailsElement).open) return
  const distance = ({ held, lag }: { held: number; lag: number }) => Math.max(0, listed - held) + lag
  const rows = [...enclaves.views()].sort((one, other) => distance(other) - distance(one)).slice(0, ROWS)
  byId('row-body', HTMLTableSectionElement).replaceChildren(
    ...rows.map(({ name, state, held, wanted, lag }) => {
      const button = element('button', { type: 'button' }, name)
      button.addEventListener('click', () => choose(name))
      const cells = [state, count(held), count(listed), count(wanted), count(lag)]
      return element('tr', {}, element('th', { scope: 'row' }, button), ...cells.map((cell) => element('td', {}, cell)))
    }),
  )
}

export function showOutcome({ checks }: RunOutcome): void {
  byId('verdict', HTMLElement).hidden = false
  byId('checks', HTMLUListElement).replaceChildren(
    ...checks.map(({ name, passed, detail }) => {
      const mark = element('b', { class: passed ? 'passed' : 'failed' }, passed ? '✓ holds' : '✗ fails')
      return element('li', {}, mark, ` ${name}`, element('span', { class: 'detail' }, detail))
    }),
  )
}
