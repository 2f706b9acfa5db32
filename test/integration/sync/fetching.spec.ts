import assert from 'node:assert/strict'
import { type ClusterId, pause, type ShareKey, shareKeyText } from '../../../src/domain/index.js'
import { capsule, secret, wantOf } from '../store/fixture.js'
import { type Asked, LoneFetcher } from './lone-fetcher.js'
import { runOf } from './mesh.js'

const nothing = async (_: ClusterId, { wants, onNotHeld }: Asked) => {
  for (const { key } of wants) onNotHeld(key)
}
const give = ({ onRun }: Asked, key: ShareKey, cluster: ClusterId) =>
  onRun(runOf(key, cluster), { newestAsOf: 1, takenIn: 1 })

describe('fetching', () => {
  let lone: LoneFetcher

  afterEach(() => lone.stop())

  it('does not look again at wants that are left alone, however many there are', async () => {
    lone = new LoneFetcher(1, nothing)
    lone.want(...Array.from({ length: 20_000 }, (_, nftId) => wantOf(secret(nftId), { origin: 1, minimumVersion: 1 })))
    const askedFor = () => lone.requests.reduce((sum, { keys }) => sum + keys.length, 0)
    assert.ok(await lone.pass(100, () => askedFor() >= 20_000))
    await lone.pass(100)
    assert.equal(askedFor(), 20_000)
    const { read } = lone
    lone.want(wantOf(secret(30_000), { origin: 1, minimumVersion: 1 }))
    lone.fetcher.wake([])
    await lone.pass(10)
    assert.deepEqual(lone.requests.at(-1)?.keys, ['secret/30000'])
    // Once before it is asked for, and once after.
    assert.equal(lone.read - read, 2)
    // They are asked for again when it is time.
    assert.ok(await lone.pass(300, () => askedFor() > 30_000))
  })

  it('asks at once for what is new, beside many that are asked for again and again', async () => {
    lone = new LoneFetcher(1, nothing)
    lone.want(...Array.from({ length: 20_000 }, (_, nftId) => wantOf(secret(nftId), { origin: 1, minimumVersion: 1 })))
    await lone.pass(600)
    const { length } = lone.requests
    lone.want(wantOf(capsule(1), { origin: 1, minimumVersion: 1 }))
    assert.ok(await lone.pass(10, () => lone.requests.length > length))
    assert.ok(lone.requests[length]?.keys.includes('capsule/1'))
  })

  /** One that takes its time, then sends one share, and an End that says there is more. */
  const sendsOne = async (cluster: ClusterId, asked: Asked, afterMs: number) => {
    await pause(afterMs, { clock: lone.clock, signal: asked.signal })
    const own = asked.wants.find(({ origin }) => origin === cluster)
    if (own !== undefined) await give(asked, own.key, cluster)
    else await nothing(cluster, asked)
  }
  const wantsOf = (origin: ClusterId, count: number) =>
    Array.from({ length: count }, (_, at) => wantOf(secret(origin * 100 + at), { origin, minimumVersion: 1 }))
  const isOpen = (key: ShareKey) => lone.wants.has(shareKeyText(key))

  it('comes to each peer in turn, when many take their time', async () => {
    lone = new LoneFetcher(6, (cluster, asked) => sendsOne(cluster, asked, cluster === 6 ? 0 : 19_000 + cluster * 10))
    for (let cluster = 1; cluster <= 6; cluster += 1) lone.want(...wantsOf(cluster, cluster === 6 ? 1 : 50))
    assert.ok(await lone.pass(40_000, () => !isOpen(secret(600))), 'those that came first have come again before it')
  })

  it('keeps exchanges for others, when many peers are slow', async () => {
    lone = new LoneFetcher(6, (cluster, asked) => sendsOne(cluster, asked, cluster === 6 ? 0 : 60_000))
    for (let cluster = 1; cluster <= 5; cluster += 1) lone.want(...wantsOf(cluster, 50))
    await lone.pass(130_000)
    for (let at = 0; at < 20; at += 1) {
      lone.want(wantOf(secret(600 + at), { origin: 6, minimumVersion: 1 }))
      assert.ok(await lone.pass(1_000, () => !isOpen(secret(600 + at))), `share ${at} waited for slow peers`)
      await lone.pass(9_000)
    }
  })

  it('turns to others when an origin is slow', async () => {
    lone = new LoneFetcher(2, async (cluster, asked) => {
      if (cluster === 1) return sendsOne(cluster, asked, 60_000)
      for (const { key } of asked.wants) await give(asked, key, 1)
    })
    lone.want(...wantsOf(1, 50))
    assert.ok(await lone.pass(70_000, () => lone.wants.size === 0))
  })

  it('asks seldom for what is sent each time and may not be the newest each time', async () => {
    let given = 0
    lone = new LoneFetcher(2, async (cluster, asked) => {
      if (cluster !== 1) return nothing(cluster, asked)
      given += asked.wants.length
      for (const { key } of asked.wants) await give(asked, key, 1)
    })
    lone.want(...[1, 2, 3].map((nftId) => wantOf(capsule(nftId), { asOf: 50 })))
    await lone.pass(3_600_000)
    assert.ok(given >= 3 * 10 && given <= 3 * 16, `${given} shares in an hour`)
    assert.deepEqual(lone.settled, [], 'somebody was not asked')
  })
})
