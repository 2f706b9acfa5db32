import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import { fromHex } from '../../../src/crypto/index.js'
import { Frames } from '../../../src/framing/index.js'
import { PROVIDER_LIMITS } from '../../../src/share/index.js'
import { ephemeralKeys } from '../../../src/share/sealing.js'
import { issueToken } from '../../../src/share/tokens.js'
import { HelloBody, ProviderMessage, RequesterMessage } from '../../../src/share/wire/share.js'
import { account, soon } from '../../unit/share/fixture.js'
import { type Asking, isBusy, Neighbourhood } from './hosts.js'

/** A well-formed Hello in anyone's name: its signature is one, but not over this. */
async function impostorHello({ provider }: Neighbourhood, name: string): Promise<Uint8Array> {
  const keys = await ephemeralKeys(1)
  const body = HelloBody.encode({
    genesisHash: fromHex(provider.chain.genesisHash),
    account: fromHex(account(name).account),
    nonce: new Uint8Array(randomBytes(32)),
    token: issueToken(provider.chain),
    suites: [{ suite: keys.suite, publicKey: keys.publicKey }],
  })
  return RequesterMessage.encode({ hello: { body, signature: account(name).sign(body) } })
}

/** What the provider says to a Hello. */
async function answer(stream: Stream, hello: Uint8Array): Promise<string | undefined> {
  const frames = new Frames(stream)
  await frames.write(hello, { signal: soon() })
  const bytes = await frames.read(1024, { signal: soon() })
  await frames.close({ signal: soon(), lingerMs: 1000 })
  return bytes === undefined ? undefined : ProviderMessage.decode(bytes).refusal?.code
}

/** Strangers, each with a PeerId of its own: some send one Hello after the other, some open streams and say nothing. */
class Flood {
  readonly answers = new Map<string | undefined, number>()
  readonly #open: (() => Promise<Stream>)[] = []
  readonly #silent: Stream[] = []
  #isEnough = false
  #running: Promise<unknown> = Promise.resolve()

  get size(): number {
    return [...this.answers.values()].reduce((sum, count) => sum + count, 0)
  }

  async arrive(at: Neighbourhood, { speaking, silent }: { speaking: number; silent: number }): Promise<void> {
    for (let each = 0; each < speaking; each += 1) this.#open.push(await at.stranger())
    for (let each = 0; each < silent; each += 1) {
      const open = await at.stranger()
      this.#silent.push(await open(), await open())
    }
  }

  begin(hellos: readonly Uint8Array[]): void {
    const flooding = this.#open.map(async (open, stranger) => {
      for (let round = stranger; !this.#isEnough; round += 1) {
        const code = await answer(await open(), hellos[round % hellos.length] ?? new Uint8Array())
        this.answers.set(code, (this.answers.get(code) ?? 0) + 1)
      }
    })
    this.#running = Promise.all(flooding)
  }

  async end(): Promise<void> {
    this.#isEnough = true
    await this.#running
    for (const stream of this.#silent) stream.abort(new Error('enough'))
  }
}

/** Each asks so many times, one after the other. @returns ms for one exchange. */
async function everybodyAsks(peers: readonly Asking[], times: number): Promise<number> {
  const began = performance.now()
  await Promise.all(
    peers.map(async (peer) => {
      for (let time = 0; time < times; time += 1) await peer.ask()
    }),
  )
  return (performance.now() - began) / (peers.length * times)
}

/** Serves one exchange at a time, in the order in which places were given; nobody before `open`. */
function oneByOne(at: Neighbourhood): { open(): void } {
  const line: (() => void)[] = []
  let isOpen = false
  let passed = 0
  const next = () => {
    if (!isOpen || passed > at.served.length) return
    const first = line.shift()
    if (first === undefined) return
    passed += 1
    first()
  }
  at.shares.pass = () =>
    new Promise((resolve) => {
      line.push(resolve)
      next()
    })
  at.onServed = next
  return {
    open: () => {
      isOpen = true
      next()
    },
  }
}

describe('a provider of the share protocol, over TCP and Noise', function () {
  this.timeout(60_000)
  let at: Neighbourhood
  beforeEach(async () => {
    at = new Neighbourhood()
    await at.open()
  })
  afterEach(async () => {
    await at.close()
  })

  it('serves registered peers while strangers flood it, who get no more work out of it than the limits say', async function () {
    const peers: Asking[] = []
    for (let each = 0; each < 8; each += 1) peers.push(await at.join(`other-${each}`, { byRecord: each % 2 === 0 }))
    // Those without a record prove themselves here, out of the strangers' budget.
    const quietMs = await everybodyAsks(peers, 3)
    const before = { checks: at.signatureChecks, quotes: at.provider.attestation.calls.quote }
    assert.equal(before.checks, 8 * 3)

    const flood = new Flood()
    await flood.arrive(at, { speaking: 24, silent: 8 })
    // In the names of those who are being served, of others with a seat, and of nobody.
    const names = ['other-0', 'nobody', 'other-1', 'other-20', 'nobody else']
    flood.begin(await Promise.all(names.map((name) => impostorHello(at, name))))
    const times = 5
    const loudMs = await everybodyAsks(peers, times)
    await at.until(() => flood.size > 5 * PROVIDER_LIMITS.hellosOfUnknown.atOnce)
    await flood.end()

    const exchanges = peers.length * times
    const budget = PROVIDER_LIMITS.hellosOfUnknown.atOnce - peers.length / 2
    const checks = at.signatureChecks - before.checks - exchanges
    assert.equal(checks, budget, 'signature checks spent on strangers')
    assert.equal(at.count('BAD_SIGNATURE'), budget)
    assert.equal(at.served.length, peers.length * 3 + exchanges, 'every exchange of a registered peer was served')
    assert.equal(at.provider.attestation.calls.quote - before.quotes, exchanges, 'no quote was made for strangers')
    assert.equal(at.provider.attestation.calls.verify, at.served.length, 'nor verified')
    assert.equal(at.shares.calls.runs, at.served.length, 'nor was anything read for them')
    // What strangers were told is all that was refused: no registered peer was.
    assert.deepEqual([...flood.answers.keys()].sort(), ['BAD_SIGNATURE', 'BUSY', 'NOT_REGISTERED'])
    assert.equal(at.refusals.length, flood.size)
    const factor = (loudMs / quietMs).toFixed(1)
    if (this.test)
      this.test.title += ` (${flood.size} Hellos, exchanges ${factor} times slower, the flood's own work included)`
  })

  it('serves thirty accounts at sixteen places, round after round', async () => {
    const places = oneByOne(at)
    const peers: Asking[] = []
    for (let each = 0; each < 30; each += 1) peers.push(await at.join(`other-${each}`, { byRecord: true }))
    const asking = everybodyAsks(peers, 2)
    await at.until(() => at.signatureChecks >= peers.length)
    places.open()
    await asking
    assert.equal(at.shares.places.most, PROVIDER_LIMITS.exchanges)
    assert.deepEqual(at.refusals, [])
    for (const round of [0, 1]) {
      const accounts = at.served.slice(round * peers.length, (round + 1) * peers.length)
      assert.equal(new Set(accounts).size, peers.length, `in round ${round} somebody was served twice`)
    }
  })

  it('lets nobody wait longer because one account asks all the time', async () => {
    const places = oneByOne(at)
    const greedy: Asking[] = []
    for (let each = 0; each < 4; each += 1) greedy.push(await at.join('other-29', { byRecord: true }))
    const others: Asking[] = []
    for (let each = 0; each < 20; each += 1) others.push(await at.join(`other-${each}`, { byRecord: true }))
    let isOver = false
    let left = 100
    const snatching = greedy.map(async (one) => {
      while (left > 0) {
        left -= 1
        const seen = at.served.length
        const thrown: unknown = await one.ask().catch((busy: unknown) => busy)
        if (thrown === undefined) continue
        assert.ok(isBusy(thrown), String(thrown))
        // It comes back as soon as anything has changed.
        await at.until(() => at.served.length > seen || isOver)
      }
    })
    await at.until(() => at.signatureChecks >= greedy.length)
    const asking = everybodyAsks(others, 3)
    await at.until(() => at.signatureChecks >= greedy.length + others.length)
    places.open()
    await asking
    isOver = true
    await Promise.all(snatching)
    for (const { account: who } of others) {
      const turns = at.served.flatMap((each, turn) => (each === who ? [turn] : []))
      assert.equal(turns.length, 3)
      for (const [time, turn] of turns.entries()) {
        const meanwhile = at.served.slice(turns[time - 1] ?? 0, turn).filter((each) => each === greedy[0]?.account)
        const most = PROVIDER_LIMITS.exchangesPerPeer
        assert.ok(meanwhile.length <= most, `the greedy one was served ${meanwhile.length} times meanwhile`)
      }
    }
    assert.ok(at.count('BUSY') > 50, 'the greedy account was told to come back')
  })
})
