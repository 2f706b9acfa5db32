import assert from 'node:assert/strict'
import type { AccountId, EnclaveSeat } from '../../../src/domain/index.js'
import { PeerBook } from '../../../src/sync/peer-book.js'
import { RelayRing } from '../../../src/sync/relay.js'
import { RelayPlan } from '../../../src/sync/relay-plan.js'

const SIZE = 600
const ORIGIN = 5
const HOP_MS = 100
const BEGIN = 1_000_000
const key = { kind: 'secret', nftId: 7 } as const

const seats = Array.from({ length: SIZE }, (_, cluster): EnclaveSeat => {
  const account = `0x${cluster.toString(16).padStart(64, '0')}` as const
  return { account, operator: account, cluster, slot: 0, apiUri: '' }
})
const ring = new RelayRing(seats)

/** A cluster three steps from the origin. */
const own = 200
const way = ring.wayTo(own, ORIGIN) ?? []
const [parent, grandparent, origin] = way.map(({ account }) => account)
assert.equal(way.length, 3)
assert.ok(parent !== undefined && grandparent !== undefined && origin !== undefined)

/** What a fetcher would do whose peers all lack the share, unless they fail. */
function asker() {
  const clock = { now: BEGIN }
  const book = new PeerBook({
    now: () => clock.now,
    peers: { first: 500, longest: 60_000 },
    shares: { first: 50, longest: 3_000 },
    versions: { first: 50, longest: 3_000 },
  })
  const underWay = new Map<AccountId, number>()
  const turn = (since = BEGIN, from: number | undefined = ORIGIN) =>
    new RelayPlan({
      ring,
      cluster: own,
      others: ring.nearest(own),
      book,
      underWaySince: (peer) => underWay.get(peer),
      hopMs: HOP_MS,
      backOff: { first: 50, longest: 3_000 },
      now: clock.now,
    }).turnOf({ key, origin: from, since })
  return {
    clock,
    book,
    underWay,
    turn,
    /** Passes the time until somebody is to be asked; who is. */
    next: (): AccountId => {
      for (;;) {
        const { peer, ...rest } = turn()
        if (peer !== undefined) return peer
        assert.ok('at' in rest && rest.at > clock.now && rest.at !== Number.POSITIVE_INFINITY)
        clock.now = rest.at
      }
    },
  }
}

describe('relay plan', () => {
  it('asks the one before on the way, when it can be expected to hold the share', () => {
    const { clock, turn, next } = asker()
    assert.deepEqual(turn(), { at: BEGIN + 2 * HOP_MS, isBehind: false })
    assert.equal(next(), parent)
    assert.equal(clock.now, BEGIN + 2 * HOP_MS)
  })

  it('does not wait for a clock that was set back', () => {
    assert.deepEqual(asker().turn(BEGIN + 3_600_000), { peer: parent })
  })

  it('does not wait for it either after somebody has lacked the share', () => {
    const { clock, book, turn } = asker()
    for (let tries = 0; tries < 20; tries += 1) for (const seat of seats) book.lacks(seat.account, key)
    clock.now -= BEGIN / 2
    assert.equal(turn().peer, parent)
  })

  it('gives each on the way some chances, with a hop in between, then asks others and them again', () => {
    const { clock, book, next } = asker()
    const asked: AccountId[] = []
    for (let times = 0; times < 8; times += 1) {
      const before = clock.now
      const peer = next()
      assert.equal(clock.now - before, times === 0 ? 2 * HOP_MS : HOP_MS)
      asked.push(peer)
      book.lacks(peer, key)
    }
    const one = [parent, parent, parent, parent, grandparent, grandparent, origin, origin]
    assert.deepEqual(asked, one)
    const others = ring.nearest(own).map(({ account }) => account)
    const elsewhere = next()
    assert.equal(
      elsewhere,
      others.find((account) => !one.includes(account)),
    )
    book.lacks(elsewhere, key)
    assert.equal(next(), parent)
  })

  it('leaves out at once who fails', () => {
    const { clock, book, next } = asker()
    clock.now += 2 * HOP_MS
    const now = clock.now
    for (const peer of [parent, grandparent, origin]) {
      assert.equal(next(), peer)
      book.failed(peer)
    }
    assert.ok(!way.some(({ account }) => account === next()))
    assert.equal(clock.now, now)
  })

  it('comes back to who failed', () => {
    const { clock, book, turn, next } = asker()
    clock.now += 2 * HOP_MS
    for (const { account } of seats) book.failed(account)
    assert.deepEqual(turn(), { at: clock.now + 500, isBehind: false })
    assert.equal(next(), parent)
  })

  it('asks one other after the longest pause at last, and each on the way, too', () => {
    const { clock, book, next } = asker()
    const recent: { peer: AccountId; at: number }[] = []
    for (let times = 0; times < 200; times += 1) {
      const peer = next()
      recent.push({ peer, at: clock.now })
      book.lacks(peer, key)
    }
    const late = recent.slice(-40)
    const tookMs = (late.at(-1)?.at ?? 0) - (late[0]?.at ?? 0)
    assert.ok(tookMs >= 19 * 3_000, `forty times in ${tookMs} ms`)
    for (const { account } of way) assert.ok(late.some(({ peer }) => peer === account))
    const others = late.filter(({ peer }) => !way.some(({ account }) => account === peer))
    assert.equal(new Set(others.map(({ peer }) => peer)).size, others.length)
    assert.ok(others.length >= 15)
  })

  it('waits for an exchange that is under way with the one to ask, but not for a long one', () => {
    const { clock, underWay, turn } = asker()
    clock.now += 2 * HOP_MS
    underWay.set(parent, clock.now)
    assert.deepEqual(turn(), { at: clock.now + 2 * HOP_MS, isBehind: true })
    clock.now += 2 * HOP_MS
    assert.deepEqual(turn(), { peer: grandparent })
  })

  it('asks others at once for what has no way to here, and pauses after each', () => {
    const { clock, book, turn } = asker()
    const nobodys = SIZE + 1
    const first = turn(BEGIN, nobodys)
    assert.deepEqual(first, { peer: ring.nearest(own)[0]?.account })
    if (first.peer !== undefined) book.lacks(first.peer, key)
    assert.ok('at' in turn(BEGIN, nobodys))
    clock.now += 2 * HOP_MS
    assert.deepEqual(turn(BEGIN, nobodys), { peer: ring.nearest(own)[1]?.account })
  })
})
