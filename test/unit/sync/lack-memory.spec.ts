import assert from 'node:assert/strict'
import type { AccountId, ShareKey } from '../../../src/domain/index.js'
import { LackMemory } from '../../../src/sync/lack-memory.js'

const MOST = 6
const peers: AccountId[] = ['0x01', '0x02', '0x03', '0x04']
const shares = Array.from({ length: 12 }, (_, at): ShareKey => ({ kind: 'secret', nftId: at }))

describe('memory of who lacks what', () => {
  let memory: LackMemory
  let now: number

  beforeEach(() => {
    memory = new LackMemory(MOST)
    now = 100
  })

  const lack = (share: number, peer: number, tries = 1): number[] => {
    const [key, account] = [shares[share], peers[peer]]
    assert.ok(key !== undefined && account !== undefined)
    return memory.put(key, account, { tries, at: now, until: now + 10 * tries }).map((gone) => gone.key.nftId)
  }
  const sizes = () => shares.map((key) => memory.of(key).size)
  const size = () => sizes().reduce((sum, each) => sum + each, 0)

  it('never holds more than it may, whatever comes in which order', () => {
    for (let turn = 0; turn < 5_000; turn += 1) {
      const share = (turn * turn + 3 * turn) % shares.length
      lack(share, (turn * 7) % peers.length, 1 + ((turn >> 3) % 3))
      if (turn % 11 === 0) memory.delete(shares[turn % shares.length] ?? { kind: 'secret', nftId: 0 })
      assert.ok(size() <= MOST)
    }
    assert.ok(size() > 0)
  })

  it('forgets all of one share, first that of which somebody was asked twice the longest ago', () => {
    for (const share of [0, 1, 2]) for (const peer of [0, 1]) assert.deepEqual(lack(share, peer), [])
    assert.ok(memory.isFull)
    lack(1, 0, 2)
    lack(0, 0, 2)
    lack(1, 1, 3)
    assert.deepEqual(lack(3, 0), [1])
    assert.deepEqual(sizes().slice(0, 4), [2, 0, 2, 1])
    assert.deepEqual([lack(3, 1), lack(3, 2)], [[], [0]])
  })

  it('says when the first of those that are forgotten could have been asked again', () => {
    for (const [at, peer] of peers.entries()) lack(0, at, peers.indexOf(peer) + 3)
    lack(1, 0)
    lack(1, 1)
    const forgotten = memory.put({ kind: 'secret', nftId: 2 }, '0x01', { tries: 1, at: now, until: now })
    assert.deepEqual(forgotten, [{ key: shares[0], until: now + 30 }])
  })

  it('forgets the newest when nobody was asked twice, so that the oldest come round all peers', () => {
    for (const share of [0, 1, 2]) for (const peer of [0, 1]) lack(share, peer)
    assert.deepEqual(lack(0, 2), [2])
    assert.deepEqual(lack(0, 3), [])
    assert.deepEqual(lack(3, 0), [1])
    assert.deepEqual(sizes().slice(0, 4), [4, 0, 0, 1])
    // The one that has just come is kept beside the oldest until another one needs the room.
    assert.deepEqual([lack(3, 1), lack(4, 0)], [[], [3]])
    assert.deepEqual(sizes().slice(0, 5), [4, 0, 0, 0, 1])
  })

  it('forgets a share of which it cannot hold all', () => {
    memory = new LackMemory(3)
    for (const peer of [0, 1, 2]) assert.deepEqual(lack(0, peer), [])
    assert.deepEqual(lack(0, 3), [0])
    assert.equal(size(), 0)
  })

  it('forgets that of which nobody has said anything for long', () => {
    lack(0, 0)
    lack(1, 0)
    now += 50
    lack(1, 1)
    memory.forgetBefore(now)
    assert.deepEqual(sizes().slice(0, 2), [0, 2])
  })
})
