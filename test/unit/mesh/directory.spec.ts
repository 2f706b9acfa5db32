import 'core-js/actual/promise/with-resolvers.js'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, PeerId, Stream, StreamHandler, Topology } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { lpStream, streamPair } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { accountSigner, toHex } from '../../../src/crypto/index.js'
import { type AccountId, type Clock, Registry, silentLogger } from '../../../src/domain/index.js'
import { Directory } from '../../../src/mesh/directory.js'
import {
  type DirectoryQuestion,
  decodeAnswer,
  decodeQuestion,
  encodeAnswer,
  encodeQuestion,
} from '../../../src/mesh/directory-messages.js'
import { KnownRecords } from '../../../src/mesh/known-records.js'
import { LIMITS } from '../../../src/mesh/limits.js'
import { signRecord } from '../../../src/mesh/record.js'
import { type DirectoryAnswer, DirectoryRequest } from '../../../src/mesh/wire/record.js'

const { gapMs, shortestPauseMs, pauseGrowth, longestPauseMs, renewBeforeMs, answersPerMinute } = LIMITS.directory
const genesisHash = toHex(randomBytes(32))
const { signal } = new AbortController()
const patient = { patienceMs: LIMITS.directory.timeoutMs, signal }

/** Turns of the event loop in which anything here is done that waits for no time to pass. */
const TURNS = 400

/** Time passes when the test says so. */
class HandClock implements Clock {
  #now = 1_790_000_000_000
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>()

  now(): number {
    return this.#now
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  async pass(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      const [next] = [...this.#timers].sort((one, other) => one.at - other.at)
      if (next === undefined || next.at > end) break
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.callback()
      await settled()
    }
    this.#now = end
    await settled()
  }
}

async function settled(): Promise<void> {
  for (let turns = 0; turns < TURNS; turns += 1) await turn()
}

/** Own slot: 0. Clusters of one seat in each of slots 0 and 1. */
const signers = Array.from({ length: 8 }, () => accountSigner(randomBytes(32)))
const accounts = signers.map(({ account }) => account)
const [own, ...slotPeers] = accounts.filter((_, at) => at % 2 === 0) as [AccountId, ...AccountId[]]
const others = accounts.filter((_, at) => at % 2 === 1)

function registryOf(some: readonly AccountId[]): Registry {
  const ids = [...new Set(some.map((account) => accounts.indexOf(account) >> 1))]
  return new Registry(
    ids.map((id) => ({
      id,
      type: 'public',
      seats: some.filter((account) => accounts.indexOf(account) >> 1 === id).map((account) => seatOf(account)),
    })),
  )
}

function seatOf(account: AccountId) {
  const at = accounts.indexOf(account)
  return { account, operator: account, apiUri: '', cluster: at >> 1, slot: at % 2 }
}

describe('the directory', () => {
  let clock: HandClock
  let registry: Registry
  let known: KnownRecords
  let directory: Directory
  let isSettled: boolean
  let random: number
  let serve: StreamHandler
  let topology: Topology
  /** Questions that peers were asked, in order. */
  let asked: { readonly peer: string; readonly at: number; readonly question: DirectoryQuestion }[]

  beforeEach(async () => {
    clock = new HandClock()
    registry = registryOf(accounts)
    isSettled = false
    random = 0.5
    asked = []
    known = new KnownRecords({ genesisHash, registry: () => registry, clock, onNews: async () => undefined })
    directory = new Directory({
      libp2p: {
        handle: async (_protocol, handler) => {
          serve = handler
        },
        unhandle: async () => undefined,
        register: async (_protocol, registered) => {
          topology = registered
          return 'topology'
        },
        unregister: () => undefined,
      },
      known,
      registry: () => registry,
      account: own,
      isSettled: () => isSettled,
      clock,
      random: () => random,
      logger: silentLogger,
    })
    await directory.start()
  })
  afterEach(() => directory.stop())

  async function recordOf(
    account: AccountId,
    { sequence = clock.now(), lifetimeMs = LIMITS.record.lifetimeMs, by = account } = {},
  ): Promise<Uint8Array> {
    const signer = signers[accounts.indexOf(by)] ?? assert.fail()
    const { cluster, slot } = seatOf(account)
    const multiaddrs = [multiaddr('/ip4/192.0.2.7/tcp/4001')]
    const content = { genesisHash, cluster, slot, multiaddrs, sequence, expiresAt: clock.now() + lifetimeMs }
    const { bytes } = await signRecord(content, { account, sign: signer.sign }, await generateKeyPair('Ed25519'))
    return bytes
  }

  async function newPeer(): Promise<PeerId> {
    return peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
  }

  /** The PeerId of one of another slot, whose record is known. */
  async function enclave(): Promise<PeerId> {
    const record = known.parse(await recordOf(others[0] ?? own))
    await known.take(record)
    return record.peerId
  }

  /** Connects to a peer that answers each question so; undefined is no answer at all. */
  async function connect(
    answer: (question: DirectoryQuestion, stream: Stream) => Promise<readonly Uint8Array[] | undefined>,
    { direction = 'outbound', knows = 1, by }: { direction?: 'inbound' | 'outbound'; knows?: number; by?: PeerId } = {},
  ): Promise<Connection & { status: string }> {
    const remotePeer = by ?? (await newPeer())
    const newStream = async () => {
      const [mine, theirs] = await streamPair()
      const frames = lpStream(theirs)
      const respond = async () => {
        const question = decodeQuestion((await frames.read()).subarray())
        asked.push({ peer: remotePeer.toString(), at: clock.now(), question })
        const records = await answer(question, theirs)
        if (records === undefined) return
        await frames.write(encodeAnswer({ records: [...records], known: knows }))
        await theirs.close()
      }
      respond().catch(() => undefined)
      return mine
    }
    const connection = { remotePeer, direction, status: 'open', newStream } as unknown as Connection & {
      status: string
    }
    topology.onConnect?.(remotePeer, connection)
    return connection
  }

  const nothing = async () => []

  /** What this node answers to a peer's bytes; undefined when it resets the stream. */
  async function ask(bytes: Uint8Array, peer?: PeerId): Promise<DirectoryAnswer | undefined> {
    const [mine, theirs] = await streamPair()
    const served = serve(theirs, { remotePeer: peer ?? (await newPeer()) } as unknown as Connection)
    const frames = lpStream(mine)
    try {
      await frames.write(bytes)
      const answer = decodeAnswer((await frames.read()).subarray())
      await served
      return answer
    } catch {
      return undefined
    }
  }

  const wanting = (...wants: [AccountId, number][]) => encodeQuestion({ wants: new Map(wants), known: 1 })

  describe('asks', () => {
    it('a peer that has connected for the slot peers that are unknown, and takes what it is told', async () => {
      const [first = own, second = own] = slotPeers
      const records = [await recordOf(first), await recordOf(second)]
      await connect(async () => records)
      await clock.pass(gapMs)
      assert.deepEqual([...(asked[0]?.question.wants.keys() ?? [])], [...slotPeers, own])
      assert.deepEqual(known.current(first)?.record.bytes, records[0])
      assert.deepEqual(known.current(second)?.record.bytes, records[1])
    })

    it('again ever more rarely while somebody is unknown, and sooner when a peer or a seat comes', async () => {
      await connect(nothing)
      await clock.pass(1_000_000)
      const gaps = () => asked.slice(1).map(({ at }, index) => at - (asked[index]?.at ?? 0))
      let expected: number = shortestPauseMs
      for (const gap of gaps()) {
        assert.equal(gap, expected)
        expected = Math.min(pauseGrowth * expected, longestPauseMs)
      }
      assert.equal(gaps().at(-1), longestPauseMs)

      const before = asked.length
      await connect(nothing)
      await clock.pass(shortestPauseMs + gapMs)
      assert.ok(asked.length >= before + 3)

      await clock.pass(2 * longestPauseMs)
      const quiet = asked.length
      registry = registryOf(accounts.slice(0, -1))
      directory.registryMayHaveChanged()
      await clock.pass(gapMs)
      assert.equal(asked.length, quiet)
      registry = registryOf(accounts)
      directory.registryMayHaveChanged()
      await clock.pass(gapMs)
      assert.ok(asked.length > quiet)
    })

    it('for all slot peers in turn when they are more than a request may have', async () => {
      const { wants } = LIMITS.directory
      const many = Array.from({ length: wants + wants / 2 }, () => toHex(randomBytes(32)))
      registry = new Registry(
        [own, ...many].map((account, id) => ({
          id,
          type: 'public',
          seats: [{ account, operator: account, apiUri: '', cluster: id, slot: 0 }],
        })),
      )
      random = 0
      await connect(nothing)
      await clock.pass(gapMs)
      random = 0.5
      await clock.pass(longestPauseMs)
      const heard = new Set(asked.flatMap(({ question }) => [...question.wants.keys()]))
      assert.deepEqual(
        many.filter((account) => !heard.has(account)),
        [],
      )
      assert.ok(asked.every(({ question }) => question.wants.size === wants))
    })

    it('a peer further whose older connection ends, by the newer one', async () => {
      const by = await newPeer()
      const older = await connect(async () => undefined, { by })
      await connect(nothing, { by })
      older.status = 'closed'
      await clock.pass(shortestPauseMs + gapMs)
      assert.ok(asked.length > 0)
    })

    it('first those that answer, whatever a stranger says that it knows', async () => {
      await connect(async () => undefined, { knows: 1_000 })
      const honest = await connect(nothing)
      await clock.pass(shortestPauseMs + gapMs)
      const sofar = asked.length
      await clock.pass(longestPauseMs)
      assert.equal(asked[sofar]?.peer, honest.remotePeer.toString())
    })

    it('nobody when all are known, until they end before long', async () => {
      for (const account of slotPeers) await known.take(known.parse(await recordOf(account)))
      await connect(nothing)
      await clock.pass(LIMITS.record.lifetimeMs - renewBeforeMs - longestPauseMs)
      assert.equal(asked.length, 0)
      await clock.pass(3 * longestPauseMs)
      assert.deepEqual([...(asked[0]?.question.wants.keys() ?? [])], [...slotPeers, own])
      assert.ok((asked[0]?.question.wants.get(slotPeers[0] ?? own) ?? 0) > 0)
    })

    it('for those of other slots when it has settled', async () => {
      isSettled = true
      await connect(nothing)
      await clock.pass(gapMs)
      assert.deepEqual(new Set(asked[0]?.question.wants.keys()), new Set(accounts))
    })

    it('a few peers in a round, and not all', async () => {
      for (let count = 0; count < 12; count += 1) await connect(nothing)
      await clock.pass(LIMITS.directory.firstMs)
      assert.equal(asked.length, LIMITS.directory.peersPerRound)
    })

    it('for what others have asked of it in vain, but not of them', async () => {
      const [wanted = own] = others
      const stranger = await newPeer()
      const demanding = await connect(nothing)
      await connect(nothing)
      await clock.pass(3 * longestPauseMs)
      asked.splice(0)
      assert.deepEqual((await ask(wanting([wanted, 0]), demanding.remotePeer))?.records, [])
      // The chain knows no such account.
      await ask(wanting([toHex(randomBytes(32)), 0]), stranger)
      await clock.pass(gapMs)
      const askedFor = asked.filter(({ question }) => question.wants.has(wanted))
      assert.ok(askedFor.length > 0)
      assert.ok(askedFor.every(({ peer }) => peer !== demanding.remotePeer.toString()))
      assert.ok(asked.every(({ question }) => [...question.wants.keys()].every((each) => accounts.includes(each))))
    })
  })

  describe('keeps nothing, and asks that peer no more, when it', () => {
    const [first = own, second = own] = slotPeers
    for (const [what, answer] of [
      ['sends a record that was not asked for', async () => [await recordOf(first), await recordOf(others[0] ?? own)]],
      ['sends the same one twice', async () => Array<Uint8Array>(2).fill(await recordOf(first))],
      ['sends nonsense in place of a record', async () => [await recordOf(first), Uint8Array.of(1, 2, 3)]],
    ] as const) {
      it(what, async () => {
        const records = await answer()
        await connect(async () => records)
        await clock.pass(2 * longestPauseMs)
        assert.equal(asked.length, 1)
        assert.equal(known.size, 0)
      })
    }

    it('sends one that is no newer than was asked for', async () => {
      const old = await recordOf(first, { sequence: 5 })
      await known.take(known.parse(await recordOf(first, { sequence: 6, lifetimeMs: renewBeforeMs })))
      await connect(async () => [old])
      await clock.pass(2 * longestPauseMs)
      assert.equal(asked.length, 1)
      assert.equal(known.size, 1)
    })

    it('sends one that its account has not signed, nor what stands behind it', async () => {
      const records = [await recordOf(first, { by: second }), await recordOf(second)]
      await connect(async () => records)
      await clock.pass(2 * longestPauseMs)
      assert.equal(asked.length, 1)
      assert.equal(known.size, 0)
    })

    for (const [what, bytes] of [
      ['announces more bytes than an answer may have', Uint8Array.of(0x81, 0x80, 0x10)],
      ['announces a length without end', new Uint8Array(100).fill(0xff)],
      ['sends what is no message', Uint8Array.of(3, 1, 2, 3)],
    ] as const) {
      it(what, async () => {
        assert.equal(LIMITS.directory.answerBytes, 0x40000)
        await connect(async (_, stream) => {
          stream.send(bytes)
          return undefined
        })
        await clock.pass(2 * longestPauseMs)
        assert.equal(asked.length, 1)
        assert.equal(known.size, 0)
      })
    }
  })

  it('asks a peer again that has records which are true to it, or has not answered in time', async () => {
    const [first = own, second = own] = slotPeers
    const [past, fine] = [await recordOf(first, { lifetimeMs: -1 }), await recordOf(second)]
    await connect(async ({ wants }) => (wants.has(second) ? [past, fine] : undefined))
    await clock.pass(2 * longestPauseMs)
    assert.ok(asked.length > 2)
    assert.equal(known.size, 1)
  })

  it('asks a peer no more, and takes nothing of it, that sends more records which are not true than honest views differ by', async () => {
    const { outdated } = LIMITS.directory
    const [fine = own] = slotPeers
    const many = Array.from({ length: outdated + 1 }, () => toHex(randomBytes(32)))
    const registered = [own, fine, ...many].map((account, id) => ({ ...seatOf(own), account, cluster: id }))
    registry = new Registry(registered.map((seat) => ({ id: seat.cluster, type: 'public', seats: [seat] })))
    const answerOf = async (count: number) => {
      const key = await generateKeyPair('Ed25519')
      const [, good, ...past] = registered.slice(0, count + 2)
      return Promise.all(
        [...past, good ?? assert.fail()].map(async ({ account, cluster, slot }) => {
          const ended = account === fine ? LIMITS.record.lifetimeMs : -1
          const times = { sequence: clock.now(), expiresAt: clock.now() + ended }
          const multiaddrs = [multiaddr('/ip4/192.0.2.7/tcp/4001')]
          const { sign } = signers[accounts.indexOf(fine)] ?? assert.fail()
          return (await signRecord({ genesisHash, cluster, slot, multiaddrs, ...times }, { account, sign }, key)).bytes
        }),
      )
    }
    const tooMany = await answerOf(outdated + 1)
    await connect(async () => tooMany)
    await clock.pass(2 * longestPauseMs)
    assert.equal(asked.length, 1)
    assert.equal(known.size, 0)

    const honest = await answerOf(outdated)
    await connect(async ({ wants }) => (wants.has(fine) ? honest : []))
    await clock.pass(longestPauseMs)
    assert.ok(asked.length > 2)
    assert.deepEqual(known.current(fine)?.record.bytes, honest.at(-1))
  })

  describe('answers', () => {
    it('with the records that it knows and that are newer', async () => {
      const [first = own, second = own, third = own] = slotPeers
      const bytes = await recordOf(first, { sequence: 7 })
      await known.take(known.parse(bytes))
      await known.take(known.parse(await recordOf(second, { sequence: 7 })))
      await known.take(known.parse(await recordOf(third, { sequence: 7, lifetimeMs: 1_000 })))
      await clock.pass(1_000)
      assert.deepEqual(await ask(wanting([first, 6], [second, 7], [third, 0])), { records: [bytes], known: 3 })
    })

    it('nothing to what is no question, and not more often than it has to', async () => {
      const peer = await newPeer()
      const wants = (count: number) => Array.from({ length: count }, () => ({ account: randomBytes(32), sequence: 0 }))
      const [one] = wants(1)
      for (const request of [
        { wants: [], known: 1 },
        { wants: wants(LIMITS.directory.wants + 1), known: 1 },
        { wants: [{ account: randomBytes(31), sequence: 0 }], known: 1 },
        { wants: one === undefined ? [] : [one, one], known: 1 },
      ]) {
        assert.equal(await ask(DirectoryRequest.encode(request)), undefined)
      }
      assert.equal(await ask(Uint8Array.of(...wanting([own, 0]), 0x70, 1)), undefined)
      assert.equal(await ask(new Uint8Array(LIMITS.directory.requestBytes + 1)), undefined)
      assert.ok(await ask(DirectoryRequest.encode({ wants: wants(LIMITS.directory.wants), known: 1 })))
      for (let count = 0; count < LIMITS.directory.answersAtOnce; count += 1) {
        assert.ok(await ask(wanting([own, 0]), peer))
      }
      assert.equal(await ask(wanting([own, 0]), peer), undefined)
      assert.ok(await ask(wanting([own, 0])))
    })

    it('strangers, however many they are, no more often than all of them together may ask', async () => {
      for (let count = 0; count < answersPerMinute; count += 1) assert.ok(await ask(wanting([own, 0])))
      assert.equal(await ask(wanting([own, 0])), undefined)
      assert.ok(await ask(wanting([own, 0]), await enclave()))
    })

    it('enclaves while strangers have all the places that they may have, and none of these more than its streams', async () => {
      const silent = async (remotePeer: PeerId) => {
        const [, theirs] = await streamPair()
        void serve(theirs, { remotePeer } as unknown as Connection)
      }
      for (let count = 0; count < LIMITS.directory.answersAtOnce; count += 1) await silent(await newPeer())
      const named = await enclave()
      for (let count = 0; count < LIMITS.directory.streams; count += 1) {
        assert.ok(await ask(wanting([own, 0]), named))
        await silent(named)
      }
      assert.equal(await ask(wanting([own, 0]), named), undefined)
      assert.equal(await ask(wanting([own, 0])), undefined)
    })

    it('no more peers at a time than it has room for', async () => {
      const silent = Array.from({ length: LIMITS.directory.answersAtOnce }, async () => {
        const [, theirs] = await streamPair()
        void serve(theirs, { remotePeer: await newPeer() } as unknown as Connection)
      })
      await Promise.all(silent)
      assert.equal(await ask(wanting([own, 0])), undefined)
      await clock.pass(LIMITS.directory.timeoutMs)
      assert.ok(await ask(wanting([own, 0])))
    })
  })

  describe('a search', () => {
    const [wanted = own] = slotPeers
    const search = { patienceMs: 15_000, signal }

    it('ends when the record comes, from whomever', async () => {
      const bytes = await recordOf(wanted)
      let isKnown = false
      await connect(async () => (isKnown ? [bytes] : []))
      const [seeking] = [directory.seek(wanted, search), clock.pass(3 * gapMs)]
      isKnown = true
      await clock.pass(gapMs)
      await seeking
      assert.deepEqual(known.current(wanted)?.record.bytes, bytes)
    })

    it('asks as often as it may, and ends when it takes too long', async () => {
      await connect(nothing)
      await clock.pass(3 * longestPauseMs)
      asked.splice(0)
      const seeking = directory.seek(wanted, search)
      await clock.pass(search.patienceMs)
      await seeking
      assert.ok(asked.length >= search.patienceMs / gapMs - 1, `${asked.length}`)
    })

    it('is none where nobody could know', async () => {
      await directory.seek(wanted, search)
      await connect(nothing)
      await directory.seek(toHex(randomBytes(32)), search)
    })
  })

  describe('a record that may be outdated', () => {
    const [account = own, other = own] = slotPeers

    beforeEach(async () => {
      for (const each of slotPeers) await known.take(known.parse(await recordOf(each, { sequence: 5 })))
      await clock.pass(LIMITS.resolve.freshMs)
    })

    it('is asked about together with others, and not again at once', async () => {
      for (let count = 0; count < 3; count += 1) await connect(nothing)
      const [confirmed] = await Promise.all([directory.confirm(account, patient), clock.pass(gapMs)])
      assert.equal(confirmed, true)
      assert.equal(asked.length, 3)
      assert.deepEqual([asked[0]?.question.wants.get(account), asked[0]?.question.wants.get(other)], [5, 5])
      assert.equal(await directory.confirm(other, patient), true)
      assert.equal(asked.length, 3)
    })

    it('is replaced by a newer one that any of them knows', async () => {
      const bytes = await recordOf(account, { sequence: 6 })
      await connect(nothing)
      await connect(async () => [bytes])
      await Promise.all([directory.confirm(account, patient), clock.pass(gapMs)])
      assert.equal(known.current(account)?.record.sequence, 6)
    })

    it('stays doubtful where nobody answers, or nobody is there', async () => {
      assert.equal(await directory.confirm(account, patient), false)
      await connect(async () => undefined)
      const [confirmed] = await Promise.all([
        directory.confirm(account, patient),
        clock.pass(2 * LIMITS.directory.timeoutMs),
      ])
      assert.equal(confirmed, false)
    })
  })
})
