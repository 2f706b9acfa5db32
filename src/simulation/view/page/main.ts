import { byId, element } from '../../../web/page/dom.js'
import { count, duration, moment as momentText, percent } from '../../../web/page/words.js'
import type { RunEvent, RunHeader } from '../../record/events.js'
import { History } from '../model/history.js'
import type { Moment } from '../model/moment.js'
import { Track } from '../model/track.js'
import { Grid } from './grid.js'
import { Injector } from './injector.js'
import { Inspector } from './inspector.js'
import { ActionList, showFeed, showOutcome, showRows } from './lists.js'
import { Player } from './player.js'
import { readKey } from './steering.js'
import { listen } from './stream.js'
import { drawTimeline } from './timeline.js'

/** ms between two times that words and lists are written anew; the grid goes with the screen. */
const WORDS_EVERY_MS = 150

const MODES: Readonly<Record<RunHeader['mode'], string>> = {
  live: 'one process',
  processes: 'a process each',
  discrete: 'computed time',
}

/** The page as a whole: what comes from the server goes to the history, and what the history says to the screen. */
class Page {
  readonly #grid = new Grid(byId('grid', HTMLCanvasElement), {
    pointed: (name) => this.#describe(name),
    chosen: (name) => this.#choose(name),
  })
  readonly #inspector = new Inspector(byId('inspector', HTMLDivElement))
  readonly #injector = new Injector()
  readonly #actions = new ActionList((at) => this.#player.seek(at))
  #history = new History()
  #track = new Track()
  #player = this.#newPlayer()
  #header: RunHeader | undefined
  #isLive = false
  #isReady = false
  #isOver = false
  #pointed: string | undefined
  #wordsDue: number | undefined

  start(): void {
    for (const input of document.querySelectorAll<HTMLInputElement>('input[name="colouring"]')) {
      input.addEventListener('change', () => {
        this.#grid.colouring = input.value === 'lag' ? 'lag' : 'held'
        showGridLegend(this.#grid.colouring)
        this.#grid.draw()
      })
    }
    showGridLegend('held')
    byId('rows', HTMLDetailsElement).addEventListener('toggle', () => this.#writeWords())
    new ResizeObserver(() => this.#drawTrack()).observe(byId('track', HTMLCanvasElement))
    listen({
      run: ({ header, isLive }) => this.#begin(header, isLive),
      events: (events) => this.#add(events),
      'caught-up': () => this.#ready(),
      controls: ({ isPaused }) => this.#player.setPaused(isPaused),
      outcome: (outcome) => {
        this.#isOver = true
        this.#player.end()
        byId('inject', HTMLElement).hidden = true
        showOutcome(outcome)
        document.body.dataset.run = 'over'
      },
      trouble: ({ message }) => this.#complain(message),
      lost: () => {
        if (!this.#isOver) this.#complain('The simulation does not answer; trying again.')
      },
    })
  }

  /** Also when the connection was lost: all is told from the beginning. */
  #begin(header: RunHeader, isLive: boolean): void {
    this.#header = header
    this.#isLive = isLive
    this.#isReady = false
    this.#history = new History()
    this.#track = new Track()
    this.#player = this.#newPlayer()
    this.#actions.clear()
    this.#complain(undefined)
    document.title = `${header.title} – slotmesh simulation`
    byId('title', HTMLHeadingElement).textContent = header.title
    byId('why', HTMLParagraphElement).textContent = header.why
    const mayInject = isLive && readKey() !== undefined
    byId('inject', HTMLElement).hidden = !mayInject
    if (mayInject) void this.#injector.load()
  }

  #newPlayer(): Player {
    return new Player(this.#history, {
      moved: () => this.#show(),
      passed: (event) => this.#passed(event),
      trouble: (sentence) => this.#complain(sentence),
    })
  }

  #add(events: readonly RunEvent[]): void {
    this.#history.add(events)
    this.#track.add(events)
    if (this.#isReady) this.#player.advance()
  }

  #ready(): void {
    this.#isReady = true
    this.#player.begin({ isLive: this.#isLive })
    this.#player.advance()
    this.#writeWords()
    document.body.dataset.run = this.#isLive ? 'live' : 'recorded'
  }

  #passed(event: RunEvent): void {
    if (event.type !== 'exchange') return
    this.#grid.fly(event.provider, event.requester, event.code !== undefined)
  }

  #show(): void {
    this.#grid.show(this.#moment)
    this.#wordsDue ??= window.setTimeout(() => this.#writeWords(), WORDS_EVERY_MS)
  }

  #writeWords(): void {
    clearTimeout(this.#wordsDue)
    this.#wordsDue = undefined
    const clock = `${momentText(this.#player.at)} of ${momentText(this.#history.end)}`
    byId('clock', HTMLOutputElement).replaceChildren(
      momentText(this.#player.at),
      element('small', {}, ` of ${momentText(this.#history.end)}`),
    )
    this.#player.drawSlider(clock)
    this.#drawTrack()
    this.#writeFacts()
    showFeed(this.#history)
    this.#actions.show(this.#track.marks)
    if (this.#pointed !== undefined) this.#describe(this.#pointed)
    const { name } = this.#inspector
    if (name !== undefined) this.#inspector.show(this.#moment.enclaves.view(name), this.#moment.listed)
    showRows(this.#moment, (chosen) => this.#choose(chosen))
  }

  #writeFacts(): void {
    const header = this.#header
    if (header === undefined) return
    const { enclaves, listed, block } = this.#moment
    let [held, due] = [0, 0]
    for (const view of enclaves.views()) {
      if (view.state !== 'running' && view.state !== 'setup') continue
      held += Math.min(view.held, listed)
      due += listed
    }
    const facts: [string, string][] = [
      ['mode', MODES[header.mode]],
      ['clusters', count(header.clusters)],
      ['block time', duration(header.blockTimeMs)],
      ['block', count(block)],
      ['shares listed', count(listed)],
      ['coverage', percent(held, due)],
    ]
    byId('facts', HTMLDListElement).replaceChildren(
      ...facts.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))),
    )
  }

  #drawTrack(): void {
    const canvas = byId('track', HTMLCanvasElement)
    drawTimeline(canvas, { track: this.#track, end: this.#history.end, at: this.#player.at })
  }

  #describe(name: string): void {
    this.#pointed = name
    const view = this.#moment.enclaves.view(name)
    if (view === undefined) return
    const { listed } = this.#moment
    const sentence = `${name}: ${view.state}, holds ${count(view.held)} of ${count(listed)}, ${count(view.lag)} blocks behind`
    const place = byId('cell', HTMLParagraphElement)
    // Written only when it differs, since it is read aloud.
    if (place.textContent !== sentence) place.textContent = sentence
  }

  #choose(name: string): void {
    this.#grid.choose(name)
    this.#inspector.open(name, { isLive: this.#isLive && !this.#isOver })
    this.#inspector.show(this.#moment.enclaves.view(name), this.#moment.listed)
    this.#injector.suggest(name)
  }

  #complain(sentence: string | undefined): void {
    const place = byId('trouble', HTMLParagraphElement)
    place.hidden = sentence === undefined
    place.textContent = sentence ?? ''
  }

  get #moment(): Moment {
    return this.#history.moment
  }
}

function showGridLegend(colouring: 'held' | 'lag'): void {
  const keys: [string, string][] = [
    ...((colouring === 'held'
      ? [
          ['all', 'holds all'],
          ['some', 'holds this part'],
          ['empty', 'holds nothing'],
        ]
      : [
          ['behind', 'far behind the chain'],
          ['empty', 'up to date'],
        ]) as [string, string][]),
    ['off', 'down, or without a seat'],
    ['killed', 'killed (crossed out)'],
    ['flight', 'exchange'],
    ['refused', 'refused or failed (broken line)'],
  ]
  byId('grid-legend', HTMLUListElement).replaceChildren(
    ...keys.map(([style, text]) => element('li', { class: `key ${style}` }, text)),
  )
}

new Page().start()
