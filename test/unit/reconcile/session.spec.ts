import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import { fromHex } from '../../../src/crypto/index.js'
import { pause, Registry, systemClock } from '../../../src/domain/index.js'
import { Frames } from '../../../src/framing/index.js'
import { Inventory } from '../../../src/inventory/index.js'
import { Places } from '../../../src/reconcile/admission.js'
import { Comparing } from '../../../src/reconcile/comparing.js'
import { type ReconcileRefusal, RefusingError } from '../../../src/reconcile/index.js'
import { readSummary } from '../../../src/reconcile/messages.js'
import { partOf } from '../../../src/reconcile/parts.js'
import type { Side } from '../../../src/reconcile/party.js'
import { encodePrefixes } from '../../../src/reconcile/prefixes.js'
import { serveSession } from '../../../src/reconcile/provider.js'
import { compareHeld } from '../../../src/reconcile/requester.js'
import { type Answer, ProviderMessage, RefusalCode, RequesterMessage } from '../../../src/reconcile/wire/reconcile.js'
import { connectedStreams, soon } from '../share/fixture.js'
import { account, GENESIS, inventoryOf, places, secrets, sideOf } from './fixture.js'

const asking = account('asking').account
const own = { account: asking, genesisHash: GENESIS }
const signal = soon(19_000)

/** A provider at one end; at the other what the test does. */
async function served(
  side: Side,
  { at = places(), peer = 'peer of asking' }: { at?: Places; peer?: string } = {},
): Promise<{ frames: Frames; ended: Promise<unknown> }> {
  const [near, far] = await connectedStreams()
  const serving = serveSession(side, at, peer, new Frames(far, systemClock, 'reconcile'), { signal })
  return { frames: new Frames(near, systemClock, 'reconcile'), ended: serving.catch((thrown: unknown) => thrown) }
}

const hello = (name = 'asking', genesisHash = fromHex(GENESIS)) =>
  RequesterMessage.encode({ hello: { genesisHash, account: fromHex(account(name).account) } })
const question = (prefixes: Uint8Array) => RequesterMessage.encode({ question: { prefixes } })
const root = encodePrefixes([{ level: 0, first: 0 }])

/** What a requester is told that sends this Hello. */
async function refusalOf(side: Side, message: Uint8Array, options: Parameters<typeof served>[1] = {}) {
  const { frames, ended } = await served(side, options)
  await frames.write(message, { signal })
  const told = await readSummary(frames, { signal }).then(
    () => 'taken',
    (thrown) => thrown.refusal,
  )
  frames.abort(new Error('done'))
  await ended
  return told
}

describe('a session of reconciliation', () => {
  it('tells in what the two differ', async () => {
    const held = inventoryOf(secrets(0, 3_000))
    const theirs = inventoryOf(secrets(0, 3_000))
    theirs.delete(17)
    theirs.set(2_000_000, 5)
    const { frames, ended } = await served(sideOf('giving', theirs))
    const found = await compareHeld(own, frames, { held, turn: 0, signal })
    assert.deepEqual(found.ahead, [{ key: { kind: 'secret', nftId: 2_000_000 }, here: undefined, there: 5 }])
    assert.deepEqual(found.behind, [{ key: { kind: 'secret', nftId: 17 }, here: 18, there: undefined }])
    assert.deepEqual([found.takenIn, found.count, found.isComplete], [1_000_000, 3_000, true])
    assert.deepEqual(await ended, { account: asking, questions: found.questions })
    assert.ok(frames.traffic.bytes < 6_000, `${frames.traffic.bytes} bytes`)
  })

  it('is over after one message each way where nothing differs', async () => {
    const held = inventoryOf(secrets(0, 3_000))
    const { frames, ended } = await served(sideOf('giving', inventoryOf(secrets(0, 3_000))))
    const found = await compareHeld(own, frames, { held, turn: 0, signal })
    assert.deepEqual([found.questions, found.ahead, found.behind, found.isComplete], [0, [], [], true])
    assert.ok(frames.traffic.bytes < 128, `${frames.traffic.bytes} bytes`)
    await ended
  })

  it('is refused to anybody but a slot peer at the peer of its record, before anything is computed', async () => {
    const untouched: Side = {
      ...sideOf('giving', new Inventory()),
      source: {
        held: async () => {
          throw new Error('It was looked at what is held.')
        },
      },
    }
    const stale = sideOf('giving', new Inventory())
    stale.chain.finalisedAge = 120_001
    const cases: [string, Side, Uint8Array, ReconcileRefusal, string?][] = [
      ['no Hello', untouched, question(root), 'MALFORMED'],
      ['garbage', untouched, randomBytes(200), 'MALFORMED'],
      ['a short hash', untouched, hello('asking', new Uint8Array(31)), 'MALFORMED'],
      ['another chain', untouched, hello('asking', new Uint8Array(32)), 'UNKNOWN_CHAIN'],
      ['an old view', { ...stale, source: untouched.source }, hello(), 'NOT_READY'],
      ['a stranger', untouched, hello('nobody'), 'NOT_REGISTERED'],
      ['the own cluster', untouched, hello('neighbour'), 'SAME_CLUSTER', 'peer of neighbour'],
      ['another slot', untouched, hello('elsewhere'), 'WRONG_SLOT', 'peer of elsewhere'],
      ['a private cluster', untouched, hello('private'), 'CLUSTER_NOT_PUBLIC', 'peer of private'],
      ['another peer', untouched, hello(), 'UNKNOWN_PEER', 'peer of other-1'],
    ]
    for (const [name, side, message, refusal, peer = 'peer of asking'] of cases) {
      assert.equal(await refusalOf(side, message, { peer }), refusal, name)
    }
  })

  it('looks for the record of a slot peer that is not known yet, so often and so long', async () => {
    const known = new Set<string>()
    let looked = 0
    const side: Side = {
      ...sideOf('giving', new Inventory()),
      isKnown: (who) => known.has(who),
      lookUp: async (who) => {
        looked += 1
        if (looked === 1) throw new Error('It is not found.')
        if (looked === 3) known.add(who)
      },
    }
    const at = places()
    assert.equal(await refusalOf(side, hello('nobody'), { at }), 'NOT_REGISTERED')
    assert.equal(looked, 0)
    assert.equal(await refusalOf(side, hello(), { at }), 'UNKNOWN_PEER')
    assert.equal(await refusalOf(side, hello(), { at }), 'UNKNOWN_PEER')
    assert.equal(await refusalOf(side, hello(), { at }), 'taken')
    assert.equal(await refusalOf(side, hello(), { at }), 'taken')
    assert.equal(looked, 3)
    known.clear()
    for (let turn = 0; turn < 40; turn += 1) assert.equal(await refusalOf(side, hello(), { at }), 'UNKNOWN_PEER')
    assert.equal(looked, 30)
  })

  it('is refused while the provider is not set up', async () => {
    const source = { held: () => Promise.reject(new RefusingError('NOT_READY')) }
    assert.equal(await refusalOf({ ...sideOf('giving', new Inventory()), source }, hello()), 'NOT_READY')
  })

  it('is one at a time for an account, four in all, and so many in a minute', async () => {
    const at = places()
    const side = sideOf('giving', new Inventory())
    const open: Frames[] = []
    const ends: Promise<unknown>[] = []
    const begin = async (name: string) => {
      const { frames, ended } = await served(side, { at, peer: `peer of ${name}` })
      open.push(frames)
      ends.push(ended)
      await frames.write(hello(name), { signal })
      return readSummary(frames, { signal }).then(
        () => 'taken',
        (thrown) => thrown.refusal,
      )
    }
    const endAll = async () => {
      for (const frames of open.splice(0)) frames.abort(new Error('done'))
      await Promise.all(ends.splice(0))
    }
    assert.equal(await begin('asking'), 'taken')
    assert.equal(await begin('asking'), 'BUSY')
    for (const name of ['other-0', 'other-1', 'other-2']) assert.equal(await begin(name), 'taken')
    assert.equal(await begin('other-3'), 'BUSY')
    await endAll()
    for (let turn = 1; turn < 6; turn += 1) {
      assert.equal(await begin('asking'), 'taken')
      await endAll()
    }
    assert.equal(await begin('asking'), 'BUSY')
    assert.equal(await begin('other-0'), 'taken')
    await endAll()
  })

  it('is given to one who comes for the first time in a while, in place of one that comes again and again', async () => {
    let now = 1_000_000
    const at = new Places({ ...systemClock, now: () => now })
    const side = sideOf('giving', inventoryOf(secrets(0, 10)))
    const begin = async (name: string) => {
      const { frames, ended } = await served(side, { at, peer: `peer of ${name}` })
      await frames.write(hello(name), { signal })
      const told = await readSummary(frames, { signal }).then(
        () => 'taken',
        (thrown) => thrown.refusal,
      )
      return { name, frames, ended, told }
    }
    const four = ['other-0', 'other-1', 'other-2', 'other-3']
    const first = await Promise.all(four.map(begin))
    assert.deepEqual((await begin('asking')).told, 'BUSY')
    for (const { frames, ended } of first) {
      frames.abort(new Error('done'))
      await ended
    }
    // All of them at once again.
    const open = new Map((await Promise.all(four.map(begin))).map((session) => [session.name, session]))
    const told = () => [...open.values()].map((session) => session.told)
    assert.deepEqual(told(), ['taken', 'taken', 'taken', 'taken'])
    const asking = await begin('asking')
    assert.equal(asking.told, 'taken')
    const ends = await Promise.race(
      [...open.values()].map(async ({ name, ended, frames }) => ({ name, frames, end: await ended })),
    )
    assert.ok(ends.end instanceof RefusingError && ends.end.refusal === 'BUSY')
    await assert.rejects(readSummary(ends.frames, { signal }), { refusal: 'BUSY' })
    // That one is back too soon to take the place of another in turn; much later it is not.
    assert.equal((await begin(ends.name)).told, 'BUSY')
    now += 700_000
    assert.equal((await begin(ends.name)).told, 'taken')
    for (const { frames } of [asking, ...open.values()]) frames.abort(new Error('done'))
  })

  it('takes no question that is none, none too many, and none when the provider is allowed no more', async () => {
    const end = async (play: (frames: Frames, side: ReturnType<typeof sideOf>) => Promise<void>) => {
      const side = sideOf('giving', inventoryOf(secrets(0, 100)))
      const { frames, ended } = await served(side)
      await frames.write(hello(), { signal })
      await readSummary(frames, { signal })
      await play(frames, side)
      const thrown = await ended
      return thrown instanceof RefusingError ? thrown.refusal : thrown
    }
    const answer = async (frames: Frames) => assert.ok((await frames.read(98_304, { signal }))?.length)
    assert.equal(await end((frames) => frames.write(question(new Uint8Array(5)), { signal })), 'MALFORMED')
    assert.equal(await end((frames) => frames.write(hello(), { signal })), 'MALFORMED')
    const tooMany = async (frames: Frames) => {
      for (let at = 0; at < 64; at += 1) {
        await frames.write(question(root), { signal })
        await answer(frames)
      }
      await frames.write(question(root), { signal })
    }
    assert.equal(await end(tooMany), 'BUSY')
    const moved = async (frames: Frames, side: ReturnType<typeof sideOf>) => {
      await frames.write(question(root), { signal })
      await answer(frames)
      side.chain.change(new Registry([]))
      await frames.write(question(root), { signal })
    }
    assert.equal(await end(moved), 'NOT_REGISTERED')
    const oversized = await end((frames) => frames.write(new Uint8Array(2_049), { signal }))
    assert.equal((oversized as { code?: string }).code, 'reconcile/oversized')
  })

  it('sums up no more for an account in a minute than there is for one, whatever it asks', async () => {
    let tick = 0
    // Each look at the clock is 400 ms after the one before.
    const at = new Places({ ...systemClock, now: () => 1_000_000 }, () => (tick += 400))
    const side = sideOf('giving', inventoryOf(secrets(0, 100)))
    const begin = async (name: string) => {
      const { frames, ended } = await served(side, { at, peer: `peer of ${name}` })
      await frames.write(hello(name), { signal })
      await readSummary(frames, { signal })
      let answers = 0
      for (; answers < 10; answers += 1) {
        await frames.write(question(root), { signal })
        const message = ProviderMessage.decode((await frames.read(98_304, { signal })) ?? new Uint8Array())
        if (message.refusal?.code === RefusalCode.BUSY) break
      }
      frames.abort(new Error('done'))
      await ended
      return answers
    }
    assert.equal(await begin('asking'), 5)
    assert.equal(await begin('asking'), 0)
    assert.equal(await begin('other-0'), 5)
  })

  it('lets others have their turn while it answers, and answers any question soon', async () => {
    const side = sideOf('giving', inventoryOf(secrets(0, 200_000, 7)))
    const { frames, ended } = await served(side)
    await frames.write(hello(), { signal })
    await readSummary(frames, { signal })
    // Each cuts through many runs.
    const prefixes = Array.from({ length: 256 }, (_, at) => ({ level: 6, first: at * 4_096 }))
    await frames.write(question(encodePrefixes(prefixes)), { signal })
    let turns = 0
    const answered = frames.read(98_304, { signal })
    const done = answered.then(() => true)
    while (!(await Promise.race([done, pause(1, { signal }).then(() => false)]))) turns += 1
    assert.ok(turns > 3, `${turns} turns`)
    frames.abort(new Error('done'))
    await ended
  })
})

describe('a requester of a session', () => {
  const held = inventoryOf(secrets(0, 1_000))
  const summary = ProviderMessage.encode({
    summary: { takenInBlock: 5, count: 7, fingerprint: new Uint8Array(16).fill(1) },
  })

  /** A provider that the test plays: its messages, one for each of the requester's. */
  async function told(messages: readonly Uint8Array[]): Promise<unknown> {
    const [near, far] = await connectedStreams()
    const frames = new Frames(far, systemClock, 'reconcile')
    const playing = play(frames, far, messages)
    const outcome = await compareHeld(own, new Frames(near, systemClock, 'reconcile'), { held, turn: 0, signal }).then(
      (found) => found,
      (thrown) => thrown.refusal ?? thrown.code,
    )
    await playing
    return outcome
  }

  async function play(frames: Frames, stream: Stream, messages: readonly Uint8Array[]): Promise<void> {
    try {
      for (const message of messages) {
        await frames.read(4_096, { signal })
        await frames.write(message, { signal })
      }
      if (stream.status === 'open') await stream.close({ signal })
    } catch {
      stream.abort(new Error('the requester has left'))
    }
  }

  it('takes nothing that breaks the protocol', async () => {
    const answer = (parts: Answer['parts']) => ProviderMessage.encode({ answer: { parts } })
    const part = { present: 0, fingerprints: new Uint8Array(), items: new Uint8Array() }
    const overview = (count: number, fingerprint: Uint8Array) =>
      ProviderMessage.encode({ summary: { takenInBlock: 5, count, fingerprint } })
    const cases: [string, Uint8Array[], string][] = [
      ['garbage', [randomBytes(100)], 'MALFORMED'],
      ['an answer first', [answer([part])], 'MALFORMED'],
      ['a fingerprint of nothing', [overview(0, new Uint8Array(16))], 'MALFORMED'],
      ['no fingerprint', [overview(1, new Uint8Array())], 'MALFORMED'],
      ['more than there can be', [overview(2 ** 40, new Uint8Array(16))], 'MALFORMED'],
      ['a second summary', [summary, summary], 'MALFORMED'],
      ['no part', [summary, answer([])], 'MALFORMED'],
      ['too many parts', [summary, answer(Array.from({ length: 300 }, () => part))], 'MALFORMED'],
      ['an answer of 97 KiB', [summary, new Uint8Array(97 * 1024)], 'reconcile/oversized'],
      ['an unknown refusal', [ProviderMessage.encode({}), summary], 'MALFORMED'],
      ['the end of the stream', [summary], 'reconcile/cut'],
    ]
    for (const [name, messages, outcome] of cases) assert.equal(await told(messages), outcome, name)
  })

  it('is told by a refusal how to go on', async () => {
    const busy = ProviderMessage.encode({ refusal: { code: RefusalCode.BUSY, retryAfterMs: 30_000 } })
    assert.equal(await told([busy]), 'BUSY')
    assert.equal(await told([summary, busy]), 'BUSY')
  })

  it('keeps what it knows when the provider has had enough, and knows that it is not all', async () => {
    const theirs = inventoryOf(secrets(0, 1_000))
    theirs.set(500_000, 7)
    const comparing = new Comparing(held, 0)
    const parts = comparing.next()?.map((prefix) => partOf(theirs, prefix))
    assert.ok(parts)
    const busy = ProviderMessage.encode({ refusal: { code: RefusalCode.BUSY, retryAfterMs: 30_000 } })
    const found = await told([summary, ProviderMessage.encode({ answer: { parts } }), busy])
    assert.deepEqual(found, {
      ...{ takenIn: 5, count: 7, questions: 2, ahead: [], behind: [], isComplete: false },
      counts: { lackingHere: 0, olderHere: 0, lackingThere: 0, olderThere: 0 },
    })
  })
})
