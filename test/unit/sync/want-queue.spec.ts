import assert from 'node:assert/strict'
import { type ShareKey, shareKeyText } from '../../../src/domain/index.js'
import type { Want } from '../../../src/store/index.js'
import { WANT_QUEUE, WantQueue } from '../../../src/sync/want-queue.js'

const secret = (nftId: number): ShareKey => ({ kind: 'secret', nftId })
const capsule = (nftId: number): ShareKey => ({ kind: 'capsule', nftId })
const unlimited = Number.POSITIVE_INFINITY

/** Wants that the store gives at a time. */
const PAGE = 3

function queueOf(keys: ShareKey[], remembered?: number) {
  const clock = { time: 1_000 }
  const open = new Map<string, Want>()
  const want = (key: ShareKey) =>
    open.set(shareKeyText(key), { key, minimumVersion: 0, asOf: 0, origin: undefined, since: 0 })
  for (const key of keys) want(key)
  const isBefore = (one: ShareKey, other: ShareKey) =>
    one.kind === other.kind ? one.nftId < other.nftId : one.kind === 'secret'
  const store = {
    async *wantPages({
      from,
      skips = () => false,
    }: {
      from?: ShareKey | undefined
      skips?: (key: ShareKey) => boolean
    } = {}) {
      const wanted = [...open.values()].filter(({ key }) => !(from !== undefined && isBefore(key, from)))
      for (let at = 0; at < wanted.length; at += PAGE) {
        yield []
        yield wanted.slice(at, at + PAGE).filter(({ key }) => !skips(key))
      }
    },
    wantsOf: async (asked: readonly ShareKey[]) => asked.flatMap((key) => open.get(shareKeyText(key)) ?? []),
  }
  const asked = new Set<string>()
  const queue = new WantQueue(store, { now: () => clock.time }, remembered)
  const look = async (most = 100) => {
    const looked: string[] = []
    for await (const wants of queue.look(most, (each) => asked.has(shareKeyText(each)))) {
      looked.push(...wants.map(({ key }) => shareKeyText(key)))
    }
    return looked
  }
  return { clock, open, want, asked, queue, look }
}

describe('the queue of wants', () => {
  it('goes through the store once, in steps', async () => {
    const { queue, look } = queueOf([secret(1), secret(5), secret(0xffffffff), capsule(0), capsule(0xffffffff)])
    assert.deepEqual(await look(2), ['secret/1', 'secret/5'])
    assert.deepEqual(await look(2), ['secret/4294967295', 'capsule/0'])
    assert.equal(queue.nextAt, 1_000)
    assert.deepEqual(await look(2), ['capsule/4294967295'])
    assert.equal(queue.nextAt, unlimited)
    assert.deepEqual(await look(), [])
    queue.addAll()
    assert.equal((await look()).length, 5)
  })

  it('gives none twice in one look, also when it goes through the store', async () => {
    const { queue, look } = queueOf([secret(1), secret(2), secret(3)])
    queue.add([secret(2)])
    queue.addAgain([secret(3)])
    assert.deepEqual(await look(), ['secret/2', 'secret/3', 'secret/1'])
  })

  it('leaves each alone until its rest is over, or an exchange has ended that it is behind', async () => {
    const { clock, queue, look } = queueOf([secret(1), secret(2), secret(3)])
    await look()
    queue.rest(secret(1), 1_500, { isBehind: false })
    queue.rest(secret(2), unlimited, { isBehind: true })
    queue.rest(secret(3), 2_000, { isBehind: true })
    assert.equal(queue.nextAt, 1_500)
    assert.deepEqual(await look(), [])
    clock.time = 1_500
    assert.deepEqual(await look(), ['secret/1'])
    assert.equal(queue.nextAt, 2_000)
    queue.freed()
    assert.deepEqual(await look(), ['secret/2', 'secret/3'])
    queue.rest(secret(1), 5_000, { isBehind: true })
    clock.time = 5_000
    assert.deepEqual(await look(), ['secret/1'])
    queue.freed()
    assert.deepEqual(await look(), [])
  })

  it('has none rest for good when the clock is set back', async () => {
    const { clock, queue, look } = queueOf([secret(1)])
    await look()
    queue.rest(secret(1), clock.time + 500, { isBehind: false })
    clock.time -= 10_000_000
    assert.deepEqual(await look(), ['secret/1'])
  })

  it('looks at what is new first, and shares the rest between the store and what has waited', async () => {
    const keys = Array.from({ length: 20 }, (_, nftId) => secret(nftId))
    const { queue, look, want } = queueOf(keys)
    queue.addAgain((await look(8)).map((text) => secret(Number(text.split('/')[1]))))
    want(capsule(1))
    queue.add([capsule(1), capsule(2)])
    assert.deepEqual(await look(6), ['capsule/1', 'secret/0', 'secret/1', 'secret/8', 'secret/9'])
  })

  it('looks again at what is being asked for when the exchange has ended', async () => {
    const { asked, queue, look } = queueOf([secret(1), secret(2)])
    asked.add('secret/1')
    assert.deepEqual(await look(), ['secret/2'])
    queue.add([secret(1)])
    assert.deepEqual(await look(), [])
    assert.equal(queue.nextAt, unlimited)
    asked.clear()
    queue.freed()
    assert.deepEqual(await look(), ['secret/1'])
  })

  it('finds in the store again what it does not remember, and lets nothing new wait for that', async () => {
    const { clock, open, queue, look } = queueOf([1, 2, 3, 4].map(secret), 3)
    for (const text of await look()) {
      queue.rest(secret(Number(text.split('/')[1])), unlimited, { isBehind: false })
    }
    assert.equal(queue.nextAt, clock.time + WANT_QUEUE.lookAgainAfter)
    open.set('secret/9', { key: secret(9), minimumVersion: 0, asOf: 0, origin: undefined, since: 0 })
    queue.add([secret(9)])
    assert.deepEqual(await look(), ['secret/9'])
    clock.time += WANT_QUEUE.lookAgainAfter
    // The fourth, and the first, whose place the new one has taken.
    assert.deepEqual(await look(), ['secret/1', 'secret/4', 'secret/9'])
    assert.equal(queue.nextAt, unlimited)
  })

  it('does not lose an order to look at all while it looks', async () => {
    const { queue, look } = queueOf([secret(1), secret(2)])
    const looking = queue.look(100, () => false)
    await looking.next()
    queue.addAll()
    while (!(await looking.next()).done);
    assert.deepEqual(await look(), ['secret/1', 'secret/2'])
  })
})
