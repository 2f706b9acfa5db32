import type { Clock, Registry } from '../domain/index.js'
import { LIMITS } from './limits.js'

interface SettlingInit {
  readonly registry: () => Registry
  readonly clock: Clock
  /** In [0, 1): those that entered together settle one after the other. */
  readonly random: () => number
  /** Called when it is over, unless there was none. */
  readonly onSettled: () => void
}

/**
 * The time after a node has entered a mesh in which it leaves the DHT alone, as that costs it dozens of connections at once,
 * and the directory tells of it and tells it of others meanwhile. In a small mesh there is none: everyone is connected with
 * everyone anyway.
 */
export class Settling {
  readonly #init: SettlingInit
  #callOff: (() => void) | undefined
  #isOver = false
  /** The mesh may have become small since: what was put off is to be done. */
  #hasPutOff = false

  constructor(init: SettlingInit) {
    this.#init = init
  }

  get isOver(): boolean {
    return this.#isOver || this.isSmall
  }

  get isSmall(): boolean {
    let left: number = LIMITS.dht.smallMesh
    for (const { seats } of this.#init.registry().clusters()) {
      left -= seats.length
      if (left < 0) return false
    }
    return true
  }

  /** There is somebody; said again and again. */
  entered(): void {
    const { clock, random, onSettled } = this.#init
    this.#hasPutOff ||= !this.isOver
    this.#callOff ??= clock.after(LIMITS.dht.settleMs * (1 + random()), () => {
      this.#isOver = true
      if (this.#hasPutOff) onSettled()
    })
  }

  stop(): void {
    this.#callOff?.()
  }
}
