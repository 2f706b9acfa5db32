import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { toHex } from '../../../src/crypto/index.js'
import { type AccountId, type Clock, Registry, silentLogger } from '../../../src/domain/index.js'
import type { EntryHost } from '../../../src/mesh/bootstrap.js'
import { enterByRegistry } from '../../../src/mesh/entry.js'
import { LIMITS } from '../../../src/mesh/limits.js'

/** Turns of the event loop that something may take: nothing here waits for anything else. */
const TURNS = 1_000

async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition(); turns += 1) {
    if (turns === TURNS) assert.fail(`it did not come about: ${condition}`)
    await turn()
  }
}

/** Time passes when the test says so. */
class HandClock implements Clock {
  readonly pauses: number[] = []
  readonly #waiting: (() => void)[] = []

  now(): number {
    return 0
  }

  after(ms: number, callback: () => void): () => void {
    // The bound of a dial is a timer, too, and none that is waited for.
    if (ms === LIMITS.connections.dialMs) return () => undefined
    this.pauses.push(ms)
    this.#waiting.push(callback)
    return () => undefined
  }

  /** Ends the pause that is on, once there is one. */
  async pass(): Promise<void> {
    await until(() => this.#waiting.length > 0)
    this.#waiting.shift()?.()
    await turn()
  }
}

/** Knows who is connected, and keeps what was dialled. */
class PaperHost extends EventTarget {
  readonly dialled: string[] = []
  readonly listeners = { added: 0, removed: 0 }
  answers: readonly string[] = []
  connections = 0

  constructor(readonly peerId: PeerId) {
    super()
  }

  async dial(address: Multiaddr): Promise<Connection> {
    this.dialled.push(String(address))
    if (!this.answers.includes(String(address))) throw new Error('Nobody is there.')
    this.connections += 1
    return {} as Connection
  }

  getConnections(): Connection[] {
    return Array.from({ length: this.connections }, () => ({}) as Connection)
  }

  getMultiaddrs(): Multiaddr[] {
    return []
  }

  override addEventListener(...parameters: Parameters<EventTarget['addEventListener']>): void {
    this.listeners.added += 1
    super.addEventListener(...parameters)
  }

  override removeEventListener(...parameters: Parameters<EventTarget['removeEventListener']>): void {
    this.listeners.removed += 1
    super.removeEventListener(...parameters)
  }

  /** One connection fewer. */
  close(): void {
    this.connections -= 1
    this.dispatchEvent(new CustomEvent('connection:close'))
  }
}

const OWN = toHex(randomBytes(32))

/** One cluster for each five addresses; the first enclave is oneself. */
function registryOf(...apiUris: string[]): Registry {
  const seats = ['/ip4/127.0.0.1/tcp/1', ...apiUris].map((apiUri, at) => {
    const account: AccountId = at === 0 ? OWN : toHex(randomBytes(32))
    return { account, operator: account, cluster: Math.floor(at / 5), slot: at % 5, apiUri }
  })
  const ids = [...new Set(seats.map(({ cluster }) => cluster))]
  return new Registry(
    ids.map((id) => ({ id, type: 'public', seats: seats.filter(({ cluster }) => cluster === id) }) as const),
  )
}

const addresses = (count: number) => Array.from({ length: count }, (_, at) => `/ip4/10.0.0.${at + 1}/tcp/4001`)

describe('entering the mesh by addresses from the chain', () => {
  let host: PaperHost
  let clock: HandClock
  let registry: Registry
  let ending: AbortController
  let entering: Promise<void>

  beforeEach(async () => {
    host = new PaperHost(peerIdFromPrivateKey(await generateKeyPair('Ed25519')))
    clock = new HandClock()
    ending = new AbortController()
  })

  afterEach(async () => {
    ending.abort()
    await entering
  })

  const begin = (askApi?: (apiUri: string) => Promise<Multiaddr[]>) => {
    entering = enterByRegistry({
      askApi,
      libp2p: host as unknown as EntryHost,
      registry: () => registry,
      account: OWN,
      signal: ending.signal,
      clock,
      // In the middle: pauses are as long as they are said to be.
      random: () => 0.5,
      logger: silentLogger,
    })
  }

  it('tries a few in each round, none twice, and pauses longer and longer while nobody answers', async () => {
    registry = registryOf(...addresses(30))
    begin()
    const { dialsPerRound, shortestPauseMs, longestPauseMs } = LIMITS.entry
    for (let round = 1; round <= 8; round += 1) {
      await until(() => clock.pauses.length >= round)
      const tried = host.dialled.slice((round - 1) * dialsPerRound)
      assert.equal(tried.length, dialsPerRound)
      assert.equal(new Set(tried).size, dialsPerRound)
      await clock.pass()
    }
    assert.deepEqual(
      clock.pauses.slice(0, 8),
      [1, 2, 4, 8, 16, 32, 64, 128].map((times) => Math.min(times * shortestPauseMs, longestPauseMs)),
    )
  })

  it('passes over its own address and what is none, however much of that there is', async () => {
    registry = registryOf('https://enclave.example', 'nonsense', '/nonsense', '/ip4/1.2.3/tcp/1', ...addresses(2))
    begin()
    await clock.pass()
    assert.deepEqual(new Set(host.dialled), new Set(addresses(2)))
  })

  it('asks APIs for addresses, where it can, and dials no more of each than it may', async () => {
    registry = registryOf('https://enclave.example')
    const asked: string[] = []
    begin(async (apiUri) => {
      asked.push(apiUri)
      return addresses(30).map((address) => multiaddr(address))
    })
    await until(() => clock.pauses.length > 0)
    assert.deepEqual(asked, ['https://enclave.example'])
    assert.deepEqual(host.dialled, addresses(LIMITS.entry.dialsPerRound))
  })

  it('asks the next one when an API fails, or names nobody', async () => {
    registry = registryOf('https://one.example', 'two.example', ...addresses(1))
    begin((apiUri) => (apiUri.startsWith('https') ? Promise.reject(new Error('Nobody.')) : Promise.resolve([])))
    await until(() => clock.pauses.length > 0)
    assert.deepEqual(host.dialled, addresses(1))
  })

  it('stops at the first that answers, and dials nobody as long as there is a connection', async () => {
    registry = registryOf(...addresses(3))
    host.answers = addresses(3)
    begin()
    await clock.pass()
    assert.equal(host.dialled.length, 1)
    host.connections = 2
    host.close()
    for (let times = 0; times < 5; times += 1) await turn()
    assert.deepEqual([host.dialled.length, clock.pauses.length], [1, 1])
  })

  it('dials again when the last connection has closed, after the shortest pause', async () => {
    registry = registryOf(...addresses(3))
    begin()
    // Long pauses by now.
    for (let rounds = 0; rounds < 4; rounds += 1) await clock.pass()
    host.connections = 1
    await clock.pass()
    const before = host.dialled.length
    host.answers = addresses(3)
    host.close()
    await clock.pass()
    await turn()
    assert.equal(host.dialled.length, before + 1)
    assert.equal(clock.pauses[5], LIMITS.entry.shortestPauseMs)
    // Each wait takes back what it listened with.
    host.close()
    await clock.pass()
    await clock.pass()
    assert.ok(host.listeners.added - host.listeners.removed <= 1, JSON.stringify(host.listeners))
  })

  it('sees at once that the connection closed before it could wait for that', async () => {
    registry = registryOf(...addresses(1))
    begin()
    await clock.pass()
    const look = host.getConnections.bind(host)
    let looks = 0
    // There at the first look, and gone at the next.
    host.getConnections = () => {
      looks += 1
      return looks === 1 ? Array.from({ length: 1 }, () => ({}) as Connection) : look()
    }
    await clock.pass()
    const before = host.dialled.length
    await clock.pass()
    assert.equal(host.dialled.length, before + 1)
  })

  it('ends when it is told to, in a pause as in a wait', async () => {
    registry = registryOf(...addresses(1))
    begin()
    await until(() => clock.pauses.length > 0)
    ending.abort()
    await entering
    ending = new AbortController()
    host.connections = 1
    begin()
    await until(() => host.listeners.added > 0)
    ending.abort()
    await entering
    assert.equal(host.listeners.added, host.listeners.removed)
  })
})
