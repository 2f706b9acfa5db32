import assert from 'node:assert/strict'
import type { Clock } from '../../../../src/domain/index.js'
import { HeldClock } from '../../../../src/simulation/live/clock.js'

/** A clock that goes on when told to. */
class HandClock implements Clock {
  #now = 1_000
  readonly #timers = new Set<{ readonly dueAt: number; readonly callback: () => void }>()

  now(): number {
    return this.#now
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { dueAt: this.#now + ms, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  goOn(ms: number): void {
    this.#now += ms
    for (const timer of [...this.#timers].filter(({ dueAt }) => dueAt <= this.#now)) {
      this.#timers.delete(timer)
      timer.callback()
    }
  }
}

describe('a clock that can be held', () => {
  it('stands still while it is held, and its timers with it', () => {
    const hand = new HandClock()
    const clock = new HeldClock(hand)
    const rung: number[] = []
    clock.after(50, () => rung.push(clock.now()))
    hand.goOn(30)
    clock.hold()
    hand.goOn(10_000)
    clock.after(5, () => rung.push(-clock.now()))
    hand.goOn(10_000)
    assert.deepEqual([rung, clock.now(), clock.isHeld], [[], 1_030, true])
    clock.goOn()
    hand.goOn(5)
    assert.deepEqual(rung, [-1_035])
    hand.goOn(15)
    assert.deepEqual(rung, [-1_035, 1_050])
    assert.equal(clock.now(), 1_050)
  })

  it('can have a timer called off, held or not', () => {
    const hand = new HandClock()
    const clock = new HeldClock(hand)
    const callOff = clock.after(1, () => assert.fail('it was called off'))
    clock.hold()
    callOff()
    clock.goOn()
    hand.goOn(10)
  })
})
