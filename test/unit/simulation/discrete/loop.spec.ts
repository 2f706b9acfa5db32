import assert from 'node:assert/strict'
import { pause } from '../../../../src/domain/index.js'
import { EventLoop } from '../../../../src/simulation/discrete/loop.js'
import { Core, Processor } from '../../../../src/simulation/discrete/processor.js'

describe('computed time', () => {
  it('goes from timer to timer in their order, those of one instant in the order in which they were set', async () => {
    const loop = new EventLoop(1_000)
    const seen: string[] = []
    for (const [name, ms] of [
      ['c', 30],
      ['a', 10],
      ['b', 10],
      ['d', 40],
    ] as const) {
      loop.after(ms, () => void seen.push(`${name} ${loop.now()}`))
    }
    const callOff = loop.after(20, () => void seen.push('called off'))
    callOff()
    await pause(100, { clock: loop.outside, signal: new AbortController().signal })
    assert.deepEqual(seen, ['a 1010', 'b 1010', 'c 1030', 'd 1040'])
    assert.equal(loop.now(), 1_100)
  })

  it('keeps what an instant promised before the next one', async () => {
    const loop = new EventLoop(0)
    const seen: string[] = []
    loop.after(1, async () => {
      for (let turn = 0; turn < 50; turn += 1) await undefined
      seen.push(`promised at ${loop.now()}`)
    })
    loop.after(2, () => void seen.push('next'))
    await loop.during(() => new Promise<void>((resolve) => loop.after(3, resolve)))
    assert.deepEqual(seen, ['promised at 1', 'next'])
  })

  it('stands still while nobody waits, and while it is held', async () => {
    const loop = new EventLoop(0)
    let fired = 0
    loop.after(1, () => {
      fired += 1
    })
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(fired, 0)
    loop.hold()
    const waiting = loop.during(() => new Promise<void>((resolve) => loop.after(2, resolve)))
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(fired, 0)
    loop.release()
    await waiting
    assert.equal(fired, 1)
  })

  it('keeps its order when many timers have been called off', async () => {
    const loop = new EventLoop(0)
    const times: number[] = []
    for (let turn = 0; turn < 30_000; turn += 1) {
      const callOff = loop.after((turn * 7_919) % 10_007, () => void times.push(loop.now()))
      if (turn % 10 !== 0) callOff()
    }
    await loop.during(() => new Promise<void>((resolve) => loop.after(20_000, resolve)))
    assert.equal(times.length, 3_000)
    assert.deepEqual(
      times,
      times.toSorted((one, other) => one - other),
    )
  })
})

describe('the processor of a node', () => {
  it('does one thing after the other, and lets what comes meanwhile wait', async () => {
    const loop = new EventLoop(0)
    const processor = new Processor(loop, new Core())
    const seen: string[] = []
    const note = (what: string) => () => void seen.push(`${what} at ${loop.now()}`)
    await loop.during(async () => {
      processor.after(5, note('timer'))
      await Promise.all([processor.work(10).then(note('first')), processor.work(20).then(note('second'))])
    })
    assert.deepEqual(seen, ['first at 10', 'timer at 30', 'second at 30'])
    assert.equal(processor.spent, 30)
  })

  it('takes so many times as long where it is slower', async () => {
    const loop = new EventLoop(0)
    const processor = new Processor(loop, new Core(2.5))
    await loop.during(() => processor.work(10))
    assert.deepEqual([loop.now(), processor.spent], [25, 25])
  })

  it('lets nothing go on when its process has ended', async () => {
    const loop = new EventLoop(0)
    const processor = new Processor(loop, new Core())
    let wentOn = false
    const goOn = () => {
      wentOn = true
    }
    void processor.work(10).then(goOn)
    processor.after(10, goOn)
    processor.end()
    await loop.during(() => new Promise<void>((resolve) => loop.after(50, resolve)))
    assert.equal(wentOn, false)
  })
})
