import 'core-js/actual/promise/with-resolvers.js'
import assert from 'node:assert/strict'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { type LinkShape, PLAIN_LINK, Shaping } from '../../../src/simulation/live/shaping/index.js'

const ECHO = '/echo/1'
const CUT = { ...PLAIN_LINK, isCut: true }

/** One piece there and back. */
class Echo {
  readonly #stream: Stream

  private constructor(stream: Stream) {
    this.#stream = stream
  }

  static async on(connection: Connection): Promise<Echo> {
    return new Echo(await connection.newStream(ECHO))
  }

  async trip(bytes = 10): Promise<number> {
    const startedAt = performance.now()
    let left = bytes
    const back = new Promise<void>((resolve, reject) => {
      this.#stream.addEventListener('close', () => reject(new Error('closed')))
      this.#stream.addEventListener('message', ({ data }) => {
        left -= data.byteLength
        if (left === 0) resolve()
      })
    })
    this.#stream.send(new Uint8Array(bytes))
    await back
    return performance.now() - startedAt
  }
}

describe('shaped links on real TCP', () => {
  const shaping = new Shaping(() => 0.5)
  let near: Libp2p
  let far: Libp2p
  let other: Libp2p

  async function host(transport = tcp()): Promise<Libp2p> {
    const made = await createLibp2p({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [transport],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionMonitor: { enabled: false },
    })
    await made.handle(ECHO, (stream) => {
      stream.addEventListener('message', ({ data }) => stream.send(data.subarray()))
    })
    return made
  }

  function shape(links: Partial<LinkShape>): void {
    shaping.change([[far.peerId.toString(), { ...PLAIN_LINK, ...links }]])
  }

  /** Long enough for whatever is on its way on this machine: several trips over a link without delay. */
  async function meanwhile(): Promise<void> {
    const echo = await Echo.on(await near.dial(other.getMultiaddrs()))
    for (let trip = 0; trip < 5; trip++) await echo.trip()
  }

  /** On a busy machine a trip may take as long as on a link with latency, but on such a link none ever takes less. */
  async function quickerThan(ms: number, echo: Echo): Promise<void> {
    while ((await echo.trip()) >= ms);
  }

  beforeEach(async () => {
    shaping.change([])
    ;[near, far, other] = await Promise.all([host(shaping.transport), host(), host()])
  })

  afterEach(async () => {
    shaping.end()
    await Promise.all([near, far, other].map((each) => each.stop()))
  })

  it('take as long as their latency says, to open and to cross', async () => {
    shape({ latency: 60 })
    const startedAt = performance.now()
    const connection = await near.dial(far.getMultiaddrs())
    assert.ok(performance.now() - startedAt >= 240, 'one trip to connect, and one at least to be sure of each other')
    assert.ok((await (await Echo.on(connection)).trip()) >= 119)
    await quickerThan(119, await Echo.on(await near.dial(other.getMultiaddrs())))
  })

  it('change while connections are open', async () => {
    const echo = await Echo.on(await near.dial(far.getMultiaddrs()))
    shape({ latency: 80 })
    assert.ok((await echo.trip()) >= 159)
    shape({})
    await quickerThan(159, echo)
  })

  it('carry no more than their bandwidth, and all of it', async () => {
    const echo = await Echo.on(await near.dial(far.getMultiaddrs()))
    shape({ bandwidth: 5_000 })
    assert.ok((await echo.trip(1_000_000)) >= 200)
  })

  it('hold everything while they are cut, with connections open on both sides, and let it through afterwards', async () => {
    const connection = await near.dial(far.getMultiaddrs())
    const echo = await Echo.on(connection)
    shape(CUT)
    let isBack = false
    const trip = echo.trip().then(() => {
      isBack = true
    })
    await meanwhile()
    assert.equal(isBack, false)
    assert.deepEqual([connection.status, far.getConnections().length], ['open', 1])
    shape({})
    await trip
  })

  it('let a dial hang while they are cut, until it is given up', async () => {
    shape(CUT)
    await assert.rejects(near.dial(far.getMultiaddrs(), { signal: AbortSignal.timeout(100) }))
    assert.equal(far.getConnections().length, 0)
    const dial = near.dial(far.getMultiaddrs())
    await meanwhile()
    shape({})
    assert.equal((await dial).status, 'open')
  })

  it('tell the other side of an end only when they are healed', async () => {
    const connection = await near.dial(far.getMultiaddrs())
    await Echo.on(connection)
    shape(CUT)
    connection.abort(new Error('enough'))
    await meanwhile()
    assert.equal(far.getConnections().length, 1)
    const gone = new Promise((resolve) => far.addEventListener('connection:close', resolve, { once: true }))
    shape({})
    await gone
  })

  it('drop every connection at once when told to, dialled or not', async () => {
    await near.dial(far.getMultiaddrs())
    await other.dial(near.getMultiaddrs())
    const gone = [far, other].map(
      (each) => new Promise((resolve) => each.addEventListener('connection:close', resolve, { once: true })),
    )
    shaping.dropConnections()
    await Promise.all(gone)
    assert.equal(near.getConnections().length, 0)
    assert.equal((await near.dial(far.getMultiaddrs())).status, 'open')
  })
})
