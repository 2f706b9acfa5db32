import assert from 'node:assert/strict'
import type { BlockNumber, ClusterId } from '../../../src/domain/index.js'
import { capsule, wantOf } from '../store/fixture.js'
import { type Asked, LoneFetcher } from './lone-fetcher.js'
import { runOf } from './mesh.js'

/** Longer than anybody is left alone. */
const LONG_MS = 700_000

describe('settling which version is the newest', () => {
  const ASKED = 50
  const key = capsule(1)
  let lone: LoneFetcher
  /** Up to where each peer has taken in the chain. */
  let cursors: Map<ClusterId, BlockNumber>

  beforeEach(() => {
    cursors = new Map()
  })

  afterEach(() => lone.stop())

  /** All give the version that is held, and are not sure of it. */
  const givesOld = async (cluster: ClusterId, { wants, onRun }: Asked) => {
    const known = { newestAsOf: 1, takenIn: cursors.get(cluster) ?? 0 }
    for (const want of wants) await onRun(runOf(want.key, 1), known)
  }
  const begin = (...taken: BlockNumber[]) => {
    for (const [at, block] of taken.entries()) cursors.set(at + 1, block)
    lone = new LoneFetcher(taken.length, givesOld)
    lone.final = ASKED
    lone.takenIn = ASKED
    lone.want(wantOf(key, { asOf: ASKED }))
  }
  const isSettled = () => lone.settled.length > 0
  const asked = (cluster: ClusterId) => lone.requests.filter((each) => each.cluster === cluster).length

  it('takes the word of all who have come to the block', async () => {
    begin(ASKED, ASKED + 7)
    assert.ok(await lone.pass(1_000, isSettled))
  })

  it('does not take it of a peer that is behind, as long as it is', async () => {
    begin(ASKED, ASKED - 1)
    assert.equal(await lone.pass(LONG_MS, isSettled), false)
    assert.ok(asked(2) > 5, 'it is asked again')
    cursors.set(2, ASKED)
    assert.ok(await lone.pass(LONG_MS, isSettled))
  })

  it('does not take it of a peer any more that has fallen behind since', async () => {
    begin(ASKED, ASKED - 1)
    assert.ok(await lone.pass(LONG_MS, () => asked(1) === 1 && asked(2) === 1))
    cursors.set(1, ASKED - 9)
    assert.ok(await lone.pass(LONG_MS, () => asked(1) === 2))
    cursors.set(2, ASKED)
    assert.equal(await lone.pass(LONG_MS, isSettled), false)
  })

  it('does so at once where there is no peer, but not by a registry from before the block', async () => {
    begin()
    assert.ok(await lone.pass(0, isSettled))
    await lone.stop()
    begin()
    lone.final = ASKED - 1
    assert.equal(await lone.pass(LONG_MS, isSettled), false)
    // By the registry of that block there is one, and it has to be heard.
    lone.seat(1)
    lone.final = ASKED
    lone.fetcher.reached(ASKED)
    assert.ok(await lone.pass(LONG_MS, () => asked(1) > 0))
    assert.equal(isSettled(), false)
    cursors.set(1, ASKED)
    assert.ok(await lone.pass(LONG_MS, isSettled))
  })

  it('hears those of the registry as of the block, also when all of the one before have answered', async () => {
    begin(ASKED)
    lone.final = ASKED - 1
    assert.ok(await lone.pass(LONG_MS, () => asked(1) > 1))
    lone.seat(2)
    lone.final = ASKED
    lone.fetcher.reached(ASKED)
    assert.ok(await lone.pass(LONG_MS, () => asked(2) > 0))
    assert.equal(await lone.pass(LONG_MS, isSettled), false)
    cursors.set(2, ASKED)
    assert.ok(await lone.pass(LONG_MS, isSettled))
  })

  it('does not do so before the chain is taken in here up to the block, and does then', async () => {
    for (const peers of [[], [ASKED]]) {
      begin(...peers)
      // As before the engine has looked at what the folder is.
      lone.takenIn = -1
      assert.equal(await lone.pass(LONG_MS, isSettled), false)
      lone.takenIn = ASKED - 1
      lone.fetcher.reached(ASKED - 1)
      assert.equal(await lone.pass(1_000, isSettled), false)
      lone.takenIn = ASKED
      lone.fetcher.reached(ASKED)
      assert.ok(await lone.pass(0, isSettled))
      if (peers.length === 0) await lone.stop()
    }
  })

  for (const types of [{ own: 'private' }, { own: 'disabled' }, { others: 'private' }] as const) {
    it(`does not take those for absent who may not be asked now (${JSON.stringify(types)})`, async () => {
      begin()
      lone.seat(2, types)
      assert.equal(await lone.pass(LONG_MS, isSettled), false)
      assert.deepEqual(lone.requests, [])
      // All others give up their seats: nobody is left who could know.
      lone.seat(0, types)
      lone.fetcher.wake([])
      assert.ok(await lone.pass(1_000, isSettled))
    })

    it(`asks them when they may be asked again (${JSON.stringify(types)})`, async () => {
      begin()
      lone.seat(1, types)
      await lone.pass(1_000)
      lone.seat(1)
      lone.fetcher.wake([])
      assert.ok(await lone.pass(1_000, () => asked(1) > 0))
      assert.equal(isSettled(), false)
      cursors.set(1, ASKED)
      assert.ok(await lone.pass(LONG_MS, isSettled))
    })
  }

  it('asks one that joins while it looks', async () => {
    begin(ASKED, ASKED - 1)
    assert.ok(await lone.pass(LONG_MS, () => asked(1) === 1 && asked(2) === 1))
    cursors.set(2, ASKED)
    // When all that there were have answered.
    lone.onRead = () => {
      if (asked(2) === 2) lone.seat(3)
    }
    assert.equal(await lone.pass(LONG_MS, isSettled), false)
    assert.ok(asked(3) > 0)
    cursors.set(3, ASKED)
    assert.ok(await lone.pass(LONG_MS, isSettled))
  })
})
