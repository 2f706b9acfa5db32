// As in src/mesh/host.ts.
import 'core-js/actual/promise/with-resolvers.js'
import assert from 'node:assert/strict'
import { setMaxListeners } from 'node:events'
import { connect, type Socket } from 'node:net'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { pause } from '../../../src/domain/index.js'
import type { MeshHost, MeshTransport } from '../../../src/mesh/index.js'
import { eventually, type Member, TestMesh } from './mesh.js'

/** By Linux, all of 127.0.0.0/8 is this machine: each a peer's own address. */
const addressOf = (at: number) => `127.1.${at >> 8}.${at & 0xff || 1}`

/** So many connections at most, so that strangers have a third of these, and the test need not open hundreds. */
const MOST = 45

/** TCP from this address of the machine. */
function tcpFrom(localAddress: string): MeshTransport {
  const dialOpts = { noDelay: true, localAddress }
  return tcp({ dialOpts })
}

/** Connects to a host again and again, for as long as it lasts. */
class Crowd {
  /** Connections that were opened in all. */
  opened = 0
  readonly #stopping = new AbortController()
  readonly #sockets = new Set<Socket>()
  readonly #hosts: Libp2p[] = []
  readonly #loops: Promise<void>[] = []

  get #isOver(): boolean {
    return this.#stopping.signal.aborted
  }

  /** TCP connections that say nothing, so many at a time, each opened anew when it is closed. */
  mute(at: MeshHost, count: number, addresses: (turn: number) => string): void {
    const { port } = portOf(at)
    const open = (): void => {
      if (this.#isOver) return
      this.opened += 1
      const socket = connect({ port, host: '127.0.0.1', localAddress: addresses(this.opened) })
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        this.#sockets.delete(socket)
        setImmediate(open)
      })
    }
    for (let each = 0; each < count; each += 1) open()
  }

  /** Connections that prove a PeerId and do nothing else; of so many PeerIds, each with a number of connections. */
  async idle(at: MeshHost, peers: number, each: number, addresses: (turn: number) => string): Promise<void> {
    setMaxListeners(0, this.#stopping.signal)
    const address = at.multiaddrs().map((text) => multiaddr(text))
    for (let turn = 0; turn < peers; turn += 1) {
      const host = await createLibp2p({
        transports: [tcpFrom(addresses(turn))],
        connectionEncrypters: [noise()],
        streamMuxers: [yamux()],
      })
      this.#hosts.push(host)
      this.#loops.push(this.#stay(host, address, each))
    }
  }

  async #stay(host: Libp2p, address: ReturnType<typeof multiaddr>[], count: number): Promise<void> {
    const { signal } = this.#stopping
    while (!this.#isOver) {
      try {
        if (host.getConnections().length < count) {
          await host.dial(address, { force: true, signal })
          this.opened += 1
        }
        await pause(20, { signal })
      } catch {
        // Being turned away is what it comes for.
        await pause(20, { signal }).catch(() => undefined)
      }
    }
  }

  async end(): Promise<void> {
    this.#stopping.abort()
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(this.#loops)
    await Promise.all(this.#hosts.map((host) => host.stop()))
  }
}

function portOf(host: MeshHost): { port: number } {
  const [first] = host.multiaddrs()
  return { port: Number(multiaddr(first).getComponents()[1]?.value) }
}

describe('a crowd before a mesh host', function () {
  this.timeout(60_000)
  let mesh: TestMesh
  let crowd: Crowd
  let target: Member

  before(function () {
    if (process.platform !== 'linux') this.skip()
  })

  beforeEach(async () => {
    mesh = new TestMesh()
    crowd = new Crowd()
    target = await mesh.join({ maximumConnections: MOST, inboundConnectionThreshold: 1_000 })
  })

  afterEach(async () => {
    await crowd.end()
    await mesh.stop()
  })

  /** Enclaves that come while the crowd is there, from addresses of their own, and are known soon. */
  async function letIn(): Promise<void> {
    for (let each = 0; each < 2; each += 1) {
      const transport = tcpFrom(`127.0.0.${2 + each}`)
      const honest = await mesh.join({ bootstrap: target.host.multiaddrs(), transport })
      await eventually(() => honest.host.resolve(target.signer.account, { signal: AbortSignal.timeout(5_000) }), 15_000)
      await eventually(
        async () => assert.ok(target.host.knows(honest.signer.account, honest.host.peerId.toString())),
        15_000,
      )
    }
  }

  it('of sockets from one address that say nothing keeps nobody out', async () => {
    crowd.mute(target.host, 300, () => '127.1.0.1')
    await letIn()
    assert.ok(crowd.opened >= 300)
  })

  it('of sockets from a thousand addresses that say nothing keeps nobody out', async () => {
    crowd.mute(target.host, 1_000, addressOf)
    await letIn()
    assert.ok(crowd.opened >= 1_000)
  })

  it('of idle connections of one PeerId keeps nobody out, and is cut down', async () => {
    await crowd.idle(target.host, 1, 50, () => '127.1.0.1')
    await eventually(async () => assert.ok(crowd.opened >= 50), 15_000)
    await letIn()
    assert.ok(target.host.libp2p.getConnections().length <= 10)
  })

  it('of PeerIds, each from an address of its own, keeps nobody out, and leaves connections that are known alone', async () => {
    const early = await mesh.join({ bootstrap: target.host.multiaddrs() })
    await eventually(async () => assert.ok(target.host.knows(early.signer.account, early.host.peerId.toString())))
    const [connection] = target.host.libp2p.getConnections(early.host.peerId)
    await crowd.idle(target.host, 50, 1, addressOf)
    await eventually(async () => assert.ok(crowd.opened >= 50), 15_000)
    await letIn()
    assert.equal(connection?.status, 'open')
    assert.ok(target.host.libp2p.getConnections().length <= MOST / 3 + 10)
  })
})
