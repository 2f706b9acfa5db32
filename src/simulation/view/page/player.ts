import { byId, element } from '../../../web/page/dom.js'
import { duration } from '../../../web/page/words.js'
import type { RunEvent } from '../../record/events.js'
import type { History } from '../model/history.js'
import { readKey, steer } from './steering.js'

/** Run time to wall time. */
const SPEEDS = [1, 5, 20, 60, 300, 1_200, 3_600] as const
/** A run of any length is watched in about this long, ms, unless another speed is chosen. */
const WHOLE_MS = 60_000

export interface PlayerHandlers {
  /** Another moment is shown, or there is more of the run. */
  readonly moved: () => void
  /** It was passed while time went forwards. */
  readonly passed: (event: RunEvent) => void
  readonly trouble: (sentence: string) => void
}

/** Which moment is shown: the latest of a run that goes on, or any other; and the buttons for it. */
export class Player {
  readonly #history: History
  readonly #handlers: PlayerHandlers
  readonly #buttons = byId('transport', HTMLDivElement)
  readonly #slider = byId('seek', HTMLInputElement)
  readonly #speed = element(
    'select',
    { 'aria-label': 'Speed' },
    ...SPEEDS.map((speed) => element('option', { value: String(speed) }, `${duration(speed * 1_000)} per second`)),
  )
  readonly #play = button('Play')
  readonly #follow = button('Latest')
  readonly #pause = button('Pause the run')
  readonly #step = button('One block')
  #at = 0
  #isLive = false
  #isFollowing = false
  #isPlaying = false
  #isPaused = false

  constructor(history: History, handlers: PlayerHandlers) {
    this.#history = history
    this.#handlers = handlers
    this.#slider.addEventListener('input', () => {
      this.#setPlaying(false)
      this.seek(Number(this.#slider.value))
    })
    this.#play.addEventListener('click', () => this.#setPlaying(!this.#isPlaying))
    this.#follow.addEventListener('click', () => {
      this.#setPlaying(false)
      this.#setFollowing(true)
      this.advance()
    })
    this.#pause.addEventListener('click', () => void this.#steer(this.#isPaused ? 'resume' : 'pause'))
    this.#step.addEventListener('click', () => void this.#steer('step'))
  }

  get at(): number {
    return this.#at
  }

  /** A run that goes on is followed; one that is over stands at its beginning. */
  begin({ isLive }: { readonly isLive: boolean }): void {
    this.#isLive = isLive
    const steering = isLive && readKey() !== undefined ? [this.#pause, this.#step] : []
    const following = isLive ? [this.#follow] : []
    this.#buttons.replaceChildren(...steering, ...following, this.#play, this.#speed)
    this.#setFollowing(isLive)
    this.setPaused(false)
    const fitting = SPEEDS.find((speed) => speed * WHOLE_MS >= this.#history.end) ?? SPEEDS[SPEEDS.length - 1]
    this.#speed.value = String(isLive ? 1 : fitting)
    if (!isLive) this.seek(0)
  }

  /** The run is over; what was followed stays where it is. */
  end(): void {
    this.#pause.disabled = true
    this.#step.disabled = true
  }

  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused
    this.#pause.textContent = isPaused ? 'Resume the run' : 'Pause the run'
    this.#pause.setAttribute('aria-pressed', String(isPaused))
    this.#step.disabled = !isPaused
  }

  /** There is more of the run. */
  advance(): void {
    if (this.#isFollowing) this.#go(this.#history.end)
    else this.#handlers.moved()
  }

  /** To a moment that somebody has chosen. */
  seek(at: number): void {
    this.#setFollowing(false)
    this.#go(at)
  }

  #go(at: number): void {
    const isForwards = at > this.#at
    this.#at = at
    this.#history.seek(at, isForwards && (this.#isFollowing || this.#isPlaying) ? this.#handlers.passed : undefined)
    this.#handlers.moved()
  }

  /** Keeps the slider where the moment is. */
  drawSlider(text: string): void {
    this.#slider.max = String(Math.max(1, this.#history.end))
    this.#slider.value = String(this.#at)
    this.#slider.setAttribute('aria-valuetext', text)
  }

  #setFollowing(isFollowing: boolean): void {
    this.#isFollowing = isFollowing && this.#isLive
    this.#follow.setAttribute('aria-pressed', String(this.#isFollowing))
  }

  #setPlaying(isPlaying: boolean): void {
    if (isPlaying && !this.#isPlaying) {
      this.#setFollowing(false)
      if (this.#at >= this.#history.end) this.#go(0)
      this.#tick(performance.now())
    }
    this.#isPlaying = isPlaying
    this.#play.textContent = isPlaying ? 'Stop' : 'Play'
    this.#play.setAttribute('aria-pressed', String(isPlaying))
  }

  #tick(previous: number): void {
    requestAnimationFrame((now) => {
      if (!this.#isPlaying) return
      const next = this.#at + (now - previous) * Number(this.#speed.value)
      this.#go(Math.min(next, this.#history.end))
      if (next >= this.#history.end) this.#setPlaying(false)
      else this.#tick(now)
    })
  }

  async #steer(what: 'pause' | 'resume' | 'step'): Promise<void> {
    const trouble = await steer(what)
    if (trouble !== undefined) this.#handlers.trouble(trouble)
  }
}

function button(text: string): HTMLButtonElement {
  return element('button', { type: 'button' }, text)
}
