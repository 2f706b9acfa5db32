import assert from 'node:assert/strict'
import { setImmediate as settled } from 'node:timers/promises'
import { Pace } from '../../../src/reconcile/pacing.js'

/** Work that takes as long as it says, and rests that end when the test says so. Some was done just before. */
async function paced({ before = 1_000 } = {}) {
  let now = 0
  const rests: { readonly ms: number; readonly end: () => void }[] = []
  const clock = {
    now: () => 0,
    after: (ms: number, end: () => void) => {
      rests.push({ ms, end })
      return () => undefined
    },
  }
  const pace = new Pace(clock, () => now)
  const done: string[] = []
  const begin = (name: string, pieces: readonly number[], signal = new AbortController().signal) => {
    const work = (ms: number) => {
      now += ms
      done.push(name)
    }
    const spent: number[] = []
    const ended = pace.each(pieces, work, { signal, spent: (ms) => spent.push(ms) })
    return { ended, spent }
  }
  await begin('', [before]).ended
  await settled()
  rests.shift()?.end()
  done.length = 0
  return { begin, rests, done }
}

describe('the pace of comparing', () => {
  it('rests four times as long as it has worked, some milliseconds at a time', async () => {
    const { begin, rests, done } = await paced()
    const { ended, spent } = begin('a', [0.5, 0.5, 1.5, 5, 100, 0.5])
    for (const [ms, count] of [
      [10, 3],
      [20, 4],
      [200, 5],
    ] as const) {
      await settled()
      assert.equal(done.length, count)
      const rest = rests.shift()
      assert.equal(rest?.ms, ms)
      assert.equal(rests.length, 0)
      rest?.end()
    }
    await ended
    assert.deepEqual(spent, [2.5, 5, 100, 0.5])
  })

  it('rests only as long as it has worked at first', async () => {
    const { begin, rests } = await paced({ before: 2 })
    await begin('a', [100]).ended
    await settled()
    assert.equal(rests.shift()?.ms, 100)
  })

  it('rests as well after many who do a little each', async () => {
    const { begin, rests } = await paced()
    for (let time = 0; time < 3; time += 1) await begin('a', [0.5]).ended
    assert.equal(rests.length, 0)
    await begin('a', [0.5]).ended
    await settled()
    assert.deepEqual(
      rests.map(({ ms }) => ms),
      [8],
    )
  })

  it('is one for all, who have their turns one after the other', async () => {
    const { begin, rests, done } = await paced()
    const all = [begin('a', [3, 3]), begin('b', [3, 3]), begin('c', [3])]
    for (let turn = 0; turn < 5; turn += 1) {
      await settled()
      assert.equal(done.length, turn + 1)
      assert.equal(rests.length, 1)
      rests.shift()?.end()
    }
    await Promise.all(all.map(({ ended }) => ended))
    assert.deepEqual(done, ['a', 'b', 'c', 'a', 'b'])
  })

  it('goes on for the others when one has left, or has failed', async () => {
    const { begin, rests, done } = await paced()
    const leaving = new AbortController()
    const [first, second, third] = [begin('a', [3]), begin('b', [3], leaving.signal), begin('c', [3])]
    leaving.abort(new Error('gone'))
    await first.ended
    await settled()
    rests.shift()?.end()
    await assert.rejects(second.ended, /gone/)
    await third.ended
    assert.deepEqual(done, ['a', 'c'])
  })
})
