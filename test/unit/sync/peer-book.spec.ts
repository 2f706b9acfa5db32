import assert from 'node:assert/strict'
import { PeerBook } from '../../../src/sync/peer-book.js'

const one = '0x01'
const other = '0x02'
const key = { kind: 'secret', nftId: 7 } as const

function book(lacksRemembered?: number) {
  const clock = { now: 1_000 }
  const peers = { first: 100, longest: 1_000 }
  const shares = { first: 10, longest: 40 }
  const versions = { first: 50, longest: 400 }
  return {
    clock,
    book: new PeerBook({ now: () => clock.now, peers, shares, versions, ...(lacksRemembered && { lacksRemembered }) }),
  }
}

describe('peer book', () => {
  it('lets everyone be asked at first', () => {
    assert.equal(book().book.askableAt(one, key), 0)
  })

  it('leaves a failing peer alone for twice as long each time, up to a limit', () => {
    const { book: peers, clock } = book()
    const waits = [100, 200, 400, 800, 1_000, 1_000]
    for (const wait of waits) {
      peers.failed(one)
      assert.equal(peers.askableAt(one, key), clock.now + wait)
      assert.equal(peers.askableAt(other, key), 0)
      clock.now += wait
      assert.equal(peers.askableAt(one, key), 0)
    }
    assert.equal(peers.failures(one), waits.length)
  })

  it('waits as long as the peer asked for', () => {
    const { book: peers, clock } = book()
    peers.failed(one, 5_000)
    assert.equal(peers.askableAt(one, key), clock.now + 5_000)
  })

  it('does not wait for a clock that was set back', () => {
    const { book: peers, clock } = book()
    peers.failed(one, 5_000)
    peers.lacks(other, key)
    clock.now -= 500
    assert.equal(peers.failingUntil(one), 0)
    assert.equal(peers.askableAt(one, key), 0)
    assert.equal(peers.askableAt(other, key), 0)
    assert.equal(peers.failures(one), 1)
  })

  it('forgets failures once the peer answers', () => {
    const { book: peers } = book()
    peers.failed(one)
    peers.answered(one)
    assert.equal(peers.askableAt(one, key), 0)
    assert.equal(peers.failures(one), 0)
  })

  it('asks a peer that lacks one share for others at once, and for that one later', () => {
    const { book: peers, clock } = book()
    peers.lacks(one, key)
    assert.equal(peers.askableAt(one, { kind: 'capsule', nftId: 7 }), 0)
    assert.equal(peers.askableAt(one, key), clock.now + 10)
    peers.lacks(one, key)
    assert.equal(peers.askableAt(one, key), clock.now + 20)
    peers.settled(key)
    assert.equal(peers.askableAt(one, key), 0)
  })

  it('asks a peer for a version that may not be the newest after longer pauses each time', () => {
    const { book: peers, clock } = book()
    for (const wait of [50, 100, 200, 400, 400]) {
      peers.lacks(one, key, { asOf: 9, takenIn: 9 })
      assert.equal(peers.askableAt(one, key), clock.now + wait)
    }
    assert.equal(peers.lacking(key).get(one)?.gaveAsOf, 9)
    peers.lacks(one, key)
    assert.equal(peers.lacking(key).get(one)?.gaveAsOf, undefined)
  })

  it('holds nobody to what it gave before it had come to the block that was asked about', () => {
    const { book: peers, clock } = book()
    for (const [takenIn, gaveAsOf, wait] of [
      [8, undefined, 50],
      [9, 9, 100],
      [10, 9, 200],
      [8, undefined, 400],
    ] as const) {
      peers.lacks(one, key, { asOf: 9, takenIn })
      assert.equal(peers.lacking(key).get(one)?.gaveAsOf, gaveAsOf)
      assert.equal(peers.askableAt(one, key), clock.now + wait)
    }
  })

  it('remembers so many answers and no more: all of one share are forgotten for another one', () => {
    const { book: peers, clock } = book(2)
    const [first, second, third] = [1, 2, 3].map((nftId) => ({ kind: 'secret', nftId }) as const)
    assert.ok(first !== undefined && second !== undefined && third !== undefined)
    assert.deepEqual([peers.lacks(one, first), peers.lacks(one, second), peers.lacks(one, first)], [[], [], []])
    assert.equal(peers.hasForgotten, false)
    assert.deepEqual(peers.lacks(one, third), [{ key: first, until: clock.now + 20 }])
    assert.ok(peers.hasForgotten)
    assert.deepEqual(
      [first, second, third].map((each) => peers.lacking(each).size),
      [0, 1, 1],
    )
    assert.equal(peers.askableAt(one, first), 0)
    peers.settled(second)
    assert.deepEqual(peers.lacks(other, third), [])
  })

  it('forgets what nobody asks for any more before what is asked for', () => {
    const { book: peers, clock } = book(2)
    const [gone, asked, fresh] = [1, 2, 3].map((nftId) => ({ kind: 'secret', nftId }) as const)
    assert.ok(gone !== undefined && asked !== undefined && fresh !== undefined)
    peers.lacks(one, gone)
    clock.now += 801
    for (const _ of [1, 2]) assert.deepEqual(peers.lacks(one, asked), [])
    assert.deepEqual(peers.lacks(one, fresh), [])
    assert.deepEqual(
      [gone, asked, fresh].map((each) => peers.lacking(each).size),
      [0, 1, 1],
    )
  })
})
