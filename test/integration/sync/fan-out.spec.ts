import assert from 'node:assert/strict'
import { FAN_OUT } from '../../../src/sync/relay.js'
import { secret } from '../store/fixture.js'
import { EXCHANGE_MS, FetcherMesh } from './mesh.js'

/** Before anything is learned of how long an exchange takes. */
const FIRST_HOP_MS = 1_000

const origin = 3
const key = secret(7)

describe('fan-out of a share', () => {
  let mesh: FetcherMesh

  afterEach(() => mesh.stop())

  /** Who got it from the origin itself. */
  const children = (of: number) => mesh.exchanges.filter(({ to }) => to === of).map(({ from }) => from)

  for (const { size, steps } of [
    { size: 60, steps: 2 },
    { size: 500, steps: 3 },
  ]) {
    it(`asks nobody more than a few times in a mesh of ${size}, and takes a step for each digit of that`, async () => {
      mesh = new FetcherMesh(size)
      mesh.trigger([{ key, origin }])
      const took = await mesh.spread()
      assert.ok(took <= (steps - 1) * FIRST_HOP_MS + EXCHANGE_MS, `it took ${took} ms`)
      for (let cluster = 0; cluster < size; cluster += 1) assert.ok(mesh.asked(cluster) <= FAN_OUT)
      assert.equal(mesh.exchanges.length, size - 1)
    })
  }

  it('learns how long a share takes from one to the next', async () => {
    mesh = new FetcherMesh(100)
    let took = 0
    for (let nftId = 0; nftId < 30; nftId += 1) {
      mesh.trigger([{ key: secret(nftId), origin }])
      took = await mesh.spread()
    }
    assert.ok(took <= 6 * EXCHANGE_MS, `it took ${took} ms`)
    assert.equal(mesh.exchanges.length, 30 * 99)
  })

  it('asks the origin at once in a small mesh', async () => {
    mesh = new FetcherMesh(FAN_OUT)
    mesh.trigger([{ key, origin }])
    assert.equal(await mesh.spread(), EXCHANGE_MS)
    assert.equal(mesh.asked(origin), FAN_OUT - 1)
  })

  it('asks for all shares of one block and one origin in one exchange', async () => {
    mesh = new FetcherMesh(60)
    mesh.trigger(Array.from({ length: 200 }, (_, nftId) => ({ key: secret(nftId), origin })))
    await mesh.spread()
    assert.equal(mesh.exchanges.length, 59)
  })

  it('makes one exchange with another at a time', async () => {
    mesh = new FetcherMesh(60)
    mesh.trigger([{ key, origin }])
    await mesh.clock.pass(mesh.clock.now() + EXCHANGE_MS / 2, () => false)
    mesh.trigger([{ key: secret(8), origin }])
    await mesh.spread()
    assert.equal(mesh.exchanges.length, 2 * 59)
    const lastAt = new Map<string, number>()
    for (const { from, to, at } of mesh.exchanges) {
      assert.ok(at - (lastAt.get(`${from} ${to}`) ?? 0) >= EXCHANGE_MS)
      lastAt.set(`${from} ${to}`, at)
    }
  })

  it('asks few others, and each seldom, also when every cluster is the origin of something', async () => {
    const size = 60
    mesh = new FetcherMesh(size)
    mesh.trigger(Array.from({ length: size }, (_, cluster) => ({ key: secret(cluster), origin: cluster })))
    await mesh.spread()
    for (let cluster = 0; cluster < size; cluster += 1) {
      const own = mesh.exchanges.filter(({ from }) => from === cluster)
      assert.ok(new Set(own.map(({ to }) => to)).size <= FAN_OUT)
      assert.ok(own.length <= 2 * FAN_OUT, `${own.length} exchanges`)
    }
  })

  it('loses nobody behind one that is down, or that denies what it holds', async () => {
    mesh = new FetcherMesh(200)
    mesh.trigger([{ key, origin }])
    await mesh.spread()
    const [dead, liar] = children(origin).filter((child) => children(child).length > 1)
    assert.ok(dead !== undefined && liar !== undefined)
    const behind = children(dead).length + children(liar).length
    mesh.exchanges.length = 0
    mesh.down.add(dead)
    mesh.liars.add(liar)
    mesh.trigger([{ key: secret(8), origin }])
    const took = await mesh.spread()
    assert.ok(took <= 8 * FIRST_HOP_MS, `it took ${took} ms`)
    assert.ok(mesh.asked(origin) <= FAN_OUT + behind, `the origin was asked ${mesh.asked(origin)} times`)
    assert.ok(behind > 2)
  })

  it('loses nobody when the origin goes down after the first have asked it', async () => {
    mesh = new FetcherMesh(200)
    mesh.trigger([{ key, origin }])
    await mesh.clock.pass(mesh.clock.now() + EXCHANGE_MS, () => false)
    assert.equal(mesh.lacking().length, 200 - 1 - mesh.asked(origin))
    mesh.down.add(origin)
    const took = await mesh.spread()
    assert.ok(took <= 3 * FIRST_HOP_MS, `it took ${took} ms`)
  })

  it('loses nobody when the origin goes down after a single one has its share', async () => {
    mesh = new FetcherMesh(200)
    mesh.give(150, key)
    mesh.down.add(origin)
    mesh.trigger([{ key, origin }])
    const took = await mesh.spread(5 * 60_000)
    assert.ok(took <= 30_000, `it took ${took} ms`)
    const each = mesh.exchanges.length / 200
    assert.ok(each <= 20, `each asked ${each} times`)
  })

  it('asks ever less for what nobody holds, and gets it soon when the origin is back', async () => {
    const size = 100
    mesh = new FetcherMesh(size)
    mesh.down.add(origin)
    mesh.trigger([{ key, origin }])
    await assert.rejects(mesh.spread(10 * 60_000), /lack shares/)
    const each = mesh.exchanges.length / size
    mesh.exchanges.length = 0
    assert.ok(each <= 80, `each asked ${each} times in ten minutes`)
    mesh.down.delete(origin)
    const took = await mesh.spread(2 * 60_000)
    assert.ok(took <= 90_000, `it took ${took} ms`)
  })
})
