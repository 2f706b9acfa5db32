import assert from 'node:assert/strict'
import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { Door } from '../../../src/mesh/door.js'
import { LIMITS } from '../../../src/mesh/limits.js'

/** A host's connections, as far as its door looks at them. */
class Hall {
  readonly #known = new Set<string>()
  readonly #connections: Connection[] = []
  readonly #listeners: ((event: { detail: Connection }) => void)[] = []
  #opened = 0

  constructor(maximum: number) {
    const isKnown = (peer: string) => this.#known.has(peer)
    const libp2p = {
      addEventListener: (_: string, listener: (event: { detail: Connection }) => void) =>
        this.#listeners.push(listener),
      getConnections: (peer?: PeerId) =>
        this.#connections.filter((each) => peer === undefined || each.remotePeer === peer),
    }
    new Door({ maximum, isKnown, isShut: () => false }).watch(libp2p as unknown as Libp2p)
  }

  get size(): number {
    return this.#connections.length
  }

  enter(name: string, { isKnown = false, direction = 'inbound' } = {}): void {
    if (isKnown) this.#known.add(name)
    this.#opened += 1
    const connection = {
      remotePeer: { toString: () => name },
      direction,
      remoteAddr: multiaddr(`/ip4/10.${this.#opened >> 16}.${(this.#opened >> 8) & 0xff}.${this.#opened & 0xff}/tcp/1`),
      timeline: { open: this.#opened },
      abort: () => this.#connections.splice(this.#connections.indexOf(connection), 1),
    } as unknown as Connection
    this.#connections.push(connection)
    for (const listener of this.#listeners) listener({ detail: connection })
  }

  has(name: string): boolean {
    return this.#connections.some(({ remotePeer }) => remotePeer.toString() === name)
  }
}

describe('the door of a mesh host', () => {
  const { total, spare } = LIMITS.connections

  for (const direction of ['inbound', 'outbound']) {
    it(`lets those who come stay for a while when nearly all places are taken, by ${direction} connections`, () => {
      const hall = new Hall(total)
      for (let each = 0; each < total - spare; each += 1) hall.enter(`k${each}`, { isKnown: true, direction })
      for (let stranger = 0; stranger < 100; stranger += 1) {
        hall.enter(`s${stranger}`)
        assert.ok(hall.has(`s${stranger}`) && hall.has(`s${Math.max(0, stranger - spare + 2)}`), `${stranger}`)
        assert.ok(hall.size < total, 'the next one would not be let in')
      }
      for (let each = 0; each < total - spare; each += 1) assert.ok(hall.has(`k${each}`))
    })
  }

  it('leaves strangers a third of all places, and keeps some free, when there is room', () => {
    const hall = new Hall(total)
    for (let stranger = 0; stranger < total; stranger += 1) hall.enter(`s${stranger}`)
    assert.equal(hall.size, total / 3)
    for (let each = 0; each < 200; each += 1) hall.enter(`k${each}`, { isKnown: true })
    hall.enter('another')
    assert.ok(hall.size <= total - spare)
  })

  for (const maximum of [1, 2, 3, 10, 20, 21]) {
    it(`lets strangers in also where there are ${maximum} places in all`, () => {
      const hall = new Hall(maximum)
      for (let stranger = 0; stranger < 50; stranger += 1) {
        hall.enter(`s${stranger}`)
        assert.ok(hall.has(`s${stranger}`), `${stranger}`)
        assert.ok(hall.size <= Math.max(1, maximum / 3))
      }
    })
  }
})
