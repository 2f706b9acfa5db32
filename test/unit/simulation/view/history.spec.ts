import assert from 'node:assert/strict'
import type { RunEvent } from '../../../../src/simulation/record/index.js'
import { History } from '../../../../src/simulation/view/model/history.js'
import { Moment } from '../../../../src/simulation/view/model/moment.js'
import { Track } from '../../../../src/simulation/view/model/track.js'
import { madeUpRecording } from '../../../support/made-up-run.js'
import { Random } from '../../../support/random.js'

describe('the history of a run, as the page goes through it', () => {
  // In the order of time, as real recordings are.
  const events = [...madeUpRecording({ clusters: 20, blocks: 200 }).events].sort((one, other) => one.at - other.at)

  /** All events up to a moment, one after the other. */
  function replayed(at: number): Moment {
    const moment = new Moment()
    for (const event of events) if (event.at <= at) moment.apply(event)
    return moment
  }

  const seen = ({ enclaves, listed, block }: Moment) => ({ enclaves: [...enclaves.views()], listed, block })

  it('shows the same at any moment, whichever way it is come to', () => {
    assert.ok(events.length > 15_000)
    const history = new History()
    history.add(events)
    const random = new Random(3)
    for (let step = 0; step < 12; step += 1) {
      const at = random.below(history.end)
      history.seek(at)
      assert.deepEqual(seen(history.moment), seen(replayed(at)))
    }
  })

  it('tells what was passed on the way forwards, once', () => {
    const history = new History()
    history.add(events.slice(0, 100))
    const passed: RunEvent[] = []
    history.seek(events[49]?.at ?? 0, (event) => passed.push(event))
    history.seek(history.end, (event) => passed.push(event))
    assert.deepEqual(passed, events.slice(0, 100))
    assert.equal(history.cursor, 100)
  })

  it('counts shares between two samples, and believes the next sample', () => {
    const moment = new Moment()
    for (const cluster of [0, 1]) {
      moment.apply({ at: 0, type: 'enclave', enclave: `c${cluster}-s0`, state: 'running' })
    }
    moment.apply({ at: 1, type: 'trigger', block: 1, kind: 'secret', nftId: 7, cluster: 0 })
    assert.deepEqual(
      [moment.listed, moment.enclaves.view('c0-s0')?.held, moment.enclaves.view('c1-s0')?.held],
      [1, 1, 0],
    )
    moment.apply({ at: 2, type: 'stored', enclave: 'c1-s0', kind: 'secret', nftId: 7, from: 'c0-s0', ms: 9 })
    assert.equal(moment.enclaves.view('c1-s0')?.held, 1)
    moment.apply({
      at: 3,
      type: 'sample',
      listed: 4,
      enclaves: { 'c1-s0': { held: 2, wanted: 2, lag: 1 } },
      complete: ['0'],
    })
    assert.equal(moment.listed, 4)
    assert.deepEqual(
      [...moment.enclaves.views()].map(({ name, held, wanted, lag }) => [name, held, wanted, lag]),
      [
        ['c0-s0', 4, 0, 0],
        ['c1-s0', 2, 2, 1],
      ],
    )
  })

  it('passes over enclaves whose names say no place', () => {
    const moment = new Moment()
    moment.apply({ at: 0, type: 'enclave', enclave: '__proto__', state: 'running' })
    moment.apply({ at: 0, type: 'stored', enclave: 'x', kind: 'secret', nftId: 7, from: 'y', ms: 9 })
    assert.equal(moment.enclaves.size, 0)
  })

  it('has a track of coverage, lag, shares and actions along its time', () => {
    const track = new Track()
    track.add(events)
    assert.equal(track.triggerCount, 89)
    assert.deepEqual(
      track.marks.map(({ text }) => text),
      ['kill region, region south', 'restart region, region south'],
    )
    assert.ok(track.points.length >= 190)
    assert.equal(track.points.at(-1)?.coverage, 1)
    assert.ok(track.points.some(({ coverage }) => coverage < 1))
    assert.ok(track.points.some(({ worstLag }) => worstLag > 10))
  })
})
